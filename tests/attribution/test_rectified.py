"""Guided Backprop, Deconvolution and Guided Grad-CAM, also where a ReLU is a function, which peers miss."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmarks import peer_maps as peers
from interp import attribution
from interp.attribution import Deconvolution, GradCam, Gradient, GuidedBackprop, GuidedGradCam
from interp.models.graph import traced
from interp.types import Classifier, Images, Target
from tests.networks import calibrated, pictures


def oracle(tiny: Classifier, pixels: torch.Tensor, target: int, rule: str) -> torch.Tensor:
    """Both passes by hand: two convolutions, two ReLUs, a mean, a linear layer."""
    network = tiny.module.network
    z1 = network.conv1(pixels)
    z2 = network.conv2(z1.relu())
    gradient = network.linear.weight[target][None, :, None, None].expand_as(z2) / z2[0, 0].numel()

    def through(gradient: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        gradient = gradient if rule == "gradient" else gradient.clamp(min=0)
        return gradient if rule == "deconvolution" else gradient * (z > 0)

    back = nn.functional.conv_transpose2d(
        through(gradient, z2), network.conv2.weight, stride=2, padding=1, output_padding=1
    )
    return nn.functional.conv_transpose2d(through(back, z1), network.conv1.weight, padding=1).sum(dim=1)


@pytest.mark.parametrize(
    ("method", "rule"),
    [(Gradient(), "gradient"), (Deconvolution(), "deconvolution"), (GuidedBackprop(), "guided")],
)
def test_each_follows_its_rule_by_hand(tiny: Classifier, noise_images: Images, method, rule: str) -> None:
    values = attribution.attribute(tiny, noise_images, 2, method).values
    torch.testing.assert_close(values, oracle(tiny, noise_images.pixels, 2, rule), rtol=1e-4, atol=1e-7)


def test_together_they_are_what_each_is_alone(tiny: Classifier, noise_images: Images) -> None:
    methods = [Gradient(), Deconvolution(), GuidedBackprop(), GuidedGradCam("conv2"), GradCam("conv2")]
    together = dict(attribution.compare(tiny, noise_images, [0, 1, 2], methods))
    for method in methods:
        alone = attribution.attribute(tiny, noise_images, [0, 1, 2], method)
        torch.testing.assert_close(together[method].values, alone.values, rtol=1e-5, atol=1e-8)


def test_guided_grad_cam_is_the_product(tiny: Classifier, noise_images: Images) -> None:
    guided = attribution.attribute(tiny, noise_images, 1, GuidedBackprop()).values
    cam = attribution.attribute(tiny, noise_images, 1, GradCam("conv2"))
    product = attribution.attribute(tiny, noise_images, 1, GuidedGradCam("conv2"))
    torch.testing.assert_close(product.values, guided * cam.values)
    assert product.coarse is not None and cam.coarse is not None
    torch.testing.assert_close(product.coarse, cam.coarse)


@pytest.mark.parametrize("name", ["GuidedBackprop", "Deconvolution"])
def test_captum_agrees_on_the_real_classifier(squeezenet: Classifier, photographs: Images, name: str) -> None:
    batch = photographs[:2]
    targets = squeezenet.logits(batch).argmax(dim=1).tolist()
    ours = attribution.attribute(squeezenet, batch, targets, getattr(attribution, name)()).values
    asked = [peers.Asked(squeezenet.module, batch.pixels[i : i + 1], target) for i, target in enumerate(targets)]
    theirs = torch.stack([peers.rectified(one, name) for one in asked])
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_captums_guided_grad_cam_agrees_on_the_real_classifier(squeezenet: Classifier, photographs: Images) -> None:
    batch = photographs[:1]
    target = int(squeezenet.logits(batch).argmax())
    ours = attribution.attribute(squeezenet, batch, target, GuidedGradCam("features.12")).values[0]
    theirs = peers.guided_grad_cam(peers.Asked(squeezenet.module, batch.pixels, target, "features.12"))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize("name", ["GuidedBackprop", "Deconvolution"])
def test_relus_that_are_functions_are_met_too(name: str) -> None:
    """On GoogLeNet Captum gives the plain gradient; where each ReLU is a module of its own, it is right."""
    classifier = calibrated("googlenet", 64)
    batch = pictures(classifier, 1)
    ours = attribution.attribute(classifier, batch, 3, getattr(attribution, name)()).values
    network = traced(classifier.module.network)
    for count, node in enumerate(list(network.graph.nodes)):
        if node.op == "call_function" and node.target is nn.functional.relu:
            network.add_module(f"relu{count}", nn.ReLU())
            with network.graph.inserting_after(node):
                node.replace_all_uses_with(network.graph.call_module(f"relu{count}", (node.args[0],)))
            network.graph.erase_node(node)
    network.recompile()
    modular = nn.Sequential(classifier.module.normalize, network).eval()
    theirs = peers.rectified(peers.Asked(modular, batch.pixels, 3), name)
    torch.testing.assert_close(ours[0], theirs, rtol=1e-3, atol=1e-5 * float(theirs.abs().max()))
    plain = attribution.attribute(classifier, batch, 3, Gradient()).values
    assert (ours - plain).norm() > 0.5 * plain.norm()


def test_a_contrast_is_one_backward_pass_of_the_difference(tiny: Classifier, noise_images: Images) -> None:
    contrast = attribution.attribute(tiny, noise_images, Target(0, 2), GuidedBackprop()).values
    network = tiny.module.network
    weights = network.linear.weight.clone()
    network.linear.weight[0] = weights[0] - weights[2]
    torch.testing.assert_close(contrast, oracle(tiny, noise_images.pixels, 0, "guided"), rtol=1e-4, atol=1e-7)


def test_other_rectifiers_follow_the_rule_that_is_stated() -> None:
    from interp.passes.rectifiers import Rectifiers

    z = torch.linspace(-3, 3, 13)
    for function in (nn.functional.silu, nn.functional.gelu, nn.functional.hardswish):
        leaf = z.clone().requires_grad_()
        (slope,) = torch.autograd.grad(function(leaf).sum(), leaf)
        for rule in ("gradient", "guided", "deconvolution"):
            rectifiers = Rectifiers()
            leaf = z.clone().requires_grad_()
            with rectifiers:
                output = function(leaf)
            rectifiers.rule = rule
            incoming = torch.linspace(-1, 1, 13)
            (found,) = torch.autograd.grad(output, leaf, incoming)
            positive = incoming.clamp(min=0)
            expected = {"gradient": incoming * slope, "guided": positive * slope * (z > 0), "deconvolution": positive}
            torch.testing.assert_close(found, expected[rule])


def test_a_network_without_rectifiers_is_refused_by_name(tiny: Classifier, noise_images: Images) -> None:
    class Smooth(nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return torch.tanh(pixels.mean(dim=(2, 3)))

    tiny.module.network = Smooth()
    with pytest.raises(ValueError, match="has no rectifiers"):
        attribution.attribute(tiny, noise_images, 0, GuidedBackprop())


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_large"])
def test_hooks_on_rectifiers_agree_on_networks_without_plain_relus(name: str) -> None:
    """Guided Backprop by hooks on modules: what leaves ReLU6, or Hardswish and ReLU, is cut off below 0 on entry."""
    classifier = calibrated(name, 64)
    batch = pictures(classifier, 1)
    ours = attribution.attribute(classifier, batch, 3, GuidedBackprop()).values[0]
    inputs: dict[nn.Module, torch.Tensor] = {}
    handles = []
    for part in classifier.module.modules():
        if isinstance(part, nn.ReLU | nn.ReLU6 | nn.Hardswish):
            handles.append(part.register_forward_hook(lambda part, given, output: inputs.update({part: given[0]})))
            handles.append(
                part.register_full_backward_hook(lambda part, entering, leaving: _guided(inputs[part], entering))
            )
    leaf = batch.pixels.clone().requires_grad_()
    (found,) = torch.autograd.grad(classifier.module(leaf)[0, 3], leaf)
    for handle in handles:
        handle.remove()
    torch.testing.assert_close(ours, found[0].sum(dim=0), rtol=1e-3, atol=1e-5 * float(ours.abs().max()))
    plain = attribution.attribute(classifier, batch, 3, Gradient()).values[0]
    assert (ours - plain).norm() > 0.3 * plain.norm()


def _guided(z: torch.Tensor, gradients: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
    """g · slope, whose positive part where z > 0 is max(g, 0) · slope, since the slope is positive there."""
    return (gradients[0].clamp(min=0) * (z > 0),)
