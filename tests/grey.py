"""A one-channel network that people bring, a LeNet by own code trained on the bundled digits; its twin in colour."""

from __future__ import annotations

from collections import OrderedDict
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from interp.images import digits as bundled
from interp.images.digits import split
from interp.models import checkpoint
from interp.models.normalize import Normalize
from interp.types import Classifier, Images, Preprocessing

NAME = "lenet"
SIZE, MEAN, STD = 28, 0.3, 0.35
EPOCHS, BATCH, LEARNING_RATE = 3, 32, 3e-3

CODE = """
from torch import nn


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(400, 84)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool2(self.relu2(self.conv2(x)))
        return self.fc2(self.relu3(self.fc1(x.flatten(1))))
"""
TOML = f"""
architecture = "lenet.py:LeNet"
weights = "lenet.safetensors"
labels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
input_size = {SIZE}
mean = [{MEAN}]
std = [{STD}]
"""


def write(folder: Path) -> None:
    """The network's code, its TOML, and its weights, trained here in a few seconds."""
    (folder / "lenet.py").write_text(CODE, "utf-8")
    (folder / f"{NAME}.toml").write_text(TOML, "utf-8")
    defined: dict = {}
    exec(CODE, defined)
    pixels, classes = digits(split()[0])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = defined["LeNet"]()
        _train(network, (pixels - MEAN) / STD, classes)
    checkpoint.save(folder / "lenet.safetensors", network.state_dict(), {})


def digits(positions: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Bundled digits as the network sees them (n, 1, h, w), and their classes."""
    photos, fitted = bundled.load(), Preprocessing((SIZE, SIZE), None, channels=1)
    chosen = [photos[position] for position in positions]
    return torch.stack([fitted.pixels(one.image) for one in chosen]), torch.tensor([int(one.label) for one in chosen])


def held_out(count: int) -> tuple[Images, list[int]]:
    """Digits that the network was not trained on, and their classes."""
    chosen = split()[1][:count]
    pixels, classes = digits(chosen)
    return Images(pixels, tuple(f"digit {one}" for one in chosen)), classes.tolist()


def twin(classifier: Classifier) -> Classifier:
    """A network in colour with the same logits for grey pictures: it sees the mean of red, green and blue."""
    network = deepcopy(classifier.module.get_submodule("network"))
    weight = network.get_parameter("conv1.weight")
    network.conv1 = nn.Conv2d(3, 6, 5, padding=2)
    network.conv1.weight.data.copy_(weight.expand(-1, 3, -1, -1) / 3)
    network.conv1.bias.data.copy_(classifier.module.get_parameter("network.conv1.bias"))
    module = nn.Sequential(OrderedDict(normalize=Normalize([MEAN] * 3, [STD] * 3), network=network))
    preprocessing = replace(classifier.preprocessing, channels=3)
    module.eval().requires_grad_(False)
    return replace(classifier, module=module, preprocessing=preprocessing, fingerprint="twin")


def in_colour(batch: Images) -> Images:
    """Grey pictures as pictures in colour that look the same."""
    return Images(batch.pixels.repeat(1, 3, 1, 1), batch.names)


def _train(network: nn.Module, pixels: Tensor, classes: Tensor) -> None:
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(pixels)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(pixels[chosen]), classes[chosen]).backward()
            optimizer.step()
