"""Changing a picture by hand: regions of it painted over, erased, blurred, pasted into, or brought back.

An edit is described by a few numbers, never by pixels of its own, so that a list of edits is small, equal lists give
equal pictures, and undoing the last edit is leaving it out. Coordinates are those of `interp.images.annotation`: pixel
(row, column) covers [column, column + 1) × [row, row + 1), and is inside a region where its centre is.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from interp.images.picture_bytes import LUMA
from interp.images.shapes import Box, Polygon, RunLengths
from interp.types import Images

MOST_POINTS = 10_000
LARGEST_RADIUS = 1000.0
LARGEST_SCALE = 20.0
Fill = Literal["grey", "black", "white", "mean"]
_PLAIN = {"grey": 0.5, "black": 0.0, "white": 1.0}


@dataclass(frozen=True)
class Stroke:
    """What a round brush covers on its way through points (x, y): all within `radius` of the line between them.

    Raises `ValueError` for no point or more than 10,000, what is no number, or a radius outside (0, 1000].
    """

    points: tuple[tuple[float, float], ...]
    radius: float

    def __post_init__(self) -> None:
        if not 1 <= len(self.points) <= MOST_POINTS:
            raise ValueError(f"A brush stroke has {len(self.points):,} points; give 1 to {MOST_POINTS:,}.")
        _finite(coordinate for point in self.points for coordinate in point)
        _within("A brush's radius", self.radius, LARGEST_RADIUS)

    def draw(self, width: int, height: int) -> Bool[np.ndarray, "rows columns"]:
        """The pixels whose centre is inside."""
        mask = np.zeros((height, width), dtype=bool)
        for (x0, y0), (x1, y1) in zip(self.points, self.points[1:] or self.points, strict=False):
            left, right = (_inside(edge, width) for edge in (min(x0, x1) - self.radius, max(x0, x1) + self.radius + 1))
            top, bottom = (_inside(edge, height) for edge in (min(y0, y1) - self.radius, max(y0, y1) + self.radius + 1))
            x = np.arange(left, right)[None, :] + 0.5 - x0
            y = np.arange(top, bottom)[:, None] + 0.5 - y0
            length = (x1 - x0) ** 2 + (y1 - y0) ** 2
            along = np.clip((x * (x1 - x0) + y * (y1 - y0)) / length, 0, 1) if length else 0.0
            distance = (x - along * (x1 - x0)) ** 2 + (y - along * (y1 - y0)) ** 2
            mask[top:bottom, left:right] |= distance <= self.radius**2
        return mask


EditRegion = Stroke | Box | Polygon | RunLengths


def marked(mask: Bool[np.ndarray, "rows columns"]) -> RunLengths:
    """The region of a mask, for a picture of the mask's size."""
    down = mask.T.ravel()
    ends = np.flatnonzero(down[1:] != down[:-1]) + 1
    counts = np.diff(np.concatenate([[0], ends, [down.size]]))
    # Run lengths begin with outside, if only with none of it.
    counts = np.concatenate([[0], counts]) if down[0] else counts
    return RunLengths(counts.astype(np.int64), mask.shape[1], mask.shape[0])


@dataclass(frozen=True)
class Paint:
    """The region in one colour, red, green and blue in [0, 1]. Raises `ValueError` for a colour outside."""

    region: EditRegion
    colour: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not all(0 <= part <= 1 for part in self.colour):
            raise ValueError(f"The colour is {self.colour}; give red, green and blue from 0 to 1.")

    def change(self, pixels: Float[Tensor, "c h w"], original: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        """The picture with the region painted over, a grey one with the colour's grey."""
        return _replaced(pixels, self.region, shade(pixels, self.colour)[:, None, None])


@dataclass(frozen=True)
class Erase:
    """The region filled with what stands for nothing: a plain grey, black or white, or the original's mean colour."""

    region: EditRegion
    fill: Fill = "grey"

    def __post_init__(self) -> None:
        if self.fill not in get_args(Fill):
            raise ValueError(f"There is no filling {self.fill!r}; choose one of {', '.join(get_args(Fill))}.")

    def change(self, pixels: Float[Tensor, "c h w"], original: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        """The picture with the region filled."""
        return _replaced(pixels, self.region, filling(original, self.fill)[:, None, None])


@dataclass(frozen=True)
class Blur:
    """The region under a Gaussian with a standard deviation of `radius` pixels; at the border its weights sum to 1.

    Raises `ValueError` for a radius outside (0, 1000].
    """

    region: EditRegion
    radius: float

    def __post_init__(self) -> None:
        _within("A blur's radius", self.radius, LARGEST_RADIUS)

    def change(self, pixels: Float[Tensor, "c h w"], original: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        """The picture with the region blurred; what is around the region counts in."""
        rows, columns = (_gaussian(size, self.radius).to(pixels) for size in pixels.shape[1:])
        # A sum of weights that are rounded may leave [0, 1] by a bit.
        return _replaced(pixels, self.region, (rows @ pixels @ columns.T).clamp(0, 1))


@dataclass(frozen=True)
class Paste:
    """A crop of another picture, put with its middle at `centre` (x, y), `scale` times as large.

    `source` is a batch of that one picture. Enlarging and reducing are bilinear, the latter with antialiasing; what
    reaches beyond the picture is cut off. Raises `ValueError` for an empty crop, what is no number, or a scale outside
    (0, 20].
    """

    source: Images
    crop: Box
    centre: tuple[float, float]
    scale: float = 1.0

    def __post_init__(self) -> None:
        if len(self.source) != 1:
            raise ValueError(f"A crop is taken of one picture, and {len(self.source)} were given.")
        _finite(self.centre)
        _within("The scale of a crop", self.scale, LARGEST_SCALE)
        if not self.pixels.numel():
            raise ValueError(f"The crop {self.crop} holds no pixel of its picture. Drag a larger rectangle.")

    @property
    def pixels(self) -> Float[Tensor, "c rows columns"]:
        """The crop at its own size."""
        rows, columns = self.source.pixels.shape[2:]
        mask = torch.from_numpy(self.crop.draw(columns, rows)).to(self.source.pixels.device)
        return self.source.pixels[0][:, mask.any(dim=1)][:, :, mask.any(dim=0)]

    def change(self, pixels: Float[Tensor, "c h w"], original: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        """The picture with the crop in its place. Raises `ValueError` where one is in colour and the other in grey."""
        crop = self.pixels.to(pixels)
        if len(crop) != len(pixels):
            raise ValueError(
                f"The crop has pixels of {len(crop)} numbers and the picture of {len(pixels)}: cut it from a picture "
                "made for the same classifier."
            )
        rows, columns = (max(1, round(side * self.scale)) for side in crop.shape[1:])
        crop = functional.interpolate(crop[None], (rows, columns), mode="bilinear", antialias=True)[0].clamp(0, 1)
        top, left = round(self.centre[1] - rows / 2), round(self.centre[0] - columns / 2)
        edited = pixels.clone()
        place = edited[:, max(0, top) : max(0, top + rows), max(0, left) : max(0, left + columns)]
        visible = crop[:, max(0, -top) :, max(0, -left) :]
        place.copy_(visible[:, : place.shape[1], : place.shape[2]])
        return edited


@dataclass(frozen=True)
class Restore:
    """The region as it was before all edits."""

    region: EditRegion

    def change(self, pixels: Float[Tensor, "c h w"], original: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        """The picture with the region of the original."""
        return _replaced(pixels, self.region, original)


Edit = Paint | Erase | Blur | Paste | Restore


def apply(pixels: Float[Tensor, "c h w"], edits: Sequence[Edit]) -> Float[Tensor, "c h w"]:
    """The picture after all edits, one after the other; what is given is not changed."""
    edited = pixels
    for edit in edits:
        edited = edit.change(edited, pixels)
    return edited


def first_edited(images: Images, edits: Sequence[Edit]) -> Images:
    """The batch with the edits made in its first picture, whose name then says so."""
    if not edits:
        return images
    edited = apply(images.pixels[0], edits)
    return Images(torch.cat([edited[None], images.pixels[1:]]), (f"{images.names[0]} (edited)", *images.names[1:]))


def filling(pixels: Float[Tensor, "c h w"], fill: Fill) -> Float[Tensor, " c"]:
    """The colour that a filling has for a picture."""
    return pixels.mean(dim=(1, 2)) if fill == "mean" else pixels.new_full((len(pixels),), _PLAIN[fill])


def shade(pixels: Float[Tensor, "c h w"], colour: tuple[float, float, float]) -> Float[Tensor, " c"]:
    """A colour as it is painted on a picture: red, green and blue, or its grey."""
    given = pixels.new_tensor(colour)
    return (given @ given.new_tensor(LUMA))[None] if len(pixels) == 1 else given


def _replaced(pixels: Tensor, region: EditRegion, by: Tensor) -> Float[Tensor, "c h w"]:
    return torch.where(_mask(region, pixels.shape[2], pixels.shape[1]).to(pixels.device), by, pixels)


# Each further stroke is drawn upon all that came before it, whose masks are the same again.
@functools.lru_cache(maxsize=256)
def _mask(region: EditRegion, width: int, height: int) -> Bool[Tensor, "h w"]:
    return torch.from_numpy(np.array(region.draw(width, height)))


def _gaussian(size: int, sigma: float) -> Float[Tensor, "size size"]:
    distance = torch.arange(size)[:, None] - torch.arange(size)
    weights = torch.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum(dim=1, keepdim=True)


def _inside(edge: float, limit: int) -> int:
    return min(max(math.floor(edge), 0), limit)


def _finite(numbers) -> None:
    for number in numbers:
        # NaN is not <= anything.
        if not abs(number) <= 1e6:
            raise ValueError(f"A coordinate is {number}; give a number of pixels.")


def _within(what: str, number: float, largest: float) -> None:
    if not 0 < number <= largest:
        raise ValueError(f"{what} is {number}; give a number above 0, up to {largest:g}.")
