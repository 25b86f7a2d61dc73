"""One row of features for each position of a layer's map: which cell of its image a row is, and what is seen there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from interp.embedding.representations import Features
from interp.set_pass import evenly
from interp.types import Classifier

# A cell's own share of the picture says too little: it is shown with as much again on each side.
AROUND = 1


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a map of `grid` rows and columns, one for each row of features, counted row by row of the map."""

    grid: tuple[int, int]
    places: Int[np.ndarray, " n"]

    def window(self, row: int, size: tuple[int, int]) -> tuple[slice, slice]:
        """Rows and columns of the pixels, of a picture of that height and width, around one row's cell.

        Not what the cell's receptive field covers, which in deep layers is most of the picture.
        """
        down, across = divmod(int(self.places[row]), self.grid[1])
        return _around(down, self.grid[0], size[0]), _around(across, self.grid[1], size[1])


def _around(cell: int, cells: int, pixels: int) -> slice:
    shown = min(cells, 2 * AROUND + 1)
    first = min(max(0, cell - AROUND), cells - shown)
    return slice(first * pixels // cells, max(first * pixels // cells + 1, (first + shown) * pixels // cells))


def cells(features: Features, classifier: Classifier, most: int) -> tuple[Features, Cells]:
    """At most so many rows of features of the pooling "positions", evenly spread, and the cell that each one is.

    Raises `ValueError` for features of another pooling.
    """
    layer = classifier.layer(features.representation.layer)
    if features.representation.pooling != "positions":
        raise ValueError(f'The pooling is {features.representation.pooling!r}: only "positions" has rows for cells.')
    rows = evenly(len(features), most)
    kept = replace(features, values=features.values[rows], indices=features.indices[rows])
    return kept, Cells((layer.height, layer.width), rows % (layer.height * layer.width))
