"""An atlas of two classes: from what speaks for the one to what speaks for the other."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np

from interp.atlas.building import OF_EACH_OF_TWO, Atlas, laid_out, of_class, subset
from interp.atlas.cells import LEAST, MapExtent
from interp.atlas.sampling import PositionSamples
from interp.embedding import TSNE, MapFrame, Projection, projecting

CLIPPED = 99.0


def contrasting(
    samples: PositionSamples,
    first: int,
    second: int,
    sizes: Sequence[int],
    *,
    perplexity: float = 50.0,
    least: int = LEAST,
    seed: int = 0,
) -> Generator[MapFrame, None, Atlas]:
    """The atlas of two classes (Carter et al. 2019), by way of the frames of its one axis that is computed.

    The samples are those of both class atlases, 2,000 at most with the largest attribution to each. x is the difference
    of a sample's attributions, second minus first, divided by the 99th percentile of its magnitude and clipped: what is
    at the left speaks for the first, at the right for the second class. y is t-SNE to one dimension, by the cosine.
    Raises `ValueError` for one class twice, and as `of_class` and `project` do.
    """
    if first == second:
        raise ValueError("Two different classes are compared: choose another one.")
    rows = np.union1d(*(of_class(samples, one, most=OF_EACH_OF_TWO) for one in (first, second)))
    own = subset(samples, rows)
    method = TSNE(perplexity=min(perplexity, max(2.0, (len(rows) - 1) / 3)), metric="cosine", dimensions=1, seed=seed)
    projection: Projection = yield from projecting(own.activations, method)
    difference = own.attributions[:, second] - own.attributions[:, first]
    largest = float(np.percentile(np.abs(difference), CLIPPED)) or 1.0
    height = MapExtent.of(np.repeat(projection.points, 2, axis=1))
    extent = MapExtent(np.array([-largest, height.low[0]]), np.array([largest, height.high[0]]))
    points = np.stack([difference, projection.points[:, 0]], axis=1)
    return laid_out(own, projection, points, extent, sizes, least=least)
