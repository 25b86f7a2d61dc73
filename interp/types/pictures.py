"""Pictures as a classifier sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor

from interp.types.digests import Fingerprinted


@dataclass(frozen=True, eq=False)
class Images(Fingerprinted):
    """A batch as a classifier sees it: RGB or grey in [0, 1], before normalization, with one name for each image."""

    pixels: Float[Tensor, "n c h w"]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.pixels):
            raise ValueError(f"{len(self.names)} names for {len(self.pixels)} images: give one name for each image.")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, where: slice) -> Images:
        """The part of the batch that a slice names, still a batch."""
        return Images(self.pixels[where], self.names[where])


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the classifier's input: the shorter side to `resize`, then a central crop (h, w).

    `resize` None scales the whole picture to `crop`, whatever its proportions. `channels` is 3 for RGB and 1 for grey
    (ITU-R 601: 0.299 red + 0.587 green + 0.114 blue). Normalization is no part of it: that is the classifier's first
    module.
    """

    crop: tuple[int, int]
    resize: int | None
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    channels: int = 3

    @property
    def description(self) -> str:
        """How a picture is fitted, as part of a sentence."""
        height, width = self.crop
        colours = "in grey, " if self.channels == 1 else ""
        if self.resize is None:
            return f"{colours}scaled as a whole to {height} × {width} pixels, whatever its proportions"
        return f"{colours}its shorter side scaled to {self.resize} pixels, then the central {height} × {width}"

    def pixels(self, image: Image.Image) -> Float[Tensor, "c h w"]:
        """The picture as the classifier sees it, RGB or grey in [0, 1]."""
        plain = image.convert("RGB")
        coloured = plain if self.channels == 3 else plain.convert("L")
        return _tensor(self._fit(coloured, _FILTERS[self.interpolation])).float() / 255

    def annotation(self, mask: Bool[np.ndarray, "rows columns"]) -> Bool[Tensor, "h w"]:
        """A mask in the picture's own coordinates, carried through the same resize and crop.

        A pixel of the result is inside where at least half of its area was inside.
        """
        if mask.shape == self.crop == self._resized(*self.crop):
            return torch.from_numpy(mask.copy())
        fitted = self._fit(Image.fromarray(mask.astype(np.uint8) * 255), Image.Resampling.BILINEAR)
        return _tensor(fitted)[0] >= 128

    def _fit(self, image: Image.Image, resampling: Image.Resampling) -> Image.Image:
        height, width = self._resized(image.height, image.width)
        resized = image if image.size == (width, height) else image.resize((width, height), resampling)
        rows, columns = self.crop
        # Where the picture is smaller than the crop, Pillow lays black around it.
        above, left = _margin(height, rows), _margin(width, columns)
        return resized.crop((left, above, left + columns, above + rows))

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if self.resize is None:
            return self.crop
        if height <= width:
            return self.resize, int(self.resize * width / height)
        return int(self.resize * height / width), self.resize


# As torchvision's transforms do to the last pixel; importing torchvision takes as long as importing torch.
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def _margin(length: int, crop: int) -> int:
    """What is cut off before a central crop, or, below 0, laid on."""
    return int(round((length - crop) / 2)) if length >= crop else -((crop - length) // 2)


def _tensor(image: Image.Image) -> UInt8[Tensor, "c h w"]:
    return torch.from_numpy(np.array(image)).view(image.height, image.width, -1).permute(2, 0, 1)
