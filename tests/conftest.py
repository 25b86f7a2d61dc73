"""Fixtures that many tests share: the real classifier's folder, and a tiny classifier to compute by hand with."""

from pathlib import Path

import pytest
import torch
from torch import nn

from interp.types import Classifier, Layer, Preprocessing

SHARED = Path(__file__).resolve().parents[2] / "shared" / "imagenet"


@pytest.fixture(scope="session")
def imagenet() -> Path:
    """The folder with the real classifier and 200 real photographs."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the photographs and the classifier of {SHARED}, which is not there")
    return SHARED


class TinyNetwork(nn.Module):
    """Two convolutions with biases, a pooled linear layer: small enough to compute by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.linear = nn.Linear(6, 3)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.conv2(self.relu1(self.conv1(pixels))))
        return self.linear(hidden.mean(dim=(2, 3)))


def tiny_classifier(seed: int = 0) -> Classifier:
    """A small seeded classifier with biases, 3 classes, 16 × 16 pixels, without normalization."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = TinyNetwork()
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", network)
    module.eval().requires_grad_(False)
    return Classifier(
        name=f"tiny-{seed}",
        module=module,
        labels=("cat", "dog", "fish"),
        layers=(Layer("conv1", 4, "spatial", 16, 16), Layer("conv2", 6, "spatial", 8, 8, True)),
        preprocessing=Preprocessing(crop=(16, 16), resize=16),
        device=torch.device("cpu"),
        fingerprint=f"tiny-{seed}",
        architecture="tiny",
    )


@pytest.fixture
def tiny() -> Classifier:
    return tiny_classifier()
