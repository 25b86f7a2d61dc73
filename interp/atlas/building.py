"""An activation atlas: samples of a layer, laid out by a projection, cut into grids of several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from interp import embedding
from interp.atlas.cells import LEAST, AtlasCells, MapExtent, cells
from interp.atlas.sampling import PositionSamples, sampled
from interp.embedding import UMAP, Projection, ProjectionMethod
from interp.images import ImageSet
from interp.set_pass import Positions
from interp.types import Classifier, Fingerprinted

NOTEBOOKS = UMAP(neighbours=20, minimum_distance=0.01, metric="cosine", epochs=200)
"""As in the published notebooks, in as many epochs as umap-learn takes for more than 10,000 points."""
RECIPE = UMAP(neighbours=50, minimum_distance=0.05, metric="cosine", epochs=200)
"""As in the published recipe."""
OF_CLASS, OF_EACH_OF_TWO = 3_000, 2_000
COARSEST = 5
BLOCK = 1_024


@dataclass(frozen=True, eq=False)
class Atlas(Fingerprinted):
    """The samples, their layout, and its cells, coarse grids first.

    `points` are where samples lie, over which grids cover `extent`: the projection's, or of two classes their own.
    """

    samples: PositionSamples
    projection: Projection
    points: Float[np.ndarray, "n 2"]
    extent: MapExtent
    levels: tuple[AtlasCells, ...]

    @property
    def places(self) -> Float[np.ndarray, "n 2"]:
        """Where samples lie, in [0, 1] from the left and from the top."""
        return self.extent.within(self.points)

    @property
    def cells(self) -> AtlasCells:
        """Those of the finest grid."""
        return self.levels[-1]

    def level(self, grid: int) -> AtlasCells:
        """The cells of one of its grids. Raises `ValueError` for one that it does not have."""
        for one in self.levels:
            if one.grid == grid:
                return one
        offered = ", ".join(str(one.grid) for one in self.levels)
        raise ValueError(f"The atlas has no grid of {grid} cells a side: it has {offered}.")


def build(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None = None,
    samples: int = 16,
    grid: int = 20,
    *,
    method: ProjectionMethod = NOTEBOOKS,
    least: int = LEAST,
    seed: int = 0,
    positions: Positions = None,
) -> Atlas:
    """The activation atlas of a layer over an image set, without pictures (Carter et al. 2019).

    `samples` positions of each image are drawn by the seed, laid out by `method`, and cut into `grid` × `grid` cells
    and coarser ones, each half as fine, of which those with fewer than `least` samples are left out. Raises
    `ValueError` as `sampled`, `project` and `cells` do.
    """
    found = sampled(classifier, photos, layer, samples, seed=seed, positions=positions)
    return atlas_of(found, embedding.project(found.activations, method), grids(grid), least=least)


def grids(finest: int) -> tuple[int, ...]:
    """The sizes of grids from coarse to fine: halves of the finest, as long as they are whole and 5 or more."""
    found = [finest]
    while found[0] % 2 == 0 and found[0] // 2 >= COARSEST:
        found.insert(0, found[0] // 2)
    return tuple(found)


def atlas_of(samples: PositionSamples, projection: Projection, sizes: Sequence[int], *, least: int = LEAST) -> Atlas:
    """The atlas of samples that were laid out: their places, and the cells of each grid.

    Grids so fine that no cell holds enough samples are left out. Raises `ValueError` where all are, and for a map
    that is not of these samples, or not in the plane.
    """
    if projection.points.shape != (len(samples), 2):
        raise ValueError(
            f"A map of shape {projection.points.shape} is none of {len(samples):,} samples in the plane: project the "
            "samples' activations to 2 dimensions."
        )
    points = projection.points
    return laid_out(samples, projection, points, MapExtent.of(points), sizes, least=least)


def laid_out(
    samples: PositionSamples,
    projection: Projection,
    points: Float[np.ndarray, "n 2"],
    extent: MapExtent,
    sizes: Sequence[int],
    *,
    least: int = LEAST,
) -> Atlas:
    """As `atlas_of`, of samples that lie at these points."""
    if not sizes:
        raise ValueError("No size of a grid is given: name one or more, such as `grids(20)`.")
    places = extent.within(points)
    levels: list[AtlasCells] = []
    for size in sorted(sizes):
        try:
            levels.append(cells(samples, places, size, least=least))
        except ValueError:
            if not levels:
                raise
    return Atlas(samples, projection, points, extent, tuple(levels))


def of_class(samples: PositionSamples, number: int, *, most: int = OF_CLASS) -> Int[np.ndarray, " m"]:
    """The samples of a class atlas: those with the largest attribution to the class, and those whose top class it is.

    Of the former at most `most`, and none that adds nothing; each once, in the samples' order (Carter et al. 2019).
    Raises `ValueError` for a class that there is not, or of which no sample speaks.
    """
    classes = samples.attributions.shape[1]
    if not 0 <= number < classes:
        raise ValueError(f"Class {number} does not exist: there are {classes}, numbered from 0.")
    own = samples.attributions[:, number]
    largest = np.argsort(-own, kind="stable")[:most]
    found = np.union1d(largest[own[largest] > 0], np.flatnonzero(samples.labels == number))
    if not len(found):
        raise ValueError("No sample adds anything to the class: take more images, or another layer.")
    return found


def subset(samples: PositionSamples, rows: Int[np.ndarray, " m"] | Bool[np.ndarray, " n"]) -> PositionSamples:
    """Some of the samples."""
    kept = (samples.images[rows], samples.places[rows], samples.activations[rows], samples.attributions[rows])
    return PositionSamples(samples.layer, samples.grid, *kept, samples.considered, samples.problems)


def whitened(
    samples: PositionSamples, means: Float[np.ndarray, "m k"], *, damping: float | int = 1e-2
) -> Float[np.ndarray, "m k"]:
    """Directions for the dot product with correlations between channels taken out: S⁻¹ · mean, S = E[a aᵀ].

    Uncentred, as in the published notebooks (Carter et al. 2019). `damping`, a share of the mean of S's diagonal, is
    added to it, since channels that never occur alone leave S without an inverse. Scaled to the means' lengths.
    """
    own = samples.activations
    second = np.zeros((own.shape[1], own.shape[1]))
    # In blocks: in double precision all of them are twice what they are.
    for start in range(0, len(own), BLOCK):
        block = own[start : start + BLOCK].astype(np.float64)
        second += block.T @ block
    second /= max(1, len(own))
    second += np.eye(len(second)) * max(damping * float(np.trace(second)) / len(second), 1e-12)
    found = np.linalg.solve(second, means.T.astype(np.float64)).T
    lengths = np.linalg.norm(means, axis=1, keepdims=True) / np.maximum(
        np.linalg.norm(found, axis=1, keepdims=True), 1e-12
    )
    return (found * lengths).astype(np.float32)
