"""A verdict in words on one map, by rules that anyone can read, with the numbers that it rests on."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

VerdictLevel = Literal["supported", "mixed", "not supported", "unknown"]

ORDERS = 5
"""Control areas that are needed: the spread of fewer is itself hardly known."""

SPREADS = 1.5
"""Standard deviations by which an area must be beyond the mean of the control's, and beyond each of them, too.

On 20 scenes whose reason is known (honest and A of benchmarks/verdicts.py) 3 deviations, asked for at first, passed
over most maps that lie on it, since the same map moved elsewhere often still covers some: Grad-CAM passed in both
curves 14 times, Occlusion 12 times, LRP 12 times, with 1.5 deviations 20, 19 and 19 times. Noise passed in both curves
in none of the 20 either way.
"""

LEAST_DIFFERENCE = 0.01
"""The least difference of areas that counts, however small the spread: a hundredth of the whole range, 0 to 1."""

FAINT = 0.1
"""Below this probability of the target the curves have nothing to fall from, or to rise to."""

ROOM = 0.05
"""What the control must leave to be gained, lest no map could show anything.

Of a map as fine as pixels every order takes the probability away within the first of 20 steps, which alone makes an
area of 0.025; then deletion tells nothing of the order.
"""

HALF = 0.5
"""The share of the layers' stages that must have been re-initialized before a map's likeness counts.

With only the upper layers re-initialized the lower ones still find the things in the picture, and maps that lie on
them stay: at some stage LRP, Layer-CAM, Grad-CAM and even Occlusion reach 0.84 to 1 on the scenes, right as they are.
With more than half of the stages done the highest correlation is at most 0.64 for Gradient, Input × Gradient,
Integrated Gradients and Grad-CAM on these 20 scenes, and at least 0.71 for Guided Backprop, known to fail (Adebayo et
al. 2018).
"""

UNCHANGED = 0.8
"""Rank correlation from which on a map counts as the same as that of a model that has forgotten most of its layers.

On these scenes Guided Backprop reaches it in 15 of 20, LRP in 11 of 20, Layer-CAM, which follows the activations of
any network, in 4 of 20. On a trained SqueezeNet and five photographs the medians of the first two are 0.90.
"""

CHANGED = 0.65
"""Rank correlation up to which it counts as another: between the 0.64 and the 0.71 above.

On the SqueezeNet and its photographs Gradient reaches 0.59, Grad-CAM 0.32, Input × Gradient 0.76 in one of five.
"""

RESIDUAL = 0.1
"""The share of its promised sum that a map may miss: more, and parts of the score are unaccounted for."""

VARIANT = 0.05
"""Difference, beyond another random draw's, from which on a map changes under a shift; rounding makes under 0.001."""


@dataclass(frozen=True)
class Evidence:
    """What was measured of one map; None, or no control, where it was not.

    `probability`: of the target, for the picture as it is. `deletion`, `insertion`: areas under the curves, and those
    of several controls of the same grain (`faithfulness.moved`). `randomization`: the rank correlation of absolute
    values with the map of the fully re-initialized model, `randomization_highest` the highest from the stage on with
    more than half of the layers re-initialized. `residual`: |sum of the map − what it promises| as a share
    of what it promises. `shift`: the relative difference under a constant shift, `shift_control` that of another random
    draw (0 for methods that draw nothing). `pointing`: whether the largest value hits the annotation, `overlap` the
    intersection over union of the annotation and as many of the largest values, `overlap_chance` that of any pixels.
    """

    probability: float | None = None
    deletion: float | None = None
    deletion_control: tuple[float, ...] = ()
    insertion: float | None = None
    insertion_control: tuple[float, ...] = ()
    randomization: float | None = None
    randomization_highest: float | None = None
    residual: float | None = None
    shift: float | None = None
    shift_control: float = 0.0
    pointing: bool | None = None
    overlap: float | None = None
    overlap_chance: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The level, one sentence that says it in words, and the reasons, each with its numbers."""

    level: VerdictLevel
    text: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Reading:
    """What one measurement says of the map: for it (1), against it (−1), neither (0), or nothing (None)."""

    says: Literal[-1, 0, 1] | None
    reason: str


TEXTS: dict[VerdictLevel, str] = {
    "supported": (
        "Measured: the pixels that this map ranks first matter to the model more than the same map elsewhere would "
        "have it, and the map depends on what the model has learned."
    ),
    "mixed": "The measurements point in different directions: see the reasons before relying on this map.",
    "not supported": "The measurements do not bear this map out as an explanation of the model.",
    "unknown": "What was measured says too little for a verdict.",
}


def verdict(evidence: Evidence) -> Verdict:
    """What the evidence says of one map, by the first of these rules that applies.

    1. Not supported: with more than half of the layers' stages re-initialized the map is still the same (≥ 0.8); or
       neither deletion nor insertion is better than the control's.
    2. Unknown: deletion, insertion or randomization was not measured, or says nothing (fewer than 5 controls, a
       target of probability below 0.1, controls that leave no room to do better).
    3. Supported: both areas are better than each of the control's, by 1.5 of its standard deviations and by 0.01, with
       more than half of the stages re-initialized the correlation stays ≤ 0.65, and the map misses at most 10% of the
       sum it promises, if any.
    4. Mixed: all else.

    The shift and the annotation are named among the reasons and decide nothing: a map with a baseline changes with
    the shift by construction, and a model may look beside what people have marked.
    Raises `ValueError` for numbers outside their range.
    """
    _require_in_range(evidence)
    deletion = _against_control("Deletion", evidence, evidence.deletion, evidence.deletion_control, better=-1)
    insertion = _against_control("Insertion", evidence, evidence.insertion, evidence.insertion_control, better=1)
    sanity = _randomization(evidence.randomization, evidence.randomization_highest)
    residual = _residual(evidence.residual)
    level = _level(deletion.says, insertion.says, sanity.says, residual.says)
    readings = (deletion, insertion, sanity, residual, _shift(evidence), _annotation(evidence))
    return Verdict(level, TEXTS[level], tuple(reading.reason for reading in readings if reading.reason))


def _level(deletion: int | None, insertion: int | None, sanity: int | None, residual: int | None) -> VerdictLevel:
    curves = (deletion, insertion)
    if sanity == -1 or all(says is not None and says <= 0 for says in curves):
        return "not supported"
    if None in curves or sanity is None:
        return "unknown"
    return "supported" if (*curves, sanity) == (1, 1, 1) and residual != -1 else "mixed"


def _against_control(
    what: str, evidence: Evidence, area: float | None, control: Sequence[float], *, better: Literal[-1, 1]
) -> _Reading:
    if area is None:
        return _Reading(None, f"{what} was not measured.")
    if len(control) < ORDERS:
        return _Reading(None, f"{what}: area {area:.3f}, with {len(control)} controls; {ORDERS} are needed.")
    if evidence.probability is not None and evidence.probability < FAINT:
        return _Reading(
            None,
            f"{what} says nothing: the model gives the target a probability of {evidence.probability:.3f}, "
            f"below {FAINT}.",
        )
    mean, spread = statistics.fmean(control), statistics.stdev(control)
    margin = max(SPREADS * spread, LEAST_DIFFERENCE)
    most = 1.0 if evidence.probability is None else evidence.probability
    if (mean if better < 0 else most - mean) < max(margin, ROOM):
        return _Reading(
            None,
            f"{what} says nothing: the same map elsewhere has an area of {mean:.3f} ± {spread:.3f}, which leaves no "
            "room to do clearly better.",
        )
    gain = better * (area - mean)
    beyond = [better * (area - one) for one in control]
    says = 1 if gain > margin and min(beyond) > 0 else -1 if gain < -margin and max(beyond) < 0 else 0
    words = {1: "better than", 0: "not to be told from", -1: "worse than"}[says]
    return _Reading(
        says,
        f"{what}: area {area:.3f}, {words} the same map elsewhere ({mean:.3f} ± {spread:.3f}, {len(control)} times; "
        f"{'smaller' if better < 0 else 'larger'} is better).",
    )


def _randomization(final: float | None, highest: float | None) -> _Reading:
    if final is None:
        return _Reading(None, "Whether the map depends on what the model has learned was not measured.")
    most = final if highest is None else max(final, highest)
    says = -1 if most >= UNCHANGED else 1 if most <= CHANGED else 0
    words = {-1: "is still the same", 0: "is partly the same", 1: "is another one"}[says]
    return _Reading(
        says,
        f"With more than half of the layers re-initialized the map {words} (rank correlation at most {most:.2f}; with "
        f"all of them {final:.2f}).",
    )


def _residual(share: float | None) -> _Reading:
    if share is None:
        return _Reading(None, "")
    says = -1 if share > RESIDUAL else 1
    words = "more than" if says < 0 else "within"
    return _Reading(
        says, f"The map misses {share:.1%} of the sum that it promises, {words} the {RESIDUAL:.0%} allowed."
    )


def _shift(evidence: Evidence) -> _Reading:
    if evidence.shift is None:
        return _Reading(None, "")
    words = "changes" if evidence.shift > evidence.shift_control + VARIANT else "stays"
    drawn = f", another random draw alone {evidence.shift_control:.3f}" if evidence.shift_control else ""
    return _Reading(
        None,
        f"When picture and model are shifted by a constant the map {words} (difference {evidence.shift:.3f}{drawn}; "
        "no part of the verdict).",
    )


def _annotation(evidence: Evidence) -> _Reading:
    if evidence.pointing is None:
        return _Reading(None, "")
    overlap = (
        ""
        if evidence.overlap is None
        else f", and as many of the largest values overlap with it by {evidence.overlap:.2f} (any pixels by "
        f"{evidence.overlap_chance:.2f})"
    )
    return _Reading(
        None,
        f"The largest value lies {'inside' if evidence.pointing else 'outside'} the annotation{overlap} (no part of "
        "the verdict).",
    )


def _require_in_range(evidence: Evidence) -> None:
    shares = {
        "probability": (evidence.probability,),
        "deletion": (evidence.deletion, *evidence.deletion_control),
        "insertion": (evidence.insertion, *evidence.insertion_control),
        "shift": (evidence.shift, evidence.shift_control),
        "overlap": (evidence.overlap, evidence.overlap_chance),
    }
    ranges = {name: (values, 0.0, 1.0) for name, values in shares.items()}
    ranges["randomization"] = ((evidence.randomization, evidence.randomization_highest), -1.0, 1.0)
    ranges["residual"] = ((evidence.residual,), 0.0, float("inf"))
    for name, (values, least, most) in ranges.items():
        for value in values:
            # Rounding may carry a share a little beyond its end; what is not a number fails both comparisons.
            if value is not None and not least - 1e-4 <= value <= most + 1e-4:
                raise ValueError(f"The evidence's {name} is {value}: it must lie between {least:g} and {most:g}.")
