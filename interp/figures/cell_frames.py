"""Images with frames around a cell of a layer: the pixels that lie under it, and those that it depends on."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from interp.channels.cells import edges
from interp.figures.framed import framed
from interp.images import ImageSet, UnreadableImage
from interp.images.picture_bytes import bytes_of
from interp.models import inputs
from interp.passes.receptive_fields import ReceptiveFields
from interp.types import Classifier

LEAST = 160
"""Smaller images are enlarged to so many pixels, so that frames do not cover them."""

FramedCell = tuple[int, int, int]
"""An image's position in its set, and the row and column of the cell."""


def field_of(fields: ReceptiveFields, row: int, column: int, block: int = 1) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of all pixels that a block of positions depends on; all 0 where there are none."""
    rows = fields.rows[row * block : (row + 1) * block]
    columns = fields.columns[column * block : (column + 1) * block]
    rows, columns = rows[rows[:, 0] < rows[:, 1]], columns[columns[:, 0] < columns[:, 1]]
    if not len(rows) or not len(columns):
        return (0, 0, 0, 0)
    return int(rows[:, 0].min()), int(columns[:, 0].min()), int(rows[:, 1].max()), int(columns[:, 1].max())


def framed_cells(
    classifier: Classifier, photos: ImageSet, fields: ReceptiveFields, block: int, each: Sequence[FramedCell]
) -> Generator[tuple[UInt8[np.ndarray, "h w 3"], ...], None, tuple[UInt8[np.ndarray, "h w 3"], ...]]:
    """The images as the classifier sees them, with a frame around the cell and one around its receptive field.

    Where the field is the whole image it has no frame; an image that cannot be read is grey. Yields those that are
    there so far.
    """
    found: list[np.ndarray] = []
    for position, row, column in each:
        try:
            picture = bytes_of(inputs.read(classifier, photos, (position,)).pixels[0])
        except UnreadableImage:
            found.append(np.full((LEAST, LEAST, 3), 200, np.uint8))
            continue
        found.append(_framed(picture, fields, row, column, block))
        yield tuple(found)
    return tuple(found)


def _framed(
    picture: UInt8[np.ndarray, "h w 3"], fields: ReceptiveFields, row: int, column: int, block: int
) -> UInt8[np.ndarray, "rows columns 3"]:
    height, width = picture.shape[:2]
    times = max(1, -(-LEAST // min(height, width)))
    picture = np.asarray(Image.fromarray(picture).resize((width * times, height * times), Image.Resampling.NEAREST))
    height, width = picture.shape[:2]
    top, left, bottom, right = (one * times for one in field_of(fields, row, column, block))
    if (top, left) != (0, 0) or (bottom, right) != (height, width):
        picture = framed(picture, (slice(top, bottom), slice(left, right)))
    down = edges(len(fields.rows), block, height)[row]
    across = edges(len(fields.columns), block, width)[column]
    return framed(picture, (slice(*down), slice(*across)))
