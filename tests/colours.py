"""Small networks that tell colours, ending as people's own do, with pictures of one colour, several, or none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

CODE = """
import torch
from torch import nn
from torch.nn import functional


class Colours(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(8, OUTPUTS)

    def forward(self, pixels):
        scores = self.linear(self.relu(self.conv(pixels)).mean(dim=(2, 3)))
        return END
"""
COLOURS = {"red": 0, "green": 1, "blue": 2}
SHOWN = (("red",), ("green",), ("blue",), ("red", "green"), ("green", "blue"), ("red", "blue"), tuple(COLOURS), ())


def state(outputs: int) -> dict[str, torch.Tensor]:
    """Weights under which score c is about how much there is of colour c."""
    generator = torch.Generator().manual_seed(0)
    conv, linear = torch.zeros(8, 3, 3, 3), torch.zeros(outputs, 8)
    for colour in range(3):
        conv[colour, colour, 1, 1] = 1
    conv[3:] = torch.randn(5, 3, 3, 3, generator=generator) * 0.2
    linear[torch.arange(outputs), torch.arange(outputs)] = 6
    linear[:, 3:] = torch.randn(outputs, 5, generator=generator) * 0.3
    return {
        "conv.weight": conv,
        "conv.bias": torch.zeros(8),
        "linear.weight": linear,
        "linear.bias": torch.full((outputs,), -3.0),
    }


def network(outputs: int, end: str) -> nn.Module:
    """The network as its owner runs it."""
    known: dict[str, type[nn.Module]] = {}
    exec(_code(outputs, end), known)
    plain = known["Colours"]()
    plain.load_state_dict(state(outputs))
    return plain.eval()


def scores(outputs: int, pixels: torch.Tensor) -> torch.Tensor:
    """What stands before the network's last step."""
    return network(outputs, "scores")(pixels)


def pictures() -> list[np.ndarray]:
    """Eight pictures of 16 × 16, one for each of `SHOWN`."""
    rng = np.random.default_rng(0)
    found = []
    for colours in SHOWN:
        pixels = rng.integers(0, 100, (16, 16, 3))
        for colour in colours:
            pixels[:, :, COLOURS[colour]] += rng.integers(60, 155)
        found.append(pixels.astype(np.uint8))
    return found


def pixels() -> torch.Tensor:
    """The pictures as a batch in [0, 1]."""
    return torch.from_numpy(np.stack(pictures())).permute(0, 3, 1, 2).float() / 255


def save_network(folder: Path, outputs: int, end: str, labels: list[str]) -> None:
    """Write the network as 'mine' into a models folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.py").write_text(_code(outputs, end))
    torch.save(state(outputs), folder / "net.pt")
    (folder / "mine.toml").write_text(
        f'architecture = "net.py:Colours"\nweights = "net.pt"\nlabels = {labels!r}\ninput_size = 16\n'
    )


def save_pictures(folder: Path, index: str | None = None, *, masks: bool = False) -> None:
    """Write the pictures as 0.png to 7.png with this index.csv; with masks of their middle beside, in 'masks'."""
    folder.mkdir(parents=True, exist_ok=True)
    middle = np.zeros((16, 16), np.uint8)
    middle[4:12, 4:12] = 255
    for number, picture in enumerate(pictures()):
        Image.fromarray(picture).save(folder / f"{number}.png")
        if masks:
            (folder.parent / "masks").mkdir(exist_ok=True)
            Image.fromarray(middle).save(folder.parent / "masks" / f"{number}.png")
    if index is not None:
        (folder / "index.csv").write_text(index)


def _code(outputs: int, end: str) -> str:
    return CODE.replace("OUTPUTS", str(outputs)).replace("END", end)
