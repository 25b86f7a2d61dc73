"""Networks with the traps that peers fall into, small, and calibrated so that every layer is alive."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn
from torchvision.models import VGG

from interp.models import probes
from interp.models.layers import find_layers
from interp.models.normalize import assemble
from interp.models.torchvision_models import recipe
from interp.models.trial import settle
from interp.types import Classifier, Images, Preprocessing

NAMES = (
    "squeezenet1_1",
    "googlenet",
    "vgg16",
    "resnet50",
    "densenet121",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "convnext_tiny",
)


@cache
def calibrated(name: str, size: int = 96, *, biases: bool = True) -> Classifier:
    """A network of torchvision with seeded weights and biases, its activations of about unit size everywhere.

    Default random weights let signals die out layer by layer, and have no biases, which hides errors. Not to be
    changed: whoever asks for the same gets the same one.
    """
    classifier = described(unfilled(name, size), size)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(4, 3, size, size, generator=generator)
    handles = []
    for part in classifier.module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            handles.append(part.register_forward_hook(_calibrate(generator, 0.3 * biases)))
    with torch.no_grad():
        classifier.module(pixels)
    for handle in handles:
        handle.remove()
    return classifier


@cache
def shifted(name: str, size: int = 64) -> Classifier:
    """As `calibrated`, with random shifts and scales in the batch normalizations, and logits of about unit size.

    Not to be changed: whoever asks for the same gets the same one.
    """
    classifier = described(unfilled(name, size), size)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(4, 3, size, size, generator=generator)

    def spread(part: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        given = inputs[0]
        part.running_mean.copy_(0.5 * given.mean(dim=(0, 2, 3)))
        part.running_var.copy_(given.square().mean(dim=(0, 2, 3)) + 0.01)
        part.weight.copy_(0.5 + torch.rand(part.weight.shape, generator=generator))
        part.bias.copy_(0.4 * torch.randn(part.bias.shape, generator=generator))
        return part.forward(given)

    handles = []
    for part in classifier.module.modules():
        if isinstance(part, nn.BatchNorm2d):
            handles.append(part.register_forward_hook(spread))
        elif isinstance(part, nn.Conv2d | nn.Linear):
            handles.append(part.register_forward_hook(_calibrate(generator, 0.3)))
    with torch.no_grad():
        classifier.module(pixels)
    for handle in handles:
        handle.remove()
    return classifier


def unfilled(name: str, size: int = 224) -> nn.Module:
    """The architecture with small random weights, without torchvision's slow initialization.

    VGG's head is narrower: its 120 million weights are no trap, only slow.
    """
    with torch.device("meta"):
        network = recipe(name, "random", None).build(1000, (size, size))
        if isinstance(network, VGG):
            classifier = network.classifier
            classifier[0], classifier[3] = nn.Linear(512 * 7 * 7, 256), nn.Linear(256, 256)
            classifier[6] = nn.Linear(256, 1000)
    network = network.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for part, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            tensor.zero_()
        elif tensor.ndim > 1:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
        else:
            tensor.fill_(0.0 if part.endswith(("bias", "mean")) else 1.0)
    return network


def described(network: nn.Module, size: int, classes: int = 1000) -> Classifier:
    """The network as a classifier of square images, with the layers that are found in it."""
    module = assemble(network, (0.5,) * 3, (0.5,) * 3)
    preprocessing = Preprocessing((size, size), size)
    settle(module, probes.noise(preprocessing, 2), channels_last=False)
    found = find_layers(module, preprocessing)
    return Classifier(
        name="net",
        module=module,
        labels=tuple(map(str, range(classes))),
        layers=found.layers,
        preprocessing=preprocessing,
        device=torch.device("cpu"),
        fingerprint="net",
        architecture="net",
        findings=found.findings,
        default_layer=found.default,
    )


def _calibrate(generator: torch.Generator, spread: float):
    def scale(part: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        axis = 1 if isinstance(part, nn.Conv2d) else output.ndim - 1
        shape = [-1 if place == axis else 1 for place in range(output.ndim)]
        bare = output if part.bias is None else output - part.bias.view(shape)
        factor = 1 / bare.std().clamp(min=1e-12)
        part.weight.mul_(factor)
        if part.bias is None:
            return bare * factor
        part.bias.copy_(spread * torch.randn(part.bias.shape, generator=generator))
        return bare * factor + part.bias.view(shape)

    return scale


def pictures(classifier: Classifier, count: int = 2) -> Images:
    height, width = classifier.input_size
    pixels = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(5))
    return Images(pixels, tuple(f"picture {i}" for i in range(count)))
