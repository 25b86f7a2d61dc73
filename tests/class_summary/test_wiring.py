"""Influences that are known by hand, kernels of every shape, and networks and sets for which little can be said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import SwinTransformer

from interp.class_summary.gathered import counts_of
from interp.class_summary.influences import InfluenceCount, wiring
from interp.class_summary.layers import summary_layers
from interp.class_summary.summary import summarize
from interp.set_pass import once, returned
from interp.types import Classifier, digest
from interp.units.counting import UnitPass
from tests import networks
from tests.class_summary.oracle import Reads, convolved, tables
from tests.class_summary.sets import pictures, pixels_of
from tests.class_summary.test_influences import values


class Planted(nn.Module):
    """Red, green and blue; then red less green, blue, nothing, all; then the first twice over, and blue negated."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1)
        self.second = nn.Conv2d(3, 4, 1)
        self.third = nn.Conv2d(4, 2, 3, padding=1)
        self.head = nn.Linear(2, 2)
        with torch.no_grad():
            for part in (self.first, self.second, self.third):
                part.weight.zero_()
                nn.init.constant_(part.bias, 9.0 * (part is not self.first))  # pyright: ignore[reportArgumentType]
            self.first.weight[:, :, 0, 0] = torch.eye(3)
            self.second.weight[0, :2, 0, 0] = torch.tensor([1.0, -1.0])
            self.second.weight[1, 2, 0, 0] = 1.0
            self.second.weight[3, :, 0, 0] = torch.tensor([1.0, 2.0, 3.0])
            self.third.weight[0, 0, 1, 1] = 2.0
            self.third.weight[1, 1, 0, 0] = -1.0

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.third(self.second(self.first(images).relu()).relu()).relu().mean((2, 3)))


def test_influences_that_are_known_by_hand() -> None:
    """Biases count for nothing, and neither does what brings nothing, or less."""
    classifier = unnormalized(Planted())
    summary = summarize(classifier, pictures(classifier, ("0", "0", "1")), ("first", "second", "third"))
    below = np.array([[1, 0, 0, 1], [0, 0, 0, 1], [0, 1, 0, 1]])
    above = np.array([[1, 0], [0, 0], [0, 0], [0, 0]])
    for label, images in ((0, 2), (1, 1)):
        np.testing.assert_array_equal(summary.influences["first", "second"][label], images * below)
        np.testing.assert_array_equal(summary.influences["second", "third"][label], images * above)
    np.testing.assert_array_equal(
        summarize(classifier, pictures(classifier, ("0",)), ("first", "third")).influences["first", "third"][0],
        [[1, 0], [0, 0], [0, 0]],
    )


class Kernelled(nn.Module):
    """One convolution of some shape between two layers."""

    def __init__(self, **options: object) -> None:
        super().__init__()
        self.before = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Tanh())
        self.after = nn.Conv2d(8, 12, **options)  # pyright: ignore[reportArgumentType]
        self.head = nn.Linear(12, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.after(self.before(images)).mean((2, 3)))


SHAPES = [
    {"kernel_size": 3, "groups": 4},
    {"kernel_size": 3, "dilation": 2, "padding": 2},
    {"kernel_size": 3, "dilation": (2, 3), "padding": 1, "stride": (1, 2)},
    {"kernel_size": 5, "stride": 2, "padding": 1},
    {"kernel_size": 2, "stride": 3},
    {"kernel_size": (1, 7), "padding": (0, 3), "stride": 2},
    {"kernel_size": (4, 3), "padding": "same"},
    {"kernel_size": 3, "padding": "valid"},
    {"kernel_size": 1, "padding": 1},
    {"kernel_size": 1, "stride": 3},
    {"kernel_size": 1, "stride": 2, "padding": 3},
]


@pytest.mark.parametrize("options", SHAPES, ids=str)
def test_kernels_of_every_shape(options: dict[str, object]) -> None:
    """Where zeros are around, a channel may do best on them: its inputs are below 0 here, too."""
    classifier = unnormalized(Kernelled(**options), 17)
    photos = pictures(classifier, ("0", "1", "1"))
    pixels = pixels_of(classifier, photos)
    conv = classifier.module.get_submodule("network.after")
    given = Reads(classifier, pixels).given[conv]
    found = convolved(conv, given)
    [expected] = tables([0, 1, 1], 2, found)
    summary = summarize(classifier, photos, ("before", "after"))
    for label in (0, 1):
        np.testing.assert_array_equal(summary.influences["before", "after"][label], expected[label].T)
    best = -np.sort(-np.pad(found.clip(min=0), ((0, 0), (0, 0), (0, 5))), axis=2)[:, :, :5]
    np.testing.assert_allclose(values(classifier, ("before", "after"), pixels), best, rtol=1e-5, atol=1e-5)


def test_a_linear_layer_over_tokens_is_a_kernel_of_one_weight() -> None:
    classifier = fewer(networks.calibrated("convnext_tiny", 64))
    # The normalization between treats each channel by itself, in the end.
    pair = ("features.1.0.block.0", "features.1.0.block.3")
    photos = pictures(classifier, ("0", "1"))
    pixels = pixels_of(classifier, photos)
    linear = classifier.module.get_submodule(f"network.{pair[1]}")
    assert isinstance(linear, nn.Linear)
    given = Reads(classifier, pixels).given[linear].permute(0, 3, 1, 2)
    as_kernel = nn.Conv2d(linear.in_features, linear.out_features, 1)
    as_kernel.weight.data = linear.weight.data[:, :, None, None]
    [expected] = tables([0, 1], 2, convolved(as_kernel.requires_grad_(False), given))
    found = summarize(classifier, photos, pair).influences[pair]
    for label in (0, 1):
        np.testing.assert_array_equal(found[label], expected[label].T)


def test_channels_of_a_concatenation_are_inputs_and_outputs_of_their_own() -> None:
    """A dense layer reads all that came before it; what a dense block gives has what it read in front, as it was."""
    classifier = fewer(networks.shifted("densenet121"))
    photos = pictures(classifier, ("0", "0"))
    found = summarize(classifier, photos, ("features.pool0", "features.denseblock1"))
    influences = found.influences["features.pool0", "features.denseblock1"][0]
    width = influences.shape[0]
    np.testing.assert_array_equal(influences[:, :width], 2 * np.eye(width, dtype=int))
    assert influences[:, width:].any(axis=0).all() and not found.left_out["features.pool0", "features.denseblock1"]


class Attending(nn.Module):
    """Attention between two convolutions, with a way around it."""

    def __init__(self, *, around: bool) -> None:
        super().__init__()
        self.around = around
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.after = nn.Linear(8, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        mixed = self.attention(tokens, tokens, tokens)[0]
        return self.head(functional.gelu(self.after(tokens + mixed if self.around else mixed)).mean(1))


@pytest.mark.parametrize("around", [True, False])
def test_attention_is_left_out_and_said_to_be(around: bool) -> None:
    classifier = unnormalized(Attending(around=around))
    pair = ("patches", "after")
    summary = summarize(classifier, pictures(classifier, ("0", "1")), pair)
    assert any("attention" in one for one in summary.left_out[pair])
    assert wiring(classifier, *pair).reaches == around == bool(summary.influences[pair][0].any())


class Windowed(nn.Module):
    """A linear layer over the tokens of windows, or with the images behind the tokens; or over the map as it is."""

    def __init__(self, order: str) -> None:
        super().__init__()
        self.order = order
        self.before = nn.Conv2d(3, 8, 3)
        self.linear = nn.Linear(8, 12)
        self.after = nn.ReLU()
        self.head = nn.Linear(12, 2)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.before(images).permute(0, 2, 3, 1)
        if self.order == "windows":
            maps = maps.unflatten(2, (2, 7)).unflatten(1, (2, 7)).transpose(2, 3).reshape(-1, 49, 8)
        if self.order == "tokens first":
            maps = maps.flatten(1, 2).transpose(0, 1)
        found = self.linear(maps)
        if self.order == "windows":
            found = found.reshape(len(images), 2, 2, 7, 7, 12).transpose(2, 3)
        if self.order == "tokens first":
            found = found.transpose(0, 1)
        return self.head(self.after(found.reshape(len(images), 14, 14, 12).permute(0, 3, 1, 2)).mean((2, 3)))


@pytest.mark.parametrize("order", ["windows", "tokens first"])
def test_images_are_told_apart_where_they_are_cut_or_stand_on_another_axis(order: str) -> None:
    found = []
    for way in ("as it is", order):
        classifier = unnormalized(Windowed(way))
        found.append(summarize(classifier, pictures(classifier, ("0", "1", "1", "0", "1")), ("before", "after")))
    assert digest(found[0].influences) == digest(found[1].influences)
    assert found[0].influences["before", "after"][1].max() == 3


def test_swin_gives_the_same_for_each_image_alone() -> None:
    network = SwinTransformer([4, 4], 24, [2, 2], [3, 6], [4, 4], num_classes=2).eval().requires_grad_(False)
    classifier = networks.described(network, 64, classes=2)
    photos = pictures(classifier, ("0", "1", "0"))
    pair = ("features.1", "features.3")
    items = counts_of(classifier, pair)
    together, alone = (returned(once(UnitPass(), classifier, photos, items, batch_size=size)) for size in (3, 1))
    assert digest([one.value for one in together]) == digest([one.value for one in alone])
    assert summarize(classifier, photos, pair).left_out[pair]


def test_layers_that_cannot_be_are_refused(tiny: Classifier) -> None:
    photos = pictures(tiny, ("cat",))
    with pytest.raises(ValueError, match="'conv1' does not come after 'conv2'"):
        summarize(tiny, photos, ("conv2", "conv1"))
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        summarize(tiny, photos, ("conv1", "conv9"))
    for layers in ((), ("conv1",)):
        with pytest.raises(ValueError, match="two of them at least"):
            summarize(tiny, photos, layers)
    with pytest.raises(ValueError, match="given twice"):
        summarize(tiny, photos, ("conv1", "conv1"))
    with pytest.raises(ValueError, match="share of 0.5"):
        summarize(tiny, photos, share=0.5)
    assert summary_layers(tiny) == ("conv1", "conv2")


def test_flat_layers_are_layers_of_one_position() -> None:
    """All positions of a channel that a flat layer reads are inputs of it: the channel counts as its strongest."""
    classifier = fewer(networks.calibrated("vgg16", 64))
    photos = pictures(classifier, ("0", "1"))
    summary = summarize(classifier, photos, ("features.28", "classifier.0", "classifier.3"))
    assert {pair: one.shape for pair, one in summary.influences.items()} == {
        ("features.28", "classifier.0"): (2, 128, 256),
        ("classifier.0", "classifier.3"): (2, 256, 256),
    }
    assert summary.influences["features.28", "classifier.0"][1].any()
    linear = classifier.module.get_submodule("network.classifier.3")
    assert isinstance(linear, nn.Linear)
    brought = Reads(classifier, pixels_of(classifier, photos)).given[linear][:, None] * linear.weight
    [expected] = tables([0, 1], 2, brought.numpy())
    np.testing.assert_array_equal(summary.influences["classifier.0", "classifier.3"][1], expected[1].T)


def test_sets_without_classes_and_images_that_cannot_be_read(tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="has a label that is a class of tiny-0"):
        summarize(tiny, pictures(tiny, (None, None, "horse")))
    with pytest.raises(ValueError, match="No image of pictures could be read"):
        summarize(tiny, pictures(tiny, ("cat", "dog"), broken=(0, 1)))
    with pytest.raises(ValueError, match="do not exclude each other"):
        summarize(replace(tiny, multi_label=True, link="sigmoid"), pictures(tiny, ("cat", "dog")))
    some = summarize(tiny, pictures(tiny, ("cat", "dog", None, "cat", "cat"), broken=(3,)))
    assert some.images.tolist() == [2, 1, 0] and some.unlabelled == 1 and list(some.seen) == [0, 1]
    assert [one.name for one in some.problems] == ["3.png"]
    fewer_images = summarize(tiny, pictures(tiny, ("cat", "dog", None, None, "cat")))
    for pair, one in some.influences.items():
        assert (one[0] == fewer_images.influences[pair][0]).all() and not one[2].any()
    with pytest.raises(ValueError, match="Class 3 does not exist"):
        some.of_class(3)


def test_what_is_too_wide_is_refused(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    from interp.class_summary import influences

    monkeypatch.setattr(influences, "NONE", 3)
    with pytest.raises(ValueError, match="more than the 3"):
        InfluenceCount("conv2", before="conv1").check(tiny)
    assert len(counts_of(tiny, ("conv1", "conv2"))) == 3


def unnormalized(network: nn.Module, size: int = 16) -> Classifier:
    """The network, seeded, on pixels from −1 to 1 (`Planted`: as they are)."""
    torch.manual_seed(0)
    plain = isinstance(network, Planted)
    if not plain:
        for part in network.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                part.reset_parameters()
    classifier = networks.described(network.eval().requires_grad_(False), size, classes=2)
    if plain:
        classifier.module.get_submodule("normalize").register_forward_hook(lambda part, given, output: given[0])
    return classifier


def fewer(classifier: Classifier) -> Classifier:
    """The classifier with names for two classes alone: what is counted by class is smaller."""
    return replace(classifier, labels=classifier.labels[:2])
