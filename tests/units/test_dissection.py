"""Dissection against a slow re-computation at full resolution, and on a network whose units are known detectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import RectBivariateSpline
from torch import nn

import cache
from interp.images import ImageSet
from interp.set_pass import by_chunks
from interp.set_pass.running import returned
from interp.types import Classifier, Layer, Preprocessing
from interp.units import dissection, remembered
from interp.units.counting import UnitPass
from interp.units.directions import basis
from interp.units.dissection import dissect
from interp.units.exceeding import centres, exceeding
from interp.units.overlap import ConceptOverlap
from tests.units.conftest import BROKEN, COUNT, NAMES, SIDE, masks
from tests.units.test_tally import THERE, everything

NAMED = tuple(sorted(NAMES))


def upsampled(maps: np.ndarray, classifier: Classifier, layer: str) -> np.ndarray:
    """As NetDissect enlarges: a spline of the first degree over the centres of the positions, evaluated at pixels."""
    rows, columns = centres(classifier, layer)
    at = np.arange(SIDE) + 0.5
    return np.stack([RectBivariateSpline(rows, columns, one, kx=1, ky=1)(at, at) for one in maps])


def oracle(
    classifier: Classifier, layer: str, share: float, rotation: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Masks of all units (images, k, h, w) and of all concepts (images, c, h, w; absent ones are empty)."""
    every = everything(classifier, layer)
    if rotation is not None:
        every = np.einsum("jk,nkuv->njuv", basis(every.shape[1], rotation).numpy(), every)
    flat = np.sort(every.transpose(1, 0, 2, 3).reshape(every.shape[1], -1), axis=1)[:, ::-1]
    thresholds = flat[:, int(share * flat.shape[1])]
    active = np.stack([upsampled(maps, classifier, layer) for maps in every]) > thresholds[:, None, None]
    empty = np.zeros((SIDE, SIDE), bool)
    truth = np.stack([[masks(one).get(name, empty) for name in NAMED] for one in THERE])
    return active, truth


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
@pytest.mark.parametrize("share", [0.005, 0.05])
def test_iou_equals_a_slow_computation_at_full_resolution(
    tiny: Classifier, known: ImageSet, layer: str, share: float
) -> None:
    found = dissect(tiny, known, [layer], quantiles=(share,)).layers[0]
    assert found.concepts == NAMED and found.images == len(THERE)
    active, truth = oracle(tiny, layer, share)
    both = (active[:, :, None] & truth[:, None]).sum(axis=(3, 4))
    either = (active[:, :, None] | truth[:, None]).sum(axis=(3, 4))
    np.testing.assert_allclose(found.iou(), both.sum(axis=0) / either.sum(axis=0), atol=1e-6)
    # The published code leaves out images without anything of the category; NetDissect-Lite those that nothing meets.
    some = np.array([[any(name[0] == other[0] for other in masks(one)) for name in NAMED] for one in THERE])[:, None]
    np.testing.assert_allclose(
        found.iou(denominator="present"), (both * some).sum(axis=0) / (either * some).sum(axis=0), atol=1e-6
    )
    of = np.array([[one[0] == other[0] for other in NAMED] for one in NAMED])
    meets = np.einsum("nkc,dc->nkd", both, of) > 0
    expected = (both * meets).sum(axis=0) / np.maximum(1, (either * meets).sum(axis=0))
    np.testing.assert_allclose(found.iou(denominator="meeting"), expected, atol=1e-6)


def test_chance_is_the_mean_over_all_ways_to_exchange(tiny: Classifier, known: ImageSet) -> None:
    found = dissect(tiny, known, ["conv1"], quantiles=(0.05,)).layers[0]
    active, truth = oracle(tiny, "conv1", 0.05)
    # Every image with the masks of every image, as often as it would have them in all permutations.
    both = np.einsum(
        "nkp,mcp->kc", active.reshape(*active.shape[:2], -1) * 1.0, truth.reshape(*truth.shape[:2], -1) * 1.0
    )
    both /= len(THERE)
    union = active.sum(axis=(0, 2, 3))[:, None] + truth.sum(axis=(0, 2, 3)) - both
    np.testing.assert_allclose(found.chance(), both / union, atol=1e-9)
    np.testing.assert_allclose(found.odds(), found.iou() / found.chance(), rtol=1e-9)


def test_several_layers_and_quantiles_are_those_alone(tiny: Classifier, known: ImageSet) -> None:
    found = dissect(tiny, known, ["conv1", "conv2"], quantiles=(0.01, 0.1))
    for one in found.layers:
        for place, share in enumerate((0.01, 0.1)):
            alone = dissect(tiny, known, [one.layer], quantiles=(share,)).layers[0]
            np.testing.assert_array_equal(one.iou(place), alone.iou())
    assert set(found.iou) == set(found.odds) == {"conv1", "conv2"}


def test_every_image_is_read_once_for_all_layers_and_both_passes(tiny: Classifier, known: ImageSet) -> None:
    read: list[int] = []
    reading = known._read
    known._read = lambda position: read.append(position) or reading(position)
    dissect(tiny, known, ["conv1", "conv2"], quantiles=(0.01, 0.1), concepts=dissection.ConceptSource(complete=True))
    # What could not be read is tried again.
    assert sorted(set(read)) == list(range(COUNT)) and len(read) == COUNT + 2 and read.count(BROKEN) == 3


@pytest.mark.parametrize("room", [0, 40_000, remembered.MOST_BYTES])
@pytest.mark.parametrize("rotation", [None, 5])
def test_what_is_remembered_between_the_passes_changes_nothing(
    tiny: Classifier, known: ImageSet, monkeypatch, room: int, rotation: int | None
) -> None:
    shares, chosen = (0.02, 0.1), range(COUNT)
    source = dissection.ConceptSource(complete=True)
    tallies = dissection.tallying(tiny, ["conv1", "conv2"], COUNT, max(shares), rotation=rotation)
    tallied = returned(by_chunks(UnitPass(), tiny, known, tallies, chosen))
    items = [
        ConceptOverlap(
            one.value.layer,
            np.stack([one.value.thresholds(share) for share in shares]),
            centres(tiny, one.value.layer),
            rotation=rotation,
        )
        for one in tallied
    ]
    forgetful = returned(by_chunks(UnitPass(concepts=source), tiny, known, items, chosen))
    monkeypatch.setattr(remembered, "MOST_BYTES", room)
    monkeypatch.setattr(UnitPass, "batch_size", lambda *_: 5)
    found = dissect(tiny, known, ["conv1", "conv2"], source, quantiles=shares, rotation=rotation)
    assert [one.counts.fingerprint for one in found.layers] == [one.value.fingerprint for one in forgetful]


def test_images_are_remembered_only_with_all_that_the_next_pass_needs(
    tiny: Classifier, known: ImageSet, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One layer's tally is kept from before, so the other's alone is counted anew."""
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    cache.forget()
    layers, source = ["conv1", "conv2"], dissection.ConceptSource(complete=True)
    expected = dissect(tiny, known, layers, source, quantiles=(0.1,))
    before = dissection.tallying(tiny, layers, COUNT, 0.1)[:1]
    returned(by_chunks(UnitPass(), tiny, known, before, range(COUNT), kept=cache.CachedItems()))
    found = returned(dissection.dissecting(tiny, known, layers, source, quantiles=(0.1,), kept=cache.CachedItems()))
    assert [one.counts.fingerprint for one in found.layers] == [one.counts.fingerprint for one in expected.layers]


def test_where_not_all_is_known_an_image_counts_for_what_is_known_of_it(tiny: Classifier, known: ImageSet) -> None:
    source = dissection.ConceptSource(complete=False)
    found = dissect(tiny, known, ["conv1"], source).layers[0]
    np.testing.assert_array_equal(found.iou(), found.iou(denominator="present"))
    assert (found.iou(denominator="everything") <= found.iou()).all()


class Colours(nn.Module):
    """Unit 0 sees red, unit 1 blue, unit 2 a vertical edge from dark to light, unit 3 nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.units = nn.Conv2d(3, 4, 3, padding=1)
        with torch.no_grad():
            self.units.weight.zero_()
            self.units.bias.zero_()
            self.units.weight[0, :, 1, 1] = torch.tensor([1.0, -1.0, -1.0])
            self.units.weight[1, :, 1, 1] = torch.tensor([-1.0, -1.0, 1.0])
            self.units.weight[2, 1, :, 0], self.units.weight[2, 1, :, 2] = -1.0, 1.0
        self.linear = nn.Linear(4, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.linear(torch.relu(self.units(images)).mean(dim=(2, 3)))


def painted() -> tuple[Classifier, ImageSet]:
    from PIL import Image

    from interp.images.decoding import DecodedImage
    from interp.images.image_set import Concept

    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", Colours())
    classifier = Classifier(
        name="colours", module=module.eval().requires_grad_(False), labels=("a", "b"),
        layers=(Layer("units", 4, "spatial", SIDE, SIDE, True),),
        preprocessing=Preprocessing(crop=(SIDE, SIDE), resize=SIDE),
        device=torch.device("cpu"), fingerprint="colours", architecture="colours",
    )  # fmt: skip
    drawn, marks = [], []
    for number in range(12):
        rng = np.random.default_rng(number)
        picture, found = np.zeros((SIDE, SIDE, 3), np.uint8), []
        for place, name in enumerate(("red", "blue")):
            top, left = rng.integers(0, 12), 8 * place + rng.integers(0, 5)
            mask = np.zeros((SIDE, SIDE), bool)
            mask[top : top + 4, left : left + 3] = True
            picture[mask] = [(255, 0, 0), (0, 0, 255)][place]
            found.append(Concept("colour", name, mask))
        edge = np.zeros((SIDE, SIDE), bool)
        edge[3:13, 7 + number % 2] = True
        picture[3:13, 8 + number % 2, 1] = 255
        found.append(Concept("texture", "edge", edge))
        drawn.append(DecodedImage(Image.fromarray(picture)))
        marks.append(tuple(found))
    return classifier, ImageSet(
        name="painted", description="", fingerprint="painted", names=[f"{one}.png" for one in range(12)],
        read=drawn.__getitem__, concepts=marks.__getitem__,
    )  # fmt: skip


def test_a_network_of_known_detectors_is_dissected_without_error() -> None:
    classifier, photos = painted()
    # As many positions as each thing has: 12 of 256.
    found = dissect(classifier, photos, ["units"], quantiles=(12 / 256,)).layers[0]
    names = [found.concepts[one] if one >= 0 else None for one in found.labels()]
    assert names[:2] == [("colour", "red"), ("colour", "blue")] and names[3] is None
    assert names[2] == ("texture", "edge")
    iou = found.iou()
    assert iou[0].max() > 0.9 and iou[1].max() > 0.9 and found.odds()[0].max() > 3
    assert (iou[3] == 0).all()


def test_directions_at_random_are_dissected_as_units_are(tiny: Classifier, known: ImageSet) -> None:
    found = dissect(tiny, known, ["conv2"], quantiles=(0.05,), rotation=5).layers[0]
    active, truth = oracle(tiny, "conv2", 0.05, rotation=5)
    both, either = (
        (way(active[:, :, None], truth[:, None])).sum(axis=(0, 3, 4)) for way in (np.logical_and, np.logical_or)
    )
    np.testing.assert_allclose(found.iou(), both / either, atol=1e-6)
    assert not np.allclose(found.iou(), dissect(tiny, known, ["conv2"], quantiles=(0.05,)).layers[0].iou())


def test_what_cannot_be_is_said(tiny: Classifier, known: ImageSet) -> None:
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        dissect(tiny, known, ["conv9"])
    with pytest.raises(ValueError, match="between 0 and 1"):
        dissect(tiny, known, ["conv1"], quantiles=(5.0,))
    plain = ImageSet(name="plain", description="", fingerprint="plain", names=["a"], read=known._read)
    with pytest.raises(ValueError, match="Nothing is marked in plain"):
        dissect(tiny, plain, ["conv1"])
    found = dissect(tiny, known, ["conv1"], quantiles=(0.01, 0.02)).layers[0]
    with pytest.raises(ValueError, match="first quantile only"):
        found.iou(1, "meeting")


def test_where_nothing_is_over_its_threshold_nothing_is_found() -> None:
    maps = torch.rand(2, 3, 5, 5)
    assert list(exceeding(maps, torch.full((3,), 2.0), ((1.0, 3.0, 5.0, 7.0, 9.0),) * 2, (10, 10))) == []


def test_an_image_that_cannot_be_read_is_named(tiny: Classifier, known: ImageSet) -> None:
    found = dissect(tiny, known, ["conv1"]).layers[0]
    assert [problem.name for problem in found.problems] == [f"{BROKEN}.png"]
