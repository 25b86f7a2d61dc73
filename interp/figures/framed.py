"""Pictures with a frame around a place: of a cell, or of where a channel is largest."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from interp import feature_visualization as fv
from interp.embedding import Cells
from interp.images import ImageSet, UnreadableImage
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


def strongest(
    classifier: Classifier, photos: ImageSet, layer: Layer, channel: int, positions: np.ndarray
) -> tuple[np.ndarray, ...]:
    """The images as the classifier sees them, with a frame where the channel is largest; grey where one is gone."""
    found = []
    for position in positions.tolist():
        try:
            one = inputs.read(classifier, photos, (position,))
        except UnreadableImage:
            found.append(np.full((*classifier.input_size, 3), 200, np.uint8))
            continue
        [grid] = fv.map_of(classifier, one, layer.name, channel)
        (height, width), place = grid.shape, int(grid.flatten().argmax())
        seen = fv.bytes_of(one.pixels[0])
        window = Cells((height, width), np.array([place])).window(0, seen.shape[:2])
        found.append(framed(seen, window))
    return tuple(found)
