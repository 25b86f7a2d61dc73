"""Combinations of units against scikit-learn, and on a network in which a concept is a difference of two channels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from interp.images import ImageSet
from interp.types import Classifier, Layer, Preprocessing
from interp.units import combine, halves
from interp.units.fitting import best_level, exchange, fit
from interp.units.gathered import nearest
from tests.units.conftest import SIDE


def test_it_is_what_scikit_learn_finds() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 5)).astype(np.float32)
    target = (rows @ rng.normal(size=(5, 3)) + rng.normal(size=(400, 3)) > 1).astype(np.float32)
    counts = np.ones_like(target)
    counts[::7, 1] = 0
    target *= counts
    weights, biases = fit(rows, target, counts, penalty=1e-3, steps=300)
    for one in range(3):
        some = counts[:, one] > 0
        mean = target[some, one].mean()
        sample = np.where(target[some, one] > 0, 1 - mean, mean)
        # Ours is a mean, theirs a sum with the loss weighted by C.
        theirs = LogisticRegression(C=1 / (1e-3 * sample.sum()), tol=1e-8, max_iter=2000)
        theirs.fit(rows[some], target[some, one], sample_weight=sample)
        np.testing.assert_allclose(weights[one], theirs.coef_[0], atol=2e-3)
        np.testing.assert_allclose(biases[one], theirs.intercept_[0], atol=2e-3)


def test_the_best_level_is_the_best_of_all() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 9, 60).astype(np.float32)
    target = (rng.random(60) < 0.3).astype(np.float32)
    level, iou = best_level(values, target, np.ones(60, np.float32))
    every = [((values > one) & (target > 0)).sum() / ((values > one) | (target > 0)).sum() for one in range(-1, 9)]
    assert iou == pytest.approx(max(every))
    assert ((values > level) & (target > 0)).sum() / ((values > level) | (target > 0)).sum() == pytest.approx(iou)


def test_no_image_keeps_its_masks() -> None:
    assert (exchange(9, 3) != np.arange(9)).all() and sorted(exchange(9, 3)) == list(range(9))


def test_halves_are_all_images_each_once() -> None:
    first, second = halves(np.arange(9))
    assert sorted([*first, *second]) == list(range(9)) and len(first) == 5 and (np.diff(first) != 2).any()


def test_pixels_go_to_the_nearest_position() -> None:
    shares = nearest((2.0, 6.0, 40.0), 8)
    np.testing.assert_allclose(shares[0], [0.25] * 4 + [0] * 4)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares[2, 7] == 1


class Two(nn.Module):
    """Unit 0 sees red, unit 1 green: what is red and not green, 'rose', is their difference. Unit 2 sees blue."""

    def __init__(self) -> None:
        super().__init__()
        self.units = nn.Conv2d(3, 3, 1, bias=False)
        self.units.weight = nn.Parameter(torch.eye(3)[:, :, None, None])
        self.linear = nn.Linear(3, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.linear(self.units(images).mean(dim=(2, 3)))


@pytest.fixture(scope="module")
def two() -> tuple[Classifier, ImageSet]:
    from PIL import Image

    from interp.images.decoding import DecodedImage
    from interp.images.image_set import Concept

    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", Two())
    classifier = Classifier(
        name="two", module=module.eval().requires_grad_(False), labels=("a", "b"),
        layers=(Layer("units", 3, "spatial", SIDE, SIDE, True),),
        preprocessing=Preprocessing(crop=(SIDE, SIDE), resize=SIDE),
        device=torch.device("cpu"), fingerprint="two", architecture="two",
    )  # fmt: skip
    drawn, marks = [], []
    for number in range(16):
        rng = np.random.default_rng(number)
        picture = np.zeros((SIDE, SIDE, 3), np.uint8)
        masks = {}
        for name, colour in (("yellow", (200, 200, 0)), ("green", (0, 200, 0)), ("rose", (200, 0, 0))):
            top, left = rng.integers(0, 11, 2)
            picture[top : top + 5, left : left + 5] = colour
            masks[name] = colour
        found = [(name, (picture == colour).all(axis=2)) for name, colour in masks.items()]
        picture[..., 2] = rng.integers(0, 255, (SIDE, SIDE))
        drawn.append(DecodedImage(Image.fromarray(picture)))
        marks.append(tuple(Concept("colour", name, mask) for name, mask in found if mask.any()))
    photos = ImageSet(
        name="two", description="", fingerprint="two", names=[f"{one}.png" for one in range(16)],
        read=drawn.__getitem__, concepts=marks.__getitem__,
    )  # fmt: skip
    return classifier, photos


def test_a_difference_of_two_channels_is_found(two) -> None:
    classifier, photos = two
    found = combine(classifier, photos, "units", features="raw", quantile=0.1)
    rose = found.concepts.index(("colour", "rose"))
    assert found.iou[rose] > 0.98 and found.fitted_unit_iou[rose] < 0.75 and found.unit_iou[rose] < 0.75
    assert found.iou_exchanged[rose] < 0.4 and found.iou_chance[rose] < 0.2
    assert found.weights[rose, 0] > 0 > found.weights[rose, 1] and found.fitted_units[rose] == 0
    assert found.images == (8, 8) and found.positions == (SIDE**2, SIDE**2)


def test_so_it_is_with_thresholds(two) -> None:
    classifier, photos = two
    found = combine(classifier, photos, "units", quantile=0.19)
    rose = found.concepts.index(("colour", "rose"))
    assert found.iou[rose] > 0.98 and found.features == "thresholded" and found.weights[rose, 1] < 0


def test_iou_is_that_of_a_slow_reading(two) -> None:
    classifier, photos = two
    found = combine(classifier, photos, "units", features="raw", quantile=0.1)
    for row, concept in enumerate(found.concepts):
        both = either = 0
        for position in halves(np.arange(16))[1].tolist():
            sample = photos[position]
            pixels = torch.from_numpy(np.asarray(sample.image)).permute(2, 0, 1)[None] / 255
            maps = classifier.module.network.units(pixels)[0].detach().numpy()
            mask = np.einsum("k,kuv->uv", found.weights[row], maps) + found.biases[row] > found.levels[row]
            truth = next((one.mask for one in sample.concepts if one.name == concept[1]), np.zeros((SIDE, SIDE), bool))
            both, either = both + (mask & truth).sum(), either + (mask | truth).sum()
        assert found.iou[row] == pytest.approx(both / either, abs=1e-6)


def test_what_cannot_be_learned_is_said(two, known: ImageSet, tiny: Classifier) -> None:
    classifier, photos = two
    with pytest.raises(ValueError, match="No concept is in 3 images of the first half"):
        combine(classifier, photos, "units", positions=range(4))
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        combine(tiny, known, "conv9")


def test_where_not_all_is_known_an_image_counts_for_what_is_known_of_it(known: ImageSet, tiny: Classifier) -> None:
    from interp.units import ConceptSource

    found = combine(tiny, known, "conv1", ConceptSource(), quantile=0.05)
    assert set(found.concepts) == {("colour", "red"), ("colour", "blue"), ("part", "wing")}
    assert len(found.problems) == 1 and np.isfinite(found.iou).all()
