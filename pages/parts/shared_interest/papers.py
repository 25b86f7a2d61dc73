"""An image as it is drawn on: small enough to be sent at each stroke, upright, with its regions painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from interp.figures import regions as figures
from interp.images import ImageSet
from interp.images.decoding import TRANSPOSITIONS
from interp.images.drawings import Drawing, RegionShape, scaled, turned_back
from interp.images.editing import Stroke, marked
from pages.parts.kit import canvas

LARGEST = 900


@dataclass(frozen=True, eq=False)
class Paper:
    """An image to draw on, at most 900 pixels a side; the size of the file's picture, and how it was turned upright."""

    image: Image.Image
    stored: tuple[int, int]
    orientation: int

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the picture at its own size."""
        return (self.stored[1], self.stored[0]) if self.orientation >= 5 else self.stored


def stored(shape: canvas.CanvasShape, paper: Paper) -> RegionShape | Stroke:
    """A shape on the paper, as it lies in the file's picture; what a brush covers, as pixels."""
    width, height = paper.upright
    if isinstance(shape, Stroke):
        # A wide brush over a large picture takes seconds.
        mask = Image.fromarray(shape.draw(*paper.image.size)).convert("L").resize((width, height))
        return turned_back(marked(np.asarray(mask) >= 128), paper.orientation, paper.stored)
    large = scaled(shape, width / paper.image.width, height / paper.image.height)
    return turned_back(large, paper.orientation, paper.stored)


def read(photos: ImageSet, position: int) -> Paper:
    """The image at a position, small enough to be sent at each stroke. Raises `UnreadableImage`."""
    picture = photos.picture(position)
    image = picture.image.copy()
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.BICUBIC)
    return Paper(image, picture.stored_size, picture.orientation)


def painted(paper: Paper, drawing: Drawing, chosen: int) -> Image.Image:
    """The paper with the regions on it, numbered, that at `chosen` filled more strongly."""
    parts: Sequence[figures.Painted] = [
        figures.Painted(
            _fitted(drawing, index, paper),
            figures.COLOURS[index % len(figures.COLOURS)],
            0.45 if index == chosen else 0.22,
            str(index + 1),
        )
        for index in range(len(drawing.regions))
    ]
    return Image.fromarray(figures.paint(np.asarray(paper.image.convert("RGB")), parts))


def _fitted(drawing: Drawing, index: int, paper: Paper) -> np.ndarray:
    """A region's pixels on the paper."""
    mask = Image.fromarray(drawing.mask(index))
    if paper.orientation in TRANSPOSITIONS:
        mask = mask.transpose(TRANSPOSITIONS[paper.orientation])
    return np.asarray(mask.convert("L").resize(paper.image.size, Image.Resampling.BOX)) >= 128
