"""Functions that are flat outside of a range, as rectifiers: each rule by hand, on a network of two layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from interp import attribution, progress
from interp.attribution import Deconvolution, DeepLift, GuidedBackprop, GuidedGradCam, Lrp, relevance
from interp.attribution.secants import extreme
from interp.passes import operations
from interp.passes.rectifiers import Rectifiers
from interp.types import Classifier, Images, Target
from tests.conftest import tiny_classifier

# Each function, and where it lets through.
LIMITERS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "ReLU6": (nn.ReLU6(), lambda z: (z > 0) & (z < 6)),
    "F.relu6": (functional.relu6, lambda z: (z > 0) & (z < 6)),
    "Hardtanh": (nn.Hardtanh(-0.3, 0.2), lambda z: (z > -0.3) & (z < 0.2)),
    "F.hardtanh": (functional.hardtanh, lambda z: (z > -1) & (z < 1)),
    "Threshold": (nn.Threshold(0.1, -0.4), lambda z: z > 0.1),
    "torch.threshold": (lambda z: torch.threshold(z, -0.1, 0.0), lambda z: z > -0.1),
    "clamp from below": (lambda z: z.clamp(min=-0.1), lambda z: z > -0.1),
    "clamp from above": (lambda z: torch.clamp(z, max=0.2), lambda z: z < 0.2),
    "clamp": (lambda z: z.clamp(-0.2, 0.3), lambda z: (z > -0.2) & (z < 0.3)),
    "clamp by tensors": (lambda z: torch.clamp(z, torch.zeros(()), torch.ones(())), lambda z: (z > 0) & (z < 1)),
    "clip": (lambda z: torch.clip(input=z, min=0), lambda z: z > 0),
    "clamp_min": (lambda z: z.clamp_min(0), lambda z: z > 0),
    "clamp_max": (lambda z: torch.clamp_max(z, 0.1), lambda z: z < 0.1),
    "maximum": (lambda z: torch.maximum(z, torch.zeros(())), lambda z: z > 0),
    "maximum, turned round": (lambda z: torch.maximum(torch.zeros_like(z), z), lambda z: z > 0),
    "Tensor.maximum": (lambda z: z.maximum(other=torch.tensor(0.1)), lambda z: z > 0.1),
    "max": (lambda z: torch.max(z, torch.zeros_like(z)), lambda z: z > 0),
    "minimum": (lambda z: torch.minimum(z, torch.tensor(0.2)), lambda z: z < 0.2),
    "hardshrink": (lambda z: functional.hardshrink(z, 0.1), lambda z: z.abs() > 0.1),
    "softshrink": (lambda z: functional.softshrink(z, 0.1), lambda z: z.abs() > 0.1),
}


def masked(z: Tensor) -> Tensor:
    z = z.clone()
    return z.masked_fill_(z < 0, 0)


# ReLUs that are called otherwise.
BY_HAND: dict[str, Callable[[Tensor], Tensor]] = {
    "torch.where": lambda z: torch.where(z > 0, z, 0.0),
    "where, zeros": lambda z: torch.where(z <= 0, torch.zeros_like(z), z),
    "Tensor.where": lambda z: z.where(z > 0, torch.zeros(())),
    "a mask": lambda z: z * (z > 0),
    "a mask of numbers": lambda z: (z > 0).float() * z,
    "masked_fill": lambda z: z.masked_fill(z < 0, 0.0),
    "masked_fill in place": masked,
}


class Limited(nn.Module):
    def __init__(self, limiter: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.limiter = limiter
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.linear = nn.Linear(6, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.linear(self.limiter(self.conv2(self.limiter(self.conv1(pixels)))).mean(dim=(2, 3)))


def holding(network: nn.Module) -> Classifier:
    torch.manual_seed(7)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.4)
    classifier = tiny_classifier()
    classifier.module.network = network.eval().requires_grad_(False)
    return classifier


def backwards(network: Limited, pixels: Tensor, target: int, through: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The backward pass layer by layer; `through` says what a limiter passes of a gradient, at its input."""
    z1 = network.conv1(pixels)
    z2 = network.conv2(network.limiter(z1))
    gradient = network.linear.weight[target][None, :, None, None].expand_as(z2) / z2[0, 0].numel()
    back = functional.conv_transpose2d(
        through(gradient, z2), network.conv2.weight, stride=2, padding=1, output_padding=1
    )
    return functional.conv_transpose2d(through(back, z1), network.conv1.weight, padding=1).sum(dim=1)


@pytest.mark.parametrize("name", LIMITERS)
def test_rules_of_the_backward_pass_by_hand(name: str, noise_images: Images) -> None:
    function, passes = LIMITERS[name]
    network = Limited(function)
    classifier = holding(network)
    pixels = noise_images.pixels
    z1 = network.conv1(pixels)
    # What this tests must be there: some inputs let through, some not (but none reaches 6).
    assert passes(z1).any() and not passes(z1).all()
    guided = backwards(network, pixels, 2, lambda g, z: g.clamp(min=0) * passes(z))
    found = attribution.attribute(classifier, noise_images, 2, GuidedBackprop()).values
    torch.testing.assert_close(found, guided, rtol=1e-4, atol=1e-7)
    deconvolved = backwards(network, pixels, 2, lambda g, z: g.clamp(min=0))
    found = attribution.attribute(classifier, noise_images, 2, Deconvolution()).values
    torch.testing.assert_close(found, deconvolved, rtol=1e-4, atol=1e-7)
    product = attribution.attribute(classifier, noise_images, 2, GuidedGradCam("conv2"))
    cam = attribution.attribute(classifier, noise_images, 2, attribution.GradCam("conv2"))
    torch.testing.assert_close(product.values, guided * cam.values, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", LIMITERS)
def test_deeplift_and_lrp_by_hand(name: str, noise_images: Images) -> None:
    function, _ = LIMITERS[name]
    network = Limited(function)
    classifier = holding(network)
    pixels = noise_images.pixels
    found = attribution.attribute(classifier, noise_images, 2, DeepLift()).values
    # Secants at both limiters, between the picture and a black one.
    z1, z1_black = network.conv1(pixels), network.conv1(torch.zeros_like(pixels))
    z2, z2_black = network.conv2(function(z1)), network.conv2(function(z1_black))
    black = {id(z1): z1_black, id(z2): z2_black}
    gradient = network.linear.weight[2][None, :, None, None].expand_as(z2) / z2[0, 0].numel()
    back = gradient
    for z, convolution in ((z2, network.conv2), (z1, network.conv1)):
        back = back * (function(z) - function(black[id(z)])) / (z - black[id(z)])
        more = {"output_padding": 1} if convolution is network.conv2 else {}
        back = functional.conv_transpose2d(
            back, convolution.weight, stride=convolution.stride, padding=convolution.padding, **more
        )
    torch.testing.assert_close(found, (back * pixels).sum(dim=1), rtol=1e-3, atol=1e-5)

    found = attribution.attribute(classifier, noise_images, 2, Lrp("epsilon-alpha2-beta1")).values
    h1, h2 = function(z1), function(z2)
    mean = h2.mean(dim=(2, 3))
    logits = network.linear(mean)
    received = torch.zeros_like(logits)
    received[:, 2] = logits[:, 2]
    given = mean, network.linear.weight, network.linear.bias
    received = relevance.propagated(relevance.epsilon, functional.linear, given, received)
    received = h2 * (received / relevance.stabilized(mean))[:, :, None, None] / h2[0, 0].numel()
    for convolution, inputs in ((network.conv2, h1), (network.conv1, pixels)):

        def apply(inputs: Tensor, weights: Tensor, bias: Tensor | None, stride=convolution.stride) -> Tensor:
            return functional.conv2d(inputs, weights, bias, stride, padding=1)

        given = inputs, convolution.weight, convolution.bias
        received = relevance.propagated(relevance.alpha2_beta1, apply, given, received)
    torch.testing.assert_close(found, received.sum(dim=1), rtol=1e-3, atol=1e-5)


def test_a_range_from_zero_to_six_at_both_ends() -> None:
    z, incoming = torch.tensor([-1.0, 3.0, 7.0, 3.0]), torch.tensor([1.0, 1.0, 1.0, -1.0])
    for rule, expected in (("guided", [0.0, 1.0, 0.0, 0.0]), ("deconvolution", [1.0, 1.0, 1.0, 0.0])):
        for function in (nn.ReLU6(), lambda z: z.clamp(0, 6), lambda z: functional.hardtanh(z, 0.0, 6.0)):
            rectifiers, leaf = Rectifiers(), z.clone().requires_grad_()
            with rectifiers:
                output = function(leaf)
            rectifiers.rule = rule
            assert torch.autograd.grad(output, leaf, incoming)[0].tolist() == expected


def test_the_larger_of_two_signals_is_no_rectifier(noise_images: Images) -> None:
    class Maxout(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(3, 5, 3), nn.Conv2d(3, 5, 3)
            self.linear = nn.Linear(5, 3)

        def forward(self, pixels: Tensor) -> Tensor:
            one, other = self.conv1(pixels), self.conv2(pixels)
            return self.linear((torch.maximum(one, other) - 0.2 * torch.min(one, other).sum()).mean(dim=(2, 3)))

    class Supported(Maxout):
        def forward(self, pixels: Tensor) -> Tensor:
            one, other = self.conv1(pixels), self.conv2(pixels)
            return self.linear((torch.maximum(one, other) + 0.5 * torch.min(one, other)).mean(dim=(2, 3)))

    with pytest.raises(ValueError, match="has no rectifiers"):
        GuidedBackprop().check(holding(Maxout()))
    classifier = holding(Supported())
    with pytest.raises(ValueError, match="has no rectifiers"):
        GuidedBackprop().check(classifier)
    found = attribution.attribute(classifier, noise_images, Target(0, 2), DeepLift("noise"))
    assert found.residual is not None
    torch.testing.assert_close(found.residual, torch.zeros(3), rtol=0, atol=1e-5)
    assert found.values.abs().max() > 1e-3
    # Relevance goes to the chosen one: without biases none is lost.
    for part in (classifier.module.network.conv1, classifier.module.network.conv2, classifier.module.network.linear):
        part.bias.zero_()
    found = attribution.attribute(classifier, noise_images, 0, Lrp("epsilon-gamma-box"))
    torch.testing.assert_close(found.residual, torch.zeros(3), rtol=0, atol=1e-3)


def test_secants_of_the_larger_of_two_by_hand() -> None:
    one, other = torch.tensor([2.0, 1.0, 0.0, 3.0]), torch.tensor([0.0, 4.0, 1.0, 1.0])
    one_before, other_before = torch.tensor([-3.0, 2.0, 0.0, 1.0]), torch.tensor([0.0, 0.0, 3.0, 2.0])
    leaves = one.clone().requires_grad_(), other.clone().requires_grad_()
    output = extreme(*leaves, one_before, other_before, torch.maximum)
    first, second = torch.autograd.grad(output.sum(), leaves)
    # A ReLU's secant; 2 → 4 all by the other, that rose by 4; 3 → 1 all by the other; 2 → 3 by the one, that rose by 2.
    assert first.tolist() == pytest.approx([0.4, 0.0, 0.0, 0.5])
    assert second.tolist() == pytest.approx([0.0, 0.5, 1.0, 0.0])


def test_bounds_that_depend_on_the_picture_are_refused(noise_images: Images) -> None:
    network = Limited(lambda z: torch.clamp(z, max=z.mean(dim=1, keepdim=True)))
    classifier = holding(network)
    for method in (DeepLift(), Lrp()):
        with pytest.raises(ValueError, match="no rule for what"):
            method.check(classifier)


class Heard:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def step(self, done: int, total: int, what: str) -> None: ...

    def remark(self, text: str) -> None:
        self.texts.append(text)


def test_what_is_done_with_other_rectifiers_is_said_where_there_are_some(noise_images: Images) -> None:
    def heard(function: Callable[[Tensor], Tensor], method: attribution.Method) -> list[str]:
        heard = Heard()
        with progress.listening(heard):
            attribution.attribute(holding(Limited(function)), noise_images, 1, method)
        return heard.texts

    assert heard(torch.relu, GuidedBackprop()) == []
    for method in (GuidedBackprop(), Deconvolution(), GuidedGradCam("conv2")):
        [text] = heard(lambda z: functional.silu(functional.relu6(z).sigmoid()), method)
        assert "relu6 let through where their slope is not 0" in text
        assert "silu pass their own derivative" in text and "sigmoid keep their derivative" in text
    assert heard(functional.silu, attribution.Gradient()) == []


def test_operations_in_place_are_known_by_what_they_do() -> None:
    given = torch.ones(2)
    for operation, plain in (
        (Tensor.relu_, torch.relu), (functional.relu_, torch.relu), (Tensor.clamp_, torch.clamp),
        (functional.hardtanh_, functional.hardtanh), (Tensor.add_, torch.add), (Tensor.__imul__, torch.mul),
    ):  # fmt: skip
        call = operations.OperationCall.of(
            operation, (given, *((given,) if plain in (torch.add, torch.mul) else ())), {}
        )
        assert call.written is given
        assert operations.name_of(call.operation).rpartition(".")[2] == operations.name_of(plain).rpartition(".")[2]
    assert operations.OperationCall.of(functional.relu, (given,), {"inplace": False}).written is None


@pytest.mark.parametrize("method", [GuidedBackprop(), Deconvolution(), GuidedGradCam("conv2")])
@pytest.mark.parametrize("name", BY_HAND)
def test_a_relu_written_by_hand_is_one(name: str, method, noise_images: Images) -> None:
    found = attribution.attribute(holding(Limited(BY_HAND[name])), noise_images, 2, method).values
    expected = attribution.attribute(holding(Limited(functional.relu)), noise_images, 2, method).values
    assert expected.any()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", BY_HAND)
def test_of_a_relu_written_by_hand_others_are_right_or_refuse(name: str, noise_images: Images) -> None:
    """LRP takes a mask for a constant, as is right; with DeepLIFT it is another one for the baseline."""
    classifier = holding(Limited(BY_HAND[name]))
    with pytest.raises(ValueError, match="DeepLIFT has no rule for what tiny-0 does in"):
        attribution.attribute(classifier, noise_images, 2, DeepLift())
    if "where" in name:
        with pytest.raises(ValueError, match="LRP has no rule"):
            attribution.attribute(classifier, noise_images, 2, Lrp())
    else:
        expected = attribution.attribute(holding(Limited(functional.relu)), noise_images, 2, Lrp()).values
        torch.testing.assert_close(attribution.attribute(classifier, noise_images, 2, Lrp()).values, expected)


def test_a_choice_that_is_no_relu_keeps_its_gradient(noise_images: Images) -> None:
    """What is let through goes by another tensor than the signal: nothing here is a rectifier."""
    classifier = holding(Limited(lambda z: torch.where(z.flip(1) > 0, z, 0.0)))
    with pytest.raises(ValueError, match="has no rectifiers"):
        attribution.attribute(classifier, noise_images, 2, GuidedBackprop())
