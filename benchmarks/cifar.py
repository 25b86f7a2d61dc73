"""ResNets for CIFAR-10 as people bring them: own code with weights, from ../shared, and the test images."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from interp import images, models
from interp.images import ImageSet
from interp.types import Classifier

SHARED = Path(__file__).resolve().parents[2] / "shared" / "cifar10"
LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

RESNET = """
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, given, made, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(given, made, 3, stride, 1, bias=False), nn.BatchNorm2d(made)
        self.conv2, self.bn2 = nn.Conv2d(made, made, 3, 1, 1, bias=False), nn.BatchNorm2d(made)
        self.stride, self.more = stride, (made - given) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more, self.more))
        return F.relu(x + y)


class ResNet(nn.Module):
    def __init__(self, depth, num_classes):
        super().__init__()
        count = (depth - 2) // 6
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.layer1, self.layer2, self.layer3 = (
            nn.Sequential(*(Block(given if i == 0 else made, made, stride if i == 0 else 1) for i in range(count)))
            for given, made, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2))
        )
        self.linear = nn.Linear(64, num_classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(F.avg_pool2d(x, x.shape[2]).view(x.shape[0], -1))
"""


def weights(depth: int) -> Path:
    """Where the weights of the network of this depth lie; those of 20 and 56 are there."""
    return SHARED / f"resnet{depth}.safetensors"


def resnet(folder: Path, depth: int, *, trained: bool = True) -> Classifier:
    """The network, described in the folder as resnet20 or the like; untrained it is of any depth 6 n + 2."""
    (folder / "net.py").write_text(RESNET)
    path = folder / f"w{depth}.safetensors"
    if trained:
        path.symlink_to(weights(depth))
    else:
        code: dict[str, Any] = {}
        exec(RESNET, code)
        torch.manual_seed(depth)
        save_file(code["ResNet"](depth, len(LABELS)).state_dict(), path)
    lines = {"architecture": '"net.py:ResNet"', "weights": f'"{path.name}"', "labels": json.dumps(LABELS)}
    lines |= {"input_size": "32", "mean": "[0.485, 0.456, 0.406]", "std": "[0.229, 0.224, 0.225]"}
    lines |= {"arguments": f"{{ depth = {depth} }}"}
    (folder / f"resnet{depth}.toml").write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))
    return models.load(f"resnet{depth}", folder=folder, device="cpu")


def pictures(folder: Path) -> ImageSet:
    """CIFAR-10's test images, unpacked into the folder."""
    with tarfile.open(SHARED / "test.tar") as archive:
        archive.extractall(folder / "set", filter="data")
    return images.load(folder / "set")
