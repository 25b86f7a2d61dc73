"""Samples equal what each image, position and class gives alone, wherever and in whatever order they are taken."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from interp.atlas import PositionSamples, SampledLayer, SamplingPass, sampled
from interp.atlas.sampling import strongest
from interp.images import ImageSet
from interp.models.precision import in_bfloat16
from interp.set_pass import by_chunks, once, returned
from interp.types import Classifier, Layer
from tests import networks
from tests.atlas.made_up import AtlasStore, same, tokens
from tests.class_summary.sets import pictures, pixels_of
from tests.networks import calibrated

COUNT, BROKEN = 20, (7,)


def grid_of(values: torch.Tensor, layer: Layer) -> torch.Tensor:
    """One image's activations, or what is like them, as positions in rows."""
    if layer.kind == "spatial":
        return values[0].flatten(1).T
    if layer.kind == "channels_last":
        return values[0].flatten(0, 1)
    return values[0, layer.prefix :]


def slow(classifier: Classifier, pixels: torch.Tensor, layer: Layer, classes: list[int]) -> tuple[torch.Tensor, ...]:
    """Activations (p, k), attributions (p, c) to some classes and logits of one image, each class by a pass of its own.

    The gradient is that of the full pass to the layer's output, with nothing but PyTorch.
    """
    found, kept = [], {}

    def keep(module: nn.Module, inputs: tuple, output: torch.Tensor) -> torch.Tensor:
        kept["own"] = output.detach().clone().requires_grad_()
        return kept["own"].clone()

    handle = classifier.module.get_submodule(f"network.{layer.name}").register_forward_hook(keep)
    for one in classes:
        logits = classifier.module(pixels[None])
        (slope,) = torch.autograd.grad(logits[0, one], kept["own"])
        found.append(grid_of(kept["own"].detach() * slope, layer).sum(dim=1))
    logits = classifier.module(pixels[None])
    handle.remove()
    return grid_of(kept["own"].detach(), layer), torch.stack(found, dim=1), logits[0].detach()


def most_probable(classifier: Classifier, pixels: torch.Tensor) -> list[int]:
    with torch.no_grad():
        return classifier.module(pixels[None])[0].argsort(descending=True)[:8].tolist()


def agree(classifier: Classifier, photos: ImageSet, found: PositionSamples, classes: list[int] | None = None) -> None:
    """Whether the samples are those of the slow way; of the classes given, or of the most probable ones alone."""
    layer = classifier.layer(found.layer)
    for number, pixels in enumerate(pixels_of(classifier, photos)):
        rows = np.flatnonzero(found.images == number)
        places = found.places[rows]
        asked: list[int] = classes or most_probable(classifier, pixels)
        if classes is None:
            assert not np.delete(found.attributions[rows], asked, axis=1).any()
        own, brought, _ = slow(classifier, pixels, layer, asked)
        for values, expected in ((found.activations[rows], own), (found.attributions[rows][:, asked], brought)):
            expected = expected.numpy()[places]
            assert np.abs(values - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())
        assert np.abs(found.attributions[rows][:, asked]).max() > 0


@pytest.fixture
def photos(tiny: Classifier) -> ImageSet:
    return pictures(tiny, (None,) * COUNT)


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_samples_are_those_of_each_image_position_and_class_alone(
    tiny: Classifier, photos: ImageSet, layer: str
) -> None:
    found = sampled(tiny, photos, layer, 5)
    assert len(found) == 5 * COUNT and found.considered == 3
    agree(tiny, photos, found, [0, 1, 2])


@pytest.mark.parametrize(
    ("name", "layer", "closed"),
    [
        ("squeezenet1_1", "features.12", True),
        ("squeezenet1_1", "features.9", False),
        ("resnet50", "layer4", True),
        ("resnet50", "layer2", False),
        ("googlenet", "inception5b", True),
        ("googlenet", "inception4c", False),
    ],
)
def test_samples_of_published_networks_are_those_of_each_alone(name: str, layer: str, closed: bool) -> None:
    classifier = calibrated(name)
    photos = pictures(classifier, (None,) * 2)
    found = sampled(classifier, photos, layer, 6, border=0)
    assert found.considered == (1000 if closed else 8) and found.attributions.shape[1] == 1000
    agree(classifier, photos, found, [0, 3, 500, 999] if closed else None)


@pytest.mark.parametrize(
    ("kind", "layer"),
    [("vit", None), ("vit", "encoder.layers.encoder_layer_0"), ("swin", "norm"), ("swin", "features.1")],
)
def test_samples_of_token_networks_are_those_of_each_alone(kind: str, layer: str | None) -> None:
    classifier = tokens(kind)
    photos = pictures(classifier, (None,) * 3)
    agree(classifier, photos, sampled(classifier, photos, layer, 4), list(range(5)))


def test_where_the_head_reads_the_class_token_alone_positions_of_the_last_layer_add_nothing() -> None:
    classifier = tokens("vit")
    found = sampled(classifier, pictures(classifier, (None,) * 2), "encoder.ln", 4)
    assert not found.attributions.any() and (found.labels == -1).all() and found.activations.any()


def test_behind_pooling_and_a_linear_layer_all_positions_add_up_to_the_logits(
    tiny: Classifier, photos: ImageSet
) -> None:
    for classifier, layer, head in ((tiny, "conv2", "linear"), (calibrated("resnet50"), "layer4", "fc")):
        few = pictures(classifier, (None,) * 3)
        every = sampled(classifier, few, layer, 10_000, border=0)
        bias = classifier.module.get_parameter(f"network.{head}.bias").numpy()
        with torch.no_grad():
            logits = classifier.module(pixels_of(classifier, few)).numpy()
        sums = np.stack([every.attributions[every.images == one].sum(axis=0) for one in range(3)])
        assert np.abs(sums - (logits - bias)).max() < 1e-5 * np.abs(logits).max() * 10


def test_the_border_is_left_out_as_long_as_anything_is_left() -> None:
    def offered(height: int, width: int, border: int) -> list[int]:
        return SampledLayer("x", border=border).offered(Layer("x", 1, "spatial", height, width)).tolist()

    assert offered(4, 4, 1) == [5, 6, 9, 10] and offered(4, 4, 0) == list(range(16))
    assert offered(3, 3, 1) == [4] and offered(2, 2, 1) == [0, 1, 2, 3] and offered(1, 1, 1) == [0]
    assert offered(5, 2, 1) == [2, 3, 4, 5, 6, 7] and offered(5, 5, 9) == [12]


def test_each_position_is_drawn_once_and_all_where_more_are_asked_for(tiny: Classifier, photos: ImageSet) -> None:
    few, all_of_them = sampled(tiny, photos, "conv2", 5), sampled(tiny, photos, "conv2", 1000)
    inner = SampledLayer("conv2").offered(tiny.layer("conv2"))
    for number in range(COUNT):
        own = few.places[few.images == number]
        assert len(set(own)) == 5 and set(own) <= set(inner)
        assert all_of_them.places[all_of_them.images == number].tolist() == inner.tolist()
    drawn = np.bincount(sampled(tiny, pictures(tiny, (None,) * 200), "conv2", 9).places, minlength=64)
    # A quarter of 200 images, of 36 positions: 6 is its standard deviation.
    assert (drawn[inner] > 25).all() and (drawn[inner] < 75).all() and drawn.sum() == 1800


def test_the_same_seed_gives_an_image_the_same_places_whatever_is_around_it(tiny: Classifier, photos: ImageSet) -> None:
    whole, some = sampled(tiny, photos, "conv2", 5), sampled(tiny, photos, "conv2", 5, positions=[11, 3])
    assert some.images.tolist() == [11] * 5 + [3] * 5
    rows = np.concatenate([np.flatnonzero(whole.images == one) for one in (11, 3)])
    assert (some.places == whole.places[rows]).all()
    assert np.allclose(some.activations, whole.activations[rows], atol=1e-6)
    other = sampled(tiny, photos, "conv2", 5, seed=1)
    assert (other.places != whole.places).any()


def test_chunks_give_the_same_bits_as_once_also_where_it_was_killed(tiny: Classifier, photos: ImageSet) -> None:
    items = (SampledLayer("conv2", 5), SampledLayer("conv1", 3, seed=4), SampledLayer("conv2", 2, 0))
    whole = returned(once(SamplingPass(), tiny, photos, items))
    work, store = SamplingPass(chunk=6, first=6), AtlasStore()
    store.room = 4
    with pytest.raises(KeyboardInterrupt):
        returned(by_chunks(work, tiny, photos, items, kept=store))
    store.room = 1_000
    for found in (returned(by_chunks(work, tiny, photos, items, kept=one)) for one in (store, None)):
        assert all(same(one, other) for one, other in zip(found, whole, strict=True))
    for one, item in zip(whole, items, strict=True):
        [alone] = returned(once(SamplingPass(), tiny, photos, (item,)))
        assert same(one, alone)


def test_an_image_that_cannot_be_read_is_a_problem_and_has_no_rows(tiny: Classifier, photos: ImageSet) -> None:
    found = sampled(tiny, pictures(tiny, (None,) * COUNT, broken=BROKEN), "conv2", 5)
    whole = sampled(tiny, photos, "conv2", 5)
    kept = whole.images != 7
    assert [one.name for one in found.problems] == ["7.png"] and 7 not in found.images
    assert (found.places == whole.places[kept]).all() and (found.images == whole.images[kept]).all()
    none = sampled(tiny, pictures(tiny, (None, None), broken=(0, 1)), "conv2", 5)
    assert len(none) == 0 and none.activations.shape == (0, 6) and len(none.problems) == 2


class BadForBright(nn.Module):
    """Gives pictures that are brighter than usual as numbers that are none."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        bright = pixels.mean(dim=(1, 2, 3), keepdim=True)
        return torch.where(bright == bright.max(), torch.nan, pixels)


def test_numbers_that_are_not_finite_are_refused_with_the_image_s_name(tiny: Classifier) -> None:
    photos = pictures(tiny, (None,) * 6)
    brightest = int(pixels_of(tiny, photos).mean(dim=(1, 2, 3)).argmax())
    assert brightest > 0
    tiny.module.add_module("normalize", BadForBright())
    with pytest.raises(ValueError, match=rf"not finite for {brightest}.png: check the weights"):
        sampled(tiny, photos, "conv2")


def test_what_cannot_be_sampled_is_refused(tiny: Classifier, photos: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = replace(tiny, layers=(*tiny.layers, Layer("linear", 3, "flat")))
    with pytest.raises(ValueError, match="linear has one vector for each image and no positions"):
        sampled(flat, photos, "linear")
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        sampled(tiny, photos, "conv9")
    with pytest.raises(ValueError, match="0 samples of each image are none"):
        sampled(tiny, photos, "conv2", 0)
    with pytest.raises(ValueError, match="border of -1"):
        sampled(tiny, photos, "conv2", border=-1)
    with pytest.raises(ValueError, match="seed of -3"):
        sampled(tiny, photos, "conv2", seed=-3)
    # 20 images × 16 samples × (6 channels + 3 classes) × 4 bytes.
    monkeypatch.setattr(sys.modules["interp.atlas.sampling"], "LARGEST", 11_520)
    assert len(sampled(tiny, photos, "conv2", 16)) == 320
    with pytest.raises(ValueError, match=r"17 samples of 20 images at conv2 take .* Take 16 samples of each"):
        sampled(tiny, photos, "conv2", 17)


def test_a_network_without_a_head_has_samples_without_labels(tiny: Classifier, photos: ImageSet) -> None:
    headless = replace(tiny, labels=(), fingerprint="headless")
    found = sampled(headless, photos, "conv2", 5)
    assert found.attributions.shape == (5 * COUNT, 0) and found.considered == 0 and (found.labels == -1).all()
    assert (found.activations == sampled(tiny, photos, "conv2", 5).activations).all()


def test_classes_that_do_not_exclude_each_other_are_sampled_alike(tiny: Classifier, photos: ImageSet) -> None:
    several = replace(tiny, multi_label=True, link="sigmoid", outputs="sigmoid", fingerprint="several")
    found, expected = sampled(several, photos, "conv1", 5), sampled(tiny, photos, "conv1", 5)
    assert same(found, expected)


def test_a_network_that_sees_grey_is_sampled(lenet: Classifier) -> None:
    photos = pictures(lenet, (None,) * 4)
    found = sampled(lenet, photos, "conv2", 5)
    assert len(found) == 20
    agree(lenet, photos, found, list(range(10)))


def test_labels_are_the_class_that_most_is_added_to_and_none_where_nothing_is() -> None:
    attributions = np.array([[1, 2, 0], [-1, -2, 0], [3, 3, 1], [-1, -1, 0.5]], np.float32)
    assert strongest(attributions).tolist() == [1, -1, 0, 2]


def test_a_network_in_bfloat16_follows_few_classes_backward(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the head gives in single precision is not what it gave: each of the thousand classes would be a pass.
    reduced = in_bfloat16(calibrated("resnet50"))
    photos = pictures(reduced, (None,) * 2)
    passes: list[object] = []
    grad = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *given, **more: passes.append(given) or grad(*given, **more))
    found = sampled(reduced, photos, "layer4", 4, border=0)
    assert found.considered == 8 and len(passes) < 20
    assert ((found.attributions != 0).sum(axis=1) <= 8).all() and found.attributions.any()


def test_nothing_is_taken_from_the_random_numbers_of_others(photos: ImageSet) -> None:
    classifier = networks.described(networks.unfilled("squeezenet1_1", 64), 64)
    few = pictures(classifier, (None,) * 2)
    before = torch.random.get_rng_state()
    sampled(classifier, few, "features.12", 2)
    assert torch.equal(torch.random.get_rng_state(), before)
