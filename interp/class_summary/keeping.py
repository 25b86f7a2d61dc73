"""Of which images what was found is kept one by one: as many of each class as there is room for, whatever their number.

Which these are rests on their positions alone, so parts of a set keep the same images in whatever grouping.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

# The multiples of the golden ratio, modulo 1, are spread evenly, however many: here in units of 2^-64.
_GOLDEN = np.uint64(11400714819323198485)


def kept_images(positions: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"], most: int) -> Bool[np.ndarray, " n"]:
    """Which images are kept: of each class the `most` whose position comes first in an order that spreads them."""
    with np.errstate(over="ignore"):
        priority = positions.astype(np.uint64) * _GOLDEN
    order = np.lexsort((priority, labels))
    first = np.r_[True, np.diff(labels[order]) != 0] if len(order) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    kept = np.zeros(len(positions), bool)
    kept[order[rank < most]] = True
    return kept
