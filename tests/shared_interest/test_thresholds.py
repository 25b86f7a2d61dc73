"""What moves with the thresholds, against trying every threshold on a fine grid."""

from __future__ import annotations

import numpy as np
import pytest

from interp.shared_interest import (
    AUTHORS,
    CASES,
    Percentile,
    Scored,
    Scoring,
    Thresholds,
    cases,
    counts_by_setting,
    counts_by_threshold,
    stability,
    steadiness,
)
from tests.shared_interest.sets import scored


def many(count: int = 300, seed: int = 5) -> Scored:
    rng = np.random.default_rng(seed)
    shared = rng.integers(0, 50, count)
    rows = np.stack([shared + rng.integers(0, 50, count), shared + rng.integers(0, 50, count), shared], axis=1)
    rows[0], rows[1] = (0, 10, 0), (10, 0, 0)
    labels = rng.integers(-1, 3, count).tolist()
    return scored([tuple(row) for row in rows.tolist()], labels, rng.integers(0, 3, count).tolist())


@pytest.mark.parametrize("thresholds", [AUTHORS, Thresholds(0, 1), Thresholds(0.5, 0.55)])
def test_stability_is_what_trying_all_thresholds_finds(thresholds) -> None:
    rows = many()
    found = stability(rows, thresholds)
    own = rows.cases(thresholds)
    grid = np.linspace(0, 1, 2001)
    nearest = np.full(len(rows), np.inf)
    for moved in grid:
        for low, high in ((moved, thresholds.high), (thresholds.low, moved)):
            if 0 <= low < high <= 1:
                move = abs(moved - (thresholds.low if high == thresholds.high else thresholds.high))
                changed = rows.cases(Thresholds(float(low), float(high))) != own
                nearest[changed] = np.minimum(nearest[changed], move)
    never = np.isinf(nearest)
    # The grid misses a change that happens only at the very end of it.
    assert (np.isinf(found.distance) <= never).all()
    assert np.abs(found.distance[~never] - nearest[~never]).max() <= 1.01 / 2000
    assert not (found.distance[never] < 1 - max(thresholds.high, 1 - thresholds.low) - 1e-3).any()
    assert (found.becomes[~never] != own[~never]).all()


def test_stability_by_hand() -> None:
    # IoU 0.6: aligned once the high threshold comes down by 0.05; IoU 0.7: until it goes up by 0.05; IoU 0.25 of equal
    # areas: 'sufficient context' once the low one goes up by 0.05.
    rows = scored([(80, 80, 60), (170, 170, 140), (100, 100, 40)], labels=[0, 1, 0], predicted=[0, 0, 0])
    found = stability(rows)
    assert found.distance == pytest.approx([0.05, 140 / 200 - 0.65, 0.05])
    assert found.low_moves.tolist() == [False, False, True]
    assert [CASES[one] for one in found.becomes] == ["human aligned", "unclassified", "sufficient context"]
    assert found.edge(0.06).all() and not found.edge(0.04).any()


def test_what_no_threshold_changes_is_infinitely_far() -> None:
    rows = scored([(0, 10, 0), (10, 0, 0), (10, 10, 10)], labels=[0, 0, -1])
    found = stability(rows)
    assert np.isinf(found.distance).all() and not found.edge(1).any()
    assert np.array_equal(found.becomes, rows.cases())
    assert len(stability(scored([])).distance) == 0


@pytest.mark.parametrize("which", ["low", "high"])
def test_counts_by_threshold_count_each_setting(which) -> None:
    rows = many()
    found = counts_by_threshold(rows, which)
    assert (found.counts.sum(axis=1) == len(rows)).all() and found.counts.shape[1] == len(CASES)
    assert found.title == f"{which} threshold"
    assert (found.settings < 0.65).all() if which == "low" else (found.settings > 0.2).all()
    for value, counted in zip(found.settings.tolist(), found.counts, strict=True):
        thresholds = Thresholds(value, 0.65) if which == "low" else Thresholds(0.2, value)
        expected = np.where(rows.known, cases(rows.overlap, rows.correct, thresholds), CASES.index("unclassified"))
        assert np.array_equal(counted, np.bincount(expected, minlength=len(CASES)))


def test_counts_and_steadiness_along_a_ladder() -> None:
    steps = [
        scored([(100, 100, shared), (100, 100, 100)], scoring=Scoring(Percentile(percent)))
        for percent, shared in ((80, 95), (85, 60), (90, 10))
    ]
    found = counts_by_setting(steps)
    assert found.settings.tolist() == [80, 85, 90] and found.title == "percentile"
    assert [row[CASES.index("human aligned")] for row in found.counts.tolist()] == [2, 1, 1]
    assert steadiness(steps, steps[0]).tolist() == pytest.approx([1 / 3, 1])
    assert np.isnan(steadiness([], steps[0])).all()
    with pytest.raises(ValueError, match="other images"):
        steadiness([scored([(1, 1, 1)])], steps[0])
    with pytest.raises(ValueError, match="No scores"):
        counts_by_setting([])
