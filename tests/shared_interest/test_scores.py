"""Scores and cases of Shared Interest, on rectangles that anyone can check by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from interp import shared_interest
from interp.shared_interest import CASES, Area, Counts, Deviations, Percentile, Thresholds


def rectangle(top: int, left: int, height: int, width: int, size: int = 250) -> np.ndarray:
    mask = np.zeros((1, size, size))
    mask[0, top : top + height, left : left + width] = 1
    return mask


# The five pairs of the published examples: annotation, saliency, and the three scores.
PAIRS = [
    (rectangle(0, 0, 50, 50), rectangle(0, 0, 100, 100), (0.25, 1.0, 0.25)),
    (rectangle(0, 0, 250, 250), rectangle(0, 0, 50, 50), (0.04, 0.04, 1.0)),
    (rectangle(0, 0, 100, 100), rectangle(150, 150, 100, 100), (0.0, 0.0, 0.0)),
    (rectangle(30, 40, 100, 100), rectangle(30, 40, 100, 100), (1.0, 1.0, 1.0)),
    (rectangle(0, 0, 100, 100), rectangle(50, 50, 100, 100), (1 / 7, 0.25, 0.25)),
]


@pytest.mark.parametrize(("annotation", "saliency", "expected"), PAIRS)
@pytest.mark.parametrize("kind", [bool, np.uint8, np.float64, "torch"])
def test_the_published_examples(annotation, saliency, expected, kind) -> None:
    if kind == "torch":
        annotation, saliency = torch.tensor(annotation), torch.tensor(saliency)
    else:
        annotation, saliency = annotation.astype(kind), saliency.astype(kind)
    found = (
        shared_interest.iou_coverage(annotation, saliency),
        shared_interest.ground_truth_coverage(annotation, saliency),
        shared_interest.saliency_coverage(annotation, saliency),
    )
    assert all(isinstance(one, np.ndarray) and one.shape == (1,) for one in found)
    assert tuple(float(one[0]) for one in found) == expected


def test_several_images_are_scored_one_by_one() -> None:
    annotations = np.concatenate([one for one, _, _ in PAIRS])
    saliency = np.concatenate([two for _, two, _ in PAIRS])
    assert shared_interest.iou_coverage(annotations, saliency).tolist() == [0.25, 0.04, 0, 1, 1 / 7]


def test_continuous_saliency_is_the_share_of_its_magnitude() -> None:
    annotation = np.zeros((1, 2, 2), dtype=bool)
    annotation[0, 0] = True
    heatmap = np.array([[[1.0, -2.0], [0.5, 0.5]]])
    assert shared_interest.saliency_coverage(annotation, heatmap)[0] == pytest.approx(0.75)


@pytest.mark.parametrize("score", [shared_interest.iou_coverage, shared_interest.ground_truth_coverage])
def test_what_must_be_binary_says_so(score) -> None:
    mask, half = rectangle(0, 0, 2, 2, 4), rectangle(0, 0, 2, 2, 4) * 0.5
    with pytest.raises(ValueError, match=r"saliency holds 0\.5, and must be binary"):
        score(mask, half)
    with pytest.raises(ValueError, match=r"annotation holds 0\.5"):
        score(half, mask)
    with pytest.raises(ValueError, match="must be binary"):
        score(mask, mask * np.nan)
    with pytest.raises(ValueError, match="prepare_annotations"):
        score(mask, rectangle(0, 0, 2, 2, 5))


def test_an_annotation_must_be_binary_for_continuous_saliency_too() -> None:
    mask = rectangle(0, 0, 2, 2, 4)
    with pytest.raises(ValueError, match="annotation holds 2"):
        shared_interest.saliency_coverage(mask * 2, mask)
    with pytest.raises(ValueError, match="not finite"):
        shared_interest.saliency_coverage(mask, mask * np.inf)


def test_nothing_gives_zero_and_never_nan() -> None:
    nothing, some = rectangle(0, 0, 0, 0, 8), rectangle(0, 0, 2, 2, 8)
    for first, second in ((nothing, nothing), (nothing, some), (some, nothing)):
        assert shared_interest.iou_coverage(first, second)[0] == 0
        assert shared_interest.ground_truth_coverage(first, second)[0] == 0
        assert shared_interest.saliency_coverage(first, second)[0] == 0
    assert len(shared_interest.iou_coverage(np.zeros((0, 4, 4)), np.zeros((0, 4, 4)))) == 0
    assert len(shared_interest.saliency_coverage(np.zeros((0, 4, 4)), np.zeros((0, 4, 4)))) == 0


def test_deviations_by_hand() -> None:
    heatmap = np.array([[[0.0, 0.0], [0.0, 4.0]], [[1.0, 1.0], [-1.0, -1.0]]])
    # Means 1 and 0, deviations √3 and 1: 4 is above 1 + √3; 1 is not above 0 + 1, but above 0 + 0.9.
    assert shared_interest.binarize(heatmap, Deviations()).tolist() == [
        [[False, False], [False, True]],
        [[False, False], [False, False]],
    ]
    assert shared_interest.binarize(heatmap, Deviations(0.9))[1].tolist() == [[True, True], [False, False]]


def test_deviations_equal_numpys_on_many_maps() -> None:
    maps = np.random.default_rng(0).normal(3, 2, (40, 150, 150)).astype(np.float32)
    limits = maps.mean(axis=(1, 2)) + 1.5 * maps.std(axis=(1, 2))
    found = shared_interest.binarize(maps, Deviations(1.5))
    assert (found != (maps > limits[:, None, None])).mean() < 1e-5


def test_percentile_and_area_take_as_much_as_they_say() -> None:
    maps = np.random.default_rng(0).permutation(400).reshape(1, 20, 20).astype(np.float32)
    top = shared_interest.binarize(maps, Percentile(90))
    assert top.sum() == 40 and (maps[top] >= 360).all()
    assert np.array_equal(shared_interest.binarize(maps, Area(0.1)), top)
    annotation = rectangle(0, 0, 5, 8, 20)
    assert np.array_equal(shared_interest.binarize(maps, Area(), annotation=annotation), top)
    everything = shared_interest.binarize(maps, Percentile(0))
    assert everything.sum() == 399


def test_values_that_tie_across_the_border_are_left_out() -> None:
    maps = np.array([[[3.0, 2.0], [2.0, 1.0]]])
    assert shared_interest.binarize(maps, Area(0.5)).tolist() == [[[True, False], [False, False]]]


def test_percentiles_with_ties_by_hand() -> None:
    # In order: 0 1 1 1 2 3 3 4 5. The median is the fifth, 2; the 75th percentile the seventh, 3, which two have; the
    # 70th lies 0.6 of the way from the sixth to the seventh, at 3, too; the 30th is 0.4 past the third, at 1.
    heatmap = np.array([[[1.0, 5.0, 1.0], [3.0, 2.0, 0.0], [1.0, 4.0, 3.0]]])
    for percent, least in ((50, 2), (75, 3), (70, 3), (30, 1), (80, 4), (99, 5)):
        assert np.array_equal(shared_interest.binarize(heatmap, Percentile(percent)), heatmap >= least)
    # The 40th lies at 1.2, between values.
    assert shared_interest.binarize(heatmap, Percentile(40)).sum() == 5
    # Where the percentile is the least value, what is above it.
    rectified = np.array([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 1.0]]])
    assert np.array_equal(shared_interest.binarize(rectified, Percentile(50)), rectified > 0)
    signed = np.array([[[-1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 1.0]]])
    assert np.array_equal(shared_interest.binarize(signed, Percentile(50)), signed >= 0)


@pytest.mark.parametrize("percent", [3, 25, 50, 90, 97.5, 99])
def test_percentiles_are_numpys_on_maps_full_of_ties(percent) -> None:
    maps = np.random.default_rng(0).integers(-40, 40, (30, 37, 23)).astype(np.float32)
    limits = np.percentile(maps.astype(np.float64), percent, axis=(1, 2))[:, None, None]
    assert np.array_equal(shared_interest.binarize(maps, Percentile(percent)), maps >= limits)


@pytest.mark.parametrize("rule", [Deviations(0.5), Deviations(1), Percentile(50), Percentile(90), Area(0.25)])
@pytest.mark.parametrize(
    ("dtype", "exponent"),
    [(np.float16, 9), (np.float32, -83), (np.float32, -130), (np.float32, 119), (np.float64, -800), (np.float64, 1000)],
)
def test_the_size_of_a_maps_values_does_not_count(rule, dtype, exponent) -> None:
    # Powers of two change no digit, as long as the numbers are not below the least that is held in full.
    maps = np.random.default_rng(0).integers(-64, 64, (5, 40, 40)).astype(dtype)
    annotation = np.random.default_rng(1).random((5, 40, 40)) < 0.3
    large = np.ldexp(maps, exponent).astype(dtype)
    plain = maps.astype(np.float64)
    assert np.isfinite(large).all() and (large != 0).sum() == (maps != 0).sum()
    assert np.array_equal(shared_interest.binarize(large, rule), shared_interest.binarize(plain, rule))
    expected = (np.abs(plain) * annotation).sum(axis=(1, 2)) / np.abs(plain).sum(axis=(1, 2))
    for given in (large, torch.from_numpy(large)):
        assert np.allclose(shared_interest.saliency_coverage(annotation, given), expected, rtol=1e-12)


def test_half_precision_is_summed_without_overflow() -> None:
    annotation = rectangle(0, 0, 100, 250)
    maps = torch.full((1, 250, 250), 3.0)
    for dtype in (torch.float16, torch.bfloat16):
        assert shared_interest.saliency_coverage(annotation, maps.to(dtype)).tolist() == [0.4]
        assert not shared_interest.binarize(maps.to(dtype), Percentile(50)).any()


@pytest.mark.parametrize("rule", [Deviations(0), Deviations(), Percentile(50), Area(0.25)])
@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 3e38, 1e-40])
def test_a_constant_map_singles_out_nothing(rule, value) -> None:
    maps = np.full((2, 30, 30), value, dtype=np.float32)
    assert not shared_interest.binarize(maps, rule).any()


@pytest.mark.parametrize(
    ("rule", "words"),
    [(Percentile(100), "percentile of 100"), (Area(0.0), "area of 0"), (Area(), "give the annotation")],
)
def test_rules_out_of_range_say_what_would_be_right(rule, words) -> None:
    with pytest.raises(ValueError, match=words):
        shared_interest.binarize(np.zeros((1, 4, 4)), rule)


@pytest.mark.parametrize("rule", [Deviations(), Percentile(50), Area(0.25)])
def test_maps_that_are_not_finite_are_refused(rule) -> None:
    maps = np.zeros((1, 4, 4))
    maps[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        shared_interest.binarize(maps, rule)


def scored(annotated: int, salient: int, shared: int) -> Counts:
    return Counts(*(np.array([one]) for one in (annotated, salient, shared)))


@pytest.mark.parametrize(
    ("overlap", "correct", "wrong"),
    [
        (scored(100, 100, 90), "human aligned", "confuser"),
        (scored(100, 10, 10), "sufficient subset", "insufficient subset"),
        (scored(10, 100, 10), "context dependent", "context confusion"),
        (scored(100, 100, 0), "sufficient context", "distractor"),
        (scored(100, 100, 60), "unclassified", "unclassified"),
        (scored(0, 100, 0), "no annotation", "no annotation"),
        (scored(100, 0, 0), "no saliency", "no saliency"),
    ],
)
def test_each_case(overlap, correct, wrong) -> None:
    for right, name in ((True, correct), (False, wrong)):
        found = shared_interest.cases(overlap, np.array([right]))
        assert CASES[found[0]] == name
        assert shared_interest.counts(found)[name] == 1 and sum(shared_interest.counts(found).values()) == 1


def test_the_rows_of_low_overlap_come_last() -> None:
    # IoU is 0.1 and thereby low, too: but all of the saliency is inside, so the row before applies.
    assert CASES[shared_interest.cases(scored(100, 10, 10), np.array([True]))[0]] == "sufficient subset"


def test_thresholds_move_the_cases() -> None:
    half = scored(100, 100, 67)
    assert half.iou[0] == pytest.approx(67 / 133)
    assert CASES[shared_interest.cases(half, np.array([True]))[0]] == "unclassified"
    assert CASES[shared_interest.cases(half, np.array([True]), Thresholds(0.2, 0.5))[0]] == "human aligned"
    assert CASES[shared_interest.cases(half, np.array([True]), Thresholds(0.55, 0.9))[0]] == "sufficient context"
    with pytest.raises(ValueError, match="0 ≤ low < high ≤ 1"):
        Thresholds(0.7, 0.6)
    with pytest.raises(ValueError, match="2 predictions are given for 1 images"):
        shared_interest.cases(half, np.array([True, False]))
