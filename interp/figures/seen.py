"""Images of a set as a classifier sees them, as pictures: whole, their cells, or with a frame around one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from interp.embedding import Cells
from interp.figures.framed import framed
from interp.images import ImageSet, UnreadableImage, bytes_of
from interp.models import inputs
from interp.types import Classifier

GREY = 200


def seen(
    classifier: Classifier, photos: ImageSet, positions: Sequence[int], cells: Cells | None = None
) -> tuple[UInt8[np.ndarray, "h w 3"], ...]:
    """The images at these positions as the classifier sees them, so that all are of one size; grey where one is gone.

    Of `cells`, one for each of them, it is the pixels around its own cell.
    """
    found = []
    for row, position in enumerate(positions):
        try:
            picture = _picture(classifier, photos, position)
        except UnreadableImage:
            found.append(np.full((*classifier.input_size, 3), GREY, np.uint8))
            continue
        found.append(picture if cells is None else picture[cells.window(row, picture.shape[:2])])
    return tuple(found)


def in_file(photos: ImageSet, position: int) -> Image.Image:
    """The picture as it is in its file. Raises `UnreadableImage` for one that cannot be read."""
    return photos[position].image


def as_seen(classifier: Classifier, photos: ImageSet, position: int, cell: Cells | None = None) -> Image.Image:
    """What the classifier sees of an image, pixel by pixel before normalization, with a frame around a cell of it.

    Raises `UnreadableImage` as `inputs.read` does.
    """
    picture = _picture(classifier, photos, position)
    return Image.fromarray(picture if cell is None else framed(picture, cell.window(0, picture.shape[:2])))


def _picture(classifier: Classifier, photos: ImageSet, position: int) -> UInt8[np.ndarray, "h w 3"]:
    return bytes_of(inputs.read(classifier, photos, (position,)).pixels[0])
