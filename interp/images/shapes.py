"""Shapes that people mark with: boxes, polygons and run lengths, drawn as boolean masks.

Coordinates are continuous: pixel (row, column) covers [column, column + 1) × [row, row + 1), and is inside a shape
where its centre is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Shaped

from interp.images.decoding import LARGEST_PICTURE

MOST_CORNERS = 100_000


@dataclass(frozen=True)
class Box:
    """A rectangle by its edges, in pixels; what lies outside the picture is cut off."""

    left: float
    top: float
    right: float
    bottom: float

    def draw(self, width: int, height: int) -> Bool[np.ndarray, "rows columns"]:
        """The pixels whose centre is inside."""
        mask = np.zeros((height, width), dtype=bool)
        rows = slice(_first_centre(self.top, height), _first_centre(self.bottom, height))
        columns = slice(_first_centre(self.left, width), _first_centre(self.right, width))
        mask[rows, columns] = True
        return mask

    def scaled(self, across: float, down: float) -> Box:
        """The box in a picture that is stretched by these factors."""
        return Box(self.left * across, self.top * down, self.right * across, self.bottom * down)


@dataclass(frozen=True)
class Polygon:
    """A closed line of corners (x, y); inside is what a ray leaves by an odd number of crossings."""

    corners: tuple[tuple[float, float], ...]

    def draw(self, width: int, height: int) -> Bool[np.ndarray, "rows columns"]:
        """The pixels whose centre is inside."""
        xs, ys = zip(*self.corners, strict=True)
        top, bottom = _first_centre(min(ys), height), _first_centre(max(ys), height)
        left, right = _first_centre(min(xs), width), _first_centre(max(xs), width)
        crossings = np.zeros((bottom - top, right - left + 1), dtype=bool)
        for (x0, y0), (x1, y1) in zip(self.corners, self.corners[1:] + self.corners[:1], strict=True):
            if y0 == y1:
                continue
            rows = np.arange(_first_centre(min(y0, y1), height), _first_centre(max(y0, y1), height))
            x = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
            columns = np.clip(np.ceil(x - 0.5), left, right).astype(np.int64)
            crossings[rows - top, columns - left] ^= True
        mask = np.zeros((height, width), dtype=bool)
        mask[top:bottom, left:right] = np.logical_xor.accumulate(crossings, axis=1)[:, :-1]
        return mask

    def scaled(self, across: float, down: float) -> Polygon:
        """The polygon in a picture that is stretched by these factors."""
        return Polygon(tuple((x * across, y * down) for x, y in self.corners))


@dataclass(frozen=True, eq=False)
class RunLengths:
    """COCO's run lengths: down the columns, outside and inside in turn, beginning with outside."""

    counts: Int[np.ndarray, " runs"]
    width: int
    height: int

    def __post_init__(self) -> None:
        pixels = self.width * self.height
        if self.width < 1 or self.height < 1 or pixels > LARGEST_PICTURE:
            raise ValueError(
                f"its run lengths are for {self.width} × {self.height} pixels; give 1 to {LARGEST_PICTURE:,} pixels"
            )
        if (self.counts < 0).any() or sum(self.counts.tolist()) != pixels:
            raise ValueError(
                f"its run lengths sum to {sum(self.counts.tolist()):,}, "
                f"and {self.width} × {self.height} pixels are {pixels:,}"
            )

    def draw(self, width: int, height: int) -> Bool[np.ndarray, "rows columns"]:
        """The pixels of the odd runs. Raises `ValueError` for a picture of another size than the run lengths'."""
        if (width, height) != (self.width, self.height):
            raise ValueError(f"run lengths for {self.width} × {self.height} pixels cannot mark {width} × {height}")
        inside = np.arange(len(self.counts)) % 2 == 1
        return np.repeat(inside, self.counts).reshape(width, height).T


def laid(mask: Bool[np.ndarray, "rows columns"], left: int, top: int, size: tuple[int, int]) -> RunLengths:
    """A mask of a part of a picture of that size (width, height), within which it must lie, as run lengths."""
    rows, columns = mask.shape
    # Below each column stands one pixel outside, so that no run goes on into the next column.
    down = np.zeros((columns, rows + 1), dtype=bool)
    down[:, :rows] = mask.T
    flat = down.ravel()
    changes = np.flatnonzero(flat != np.concatenate([[False], flat[:-1]]))
    across, along = np.divmod(changes, rows + 1)
    places = (left + across) * size[1] + top + along
    counts = np.diff(np.concatenate([[0], places, [size[0] * size[1]]]))
    return RunLengths(counts.astype(np.int64), *size)


def stretched(
    mask: Shaped[np.ndarray, "rows columns"], width: int, height: int
) -> Shaped[np.ndarray, "new_rows new_columns"]:
    """A mask at another size: each new pixel is that of the old ones in which its centre lies."""
    rows, columns = ((np.arange(new) + 0.5) * old // new for new, old in zip((height, width), mask.shape, strict=True))
    return mask[np.ix_(rows.astype(np.int64), columns.astype(np.int64))]


def decompressed(text: str) -> list[int]:
    """The counts of COCO's compressed run lengths.

    Each is written in groups of five bits, lowest first, as characters from '0' on, the sixth bit saying that more
    follow; from the fourth count on it is the difference to the count two before (cocoapi, `rleFrString`).
    Raises `ValueError` for characters that are none of these.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or shift > 40:
            raise ValueError(f"its compressed run lengths contain {character!r} where no run length can have it")
        value |= (code & 31) << shift
        shift += 5
        if not code & 32:
            if code & 16:
                value -= 1 << shift
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = shift = 0
    if shift:
        raise ValueError("its compressed run lengths end in the middle of a count")
    return counts


def ellipse(x: float, y: float, across: float, down: float, degrees: float = 0.0) -> Polygon:
    """The ellipse around (x, y) with these half axes, turned clockwise, as a polygon of 72 corners (0.13% smaller)."""
    turns = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return _turned(across * np.cos(turns), down * np.sin(turns), (x, y), degrees)


def turned_box(box: Box, degrees: float, pivot: tuple[float, float] | None = None) -> Box | Polygon:
    """The box turned clockwise around a point: its centre, where none is given."""
    if not degrees % 360:
        return box
    x, y = pivot or ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    across = np.array([box.left, box.right, box.right, box.left]) - x
    down = np.array([box.top, box.top, box.bottom, box.bottom]) - y
    return _turned(across, down, (x, y), degrees)


def _turned(across: np.ndarray, down: np.ndarray, centre: tuple[float, float], degrees: float) -> Polygon:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    xs, ys = centre[0] + across * cosine - down * sine, centre[1] + across * sine + down * cosine
    return Polygon(tuple(zip(xs.tolist(), ys.tolist(), strict=True)))


def polygon(coordinates: Sequence[object]) -> Polygon:
    """The polygon through x, y, x, y, ... Raises `ValueError` for fewer than three corners or what is no number."""
    numbers = finite(coordinates)
    if len(numbers) < 6 or len(numbers) % 2 or len(numbers) > 2 * MOST_CORNERS:
        raise ValueError(f"a polygon has {len(numbers)} coordinates; give an even number, 6 to {2 * MOST_CORNERS:,}")
    return Polygon(tuple(zip(numbers[::2], numbers[1::2], strict=True)))


def finite(values: Sequence[object]) -> list[float]:
    """The values as numbers. Raises `ValueError` for one that is none, is infinite, or is beyond ±1e9."""
    for value in values:
        # NaN is not <= anything.
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= 1e9:
            raise ValueError(f"a coordinate is {str(value)[:40]!r}; give a number of pixels")
    return [float(value) for value in values if isinstance(value, int | float)]


def clipped(box: Box, size: tuple[int, int] | None) -> Box:
    """The part of the box inside a picture of that size (width, height). Raises `ValueError` where none is."""
    width, height = (math.inf, math.inf) if size is None else (float(size[0]), float(size[1]))
    inside = Box(max(box.left, 0.0), max(box.top, 0.0), min(box.right, width), min(box.bottom, height))
    if inside.left >= inside.right or inside.top >= inside.bottom:
        edges = f"from ({box.left:g}, {box.top:g}) to ({box.right:g}, {box.bottom:g})"
        raise ValueError(f"Its box {edges} is empty, or lies outside the picture")
    return inside


def inside(ring: Polygon, size: tuple[int, int] | None) -> Polygon:
    """The polygon. Raises `ValueError` where it encloses nothing, or lies outside a picture of that size."""
    xs, ys = zip(*ring.corners, strict=True)
    clipped(Box(min(xs), min(ys), max(xs), max(ys)), size)
    return ring


def polygon_area(ring: Polygon) -> float:
    """The area inside a polygon that does not cross itself, in square pixels."""
    corners = np.array(ring.corners)
    following = np.roll(corners, -1, axis=0)
    return float(abs((corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).sum()) / 2)


def _first_centre(edge: float, limit: int) -> int:
    """The first row or column whose centre is at the edge or after it, within 0 to `limit`."""
    return min(max(math.ceil(edge - 0.5), 0), limit)
