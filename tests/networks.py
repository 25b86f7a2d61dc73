"""Networks with the traps that peers fall into, small, and calibrated so that every layer is alive."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn
from torchvision.models import (
    VGG,
    ConvNeXt,
    DenseNet,
    EfficientNet,
    MobileNetV2,
    MobileNetV3,
    ResNet,
    ShuffleNetV2,
    convnext,
    efficientnet,
    mobilenetv3,
    resnet,
    vgg,
)

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


def _vgg() -> VGG:
    widths = [16, 16, "M", 32, 32, "M", 64, 64, 64, "M", 128, 128, 128, "M", 128, 128, 128, "M"]
    network = VGG(vgg.make_layers(widths))
    classifier = network.classifier
    classifier[0], classifier[3], classifier[6] = nn.Linear(128 * 49, 256), nn.Linear(256, 256), nn.Linear(256, 1000)
    return network


SMALLER = {
    "vgg16": _vgg,
    "resnet50": lambda: ResNet(resnet.Bottleneck, [1, 2, 2, 1], width_per_group=16),
    "densenet121": lambda: DenseNet(12, (2, 3, 4, 3), 24),
    "convnext_tiny": lambda: ConvNeXt(
        [convnext.CNBlockConfig(24 * 2**i, 48 * 2**i if i < 3 else None, 1 + (i == 2)) for i in range(4)]
    ),
    "mobilenet_v2": lambda: MobileNetV2(
        inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2], [6, 40, 1, 2], [6, 64, 2, 2]]
    ),
    "mobilenet_v3_large": lambda: MobileNetV3(
        [
            mobilenetv3.InvertedResidualConfig(16, 3, 16, 16, False, "RE", 1, 1, 1.0),
            mobilenetv3.InvertedResidualConfig(16, 5, 72, 40, True, "RE", 2, 1, 1.0),
            mobilenetv3.InvertedResidualConfig(40, 3, 120, 40, True, "HS", 1, 1, 1.0),
            mobilenetv3.InvertedResidualConfig(40, 5, 240, 80, True, "HS", 2, 1, 1.0),
        ],
        256,
    ),
    "efficientnet_b0": lambda: EfficientNet(
        [
            efficientnet.MBConvConfig(1, 3, 1, 32, 16, 1),
            efficientnet.MBConvConfig(6, 3, 2, 16, 24, 2),
            efficientnet.MBConvConfig(6, 5, 2, 24, 40, 1),
            efficientnet.MBConvConfig(6, 3, 2, 40, 80, 2),
        ],
        0.2,
    ),
    "shufflenet_v2_x0_5": lambda: ShuffleNetV2([2, 2, 2], [24, 48, 96, 192, 512]),
}


@cache
def calibrated(name: str, size: int = 96, *, biases: bool = True) -> Classifier:
    """A network of torchvision with seeded weights and biases, its activations of about unit size everywhere.

    Some are smaller than the one of that name, and made of the same parts. Default random weights let signals die out
    layer by layer, and have no biases, which hides errors. Not to be changed: whoever asks for the same gets the same
    one.
    """
    classifier = described(_smaller(name, size), size)
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
    classifier = described(_smaller(name, size), size)
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
    """The architecture with small random weights, without torchvision's slow initialization."""
    with torch.device("meta"):
        network = recipe(name, "random", None).build(1000, (size, size))
    return _filled(network)


def _smaller(name: str, size: int) -> nn.Module:
    """The architecture, of fewer and narrower blocks where it has many of the same: not slower than its traps need."""
    if name not in SMALLER:
        return unfilled(name, size)
    with torch.device("meta"):
        network = SMALLER[name]()
    return _filled(network)


def _filled(network: nn.Module) -> nn.Module:
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
