"""Small pictures of a whole image set, many on a sheet, so that a browser can draw thousands of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Integer, UInt8
from PIL import Image, ImageOps

from interp import progress
from interp.embedding import Cells
from interp.images import ImageSet, UnreadableImage, bytes_of
from interp.models import inputs
from interp.types import Classifier

COLUMNS = 32
# Of one sheet: small enough for every browser's canvas at 64 pixels a thumbnail.
EACH = COLUMNS * COLUMNS
QUALITY = 80
SAMPLE = 256
FINE, COARSE = 64, 32
# A patch takes less on a sheet of many.
PATCH_BYTES = 1_200


@dataclass(frozen=True, eq=False)
class Sheets:
    """Thumbnails of `size` × `size` pixels, row by row, `columns` in a row and `each` on a sheet.

    `shown` are the positions of the images that have one, in the order in which they lie; `files` are the sheets as
    JPEG. `total` is how many images the set has.
    """

    size: int
    columns: int
    each: int
    total: int
    shown: Integer[np.ndarray, " m"]
    files: tuple[bytes, ...]


def sheets(images: ImageSet, *, size: int | None = None, most: int = 6_000_000) -> Sheets:
    """Thumbnails of the images, on sheets that take at most `most` bytes together.

    `size` is their side in pixels; None takes 64 where all images have room at that size, and 32 otherwise.
    Each is the picture's central square. Where not all have room, as many as have, evenly spread over the set; a
    remark says so. Unreadable pictures have none. `size` must be a multiple of 16 from 16 to 128, so that JPEG's
    blocks do not mix neighbours (its colours are stored in full, for the same reason); raises `ValueError` for another.
    """
    if size is not None and (not 16 <= size <= 128 or size % 16):
        raise ValueError(f"Thumbnails of {size} pixels: give 16 to 128, a multiple of 16.")
    squares = _read(images, _spread(len(images), SAMPLE), size or FINE)
    if size is None:
        size = FINE if _cost(squares, FINE) * len(images) < most else COARSE
        squares = squares if size == FINE else {i: square(Image.fromarray(one), size) for i, one in squares.items()}
    cost = _cost(squares, size)
    room = len(images) if cost * len(images) < most else int(0.95 * most / cost)
    wanted = _spread(len(images), room)
    if len(images) > SAMPLE:
        squares |= _read(images, [one for one in wanted if one not in squares], size)
    shown = [one for one in wanted if one in squares]
    files = _files(squares, shown, size)
    while shown and (taken := sum(map(len, files))) > most:
        shown = [shown[i] for i in _spread(len(shown), int(0.97 * len(shown) * most / taken))]
        files = _files(squares, shown, size)
    if len(shown) < len(images):
        progress.remark(f"{len(shown):,} of {len(images):,} images have a thumbnail.")
    return Sheets(size, COLUMNS, EACH, len(images), np.array(shown, np.int64), files)


def patches(
    images: ImageSet,
    classifier: Classifier,
    positions: Integer[np.ndarray, " n"],
    cells: Cells,
    *,
    most: int = 6_000_000,
) -> Sheets:
    """A thumbnail of each row's cell, cut from what the model sees of the image at that row's position.

    Where not all have room in `most` bytes, as many as have, evenly spread; unreadable pictures have none.
    """
    wanted = _spread(len(positions), most // PATCH_BYTES)
    squares = {}
    for position in progress.steps(np.unique(positions[wanted]).tolist(), "thumbnails"):
        try:
            pixels = inputs.read(classifier, images, (position,)).pixels[0]
        except UnreadableImage:
            continue
        seen = bytes_of(pixels)
        for row in [row for row in wanted if positions[row] == position]:
            squares[row] = square(Image.fromarray(seen[cells.window(row, seen.shape[:2])]), COARSE)
    shown = sorted(squares)
    return Sheets(COARSE, COLUMNS, EACH, len(positions), np.array(shown, np.int64), _files(squares, shown, COARSE))


def square(image: Image.Image, size: int) -> UInt8[np.ndarray, "size size 3"]:
    """A picture's central square at that size; one with fewer pixels is enlarged in blocks, as it is."""
    smaller = min(image.size) < size
    method = Image.Resampling.NEAREST if smaller else Image.Resampling.BICUBIC
    if not smaller and min(image.size) >= 3 * size:
        image = image.reduce(min(image.size) // (2 * size))
    return np.asarray(ImageOps.fit(image.convert("RGB"), (size, size), method))


def _read(images: ImageSet, positions: Sequence[int], size: int) -> dict[int, np.ndarray]:
    squares = {}
    for position in progress.steps(positions, "thumbnails"):
        try:
            squares[position] = square(images[position].image, size)
        except UnreadableImage:
            continue
    return squares


def _cost(squares: dict[int, np.ndarray], size: int) -> float:
    """Bytes that a thumbnail takes, on average."""
    return sum(map(len, _files(squares, list(squares), size))) / max(1, len(squares))


def _files(squares: dict[int, np.ndarray], shown: Sequence[int], size: int) -> tuple[bytes, ...]:
    return tuple(_sheet([squares[i] for i in shown[at : at + EACH]], size) for at in range(0, len(shown), EACH))


def _sheet(squares: list[np.ndarray], size: int) -> bytes:
    columns, rows = min(COLUMNS, len(squares)), -(-len(squares) // COLUMNS)
    sheet = np.full((rows * size, columns * size, 3), 255, np.uint8)
    for i, one in enumerate(squares):
        top, left = i // COLUMNS * size, i % COLUMNS * size
        sheet[top : top + size, left : left + size] = one
    stream = io.BytesIO()
    Image.fromarray(sheet).save(stream, "JPEG", quality=QUALITY, subsampling=0)
    return stream.getvalue()


def _spread(count: int, room: int) -> list[int]:
    """At most `room` positions out of `count`, as evenly as whole numbers go."""
    if room >= count:
        return list(range(count))
    return [(2 * i + 1) * count // (2 * room) for i in range(room)] if room > 0 else []
