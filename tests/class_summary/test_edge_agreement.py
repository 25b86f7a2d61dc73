"""How far edges agree: rank correlations by hand, what is left out, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float

from interp.class_summary import EdgeAgreement, EdgeEffects, agreement, agreement_said


def effects(attribution: Float[np.ndarray, "i j"], measured: Float[np.ndarray, "i j"]) -> EdgeEffects:
    rows, columns = attribution.shape
    return EdgeEffects(("low", "high"), tuple(range(rows)), tuple(range(columns)), attribution, measured, 3)


def test_correlations_are_of_ranks_over_the_channels_that_do_anything() -> None:
    measured = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 0.0], [0.0, 0.0, 0.0], [5.0, 6.0, 0.0]])
    attribution = measured**3
    # Of the six that count two neighbours are exchanged: 1 − 6 · 2 / (6 · 35). The silent ones would say otherwise.
    influence = np.array([[2, 1, 9], [3, 4, 9], [9, 9, 9], [5, 6, 9]])
    found = agreement(influence, effects(attribution, measured))
    expected = 1 - 6 * 2 / (6 * 35)
    assert found.pairs == 6 and found.attribution_measured == pytest.approx(1)
    assert found.influence_measured == pytest.approx(expected) == found.influence_attribution


def test_few_pairs_and_equal_values_give_no_number() -> None:
    measured = np.arange(1.0, 6.0)[:, None]
    few = agreement(measured, effects(measured, measured))
    assert few.pairs == 5 and np.isnan([few.influence_measured, few.attribution_measured]).all()
    measured = np.arange(1.0, 7.0)[:, None]
    found = agreement(np.ones((6, 1)), effects(measured, measured))
    assert np.isnan([found.influence_measured, found.influence_attribution]).all()
    assert found.attribution_measured == pytest.approx(1)
    with pytest.raises(ValueError, match="shape"):
        agreement(np.ones((5, 1)), effects(measured, measured))


def test_the_sentence_goes_by_the_median_and_gives_no_verdict_of_too_few() -> None:
    nan = float("nan")
    few = EdgeAgreement(4, nan, nan, nan)

    def of(*values: float) -> str:
        return agreement_said([few, *(EdgeAgreement(20, one, 0.98, one) for one in values)])

    assert "agrees little" in of(-0.2, 0.1, 0.9) and "+0.10 in the median of 3 pairs" in of(-0.2, 0.1, 0.9)
    assert "(−0.20 to +0.90); that of gradient × activation with it is +0.98" in of(-0.2, 0.1, 0.9)
    assert "agrees in part" in of(0.4) and "agrees largely" in of(0.7) and "the one pair of layers" in of(0.7)
    assert "cannot be said here" in agreement_said([few]) and "cannot be said here" in agreement_said([])
