"""What people marked in a picture: boxes, polygons, run lengths and mask files, drawn as one boolean mask.

Coordinates are continuous: pixel (row, column) covers [column, column + 1) × [row, row + 1), and is inside a shape
where its centre is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int
from PIL import Image

from interp.images.decoding import LARGEST_PICTURE, TRANSPOSITIONS, Picture, UnreadableImage

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


@dataclass(frozen=True)
class MaskFile:
    """A picture whose non-zero pixels are inside; 255 in a palette is Pascal VOC's 'void', and outside."""

    path: str

    def draw(self, width: int, height: int) -> Bool[np.ndarray, "rows columns"]:
        """The mask as it is. Raises `UnreadableImage` for a damaged file, or one of another size."""
        name = Path(self.path).name
        try:
            with Image.open(self.path, formats=("PNG", "BMP", "TIFF", "GIF")) as image:
                if image.size != (width, height):
                    found = f"{image.width} × {image.height}"
                    reason = f"the mask has {found} pixels, and its picture {width} × {height}. Make them equal."
                    raise UnreadableImage(name, reason)
                return _inside(image)
        except UnreadableImage:
            raise
        except Exception as error:  # As for pictures: damaged bytes lead Pillow's decoders anywhere.
            raise UnreadableImage(name, "the mask cannot be read. Save it as PNG again.") from error


def _inside(image: Image.Image) -> Bool[np.ndarray, "rows columns"]:
    values = np.asarray(image)
    if image.mode in ("LA", "RGBA"):
        values = values[..., :-1] * (values[..., -1:] > 0)
    inside = (values != 0) & (values != 255) if image.mode == "P" else values != 0
    return inside if inside.ndim == 2 else np.logical_or.reduce(inside, axis=2)


Shape = Box | Polygon | RunLengths | MaskFile


@dataclass(frozen=True)
class Annotation:
    """All that is marked in one picture, and the size (width, height) that the annotation says the picture has."""

    shapes: tuple[Shape, ...]
    size: tuple[int, int] | None = None

    def mask(self, picture: Picture, name: str) -> Bool[np.ndarray, "rows columns"]:
        """The union of the shapes, in the coordinates of the upright picture.

        Shapes are read in the coordinates of the pixels as stored, and turned along with the picture, where the
        annotation's size is that of the stored picture, or is not said. Where it is the size of the upright picture
        only, the annotator saw it upright, and the shapes are drawn as they are.
        Raises `UnreadableImage` where the size is neither.
        """
        upright = picture.image.size
        size = self.size or picture.stored_size
        if size not in (picture.stored_size, upright):
            raise UnreadableImage(
                name,
                f"its annotation is for {size[0]} × {size[1]} pixels, and the picture has "
                f"{upright[0]} × {upright[1]}. Supply the picture that was annotated, or correct the annotation.",
            )
        mask = np.zeros((size[1], size[0]), dtype=bool)
        for shape in self.shapes:
            mask |= shape.draw(*size)
        if size == picture.stored_size and picture.orientation in TRANSPOSITIONS:
            turned = Image.fromarray(mask).transpose(TRANSPOSITIONS[picture.orientation])
            return np.asarray(turned)
        return mask


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


def _first_centre(edge: float, limit: int) -> int:
    """The first row or column whose centre is at the edge or after it, within 0 to `limit`."""
    return min(max(math.ceil(edge - 0.5), 0), limit)
