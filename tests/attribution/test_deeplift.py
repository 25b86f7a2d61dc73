"""DeepLIFT: complete on every architecture, and equal to Captum's where that is right."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmarks import peer_maps as peers
from interp import attribution
from interp.attribution import DeepLift, IntegratedGradients, baselines, normalizations, secants
from interp.types import Classifier, Images, Target
from tests.networks import NAMES, calibrated, pictures


@pytest.mark.parametrize("name", [*NAMES, "mobilenet_v2", "shufflenet_v2_x0_5"])
def test_it_is_complete_on_every_architecture(name: str) -> None:
    """Captum's is not on GoogLeNet and SqueezeNet, and raises on ResNet50, whose ReLUs run more than once."""
    classifier = calibrated(name, 64)
    batch = pictures(classifier)
    found = attribution.attribute(classifier, batch, [1, 7], DeepLift())
    empty = Images(torch.zeros_like(batch.pixels), batch.names)
    drop = (classifier.logits(batch) - classifier.logits(empty))[[0, 1], [1, 7]]
    assert (drop.abs() > 1e-3).all()
    torch.testing.assert_close(found.values.sum(dim=(1, 2)), drop, rtol=1e-3, atol=1e-4)
    assert found.residual is not None
    torch.testing.assert_close(found.residual, found.values.sum(dim=(1, 2)) - drop, rtol=0, atol=1e-4)


def test_captum_agrees_where_it_is_complete(tiny: Classifier, noise_images: Images) -> None:
    class Separate(nn.Module):
        """The tiny network with a module for each ReLU, which Captum needs."""

        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.conv1, self.conv2, self.linear = network.conv1, network.conv2, network.linear
            self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.linear(self.relu2(self.conv2(self.relu1(self.conv1(pixels)))).mean(dim=(2, 3)))

    ours = attribution.attribute(tiny, noise_images[:1], 1, DeepLift()).values[0]
    asked = peers.Asked(Separate(tiny.module.network), noise_images.pixels[:1], 1)
    theirs = peers.deep_lift(asked, torch.zeros_like(asked.pixels))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


def test_captum_agrees_on_the_real_classifier_whose_windows_are_copied_out(
    squeezenet: Classifier, photographs: Images
) -> None:
    """As it is, Captum is not complete there: of two overlapping windows' maxima it loses one."""
    target = int(squeezenet.logits(photographs[:1]).argmax())
    asked = peers.Asked(squeezenet.module, photographs.pixels[:1], target)
    ours = attribution.attribute(squeezenet, photographs[:1], target, DeepLift()).values[0]
    theirs = peers.deep_lift(asked, torch.zeros_like(asked.pixels))
    assert torch.nn.functional.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.999


@pytest.mark.parametrize("baseline", ["black", "white", "mean", "blur", "noise"])
def test_it_is_complete_for_every_baseline_and_a_contrast(tiny: Classifier, noise_images: Images, baseline) -> None:
    found = attribution.attribute(tiny, noise_images, Target(0, 2), DeepLift(baseline, seed=4))
    empty = Images(baselines.images(noise_images.pixels, baseline, 4), noise_images.names)
    difference = tiny.logits(noise_images) - tiny.logits(empty)
    torch.testing.assert_close(found.values.sum(dim=(1, 2)), difference[:, 0] - difference[:, 2], rtol=1e-3, atol=1e-6)


def test_on_a_linear_network_it_is_integrated_gradients(tiny: Classifier, noise_images: Images) -> None:
    network = tiny.module.network
    network.forward = lambda pixels: network.linear(network.conv2(network.conv1(pixels)).mean(dim=(2, 3)))
    one = attribution.attribute(tiny, noise_images, 1, DeepLift()).values
    other = attribution.attribute(tiny, noise_images, 1, IntegratedGradients(3)).values
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)


def test_secants_by_hand() -> None:
    x, reference = torch.tensor([2.0, -1.0, 1.0, -3.0]), torch.tensor([-2.0, 1.0, 1.0, -1.0])
    leaf = x.clone().requires_grad_()
    output = secants.elementwise(leaf, reference, torch.relu)
    (found,) = torch.autograd.grad(output.sum(), leaf)
    # 2 over 4; -1 over -2; the slope where nothing differs; nothing below zero.
    assert found.tolist() == [0.5, 0.5, 1.0, 0.0]


def test_overlapping_windows_of_a_maximum_add_up() -> None:
    torch.manual_seed(0)
    x, reference = torch.rand(2, 3, 9, 9), torch.rand(2, 3, 9, 9)

    def pool(pixels: torch.Tensor):
        return nn.functional.max_pool2d(pixels, 3, 2, ceil_mode=True, return_indices=True)

    weights = torch.rand(2, 3, 4, 4)
    leaf = x.clone().requires_grad_()
    output = secants.largest(leaf, reference, pool)
    (multipliers,) = torch.autograd.grad((output * weights).sum(), leaf)
    credited = (multipliers * (x - reference)).sum()
    assert credited.item() == pytest.approx(((pool(x)[0] - pool(reference)[0]) * weights).sum().item(), rel=1e-4)


def test_products_and_normalizations_are_complete() -> None:
    torch.manual_seed(1)
    one, other, one_reference, other_reference = torch.rand(4, 5, 7).unbind()
    leaves = [one.clone().requires_grad_(), other[:, :1].clone().requires_grad_()]
    output = secants.product(leaves[0], leaves[1], one_reference, other_reference[:, :1])
    first, second = torch.autograd.grad(output.sum(), leaves)
    credited = (first * (one - one_reference)).sum() + (second * (other - other_reference)[:, :1]).sum()
    expected = (one * other[:, :1] - one_reference * other_reference[:, :1]).sum()
    torch.testing.assert_close(credited, expected)

    weight, bias = torch.rand(7), torch.rand(7)
    leaf = one.clone().requires_grad_()
    parts = normalizations.taken_apart(nn.functional.layer_norm, (leaf, [7], weight, bias), {})
    output = secants.normalized(leaf, one_reference, parts)
    torch.testing.assert_close(output, nn.functional.layer_norm(one, [7], weight, bias))
    direction = torch.rand(5, 7)
    (multipliers,) = torch.autograd.grad((output * direction).sum(), leaf)
    rise = nn.functional.layer_norm(one, [7], weight, bias) - nn.functional.layer_norm(one_reference, [7], weight, bias)
    torch.testing.assert_close(
        (multipliers * (one - one_reference)).sum(), (rise * direction).sum(), rtol=1e-4, atol=1e-5
    )


def test_what_has_no_rule_is_refused_before_a_pass(tiny: Classifier, noise_images: Images) -> None:
    network = tiny.module.network
    forward = network.forward
    network.forward = lambda pixels: torch.cumsum(forward(pixels), dim=1)
    with pytest.raises(ValueError, match=r"DeepLIFT has no rule for what tiny-0 does in torch\.cumsum"):
        DeepLift().check(tiny)


def test_a_way_that_depends_on_the_picture_is_named(tiny: Classifier, noise_images: Images) -> None:
    network = tiny.module.network
    forward = network.forward
    network.forward = lambda pixels: forward(pixels).relu() if pixels.mean() > 0.2 else forward(pixels)
    with pytest.raises(ValueError, match="takes another way there"):
        attribution.attribute(tiny, noise_images, 0, DeepLift())
    network.forward = forward
    assert attribution.attribute(tiny, noise_images, 0, DeepLift()).values.isfinite().all()
