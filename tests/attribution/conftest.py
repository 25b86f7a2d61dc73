"""The real classifier, put together by hand so that these tests stand on nothing but the types, and photographs."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from interp.types import Classifier, Images, Layer, Preprocessing


class Normalize(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225])[:, None, None])

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return (pixels - self.mean) / self.std


@pytest.fixture(scope="session")
def squeezenet(imagenet: Path) -> Classifier:
    from safetensors.torch import load_file
    from torchvision.models import squeezenet1_1

    network = squeezenet1_1()
    network.load_state_dict(load_file(imagenet / "squeezenet1_1-imagenet.safetensors"))
    module = nn.Sequential()
    module.add_module("normalize", Normalize())
    module.add_module("network", network)
    module.eval().requires_grad_(False)
    return Classifier(
        name="squeezenet1_1",
        module=module,
        labels=tuple(str(i) for i in range(1000)),
        layers=(Layer("features.3", 128, "spatial", 55, 55), Layer("features.12", 512, "spatial", 13, 13, True)),
        preprocessing=Preprocessing(crop=(224, 224), resize=256),
        device=torch.device("cpu"),
        fingerprint="squeezenet1_1",
        architecture="squeezenet1_1",
    )


@pytest.fixture(scope="session")
def photographs(imagenet: Path, squeezenet: Classifier) -> Images:
    paths = sorted((imagenet / "images").iterdir())[::40]
    return squeezenet.prepare([Image.open(path) for path in paths], [path.name for path in paths])


@pytest.fixture
def noise_images() -> Images:
    pixels = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    return Images(pixels, ("first.png", "second.png", "third.png"))
