"""Probing: all classes ranked by a region, against scores computed class by class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from interp import images, shared_interest
from interp.attribution import GradCam
from interp.attribution.every_class import ClassMaps, class_maps
from interp.shared_interest import Area, Deviations, Percentile, Rule
from interp.shared_interest.probing import SCORES, ClassSaliency, movers, places, probe, saliency
from interp.types import Classifier


def maps_of(coarse: torch.Tensor, size: tuple[int, int], logits: torch.Tensor | None = None) -> ClassMaps:
    given = torch.zeros(len(coarse)) if logits is None else logits
    return ClassMaps(GradCam(), "layer", coarse, given, given.softmax(dim=0), size, 4, True, 0.9)


@pytest.fixture
def maps() -> ClassMaps:
    generator = torch.Generator().manual_seed(4)
    coarse = torch.rand(40, 5, 7, generator=generator)
    coarse[3] = 0
    return maps_of(coarse, (30, 44), torch.randn(40, generator=generator))


@pytest.fixture
def region() -> np.ndarray:
    region = np.zeros((30, 44), dtype=bool)
    region[4:19, 11:30] = True
    return region


@pytest.mark.parametrize("rule", [Deviations(), Percentile(80), Area(0.25), Area()])
def test_scores_are_those_of_each_class_alone(maps: ClassMaps, region: np.ndarray, rule: Rule) -> None:
    found = probe(maps, saliency(maps, rule, region), region)
    for index in range(40):
        large = maps.enlarged([index])
        binary = shared_interest.binarize(large, rule, annotation=region[None])
        assert found.values("iou")[index] == shared_interest.iou_coverage(region[None], binary)[0]
        covered = shared_interest.ground_truth_coverage(region[None], binary)[0]
        assert found.values("ground_truth_coverage")[index] == covered
        assert found.values("saliency_coverage")[index] == shared_interest.saliency_coverage(region[None], binary)[0]
        evidence = float(large[0][torch.from_numpy(region)].sum()) * 35 / (30 * 44)
        assert found.values("evidence")[index] == pytest.approx(evidence, rel=1e-4)


def test_the_saliency_of_a_class_can_be_looked_at(maps: ClassMaps) -> None:
    classes = saliency(maps, Deviations())
    expected = shared_interest.binarize(maps.enlarged(slice(0, 40)), Deviations())
    assert all((classes.mask(index) == expected[index]).all() for index in range(40))
    assert (classes.salient == expected.sum(axis=(1, 2))).all()


def test_a_region_ranks_the_class_that_looks_there_first() -> None:
    # Each of four classes looks at one corner.
    coarse = torch.zeros(4, 2, 2)
    coarse[range(4), [0, 0, 1, 1], [0, 1, 0, 1]] = 1
    maps = maps_of(coarse, (8, 8))
    classes = saliency(maps, Deviations())
    for index, (row, column) in enumerate([(0, 0), (0, 4), (4, 0), (4, 4)]):
        corner = np.zeros((8, 8), dtype=bool)
        corner[row : row + 4, column : column + 4] = True
        for score in SCORES:
            assert probe(maps, classes, corner).ranked(score)[0] == index


def test_evidence_over_the_whole_picture_is_the_sum_of_the_layers_map(maps: ClassMaps) -> None:
    whole = probe(maps, saliency(maps, Deviations()), np.ones((30, 44), dtype=bool)).evidence
    # Bilinear enlarging keeps a constant map's sum; any other's only nearly, as borders weigh more.
    np.testing.assert_allclose(whole, maps.coarse.sum(dim=(1, 2)).numpy(), rtol=0.05)
    flat = maps_of(torch.full((1, 5, 7), 0.3), (30, 44))
    constant = probe(flat, saliency(flat, Deviations()), np.ones((30, 44), dtype=bool)).evidence
    np.testing.assert_allclose(constant, [0.3 * 35], rtol=1e-5)


def test_ties_go_by_overlap_then_probability_and_empty_maps_come_last() -> None:
    packed = np.packbits([[1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]], axis=1)
    classes = ClassSaliency(Deviations(), (2, 2), packed, np.array([2, 1, 1, 0, 2]))
    maps = maps_of(torch.ones(5, 2, 2), (2, 2), torch.tensor([0.0, 1.0, 2.0, 9.0, 3.0]))
    found = probe(maps, classes, np.array([[True, True], [False, False]]))
    assert found.ranked("saliency_coverage").tolist() == [4, 0, 2, 1, 3]
    assert found.ranked("ground_truth_coverage").tolist() == [4, 0, 2, 1, 3]
    assert found.ranked("saliency_coverage", among=2).tolist() == [4, 3]
    assert found.ranked("iou", among=99).tolist() == [4, 0, 2, 1, 3]
    with pytest.raises(ValueError, match="0 classes cannot be ranked"):
        found.ranked("iou", among=0)


def test_what_cannot_be_probed_is_said(maps: ClassMaps, region: np.ndarray) -> None:
    classes = saliency(maps, Deviations())
    with pytest.raises(ValueError, match="of 8 × 8 pixels, and the maps are of 30 × 44"):
        probe(maps, classes, np.ones((8, 8), dtype=bool))
    with pytest.raises(ValueError, match="The region is empty"):
        probe(maps, classes, np.zeros((30, 44), dtype=bool))
    with pytest.raises(ValueError, match="give the annotation, or a share"):
        saliency(maps, Area())


def test_two_rankings_compared() -> None:
    first, second = np.array([4, 0, 2, 1, 3]), np.array([0, 2, 4, 1, 3])
    assert places(first, 6).tolist() == [2, 4, 3, 5, 1, 0]
    # From 1 to 3 is more than from 2 to 1, and that more than from 3 to 2; what stays is no mover.
    assert movers(first, second, 9).tolist() == [4, 0, 2]
    assert movers(first, second, 1).tolist() == [4]
    assert movers(first, first, 3).tolist() == []


def test_on_real_photographs_the_predicted_class_has_the_most_evidence_in_its_box(
    squeezenet: Classifier, imagenet: Path
) -> None:
    photos = images.load(imagenet)
    first = []
    for position in sorted(photos.annotated)[:3]:
        sample = photos[position]
        maps = class_maps(squeezenet, squeezenet.prepare([sample.image]))
        region = squeezenet.preprocessing.annotation(sample.mask).numpy()
        found = probe(maps, saliency(maps, Deviations()), region)
        predicted = int(found.probabilities.argmax())
        first.append(places(found.ranked("evidence"), 1000)[predicted])
        # By shape alone it is somewhere in the middle: most classes' maps have about the same.
        assert places(found.ranked("iou"), 1000)[predicted] > 10
    assert first == [1] * 3
