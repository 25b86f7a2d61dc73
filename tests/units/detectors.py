"""A network made by hand whose units are known detectors, and pictures of what they detect, with it marked."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import nn

from interp.images import ImageSet
from interp.images.decoding import DecodedImage
from interp.images.image_set import Concept
from interp.types import Classifier, Layer, Preprocessing
from interp.units.looks import hue_directions
from interp.units.probes import REACH

SIDE, COUNT = 32, 160
HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")
VERTICAL, HORIZONTAL, DARK, LIGHT, PLUS, DEAD = range(6, 12)
THINGS = ("vertical", "horizontal", "dark", "light", "plus")
_PLUS = np.array([[0, 0, 1, 0, 0]] * 2 + [[1] * 5] + [[0, 0, 1, 0, 0]] * 2)


class Detectors(nn.Module):
    """Units 0 to 5 see a hue, then two see edges, one dark, one light, one a plus by its template, and one nothing."""

    def __init__(self) -> None:
        super().__init__()
        seen = nn.Conv2d(3, 12, 5, padding=2, padding_mode="replicate")
        self.units = nn.Sequential(seen, nn.ReLU())
        self.linear = nn.Linear(12, 6)
        with torch.no_grad():
            weight, bias = seen.weight.zero_(), seen.bias.zero_()
            weight[:6, :, 2, 2] = hue_directions()[::2]
            weight[VERTICAL, :, 1:4, 1], weight[VERTICAL, :, 1:4, 3] = -1 / 9, 1 / 9
            weight[HORIZONTAL, :, 1, 1:4], weight[HORIZONTAL, :, 3, 1:4] = -1 / 9, 1 / 9
            weight[DARK, :, 1:4, 1:4], bias[DARK] = -1 / 27, 0.5
            weight[LIGHT, :, 1:4, 1:4], bias[LIGHT] = 1 / 27, -0.5
            signs = torch.from_numpy(np.where(_PLUS, 1 / 9, -1 / 16)).float()
            weight[PLUS], bias[PLUS] = signs / 3, -0.6
            bias[DEAD] = -1.0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.linear(self.units(images).amax(dim=(2, 3)))


def drawn(position: int) -> tuple[np.ndarray, dict[tuple[str, str], np.ndarray]]:
    """A grey picture with a square of its label's hue, and one other thing."""
    rng = np.random.default_rng(1000 + position)
    picture = 0.5 + rng.normal(0, 0.01, (SIDE, SIDE, 3))
    top, left = rng.integers(1, 23), rng.integers(1, 7)
    here = np.zeros((SIDE, SIDE), bool)
    here[top : top + 8, left : left + 8] = True
    picture[here] += REACH * hue_directions()[2 * (position % 6)].numpy()
    marks = {("colour", HUES[position % 6]): here}
    top, left = rng.integers(1, 23), rng.integers(16, 23)
    thing = THINGS[int(rng.integers(0, 5))]
    there = np.zeros((SIDE, SIDE), bool)
    rows, columns = np.mgrid[0:8, 0:8]
    patch = {
        "vertical": 0.3 * np.cos(columns * np.pi / 2),
        "horizontal": 0.3 * np.cos(rows * np.pi / 2),
        "dark": np.full((8, 8), -0.4),
        "light": np.full((8, 8), 0.4),
        "plus": np.where(np.pad(_PLUS, ((1, 2), (1, 2))), 0.4, -0.4),
    }[thing]
    picture[top : top + 8, left : left + 8] += patch[..., None]
    there[top : top + 8, left : left + 8] = thing != "plus" or np.pad(_PLUS, ((1, 2), (1, 2))) > 0
    marks["thing", thing] = there
    return np.clip(picture * 255, 0, 255).round().astype(np.uint8), marks


def detectors(units: nn.Module | None = None) -> Classifier:
    """The network, or another one with 12 units of that name."""
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", units or Detectors())
    return Classifier(
        name="detectors", module=module.eval().requires_grad_(False), labels=HUES,
        layers=(Layer("units", 12, "spatial", SIDE, SIDE, True),),
        preprocessing=Preprocessing(crop=(SIDE, SIDE), resize=SIDE),
        device=torch.device("cpu"), fingerprint="detectors", architecture="detectors",
    )  # fmt: skip


def pictures(shuffled: bool = False, count: int = COUNT) -> ImageSet:
    """The pictures; `shuffled` are labels and marks of other ones."""
    order = np.random.default_rng(3).permutation(count) if shuffled else np.arange(count)
    return ImageSet(
        name="pictures",
        description="",
        fingerprint=f"pictures {shuffled} {count}",
        names=[f"{one}.png" for one in range(count)],
        read=lambda position: DecodedImage(Image.fromarray(drawn(position)[0])),
        label_forms={"label": tuple(HUES[order[one] % 6] for one in range(count))},
        concepts=lambda position: tuple(Concept(*name, mask) for name, mask in drawn(int(order[position]))[1].items()),
    )
