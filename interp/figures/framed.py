"""Images as a classifier sees them, as pictures: whole, their cells, or with a frame around a place."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from interp import feature_visualization as fv
from interp.embedding import Cells
from interp.images import ImageSet, UnreadableImage, bytes_of
from interp.models import inputs
from interp.types import Classifier, Layer


def framed(picture: UInt8[np.ndarray, "h w 3"], window: tuple[slice, slice]) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with a white frame around a window, itself set off in black."""
    marked, (down, across) = picture.copy(), window
    for margin, value in ((3, 255), (1, 0)):
        inside = (slice(max(0, side.start - margin), side.stop + margin) for side in (down, across))
        marked[tuple(inside)] = value
    marked[down, across] = picture[down, across]
    return marked


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
            found.append(_missing(classifier))
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


def _missing(classifier: Classifier) -> UInt8[np.ndarray, "h w 3"]:
    return np.full((*classifier.input_size, 3), 200, np.uint8)


def _picture(classifier: Classifier, photos: ImageSet, position: int) -> UInt8[np.ndarray, "h w 3"]:
    return bytes_of(inputs.read(classifier, photos, (position,)).pixels[0])


def strongest(
    classifier: Classifier, photos: ImageSet, layer: Layer, channel: int, positions: np.ndarray
) -> tuple[np.ndarray, ...]:
    """The images as the classifier sees them, with a frame where the channel is largest; grey where one is gone."""
    found = []
    for position in positions.tolist():
        try:
            one = inputs.read(classifier, photos, (position,))
        except UnreadableImage:
            found.append(_missing(classifier))
            continue
        [grid] = fv.map_of(classifier, one, layer.name, channel)
        (height, width), place = grid.shape, int(grid.flatten().argmax())
        seen = bytes_of(one.pixels[0])
        window = Cells((height, width), np.array([place])).window(0, seen.shape[:2])
        found.append(framed(seen, window))
    return tuple(found)


def strongest_of_each(
    classifier: Classifier, photos: ImageSet, layer: Layer, wanted: Sequence[tuple[int, tuple[int, ...]]]
) -> Generator[tuple[UInt8[np.ndarray, "h w 3"], ...], None, tuple[tuple[UInt8[np.ndarray, "h w 3"], ...], ...]]:
    """For each channel the images at these positions of the set, framed where it responds most; yields each in turn."""
    found = []
    for channel, positions in wanted:
        found.append(strongest(classifier, photos, layer, channel, np.array(positions)))
        yield found[-1]
    return tuple(found)
