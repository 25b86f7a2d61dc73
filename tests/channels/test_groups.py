"""Groups of channels: planted ones are found, nothing is lost, and effects are those of full passes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from interp import channels
from interp.channels import ChannelAttribution
from interp.models import hooks
from interp.types import Classifier, Images, Layer, Preprocessing, Target

SIDE = 6


def given(activations: Tensor, gradients: Tensor | None = None) -> ChannelAttribution:
    """An attribution of these activations."""
    gradients = torch.ones_like(activations) if gradients is None else gradients
    images, count, height, width = activations.shape
    values = (activations * gradients).sum(dim=(2, 3))
    layer = Layer("here", count, "spatial", height, width)
    return ChannelAttribution(layer, (Target(0),) * images, activations, gradients, values, torch.zeros(images, 2))


def planted(images: int = 1) -> tuple[Tensor, Tensor]:
    """Three groups of channels in three places: their parts, and the activations that they add up to."""
    generator = torch.Generator().manual_seed(3)
    maps = torch.zeros(images, 3, SIDE, SIDE)
    for group in range(3):
        maps[:, group, :, 2 * group : 2 * group + 2] = torch.rand(images, SIDE, 2, generator=generator) + 0.5
    directions = torch.zeros(3, 9)
    directions[0, :4], directions[1, 4:6], directions[2, 6:] = 3.0, torch.tensor([1.0, 2]), torch.tensor([1.0, 0.5, 2])
    parts = torch.einsum("nguv,gk->ngkuv", maps, directions)
    return parts, parts.sum(dim=1)


class Pooled(nn.Module):
    """A layer that is followed by average pooling and a linear layer alone."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(6, 4)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.linear(self.relu(self.conv(pixels)).mean(dim=(2, 3)))


class Tokens(nn.Module):
    """A token layer of 4 × 4 and a class token, with a head that mixes all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 5, 4, stride=4)
        self.block = nn.ReLU()
        self.head = nn.Linear(5 * 17, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        tokens = self.patches(pixels).flatten(2).transpose(1, 2)
        return self.head(self.block(torch.cat([tokens.mean(dim=1, keepdim=True), tokens], dim=1)).flatten(1).tanh())


def classifier_of(network: nn.Module, labels: str, *layers: Layer) -> Classifier:
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", network)
    module.eval().requires_grad_(False)
    fitting = Preprocessing(crop=(16, 16), resize=16)
    return Classifier("own", module, tuple(labels), layers, fitting, torch.device("cpu"), type(network).__name__, "own")


@pytest.fixture
def pooled() -> Classifier:
    torch.manual_seed(0)
    return classifier_of(Pooled(), "abcd", Layer("relu", 6, "spatial", 14, 14))


@pytest.fixture
def tokens() -> Classifier:
    torch.manual_seed(0)
    return classifier_of(Tokens(), "abc", Layer("block", 5, "tokens", 4, 4))


@pytest.mark.parametrize("images", [1, 3])
def test_planted_groups_are_found(images: int) -> None:
    parts, activations = planted(images)
    found = channels.groups(given(activations), range(images), 3)
    assert found.explained > 0.9999 and found.cut == 0
    assert found.maps.shape == (images, 3, SIDE, SIDE)
    torch.testing.assert_close(found.directions.norm(dim=1), torch.ones(3))
    # Up to their order each part is one that was planted; the largest part comes first.
    order = parts.sum(dim=(0, 2, 3, 4)).argsort(descending=True)
    whole = torch.einsum("nguv,gk->ngkuv", found.maps, found.directions)
    torch.testing.assert_close(whole, parts[:, order], atol=0.02, rtol=0.02)
    torch.testing.assert_close(found.shares.sum(dim=1), torch.ones(images), atol=1e-3, rtol=0)
    planted_group = int(order[0])
    assert {k for k, _ in found.strongest(0, 4)} == [{0, 1, 2, 3}, {4, 5}, {6, 7, 8}][planted_group]
    assert sum(one for _, one in found.strongest(0, 9)) == pytest.approx(1)


def test_groups_and_residual_are_the_whole() -> None:
    generator = torch.Generator().manual_seed(0)
    activations, gradients = (torch.randn(2, 8, 5, 7, generator=generator) for _ in range(2))
    attribution = given(activations, gradients)
    found = channels.groups(attribution, (1,), 3)
    assert found.rows == (1,) and 0 < found.explained < 1
    squares = activations[1].square()
    assert found.cut == pytest.approx(float(squares[activations[1] < 0].sum() / squares.sum()), rel=1e-4)
    held = torch.einsum("guv,gk->kuv", found.maps[0], found.directions)
    for group in range(3):
        own = torch.einsum("uv,k->kuv", found.maps[0, group], found.directions[group]) * gradients[1]
        assert float(found.values[0, group]) == pytest.approx(float(own.sum()), abs=1e-4)
    left = ((activations[1] - held) * gradients[1]).sum()
    assert float(found.residuals[0]) == pytest.approx(float(left), abs=1e-3)
    positive = activations[1].clamp(min=0)
    assert found.explained == pytest.approx(float(1 - (positive - held).square().sum() / positive.square().sum()))


@pytest.mark.filterwarnings("ignore:Maximum number of iterations")
def test_more_groups_hold_more_and_the_same_call_gives_the_same() -> None:
    generator = torch.Generator().manual_seed(0)
    attribution = given(torch.rand(1, 8, 6, 6, generator=generator))
    several = [channels.groups(attribution, (0,), count) for count in (1, 3, 8)]
    assert several[0].explained < several[1].explained < several[2].explained
    again = channels.groups(attribution, (0,), 3)
    assert again.fingerprint == several[1].fingerprint != several[0].fingerprint
    assert torch.equal(again.directions, several[1].directions)


@pytest.mark.filterwarnings("ignore:Maximum number of iterations")
def test_one_group_is_the_best_rank_one() -> None:
    generator = torch.Generator().manual_seed(0)
    attribution = given(torch.rand(1, 8, 6, 6, generator=generator))
    strengths = torch.linalg.svdvals(attribution.activations[0].flatten(1))
    best = float(strengths[0] ** 2 / (strengths**2).sum())
    assert channels.groups(attribution, (0,), 1).explained == pytest.approx(best, abs=1e-3)


def test_where_nothing_is_active_groups_are_empty() -> None:
    found = channels.groups(given(torch.zeros(1, 4, 3, 3)), (0,), 2)
    assert not found.maps.any() and not found.directions.any() and not found.values.any()
    assert found.explained != found.explained and found.strongest(0, 3) == []


def replaced(classifier: Classifier, images: Images, layer: str, taken: Tensor) -> Tensor:
    """The logits of a full pass of each image without what is taken out of the layer."""
    with hooks.replaced(classifier, layer, lambda output: output - taken), torch.no_grad():
        return classifier.module(images.pixels)


@pytest.mark.parametrize(("layer", "count"), [("conv1", 2), ("conv2", 3)])
def test_measured_effects_are_those_of_full_passes(
    tiny: Classifier, noise_images: Images, layer: str, count: int
) -> None:
    attribution = channels.attribute(tiny, noise_images, [0, 1, 2], layer)
    rows = (2, 0)
    found = channels.groups(attribution, rows, count)
    effects = channels.group_effects(tiny, noise_images, found, (2, 0))
    images = Images(noise_images.pixels[list(rows)], ("one", "other"))
    own = tiny.logits(images)[:, [2, 0]]
    torch.testing.assert_close(effects.logits, own)
    parts = torch.einsum("nguv,gk->gnkuv", found.maps, found.directions)
    for group in range(count):
        left = replaced(tiny, images, layer, parts[group])[:, [2, 0]]
        torch.testing.assert_close(effects.measured[:, group], own - left, atol=1e-5, rtol=1e-4)
    together = own - replaced(tiny, images, layer, parts.sum(dim=0))[:, [2, 0]]
    torch.testing.assert_close(effects.together, together, atol=1e-5, rtol=1e-4)
    # Of its own target the estimate is the group's attribution: image 2 is asked for class 2, image 0 for class 0.
    torch.testing.assert_close(effects.estimated[0, :, 0], found.values[0], atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(effects.estimated[1, :, 1], found.values[1], atol=1e-6, rtol=1e-4)


def test_before_pooling_and_a_linear_layer_estimate_and_measurement_agree(
    pooled: Classifier, noise_images: Images
) -> None:
    found = channels.groups(channels.attribute(pooled, noise_images, 1), (0, 1, 2), 4)
    effects = channels.group_effects(pooled, noise_images, found, (0, 1, 2, 3))
    torch.testing.assert_close(effects.measured, effects.estimated, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(effects.together, effects.measured.sum(dim=1), atol=1e-5, rtol=1e-4)


def test_the_class_token_belongs_to_no_group(tokens: Classifier, noise_images: Images) -> None:
    attribution = channels.attribute(tokens, noise_images, 1, "block")
    found = channels.groups(attribution, (0, 1, 2), 2)
    torch.testing.assert_close(found.values.sum(dim=1) + found.residuals, attribution.values.sum(dim=1))
    effects = channels.group_effects(tokens, noise_images, found, (1,))
    part = torch.einsum("nuv,k->nkuv", found.maps[:, 0], found.directions[0]).flatten(2).transpose(1, 2)
    taken = torch.cat([torch.zeros(3, 1, 5), part], dim=1)
    left = replaced(tokens, noise_images, "block", taken)[:, 1]
    torch.testing.assert_close(
        effects.measured[:, 0, 0], tokens.logits(noise_images)[:, 1] - left, atol=1e-5, rtol=1e-4
    )
    torch.testing.assert_close(effects.estimated[:, :, 0], found.values, atol=1e-5, rtol=1e-4)


def test_what_is_not_possible_is_named(tiny: Classifier, noise_images: Images) -> None:
    attribution = channels.attribute(tiny, noise_images, 0, "conv2")
    with pytest.raises(ValueError, match="no image 3"):
        channels.groups(attribution, (3,), 2)
    with pytest.raises(ValueError, match="No images"):
        channels.groups(attribution, (), 2)
    with pytest.raises(ValueError, match="0 groups"):
        channels.groups(attribution, (0,), 0)
    with pytest.raises(ValueError, match="conv2 has 6 channels at 64 positions.* 6 or fewer"):
        channels.groups(attribution, (0,), 7)
    with pytest.raises(ValueError, match="9 channels at 2 positions.* 2 or fewer"):
        channels.groups(given(torch.rand(1, 9, 1, 2)), (0,), 3)
    found = channels.groups(attribution, (0,), 2)
    with pytest.raises(ValueError, match="Class 3 does not exist"):
        channels.group_effects(tiny, noise_images, found, (0, 3))
