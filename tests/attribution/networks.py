"""Networks with the traps that peers fall into, small, and calibrated so that every layer is alive."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn

from interp import models
from interp.types import Classifier, Images

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
    classifier = models.load(name, weights="random", device="cpu")
    classifier = resized(classifier, size)
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
    classifier = resized(models.load(name, weights="random", device="cpu"), size)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(4, 3, size, size, generator=generator)

    def spread(part: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        given = inputs[0]
        part.running_mean.copy_(0.5 * given.mean(dim=(0, 2, 3)))
        part.running_var.copy_(given.square().mean(dim=(0, 2, 3)) + 0.01)
        part.weight.copy_(0.5 + torch.rand(part.weight.shape, generator=generator))
        part.bias.copy_(0.3 * torch.randn(part.bias.shape, generator=generator))
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


def resized(classifier: Classifier, size: int) -> Classifier:
    from dataclasses import replace

    from interp.models.layers import find_layers
    from interp.types import Preprocessing

    preprocessing = Preprocessing(crop=(size, size), resize=size)
    found = find_layers(classifier.module, preprocessing)
    return replace(classifier, preprocessing=preprocessing, layers=found.layers, default_layer=found.default)


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
