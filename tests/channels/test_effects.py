"""Measured effects against full forward passes with a channel zeroed; comparison with the estimate; failures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from interp import channels, images, models
from interp.channels import ChannelAttribution, Effects
from interp.types import Classifier, Images, Layer, Target
from tests.passes.test_resuming import classifier_of, transformer


def slow(classifier: Classifier, pixels: torch.Tensor, target: Target, layer: str, channel: int) -> float:
    """The drop of one image's score by a full forward pass in which a hook zeroes the channel."""

    def zero(module, inputs, output):
        output = output.clone()
        output[(slice(None),) * (output.ndim - 1) + (channel,) if output.ndim != 4 else (slice(None), channel)] = 0
        return output

    def score() -> float:
        with torch.no_grad():
            logits = classifier.module(pixels)[0]
        return float(logits[target.positive] - (0 if target.negative is None else logits[target.negative]))

    whole = score()
    handle = classifier.module.get_submodule(f"network.{layer}").register_forward_hook(zero)
    left = score()
    handle.remove()
    return whole - left


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
@pytest.mark.parametrize("target", [Target(1), Target(2, 0)])
def test_full_forwards_agree(tiny: Classifier, noise_images: Images, layer: str, target: Target) -> None:
    found = channels.effects(tiny, noise_images, target, layer)
    expected = [
        [slow(tiny, noise_images.pixels[row : row + 1], target, layer, k) for k in range(tiny.layer(layer).channels)]
        for row in range(3)
    ]
    torch.testing.assert_close(found.values, torch.tensor(expected), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.scores, channels.attribute(tiny, noise_images, target, layer).scores)


def test_tokens_and_flat_layers(noise_images: Images) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 5, 4), nn.Flatten(), nn.Linear(36, 7), nn.ReLU(), nn.Linear(7, 3))
    flat = classifier_of(network, size=16)
    tokens = classifier_of(transformer())
    place = next(layer for layer in tokens.layers if layer.kind == "tokens")
    height, width = tokens.input_size
    pixels = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(4))
    for classifier, batch, layer in ((flat, noise_images[:1], "2"), (tokens, Images(pixels, ("a",)), place.name)):
        found = channels.effects(classifier, batch, 1, layer)
        count = classifier.layer(layer).channels
        expected = [slow(classifier, batch.pixels, Target(1), layer, k) for k in range(count)]
        torch.testing.assert_close(found.values[0], torch.tensor(expected), rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_before_average_and_linear_layer_estimate_and_truth_are_equal() -> None:
    classifier = models.load("scenes-honest", device="cpu")
    batch = Images(torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(5)), ("a",))
    estimate, truth = channels.attribute(classifier, batch, 3), channels.effects(classifier, batch, 3)
    torch.testing.assert_close(estimate.values, truth.values, rtol=1e-3, atol=1e-4)
    assert channels.compared(estimate, truth).pearson == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["features.12", "features.11"])
def test_effects_of_the_real_classifier_are_those_of_full_forwards(imagenet: Path, layer: str) -> None:
    """`features.12` takes a closed form, `features.11` runs the rest of the network."""
    classifier = models.load("squeezenet1_1", weights=imagenet / "squeezenet1_1-imagenet.safetensors", device="cpu")
    photos = images.load(imagenet / "images")
    batch = classifier.prepare([photos[7].image], [photos.names[7]])
    target = Target(*classifier.logits(batch)[0].topk(2).indices.tolist())
    found = channels.effects(classifier, batch, target, layer).values[0]
    some = [*found.topk(3).indices.tolist(), *(-found).topk(3).indices.tolist(), 0, 100, 511]
    for channel in some:
        expected = slow(classifier, batch.pixels, target, layer, channel)
        assert float(found[channel]) == pytest.approx(expected, rel=1e-3, abs=2e-4)


def made(values: list[float], effects: list[float]) -> tuple[ChannelAttribution, Effects]:
    """One image's estimate and truth, made up."""
    layer, given = Layer("made-up", len(values), "flat"), torch.tensor([values])
    nothing = torch.zeros(1, len(values), 1, 1)
    estimate = ChannelAttribution(layer, (Target(0),), nothing, nothing, given, torch.zeros(1, 2))
    return estimate, Effects(layer, (Target(0),), torch.tensor([effects]), torch.zeros(1))


def test_comparison_by_hand() -> None:
    """Channel 4 is silent in both and does not count; channels 0 and 3 are off by 2 and 1, the others by nothing."""
    found = channels.compared(*made([3.0, 1.0, -1.0, 0.0, 0.0], [5.0, 1.0, -1.0, 1.0, 0.0]))
    assert found.active == 4 and found.outliers == (0, 3)
    one, other = np.array([3, 1, -1, 0.0]), np.array([5, 1, -1, 1.0])
    assert found.pearson == pytest.approx(np.corrcoef(one, other)[0, 1])
    # Ranks 4 3 1 2 and 4 2.5 1 2.5.
    assert found.spearman == pytest.approx(np.corrcoef([4, 3, 1, 2], [4, 2.5, 1, 2.5])[0, 1])


def test_comparison_of_equal_scaled_and_constant_values() -> None:
    assert channels.compared(*made([1.0, 2.0, 4.0], [1.0, 2.0, 4.0])).outliers == ()
    scaled = channels.compared(*made([1.0, 2.0, 4.0], [-1.0, -8.0, -64.0]), outliers=1)
    assert scaled.spearman == pytest.approx(-1) and scaled.outliers == (2,)
    assert np.isnan(channels.compared(*made([1.0, 2.0], [1.0, 2.0])).pearson), "two channels show no correlation"
    assert np.isnan(channels.compared(*made([1.0, 1.0, 1.0], [1.0, 2.0, 3.0])).pearson)


def test_failures_name_what_is_wrong(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        channels.effects(tiny, noise_images, 0, "conv9")
    estimate, truth = made([1.0], [1.0])
    with pytest.raises(ValueError, match="of different targets"):
        channels.compared(estimate, replace(truth, targets=(Target(1),)))
