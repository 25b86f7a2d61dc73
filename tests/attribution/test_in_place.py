"""Networks that write over their activations, often as statements: explained as the same networks written otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import peer_maps as peers
from interp import attribution
from interp.attribution import Deconvolution, DeepLift, Gradient, GuidedBackprop, GuidedGradCam, Lrp, Method
from interp.types import Classifier, Images
from tests.conftest import tiny_classifier

METHODS: list[Method] = [
    Gradient(),
    Deconvolution(),
    GuidedBackprop(),
    GuidedGradCam("conv2"),
    DeepLift(),
    DeepLift("noise"),
    Lrp(),
    Lrp("epsilon-alpha2-beta1"),
    Lrp("epsilon-gamma-box"),
]

RECTIFIED = METHODS[1:4]

# What is written over a tensor, by the same as a new one.
STATEMENTS: dict[str, tuple[Callable[[Tensor], object], Callable[[Tensor], Tensor]]] = {
    "ReLU": (nn.ReLU(inplace=True), torch.relu),
    "relu_": (Tensor.relu_, torch.relu),
    "F.relu": (lambda x: functional.relu(x, inplace=True), torch.relu),
    "F.relu by place": (lambda x: functional.relu(x, True), torch.relu),
    "torch.relu_": (torch.relu_, torch.relu),
    "ReLU6": (nn.ReLU6(inplace=True), functional.relu6),
    "hardtanh_": (lambda x: functional.hardtanh_(x, -0.2, 0.3), lambda x: functional.hardtanh(x, -0.2, 0.3)),
    "threshold_": (lambda x: functional.threshold_(x, 0.1, -0.1), lambda x: functional.threshold(x, 0.1, -0.1)),
    "clamp_": (lambda x: x.clamp_(min=0.05), lambda x: x.clamp(min=0.05)),
    "clip_": (lambda x: torch.clip_(x, 0, 0.4), lambda x: x.clip(0, 0.4)),
    "clamp_min_": (lambda x: x.clamp_min_(0), torch.relu),
    "leaky_relu_": (lambda x: functional.leaky_relu_(x, 0.2), lambda x: functional.leaky_relu(x, 0.2)),
    "RReLU": (nn.RReLU(inplace=True).eval(), nn.RReLU().eval()),
    "ELU": (nn.ELU(inplace=True), functional.elu),
    "SiLU": (nn.SiLU(inplace=True), functional.silu),
    "Hardswish": (nn.Hardswish(inplace=True), functional.hardswish),
    "tanh_": (Tensor.tanh_, torch.tanh),
    "sums and products": (
        lambda x: x.mul_(2).add_(0.1).add_(x.flip(1), alpha=0.5).relu_(),
        lambda x: (lambda y: torch.add(y, y.flip(1), alpha=0.5).relu())(x * 2 + 0.1),
    ),
    "a part": (lambda x: x[:, 1:3].relu_(), lambda x: torch.cat([x[:, :1], x[:, 1:3].relu(), x[:, 3:]], dim=1)),
    "a part set": (
        lambda x: x.__setitem__((slice(None), slice(1, 3)), x[:, :2].relu()),
        lambda x: torch.cat([x[:, :1], x[:, :2].relu(), x[:, 3:]], dim=1),
    ),
    "+=": (lambda x: x.__iadd__(x.relu()), lambda x: x + x.relu()),
}


class Network(nn.Module):
    """Convolutions with a shortcut and a gate; `step` works after each, and what it returns is not looked at."""

    def __init__(self, step: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.step = step
        self.conv1 = nn.Conv2d(3, 5, 3, padding=1)
        self.norm = nn.BatchNorm2d(5)
        self.conv2 = nn.Conv2d(5, 5, 3, padding=1)
        self.linear = nn.Linear(5, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        first = self.norm(self.conv1(pixels))
        functional.dropout(first, training=False, inplace=True)
        self.step(first)
        second = self.conv2(first)
        second.add_(first)
        self.step(second)
        gate = second.mean(dim=(2, 3), keepdim=True)
        gate.sigmoid_()
        last = second + 0.2
        last.mul_(gate.view(-1, 5, 1, 1))
        return self.linear(last.mean(dim=(2, 3)))


class OutOfPlace(Network):
    """The same function."""

    step: Callable[[Tensor], Tensor]

    def forward(self, pixels: Tensor) -> Tensor:
        first = self.step(self.norm(self.conv1(pixels)))
        second = self.step(self.conv2(first) + first)
        gate = second.mean(dim=(2, 3), keepdim=True).sigmoid()
        return self.linear(((second + 0.2) * gate).mean(dim=(2, 3)))


def holding(network: nn.Module, name: str) -> Classifier:
    """The tiny classifier around a seeded network."""
    torch.manual_seed(2)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.4)
    classifier = tiny_classifier()
    classifier.module.network = network.eval().requires_grad_(False)
    return replace(classifier, name=name)


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_are_explained_as_what_they_do(name: str, noise_images: Images) -> None:
    written, plain = STATEMENTS[name]
    one, other = holding(Network(written), "statements"), holding(OutOfPlace(plain), "out of place")
    torch.testing.assert_close(one.logits(noise_images), other.logits(noise_images))
    for method in METHODS:
        if name == "tanh_" and method in RECTIFIED:
            continue
        found = attribution.attribute(one, noise_images, [0, 1, 2], method)
        expected = attribution.attribute(other, noise_images, [0, 1, 2], method)
        scale = float(expected.values.abs().max())
        assert scale > 0
        torch.testing.assert_close(found.values / scale, expected.values / scale, rtol=0, atol=1e-6, msg=str(method))
        if expected.residual is not None:
            torch.testing.assert_close(found.residual, expected.residual, rtol=0, atol=1e-5)
    assert not torch.allclose(holding(Network(lambda x: x), "linear").logits(noise_images), one.logits(noise_images))


class PreActivation(nn.Module):
    """What a rule keeps of an activation is written over before the backward pass, and so is what the network is given.

    Autograd itself keeps what a ReLU gives, and not what it takes.
    """

    def __init__(self, *, in_place: bool) -> None:
        super().__init__()
        self.in_place = in_place
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.linear = nn.Linear(4, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        if self.in_place:
            pixels.add_(-0.5)
            hidden = self.conv1(pixels)
            hidden += self.conv2(torch.relu(hidden))
            hidden += self.conv2(torch.maximum(hidden, torch.zeros(())))
        else:
            hidden = self.conv1(pixels + -0.5)
            hidden = hidden + self.conv2(torch.relu(hidden))
            hidden = hidden + self.conv2(torch.relu(hidden))
        return self.linear(hidden.relu().mean(dim=(2, 3)))


class Copied(nn.Module):
    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.clone()


@pytest.mark.parametrize("method", [one for one in METHODS if one not in (Gradient(), GuidedGradCam("conv2"))], ids=str)
def test_what_rules_keep_survives_being_written_over(noise_images: Images, method: Method) -> None:
    one, other = holding(PreActivation(in_place=True), "in place"), holding(PreActivation(in_place=False), "plain")
    one.module.normalize = other.module.normalize = Copied()
    found = attribution.attribute(one, noise_images, 1, method).values
    expected = attribution.attribute(other, noise_images, 1, method).values
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6 * float(expected.abs().max()))


def test_what_even_the_gradient_cannot_pass_is_said(noise_images: Images) -> None:
    def step(x: Tensor) -> None:
        x.relu_()
        x.add_(1)

    classifier = holding(Network(step), "broken")
    with pytest.raises(ValueError, match="broken writes over an activation that its gradient needs"):
        attribution.attribute(classifier, noise_images, 0, Gradient())
    # With rules nothing of it is kept that could be written over.
    assert attribution.attribute(classifier, noise_images, 0, Lrp()).values.abs().max() > 0


@pytest.mark.parametrize("name", ["GuidedBackprop", "Deconvolution"])
def test_captum_agrees_on_the_network_written_with_modules(noise_images: Images, name: str) -> None:
    class Modules(OutOfPlace):
        def __init__(self) -> None:
            super().__init__(torch.relu)
            self.relu1, self.relu2, self.sigmoid = nn.ReLU(), nn.ReLU(), nn.Sigmoid()

        def forward(self, pixels: Tensor) -> Tensor:
            first = self.relu1(self.norm(self.conv1(pixels)))
            second = self.relu2(self.conv2(first) + first)
            gate = self.sigmoid(second.mean(dim=(2, 3), keepdim=True))
            return self.linear(((second + 0.2) * gate).mean(dim=(2, 3)))

    classifier = holding(Network(Tensor.relu_), "statements")
    ours = attribution.attribute(classifier, noise_images[:1], 1, getattr(attribution, name)()).values[0]
    modules = holding(Modules(), "modules")
    theirs = peers.rectified(peers.Asked(modules.module, noise_images.pixels[:1], 1), name)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("composite", ["epsilon-plus-flat", "epsilon-alpha2-beta1", "epsilon-gamma-box"])
def test_zennit_agrees_on_the_network_written_with_modules(noise_images: Images, composite) -> None:
    pytest.importorskip("zennit")

    def network(relu: nn.Module) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), relu, nn.Conv2d(4, 5, 3), relu, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3)
        )

    class Statements(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.all = network(nn.Identity())

        def forward(self, pixels: Tensor) -> Tensor:
            for part in self.all:
                pixels = part(pixels)
                if isinstance(part, nn.Conv2d):
                    pixels.relu_()
            return pixels

    classifier = holding(Statements(), "statements")
    ours = attribution.attribute(classifier, noise_images[:1], 1, Lrp(composite)).values[0]
    modules = holding(network(nn.ReLU()), "modules")
    theirs = peers.lrp(peers.Asked(modules.module, noise_images.pixels[:1], 1), composite)
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))
