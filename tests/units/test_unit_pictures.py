"""What is drawn of one unit: masks whose sums are dissection's, relevance by image, effects by class, kernels."""

from __future__ import annotations

import numpy as np
import pytest

from interp import units
from interp.figures import unit_effects, unit_histogram, unit_kernels, unit_masks
from interp.images import ImageSet
from interp.models import inputs
from interp.set_pass import once, returned
from interp.types import Classifier, Layer
from interp.units.ablation_draws import Ablated
from interp.units.ablation_sets import ClassMeasures
from tests.units.conftest import BROKEN, COUNT, NAMES


def test_masks_of_all_images_together_have_the_dissections_iou(tiny: Classifier, known: ImageSet) -> None:
    source = units.concepts(known)
    found = units.dissect(tiny, known, ["conv2"], source, quantiles=(0.05,)).layers[0]
    for unit, concept in ((0, NAMES[0]), (4, NAMES[1])):
        threshold = float(found.thresholds[0][unit])
        asked = (tiny, known, range(COUNT), "conv2", unit, threshold, concept, source)
        each = units.mask_overlaps(*asked)
        assert [one.position for one in each] == [one for one in range(COUNT) if one != BROKEN]
        both = sum(int((one.unit & one.concept).sum()) for one in each)
        either = sum(int((one.unit | one.concept).sum()) for one in each)
        column = found.concepts.index(concept)
        assert abs(both / either - found.iou(denominator="everything")[unit, column]) < 1e-9
        assert np.nanmax([one.iou for one in each]) <= 1


def test_masks_are_drawn_in_two_colours() -> None:
    left, right = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    left[2:18, 1:9] = True
    right[2:18, 11:19] = True
    overlap = units.MaskOverlap(0, np.full((20, 20, 3), 128, np.uint8), left, right)
    assert overlap.iou == 0
    picture = unit_masks.drawn(overlap)
    assert picture.shape[0] >= unit_masks.LEAST
    half = picture.shape[1] // 2
    for part, colour, other in (
        (picture[:, :half], unit_masks.UNIT, unit_masks.CONCEPT),
        (picture[:, half:], unit_masks.CONCEPT, unit_masks.UNIT),
    ):
        assert (part == colour).all(axis=2).any() and not (part == other).all(axis=2).any()


@pytest.mark.parametrize("target", [0, 2])
def test_images_are_ranked_by_a_units_relevance(tiny: Classifier, known: ImageSet, target: int) -> None:
    there = [one for one in range(COUNT) if one != BROKEN]
    images = inputs.read(tiny, known, there)
    sums = units.relevance_of_units(tiny, images, target, "conv2").numpy()
    # In parts, as a page has it computed, and at once.
    asked = [units.ClassRelevance("conv2", target, kept=5)]
    [found] = returned(once(units.RelevancePass(first=8, chunk=8), tiny, known, asked, None))
    whole = units.relevant_images(tiny, known, "conv2", target, 5)
    assert found.count == len(there) and len(found.problems) == 1
    for unit in range(sums.shape[1]):
        order = np.argsort(-sums[:, unit], kind="stable")[:5]
        np.testing.assert_allclose(found.values[unit], sums[order, unit], rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(whole.values[unit], found.values[unit], rtol=1e-3, atol=1e-6)
    again, where = units.strongest_relevance(tiny, images, target, "conv2")
    np.testing.assert_allclose(again.numpy(), sums, rtol=1e-5, atol=1e-7)
    assert where.shape == (len(there), sums.shape[1], 2) and int(where.max()) < 8
    with pytest.raises(ValueError, match="nowhere"):
        units.relevant_images(tiny, known, "nowhere", target)


def measures(recall: list[float], logit: list[float]) -> ClassMeasures:
    count, some = np.array([4, 4, 0]), np.array(recall)
    return ClassMeasures(count, some, some, np.array(logit), some, 0.5)


def test_effects_by_class_by_hand() -> None:
    none = np.zeros(0, np.int64)
    found = Ablated(
        Layer("one", 3, "spatial", 2, 2), (1,), "zero", "others", none, none, none, none,
        measures([1.0, 0.5, np.nan], [3.0, 1.0, np.nan]), measures([0.25, 0.75, np.nan], [1.0, 1.5, np.nan]),
        np.zeros((3, 3), np.int64), np.zeros((3, 3), np.int64), np.array([[0], [2]]),
        (measures([1.0, 0.5, np.nan], [2.5, 1.0, np.nan]), measures([0.75, 0.5, np.nan], [2.0, 0.5, np.nan])),
        np.zeros(2),
    )  # fmt: skip
    changes, drawn = unit_effects.change(found, "logit")
    assert changes[:2].tolist() == [-2, 0.5] and np.isnan(changes[2])
    assert drawn[:, :2].tolist() == [[-0.5, 0], [-1, -0.5]]
    assert unit_effects.change(found, "recall")[0][:2].tolist() == [-0.75, 0.25]
    assert unit_effects.most_affected(np.array([-0.5, 2, np.nan, -1]), 2).tolist() == [3, 1]
    figure = unit_effects.effects(found, ("cat", "dog", "fish"), "logit")
    bars, spread = figure.data
    assert list(bars.y) == ["cat", "dog"] and list(bars.x) == [-2, 0.5]
    assert list(spread.x) == [-0.75, -0.25]
    assert list(spread.error_x.array) == [0.25, 0.25]


def test_kernels_by_hand() -> None:
    weights = np.zeros((3, 1, 2))
    weights[0, 0, 0], weights[2, 0, 1] = 2.0, -1.0
    assert unit_kernels.colour_filter(weights).tolist() == [[[255, 128, 128], [128, 128, 64]]]
    assert unit_kernels.colour_filter(-np.ones((1, 1, 1))).tolist() == [[[0, 0, 0]]]
    blue, white, red = unit_kernels.kernel_map(np.array([[-1.0, 0.0, 1.0]]), 1.0)[0].tolist()
    assert blue[2] > blue[0] and red[0] > red[2] and min(white) > 240
    ground = np.full((40, 40, 3), 7, np.uint8)
    drawn = unit_kernels.with_inset(ground, np.full((3, 3, 3), 200, np.uint8), 12)
    assert drawn.shape == (40, 40, 3) and (drawn == 200).all(axis=2).sum() == 144 and (drawn[:20] == 7).all()


def test_a_histogram_counts_every_image_once() -> None:
    values, own = np.array([0.0, 1.0, 4.0, 4.0]), np.array([False, False, True, False])
    figure = unit_histogram.by_image(values, 2.0, own, "cat")
    counts = [np.asarray(bar.y) for bar in figure.data]
    assert [one.sum() for one in counts] == [1, 3] and [one[-1] for one in counts] == [1, 1]
    assert figure.layout.shapes[0].x0 == 2.0
