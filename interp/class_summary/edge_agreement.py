"""How far influence, and two measures that ask the network itself, tell the same of pairs of channels."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Num

from interp.class_summary.edges import EdgeEffects

FEWEST = 6
"""Of fewer pairs of channels a correlation says nothing."""
LITTLE, LARGELY = 0.3, 0.7
"""Below the first, measures are said to agree little, from the second on largely; both are ours."""


@dataclass(frozen=True)
class EdgeAgreement:
    """Spearman's rank correlations of three measures over `pairs` of channels of two layers.

    They are nan where a measure is the same everywhere, and all three of fewer than 6 pairs.
    """

    pairs: int
    influence_measured: float
    attribution_measured: float
    influence_attribution: float


def agreement(influence: Num[np.ndarray, "i j"], effects: EdgeEffects) -> EdgeAgreement:
    """How far the influences of the sources on the targets agree with their effects, and these with each other.

    Channels of either layer that have no effect at all on, or of, the others are left out. Raises `ValueError` for
    influences of another shape than the effects'.
    """
    if influence.shape != effects.measured.shape:
        raise ValueError(
            f"Influences of shape {influence.shape} are none of effects of shape {effects.measured.shape}."
        )
    among = np.ix_(*alive(effects))
    own, estimated, measured = (one[among].astype(float) for one in (influence, effects.attribution, effects.measured))
    both = ((own, measured), (estimated, measured), (own, estimated))
    return EdgeAgreement(own.size, *(rank_correlation(*one) if own.size >= FEWEST else float("nan") for one in both))


def alive(effects: EdgeEffects) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " l"]]:
    """The places of the sources, and of the targets, that have any effect by either measure."""
    there = (effects.attribution != 0) | (effects.measured != 0)
    return np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))


def rank_correlation(one: Float[np.ndarray, "i j"], other: Float[np.ndarray, "i j"]) -> float:
    """Spearman's; nan where one of them is the same everywhere."""
    from scipy.stats import spearmanr

    if not one.size or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.asarray(spearmanr(one.ravel(), other.ravel()))[0])


def agreement_said(found: Collection[EdgeAgreement]) -> str:
    """What the correlations of a graph's pairs of layers come to, by medians; no verdict of fewer than 6 pairs."""
    known = [one for one in found if np.isfinite(one.influence_measured)]
    if not known:
        return (
            f"Whether influence agrees with what channels do to each other cannot be said here: that takes {FEWEST} "
            "pairs of channels of two layers at least, which are not all alike."
        )
    own = [one.influence_measured for one in known]
    median = float(np.median(own))
    word = "little" if median < LITTLE else "largely" if median >= LARGELY else "in part"
    estimated = [one.attribution_measured for one in known if np.isfinite(one.attribution_measured)]
    over = f"in the median of {len(own)} pairs of layers" if len(own) > 1 else "in the one pair of layers with enough"
    ends = f" ({_signed(min(own))} to {_signed(max(own))})" if len(own) > 1 else ""
    other = f"; that of gradient × activation with it is {_signed(float(np.median(estimated)))}" if estimated else ""
    return (
        f"Influence agrees {word} with what channels do to each other here: its rank correlation with the effect of "
        f"zeroing is {_signed(median)} {over}{ends}{other}."
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
