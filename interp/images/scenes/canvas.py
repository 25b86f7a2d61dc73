"""Cut paper on paper: filled outlines with soft edges, a relief and a shadow, and the record of what lies on top.

Everything is computed with operations that every processor rounds alike (sums, products, roots, integers), so that
the same scene gives the same bytes on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFilter

from interp.images.scenes.outlines import Outline
from interp.images.scenes.scene import Rendering, Segment

Plane = Float[np.ndarray, "rows columns"]
ColourPlane = Float[np.ndarray, "rows columns 3"]
Colour = tuple[float, float, float]
# Given the coordinates of pixels (across, down), the colour of each.
Shader = Callable[[Plane, Plane], ColourPlane]

# Outlines are drawn this many times larger, then averaged.
FINE = 4


class Shadow(NamedTuple):
    """A shadow to the lower right: how far, how soft (both in pixels), and how dark in [0, 1]."""

    offset: int
    softness: int
    depth: float

    @property
    def reach(self) -> int:
        """How far the shadow can be seen beyond its outline, in pixels."""
        return abs(self.offset) + self.softness + 2


class Canvas:
    """A picture being made: colours in [0, 1], and for each pixel the segment that is seen there."""

    def __init__(self, side: int, ground: Float[np.ndarray, "side side 3"], place: Segment) -> None:
        self.side = side
        self.pixels = ground.astype(np.float32)
        self.segments = np.zeros((side, side), np.uint8)
        self.legend = [place]

    def fill(
        self,
        outlines: Sequence[Outline],
        paper: Colour | Shader,
        *,
        segment: Segment | None = None,
        relief: float = 0.0,
        shadow: Shadow | None = None,
    ) -> None:
        """Lay outlines (in pixels) down as one piece of paper.

        A piece with a segment is recorded where it covers at least half of a pixel. `relief` lightens its edge to the
        upper left and darkens that to the lower right.
        """
        found = self._coverage(outlines, margin=3 if shadow is None else shadow.reach)
        if found is None:
            return
        cover, top, left = found
        rows, columns = slice(top, top + cover.shape[0]), slice(left, left + cover.shape[1])
        under = self.pixels[rows, columns]
        if shadow is not None:
            dark = _moved(_blurred(cover, shadow.softness), shadow.offset)
            under = under * (1 - np.float32(shadow.depth) * dark[..., None])
        if callable(paper):
            down, across = np.mgrid[rows, columns].astype(np.float32)
            colour = paper(across + np.float32(0.5), down + np.float32(0.5))
        else:
            colour = np.broadcast_to(np.array(paper, np.float32), under.shape)
        if relief:
            soft = _blurred(cover, 2)
            edge = _moved(soft, 1) - _moved(soft, -1)
            colour = colour * (1 - np.float32(relief) * edge[..., None])
        alpha = cover[..., None]
        self.pixels[rows, columns] = under + (colour - under) * alpha
        if segment is not None:
            self.segments[rows, columns][cover >= 0.5] = self._number(segment)

    def cast(self, outlines: Sequence[Outline], shadow: Shadow) -> None:
        """The shadow alone of outlines that are to be laid down."""
        found = self._coverage(outlines, margin=shadow.reach)
        if found is None:
            return
        cover, top, left = found
        dark = _moved(_blurred(cover, shadow.softness), shadow.offset)
        self.pixels[top : top + cover.shape[0], left : left + cover.shape[1]] *= (
            1 - np.float32(shadow.depth) * dark[..., None]
        )

    def finished(self) -> Rendering:
        """The picture in 8 bits, with the pieces that are still seen."""
        seen = np.unique(self.segments)
        places = np.zeros(len(self.legend), np.uint8)
        places[seen] = np.arange(len(seen))
        pixels = np.floor(np.clip(self.pixels, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        return Rendering(pixels, places[self.segments], tuple(self.legend[i] for i in seen))

    def _number(self, segment: Segment) -> int:
        if segment not in self.legend[1:]:
            self.legend.append(segment)
        return self.legend.index(segment, 1)

    def _coverage(self, outlines: Sequence[Outline], *, margin: int) -> tuple[Plane, int, int] | None:
        """How much of each pixel the outlines cover, in the smallest window, with the window's top and left."""
        corners = np.concatenate(list(outlines))
        left, top = (max(0, math.floor(value) - margin) for value in corners.min(axis=0))
        right, bottom = (min(self.side, math.ceil(value) + 1 + margin) for value in corners.max(axis=0))
        if left >= right or top >= bottom:
            return None
        picture = Image.new("L", ((right - left) * FINE, (bottom - top) * FINE))
        draw = ImageDraw.Draw(picture)
        for outline in outlines:
            moved = (outline - (left, top)) * FINE - 0.5
            draw.polygon([(x, y) for x, y in moved.tolist()], fill=255)
        return np.asarray(picture.reduce(FINE), np.float32) / np.float32(255), top, left


def noise(seed: int, side: int, cells: int) -> Plane:
    """Smooth noise in [0, 1]: random values on a grid of `cells` a side, enlarged."""
    grid = np.frombuffer(Random(seed).randbytes(cells * cells), np.uint8).reshape(cells, cells)
    return np.asarray(Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC), np.float32) / np.float32(
        255
    )


def grain(seed: int, side: int) -> Plane:
    """Noise without any structure, in [-1, 1], with mean 0."""
    values = np.frombuffer(Random(seed).randbytes(2 * side * side), np.uint8).reshape(2, side, side)
    return (values[0].astype(np.float32) - values[1].astype(np.float32)) / np.float32(255)


def _blurred(cover: Plane, radius: int) -> Plane:
    picture = Image.fromarray((cover * np.float32(255)).astype(np.uint8)).filter(ImageFilter.BoxBlur(radius))
    return np.asarray(picture, np.float32) / np.float32(255)


def _moved(plane: Plane, offset: int) -> Plane:
    """The plane moved down and to the right by some pixels; its edge is repeated."""
    rows = np.clip(np.arange(plane.shape[0]) - offset, 0, plane.shape[0] - 1)
    columns = np.clip(np.arange(plane.shape[1]) - offset, 0, plane.shape[1] - 1)
    return plane[rows[:, None], columns[None, :]]


def mixed(first: Colour, second: Colour, share: float | Plane) -> Float[np.ndarray, "... 3"]:
    """Between two colours: the first for a share of 0, the second for 1."""
    a, b = np.array(first, np.float32), np.array(second, np.float32)
    return a + (b - a) * np.asarray(share, np.float32)[..., None]
