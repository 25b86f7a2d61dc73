"""Attribution between layers, against slow gradients, a network where it is exact, and the attribution of a class."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from interp import channels, models
from interp.models import hooks
from interp.types import Classifier, Images, Layer, Preprocessing
from tests.conftest import TinyNetwork


class Branches(nn.Module):
    """Two branches side by side, of which the second comes later; without biases where asked."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1, bias=bias)
        self.left = nn.Sequential(nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1, bias=bias))
        self.right = nn.Sequential(nn.ReLU(), nn.Conv2d(4, 6, 1, bias=bias))
        self.joined = nn.Sequential(nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(11, 7, 3, bias=bias))
        self.linear = nn.Linear(7, 3, bias=bias)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.first(pixels)
        both = torch.cat([self.left(hidden), self.right(hidden)], dim=1)
        return self.linear(self.joined(both).relu().mean(dim=(2, 3)))


def branches(*, bias: bool) -> Classifier:
    torch.manual_seed(0)
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", Branches(bias))
    module.eval().requires_grad_(False)
    layers = (
        Layer("first", 4, "spatial", 16, 16),
        Layer("left", 5, "spatial", 16, 16),
        Layer("right", 6, "spatial", 16, 16),
        Layer("joined", 7, "spatial", 6, 6),
        Layer("linear", 3, "flat"),
    )
    fitting = Preprocessing(crop=(16, 16), resize=16)
    return Classifier("own", module, ("a", "b", "c"), layers, fitting, torch.device("cpu"), f"branches-{bias}", "own")


def named(found: channels.Between) -> Sequence[str]:
    return [one.layer.name for one in found.lower]


@pytest.mark.parametrize("weighted", [True, False])
def test_gradients_are_those_of_finite_differences(tiny: Classifier, noise_images: Images, weighted: bool) -> None:
    direction = torch.tensor([0.5, -1, 0, 2, 0, 1])
    weights = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2)) if weighted else None
    found = channels.between(tiny, noise_images, "conv2", direction, ["conv1"], weights=weights)
    network = deepcopy(tiny.module.get_submodule("network")).double()
    assert isinstance(network, TinyNetwork)
    counts = torch.full((3, 8, 8), 1 / 64) if weights is None else weights

    def unit(own: Tensor) -> Tensor:
        along = torch.einsum("nkuv,k->nuv", network.conv2(own.relu()), direction.double())
        return (along * counts.double()).sum(dim=(1, 2))

    own = network.conv1(noise_images.pixels.double())
    torch.testing.assert_close(found.scores.double(), unit(own), atol=1e-5, rtol=1e-5)
    [lower] = found.lower
    torch.testing.assert_close(lower.activations.double(), own, atol=1e-5, rtol=1e-5)
    for place in [(0, 0, 0, 0), (1, 2, 5, 9), (2, 3, 15, 15), (0, 1, 7, 7), (2, 0, 8, 3)]:
        step = torch.zeros_like(own)
        step[place] = 1e-6
        slope = float((unit(own + step) - unit(own - step)).sum() / 2e-6)
        assert float(lower.gradients[place]) == pytest.approx(slope, abs=1e-5)
    torch.testing.assert_close(lower.values, (lower.activations * lower.gradients).sum(dim=(2, 3)))
    torch.testing.assert_close(lower.residuals, found.scores - lower.values.sum(dim=1))


def test_without_biases_every_layer_sums_to_the_unit(noise_images: Images) -> None:
    classifier = branches(bias=False)
    found = channels.between(classifier, noise_images, "joined", 3, ["first"])
    torch.testing.assert_close(found.at("first").values.sum(dim=1), found.scores, atol=1e-5, rtol=1e-4)
    top = channels.between(classifier, noise_images, "linear", 1)
    torch.testing.assert_close(top.scores, classifier.logits(noise_images)[:, 1])
    assert named(top) == ["first", "left", "right", "joined"]
    for layer in ("first", "joined"):
        assert float(top.at(layer).residuals.abs().max()) < 1e-5
    # Neither branch is all that there is at its height: the two together are.
    beside = top.at("left").values.sum(dim=1) + top.at("right").values.sum(dim=1)
    torch.testing.assert_close(beside, top.scores, atol=1e-5, rtol=1e-4)
    assert float(top.at("left").residuals.abs().max()) > 1e-4


def test_biases_are_seen_in_the_residual(noise_images: Images) -> None:
    classifier = branches(bias=True)
    found = channels.between(classifier, noise_images, "left", 2, ["first"])
    # Between them lie a rectifier and one convolution: what is left is its bias, wherever the unit is read.
    bias = float(classifier.module.get_submodule("network.left.1").bias[2])  # pyright: ignore
    assert found.at("first").residuals.tolist() == pytest.approx([bias] * 3, abs=1e-5)


def test_a_parallel_branch_does_not_feed_it(noise_images: Images) -> None:
    found = channels.between(branches(bias=True), noise_images, "right", 0)
    assert named(found) == ["first"]
    with pytest.raises(ValueError, match="'left' is not among the layers .* feed right: first"):
        found.at("left")


def test_the_channels_of_a_class_lead_to_the_class_further_down(tiny: Classifier, noise_images: Images) -> None:
    upper = channels.attribute(tiny, noise_images, [0, 1, 2], "conv2")
    lower = channels.attribute(tiny, noise_images, [0, 1, 2], "conv1")
    parts = [
        channels.between(tiny, noise_images, "conv2", k, weights=upper.gradients[:, k])
        for k in range(upper.layer.channels)
    ]
    for k, part in enumerate(parts):
        torch.testing.assert_close(part.scores, upper.values[:, k], atol=1e-6, rtol=1e-4)
    whole = sum(part.at("conv1").values for part in parts)
    torch.testing.assert_close(whole, lower.values, atol=1e-6, rtol=1e-4)


def test_a_channel_is_the_direction_along_it(tiny: Classifier, noise_images: Images) -> None:
    one, other = (channels.between(tiny, noise_images, "conv2", unit) for unit in (4, torch.eye(6)[4]))
    assert torch.equal(one.at("conv1").values, other.at("conv1").values) and torch.equal(one.scores, other.scores)
    assert one.at("conv1").fingerprint == other.at("conv1").fingerprint


def test_the_first_layer_is_made_of_nothing_that_is_known(tiny: Classifier, noise_images: Images) -> None:
    found = channels.between(tiny, noise_images, "conv1", 0)
    assert found.lower == () and found.scores.shape == (3,)


def test_steps_lead_to_layers_whose_channels_mean_something_new(tiny: Classifier) -> None:
    found = [layer.name for layer in channels.stations(models.load("scenes-honest", device="cpu"))]
    assert found[:2] == ["conv2d0", "conv2d1"] and found[-1] == "mixed5b"
    assert not any("pool" in name or "." in name for name in found)
    network = [layer.name for layer in channels.stations(models.load("squeezenet1_1", weights="random", device="cpu"))]
    assert network[:3] == ["features.1", "features.3", "features.4"] and "features.2" not in network
    assert [layer.name for layer in channels.stations(tiny)] == ["conv1", "conv2"]


def test_what_is_not_possible_is_named(tiny: Classifier, noise_images: Images) -> None:
    for unit, message in (
        (6, "Channel 6 does not exist: conv2 has 6 channels"),
        (torch.ones(5), "direction has 5 numbers, and conv2 has 6 channels"),
        (torch.full((6,), float("nan")), "finite"),
    ):
        with pytest.raises(ValueError, match=message):
            channels.between(tiny, noise_images, "conv2", unit)
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        channels.between(tiny, noise_images, "conv9", 0)
    with pytest.raises(ValueError, match="'conv2' does not come before 'conv1'. Those that do: none"):
        channels.between(tiny, noise_images, "conv1", 0, ["conv2"])
    with pytest.raises(ValueError, match="shape 3 × 7 × 8, and the images' positions are 3 × 8 × 8"):
        channels.between(tiny, noise_images, "conv2", 0, weights=torch.ones(3, 7, 8))
    with pytest.raises(ValueError, match="weights are not finite"):
        channels.between(tiny, noise_images, "conv2", 0, weights=torch.full((3, 8, 8), float("inf")))
    assert not any(part._forward_hooks for part in tiny.module.modules())


def test_hooks_are_gone_after_a_failure(tiny: Classifier, noise_images: Images) -> None:
    with hooks.replaced(tiny, "conv1", lambda output: output[:, :2]), pytest.raises(ValueError):
        channels.between(tiny, noise_images, "conv2", 0)
    assert not any(part._forward_hooks for part in tiny.module.modules())
