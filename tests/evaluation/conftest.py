"""The real classifier and photographs, and a linear classifier whose curves can be computed by hand."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from interp.types import Classifier, Images, Preprocessing


def classifier_of(network: nn.Module, *, size: int, classes: int, normalize: nn.Module | None = None) -> Classifier:
    module = nn.Sequential()
    module.add_module("normalize", normalize or nn.Identity())
    module.add_module("network", network)
    module.eval().requires_grad_(False)
    return Classifier(
        name="made-up",
        module=module,
        labels=tuple(f"class {i}" for i in range(classes)),
        layers=(),
        preprocessing=Preprocessing(crop=(size, size), resize=size),
        device=torch.device("cpu"),
        fingerprint="made-up",
        architecture="made-up",
    )


def linear_classifier(weights: torch.Tensor, bias: float = 0.0) -> Classifier:
    """The first of two logits is Σ w · (sum of the colours) + bias, the second is zero."""
    side = len(weights)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * side * side, 2))
    with torch.no_grad():
        network[1].weight.zero_()
        network[1].weight[0] = weights.expand(3, side, side).flatten()
        network[1].bias.copy_(torch.tensor([bias, 0.0]))
    return classifier_of(network, size=side, classes=2)


@pytest.fixture(scope="session")
def photographs(imagenet: Path, squeezenet: Classifier) -> Images:
    paths = sorted((imagenet / "images").iterdir())[::100]
    return squeezenet.prepare([Image.open(path) for path in paths], [path.name for path in paths])
