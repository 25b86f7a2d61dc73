"""How the counts of the cases move with the thresholds, and which images are on the edge of another case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from interp.shared_interest.cases import AUTHORS, CASES, UNCLASSIFIED, Thresholds, cases_at
from interp.shared_interest.scoring import Scored
from interp.shared_interest.sweeping import setting, setting_title

MARGIN = 0.05
"""An image is on the edge where a threshold that moves by less than this changes its case."""

_STEPS = 50


@dataclass(frozen=True, eq=False)
class CaseCounts:
    """How many images have each of `CASES`, at each setting of one thing that is varied, called `title`."""

    title: str
    settings: Float[np.ndarray, " s"]
    counts: Int[np.ndarray, "s k"]


def counts_by_threshold(scored: Scored, which: Literal["low", "high"], thresholds: Thresholds = AUTHORS) -> CaseCounts:
    """The counts of the cases as one threshold moves over all values that the other one leaves it, in steps of 0.02.

    Raises `ValueError` for a threshold that there is not.
    """
    if which not in ("low", "high"):
        raise ValueError(f"There is no threshold {which!r}: choose low or high.")
    steps = np.linspace(0, 1, _STEPS + 1)
    if which == "low":
        settings = steps[steps < thresholds.high]
        found = [_cases_at(scored, low, thresholds.high) for low in settings.tolist()]
    else:
        settings = steps[steps > thresholds.low]
        found = [_cases_at(scored, thresholds.low, high) for high in settings.tolist()]
    return CaseCounts(f"{which} threshold", settings, _counted(found))


def counts_by_setting(scores: Sequence[Scored], thresholds: Thresholds = AUTHORS) -> CaseCounts:
    """The counts of the cases along a ladder of rules. Raises `ValueError` where there are no scores."""
    if not scores:
        raise ValueError("No scores are given: score the set by the rules of a ladder first.")
    rules = [one.scoring.rule for one in scores]
    settings = np.array([setting(rule) for rule in rules])
    return CaseCounts(setting_title(rules[0]), settings, _counted([one.cases(thresholds) for one in scores]))


@dataclass(frozen=True, eq=False)
class Stability:
    """How far each image is from another case: the smallest move of one of the two thresholds that changes it.

    `distance` is that move, inf where none changes the case; `low_moves` whether it is the low threshold that moves;
    `becomes` the case that it becomes, and its own where it does not change.
    """

    distance: Float[np.ndarray, " n"]
    low_moves: Bool[np.ndarray, " n"]
    becomes: Int[np.ndarray, " n"]

    def edge(self, margin: float | int = MARGIN) -> Bool[np.ndarray, " n"]:
        """The images whose case changes where a threshold moves by less than the margin."""
        return self.distance < margin


def stability(scored: Scored, thresholds: Thresholds = AUTHORS) -> Stability:
    """How far the thresholds can move, one at a time and within 0 ≤ low < high ≤ 1, before each image's case changes.

    A case can change only where a threshold passes one of the image's scores, so nothing is tried but these.
    """
    own = scored.cases(thresholds)
    distance, low_moves, becomes = np.full(len(scored), np.inf), np.zeros(len(scored), bool), own.copy()
    for name in ("iou", "ground_truth_coverage", "saliency_coverage"):
        score = scored.score(name)
        # A score at the threshold counts as low, and as high: the other side begins with the next number.
        low = np.where(score <= thresholds.low, np.nextafter(score, -1), score)
        high = np.where(score >= thresholds.high, np.nextafter(score, 2), score)
        moves = (
            (True, low, thresholds.high, (low >= 0) & (low < thresholds.high)),
            (False, thresholds.low, high, (high > thresholds.low) & (high <= 1)),
        )
        for is_low, new_low, new_high, possible in moves:
            found = _cases_at(scored, new_low, new_high)
            move = np.abs(score - (thresholds.low if is_low else thresholds.high))
            nearer = possible & (found != own) & (move < distance)
            distance[nearer], low_moves[nearer], becomes[nearer] = move[nearer], is_low, found[nearer]
    return Stability(distance, low_moves, becomes)


def steadiness(scores: Sequence[Scored], chosen: Scored, thresholds: Thresholds = AUTHORS) -> Float[np.ndarray, " n"]:
    """For each chosen image the share of a ladder's rules by which it has the case that it has now; nan without rules.

    Raises `ValueError` where the ladder is of other images.
    """
    own = chosen.cases(thresholds)
    for one in scores:
        if not np.array_equal(one.positions, chosen.positions):
            raise ValueError("The ladder was made for other images: score the same positions by its rules.")
    if not scores:
        return np.full(len(chosen), np.nan)
    return np.mean([one.cases(thresholds) == own for one in scores], axis=0)


def _cases_at(
    scored: Scored, low: float | int | Float[np.ndarray, " n"], high: float | int | Float[np.ndarray, " n"]
) -> Int[np.ndarray, " n"]:
    return np.where(scored.known, cases_at(scored.overlap, scored.correct, low, high), UNCLASSIFIED)


def _counted(found: Sequence[Int[np.ndarray, " n"]]) -> Int[np.ndarray, "s k"]:
    return np.stack([np.bincount(one, minlength=len(CASES)) for one in found])
