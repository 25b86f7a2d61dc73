"""Many settings of a rule at once: the same as one by one, and where the case changes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interp.attribution import GradCam, Gradient
from interp.shared_interest import (
    CASES,
    Area,
    Deviations,
    Explanation,
    Ladder,
    Percentile,
    Scoring,
    Thresholds,
    binarize,
    ladder,
    overlap,
    setting,
    sweep,
)
from interp.shared_interest.sweeping import overlaps
from tests.shared_interest.sets import boxes, image_set, pictures
from tests.shared_interest.test_explaining import explained


@pytest.mark.parametrize("rule", [Deviations(), Percentile(), Area()])
def test_all_settings_at_once_equal_each_alone(rule) -> None:
    rng = np.random.default_rng(3)
    maps = rng.normal(size=(6, 20, 24)).astype(np.float32)
    maps[1] = np.round(maps[1])
    maps[2] = 0.1
    maps[3] = np.maximum(maps[3], 0)
    annotations = rng.random((6, 20, 24)) < 0.2
    annotations[4] = False
    rules = (*ladder(rule), rule) if not isinstance(rule, Area) else (*ladder(rule), Area())
    for one, found in zip(rules, overlaps(maps, annotations, rules), strict=True):
        alone = overlap(annotations, binarize(maps, one, annotation=annotations))
        assert np.array_equal(found.salient, alone.salient) and np.array_equal(found.shared, alone.shared)
        assert np.array_equal(found.annotated, alone.annotated)


@pytest.mark.parametrize("rule", [Deviations(2), Percentile(60), Area(0.5), Area()])
def test_a_ladder_is_of_the_rules_kind_and_leads_from_much_to_little(rule) -> None:
    rules = ladder(rule)
    assert all(type(one) is type(rule) for one in rules) and len(rules) >= 20
    maps = np.random.default_rng(0).random((1, 40, 40)).astype(np.float32)
    salient = [int(found.salient[0]) for found in overlaps(maps, np.ones_like(maps, bool), rules)]
    assert salient == sorted(salient, reverse=True) and salient[0] > 0.39 * 1600
    numbers = [setting(one) for one in rules]
    assert numbers in (sorted(numbers), sorted(numbers, reverse=True)) and all(map(math.isfinite, numbers))


def test_a_sweep_by_hand() -> None:
    # 100 pixels, the largest 10 in the annotation's first row, which has 20: percentiles 50, 80, 90, 95 keep 50 to 5.
    heatmap = np.arange(100, 0, -1, dtype=np.float32).reshape(10, 10)
    annotation = np.zeros((10, 10), bool)
    annotation[:2] = True
    found = sweep(heatmap, annotation, True, [Percentile(one) for one in (10, 50, 80, 90, 98)])
    assert found.overlap.salient.tolist() == [90, 50, 20, 10, 2]
    assert found.overlap.iou == pytest.approx([20 / 90, 0.4, 1, 0.5, 0.1])
    names = [CASES[one] for one in found.cases]
    assert names == ["unclassified", "unclassified", "human aligned", "unclassified", "sufficient subset"]
    assert [(change.before, change.after) for change in found.changes] == [
        (Percentile(50), Percentile(80)),
        (Percentile(80), Percentile(90)),
        (Percentile(90), Percentile(98)),
    ]
    assert CASES[found.changes[0].case_after] == "human aligned"
    assert found.continuous == pytest.approx(sum(range(81, 101)) / 5050)
    wrong = sweep(heatmap, annotation, False, [Percentile(80)], thresholds=Thresholds(0.1, 0.5))
    assert [CASES[one] for one in wrong.cases] == ["confuser"] and wrong.changes == ()


def test_a_sweep_needs_rules() -> None:
    with pytest.raises(ValueError, match="No rules are given"):
        sweep(np.zeros((4, 4), np.float32), np.ones((4, 4), bool), True, [])


def test_magnitudes_count_where_they_are_asked_for() -> None:
    heatmap = np.zeros((4, 4), np.float32)
    heatmap[0, 0], heatmap[3, 3] = -5, 1
    annotation = heatmap < 0
    for evidence, expected in (("for", 0), ("any", 1)):
        assert sweep(heatmap, annotation, True, [Deviations(1)], evidence=evidence).overlap.shared[0] == expected


def test_a_ladder_over_a_set_equals_each_scoring(tiny) -> None:
    photos = image_set(pictures(6), boxes(6))
    explanations = (Explanation(Gradient()), Explanation(GradCam(layer="conv2")))
    rules = ladder(Deviations())
    whole = Ladder(rules, "any")(tiny, explanations, 6)
    for positions in ([0, 1, 2, 3], [4, 5]):
        whole.add(explained(tiny, photos, *explanations, positions=positions))
    for explanation, found in zip(explanations, whole.so_far, strict=True):
        for rule, one in list(zip(rules, found, strict=True))[::7]:
            alone = Scoring(rule, "any")(tiny, (explanation,), 6)
            alone.add(explained(tiny, photos, explanation))
            assert one.scoring == Scoring(rule, "any") and one.finished
            # Maps of batches of another size may differ in their last bits, and so a pixel at the threshold.
            assert np.allclose(one.overlap.shared, alone.so_far[0].overlap.shared, rtol=0, atol=1)
            assert np.allclose(one.overlap.salient, alone.so_far[0].overlap.salient, rtol=0, atol=1)


def test_maps_that_are_not_finite_are_refused() -> None:
    maps = np.full((1, 4, 4), np.nan, np.float32)
    for rule in (Deviations(), Percentile(), Area(0.5)):
        with pytest.raises(ValueError, match="not finite"):
            overlaps(maps, np.ones((1, 4, 4), bool), [rule])
