"""How a picture is moved before each pass, so that it works wherever it is: pad, jitter, scale, rotate.

A transform is a function from settings to a function on pictures. Each draws its part anew at every step, the same for
all pictures of a batch; one resampling does all of them together.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample, pad

Matrix = tuple[float, float, float, float]

LEFT_OUT = 0.5
"""The grey that is seen beyond a picture's edge."""


@dataclass(frozen=True)
class Warp:
    """An affine map of pictures, drawn: where each pixel of the result is looked up.

    `size` is that of the result; the pixel at (y, x) from the result's centre shows what is at A·(y, x) + `shift` from
    the picture's centre, `linear` being A by rows. Differentiable; grey beyond the edge.
    """

    size: tuple[int, int]
    linear: Matrix = (1.0, 0.0, 0.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)

    def __call__(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c y x"]:
        """The pictures as the network sees them."""
        height, width = pixels.shape[2:]
        if self.linear == (1.0, 0.0, 0.0, 1.0):
            top, left = (
                (before - after) / 2 + shift
                for before, after, shift in zip((height, width), self.size, self.shift, strict=True)
            )
            if top == int(top) and left == int(left):
                return self._cut(pixels, int(top), int(left))
        # All pictures see the same: as planes of a single one they share the places and weights of the resampling.
        planes = pixels.flatten(0, 1)[None] - LEFT_OUT
        moved = grid_sample(planes, self._grid(pixels), align_corners=False).add_(LEFT_OUT)
        return moved.view(*pixels.shape[:2], *self.size)

    def _cut(self, pixels: Tensor, top: int, left: int) -> Tensor:
        """The window from (top, left) on, grey beyond the edge."""
        height, width = pixels.shape[2:]
        if (top, left, height, width) == (0, 0, *self.size):
            return pixels
        below, right = self.size[0] - height + top, self.size[1] - width + left
        return pad(pixels, (-left, right, -top, below), value=LEFT_OUT)

    def _grid(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "1 y x 2"]:
        """The places looked up, x before y, each in [-1, 1] from edge to edge."""
        height, width = pixels.shape[2:]
        a, b, c, d = self.linear
        across, down = 2 / width, 2 / height
        rows = [[c * across, a * down], [d * across, b * down], [self.shift[1] * across, self.shift[0] * down]]
        places = _places(self.size, pixels.dtype, pixels.device)
        return (places @ torch.tensor(rows, dtype=torch.float64).to(places)).view(1, *self.size, 2)


@lru_cache(maxsize=8)
def _places(size: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Float[Tensor, "p 3"]:
    """How far each pixel is from the centre, down and across, and a 1 for what is added."""
    with torch.inference_mode(False):
        down, across = (torch.arange(length, dtype=dtype, device=device) - (length - 1) / 2 for length in size)
        grid = torch.meshgrid(down, across, indexing="ij")
        return torch.stack([*grid, torch.ones_like(grid[0])], dim=-1).flatten(0, 1)


class Transform(ABC):
    """One step in how a picture is moved."""

    @abstractmethod
    def after(self, warp: Warp, generator: torch.Generator) -> Warp:
        """What came before, and then this transform, its random part drawn from the generator."""


@dataclass(frozen=True)
class Pad(Transform):
    """`width` pixels of grey on each side."""

    width: int

    def __post_init__(self) -> None:
        if self.width < 0:
            raise ValueError(f"A border of {self.width} pixels is not possible: take 0 or more.")

    def after(self, warp: Warp, generator: torch.Generator) -> Warp:
        """The result grows."""
        height, width = warp.size
        return Warp((height + 2 * self.width, width + 2 * self.width), warp.linear, warp.shift)


@dataclass(frozen=True)
class Jitter(Transform):
    """A window at a random place, `pixels` smaller than the picture in both directions."""

    pixels: int

    def __post_init__(self) -> None:
        if self.pixels < 0:
            raise ValueError(f"A jitter of {self.pixels} pixels is not possible: take 0 or more.")

    def after(self, warp: Warp, generator: torch.Generator) -> Warp:
        """The result shrinks. Raises `ValueError` where nothing is left of it."""
        height, width = warp.size
        if self.pixels >= min(height, width):
            raise ValueError(
                f"A jitter of {self.pixels} pixels leaves nothing of pictures of {height} × {width}: take less, or "
                "larger pictures."
            )
        down, across = (torch.randint(self.pixels + 1, (2,), generator=generator) - self.pixels / 2).tolist()
        a, b, c, d = warp.linear
        shift = (warp.shift[0] + a * down + b * across, warp.shift[1] + c * down + d * across)
        return Warp((height - self.pixels, width - self.pixels), warp.linear, shift)


@dataclass(frozen=True)
class Scale(Transform):
    """Enlarged about the centre by a random factor between `least` and `most`, in the same frame."""

    least: float | int = 0.9
    most: float | int = 1.1

    def __post_init__(self) -> None:
        if not 0 < self.least <= self.most:
            raise ValueError(f"Factors from {self.least} to {self.most} are not possible: give 0 < least ≤ most.")

    def after(self, warp: Warp, generator: torch.Generator) -> Warp:
        """Places looked up draw nearer to one another."""
        share = float(torch.rand((), generator=generator))
        factor = self.least + share * (self.most - self.least)
        return _turned(warp, (1 / factor, 0.0, 0.0, 1 / factor))


@dataclass(frozen=True)
class Rotate(Transform):
    """Turned about the centre by a random angle of at most `degrees` either way, in the same frame."""

    degrees: float | int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.degrees <= 180:
            raise ValueError(f"Angles of at most {self.degrees}° are not possible: take 0 to 180.")

    def after(self, warp: Warp, generator: torch.Generator) -> Warp:
        """Places looked up turn about the centre."""
        angle = math.radians(float(torch.rand((), generator=generator)) * 2 * self.degrees - self.degrees)
        return _turned(warp, (math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle)))


@dataclass(frozen=True)
class Sometimes(Transform):
    """The transforms given, in a `share` of the steps that is drawn at random; in the others none of them."""

    transforms: tuple[Transform, ...]
    share: float = 1 / 3

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"A share of {self.share} of the steps is not possible: give 0 to 1.")

    def after(self, warp: Warp, generator: torch.Generator) -> Warp:
        """All of them, or what came before as it is."""
        if float(torch.rand((), generator=generator)) >= self.share:
            return warp
        for transform in self.transforms:
            warp = transform.after(warp, generator)
        return warp


STANDARD: tuple[Transform, ...] = (Pad(8), Jitter(16), Sometimes((Scale(), Rotate())))
"""Lucid's, with like amounts. The network sees pictures of their own size.

Where nothing turns, a window is cut out instead of resampled: two of three steps do without the costliest part.
"""


def drawn(transforms: Sequence[Transform], size: tuple[int, int], generator: torch.Generator) -> Warp:
    """All transforms, one after another, of pictures of this size (h, w), with their random parts drawn."""
    warp = Warp(size)
    for transform in transforms:
        warp = transform.after(warp, generator)
    return warp


def _turned(warp: Warp, turn: Matrix) -> Warp:
    """What came before, of which the result is then turned."""
    (a, b, c, d), (e, f, g, h) = warp.linear, turn
    return Warp(warp.size, (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h), warp.shift)
