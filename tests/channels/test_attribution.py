"""Attribution by channel and position against slow autograd, sums that must hold, and failures."""

import pytest
import torch
from torch import nn

from interp import channels, models
from interp.attribution import GradCam, attribute
from interp.types import Classifier, Images, Target
from tests.conftest import tiny_classifier
from tests.passes.test_resuming import classifier_of, transformer


def slow(classifier: Classifier, pixels: torch.Tensor, target: Target, layer: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Activation and A · ∂s/∂A of one image (1, 3, h, w), by autograd through the whole network."""
    taken: list[torch.Tensor] = []

    def take(module, inputs, output):
        output.retain_grad()
        taken.append(output)
        return output.clone()

    handle = classifier.module.get_submodule(f"network.{layer}").register_forward_hook(take)
    logits = classifier.module(pixels.clone().requires_grad_())
    handle.remove()
    negative = 0 if target.negative is None else logits[0, target.negative]
    (logits[0, target.positive] - negative).backward()
    own, slope = taken[-1].detach(), taken[-1].grad
    assert slope is not None
    return own, own * slope


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
@pytest.mark.parametrize("target", [Target(1), Target(2, 0)])
def test_slow_autograd_agrees(tiny: Classifier, noise_images: Images, layer: str, target: Target) -> None:
    """`conv1` is followed by an in-place rectifier, which must not change what was read."""
    found = channels.attribute(tiny, noise_images, target, layer)
    for row in range(len(noise_images)):
        own, products = slow(tiny, noise_images.pixels[row : row + 1], target, layer)
        torch.testing.assert_close(found.activations[row : row + 1], own)
        torch.testing.assert_close(found.by_position[row : row + 1], products)
        torch.testing.assert_close(found.values[row], products.sum(dim=(0, 2, 3)))
    assert float(found.activations.min()) < 0, "what stands before the rectifier has negative values"


def test_the_contrast_is_the_difference_of_two_classes(tiny: Classifier, noise_images: Images) -> None:
    both = channels.attribute(tiny, noise_images, Target(2, 0), "conv2")
    one, other = (channels.attribute(tiny, noise_images, target, "conv2") for target in (2, 0))
    torch.testing.assert_close(both.values, one.values - other.values)
    torch.testing.assert_close(both.scores, one.scores - other.scores)


def test_an_image_does_not_depend_on_its_batch(tiny: Classifier, noise_images: Images) -> None:
    targets = [Target(0), Target(1, 2), Target(2)]
    together = channels.attribute(tiny, noise_images, targets, "conv1")
    for row, target in enumerate(targets):
        alone = channels.attribute(tiny, noise_images[row : row + 1], target, "conv1")
        torch.testing.assert_close(together.values[row], alone.values[0], rtol=1e-5, atol=1e-6)
        assert alone.targets == (target,)
    assert len(together) == 3


@pytest.mark.parametrize("name", ["scenes-honest", "resnet18"])
def test_before_average_and_linear_layer_the_values_sum_to_the_logit_minus_its_bias(name: str) -> None:
    classifier = models.load(name, weights=None if name == "scenes-honest" else "random", device="cpu")
    height, width = classifier.input_size
    pixels = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(3))
    found = channels.attribute(classifier, Images(pixels, ("a", "b")), 4)
    head = next(part for part in reversed(list(classifier.module.modules())) if isinstance(part, nn.Linear))
    torch.testing.assert_close(found.values.sum(dim=1), found.scores - head.bias[4], rtol=1e-4, atol=1e-4)
    # Grad-CAM is the sum over channels, rectified, but for a mean in place of a sum.
    cam = attribute(classifier, Images(pixels, ("a", "b")), 4, GradCam()).coarse
    u, v = found.by_position.shape[2:]
    assert cam is not None
    expected = found.by_position.sum(dim=1).clamp(min=0)
    torch.testing.assert_close(cam, expected, rtol=1e-3, atol=1e-5 * float(expected.max()))
    # Its channel weights are the slopes' means, here the head's weights over the number of positions.
    weights = (head.weight[4] / (u * v)).view(1, -1, 1, 1).expand_as(found.gradients)
    torch.testing.assert_close(found.gradients, weights, rtol=1e-3, atol=1e-6)


def test_tokens_are_on_their_grid_and_the_class_token_counts_in_the_sum() -> None:
    classifier = classifier_of(transformer())
    place = next(layer for layer in classifier.layers if layer.kind == "tokens")
    height, width = classifier.input_size
    pixels = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(4))
    found = channels.attribute(classifier, Images(pixels, ("a", "b")), 1, place.name)
    assert found.by_position.shape == (2, place.channels, place.height, place.width)
    for row in range(2):
        own, products = slow(classifier, pixels[row : row + 1], Target(1), place.name)
        # Small products come of large terms that cancel, so the largest says how far rounding may go.
        unknown = 1e-4 * float(products.abs().max())
        torch.testing.assert_close(found.values[row], products.sum(dim=(0, 1)), rtol=1e-4, atol=3 * unknown)
        on_grid = products[0, 1:].T.reshape(place.channels, place.height, place.width)
        torch.testing.assert_close(found.by_position[row], on_grid, rtol=1e-4, atol=unknown)
    assert not torch.allclose(found.values, found.by_position.sum(dim=(2, 3)))


def test_a_flat_layer_has_one_position(noise_images: Images) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 5, 4), nn.Flatten(), nn.Linear(36, 7), nn.ReLU(), nn.Linear(7, 3))
    classifier = classifier_of(network, size=16)
    found = channels.attribute(classifier, noise_images, 2, "2")
    assert found.by_position.shape == (3, 7, 1, 1)
    torch.testing.assert_close(found.values, found.by_position[:, :, 0, 0])
    _, products = slow(classifier, noise_images.pixels[:1], Target(2), "2")
    torch.testing.assert_close(found.values[:1], products)


def test_a_constant_image_gives_finite_numbers() -> None:
    black = Images(torch.zeros(1, 3, 16, 16), ("black",))
    assert bool(channels.attribute(tiny_classifier(), black, 0, "conv2").values.isfinite().all())


def test_failures_name_what_is_wrong(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="no layer 'conv9'.*conv1, conv2"):
        channels.attribute(tiny, noise_images, 0, "conv9")
    with pytest.raises(ValueError, match="Class 3 does not exist"):
        channels.attribute(tiny, noise_images, 3, "conv2")
    with pytest.raises(ValueError, match="16 × 16"):
        channels.attribute(tiny, Images(torch.rand(1, 3, 8, 8), ("small",)), 0, "conv2")
    broken = Images(torch.full((1, 3, 16, 16), float("nan")), ("broken.png",))
    with pytest.raises(ValueError, match=r"broken\.png"):
        channels.attribute(tiny, broken, 0, "conv2")
    assert not any(part._forward_hooks for part in tiny.module.modules())
