"""UMAP: a graph of fuzzy neighbourhoods, laid out by attraction along its edges and repulsion from random others.

Graph and start are by umap-learn's own steps, the epochs ours, one by one, so that the layout can be watched and
stopped. From the same neighbours the graph is umap-learn's up to rounding, and from the same start the first epochs are
too. The whole map is not the one that `umap.UMAP(...).fit` gives, but another of the same quality: each point draws its
random numbers by the last bits of its start, so that a last digit, in which umap-learn differs from processor to
processor itself, decides where it is some epochs later. Where the graph falls apart the pieces may start elsewhere,
too, since here their centres are compared by scikit-learn.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import scipy
from jaxtyping import Float, Int

from interp import progress
from interp.embedding import compiling
from interp.embedding.checks import varied
from interp.embedding.method import (
    Layout,
    MapFrame,
    ProjectionMethod,
    Search,
    check_dimensions,
    check_reduction,
    snapshots,
)
from interp.embedding.neighbours import Metric, Neighbours
from interp.embedding.pca import placed, principal_axes, reduced
from interp.embedding.pushes import pull_and_push

NEGATIVES = 5
"""How many random others push an image for each neighbour that pulls it."""

MANY = 10_000
"""Above so many images umap-learn takes fewer epochs."""


@dataclass(frozen=True)
class UMAP(ProjectionMethod):
    """Uniform manifold approximation and projection.

    `neighbours` counts the image itself, as umap-learn does. `minimum_distance` is how close points may lie, in units
    of the map, up to 1. `epochs` None is umap-learn's choice: 500, or 200 above 10,000 images. `initialization`
    "spectral" starts from eigenvectors of the graph, "pca" from the first principal axes, "random" from a square.
    `reduction` is that of `TSNE`.
    """

    neighbours: int = 15
    minimum_distance: float | int = 0.1
    metric: Metric = "euclidean"
    epochs: int | None = None
    dimensions: int = 2
    initialization: Literal["spectral", "pca", "random"] = "spectral"
    reduction: int | None = None
    seed: int = 0

    title: ClassVar[str] = "UMAP"
    summary: ClassVar[str] = (
        "Joins every image to its nearest neighbours, each with its own measure of what is near, and lays the graph "
        "out so that joined images lie together and random others apart."
    )
    formula: ClassVar[str] = (
        r"\min_y \sum_{i\ne j} v_{ij}\log\frac{v_{ij}}{w_{ij}} + (1 - v_{ij})\log\frac{1 - v_{ij}}{1 - w_{ij}},\quad "
        r"w_{ij} = \left(1 + a\lVert y_i - y_j\rVert^{2b}\right)^{-1}"
    )
    source: ClassVar[str] = (
        "McInnes, Healy and Melville, UMAP: Uniform manifold approximation and projection (2018); how to read it: "
        "Coenen and Pearce, Understanding UMAP (2019)"
    )
    pitfalls: ClassVar[str] = (
        "The size of a cluster and the distance between clusters mean little. With few neighbours noise falls into "
        "clumps; with a small minimum distance clusters look tighter than they are. Look at several settings."
    )

    def __post_init__(self) -> None:
        check_dimensions(self.dimensions)
        check_reduction(self.reduction)
        if self.neighbours < 2:
            raise ValueError(f"UMAP with {self.neighbours} neighbours joins nothing: take 2 or more; 15 is usual.")
        if not 0 <= self.minimum_distance <= 1:
            raise ValueError(f"A minimum distance of {self.minimum_distance} is not possible: take 0 to 1.")
        if self.epochs is not None and self.epochs < 1:
            raise ValueError(f"{self.epochs} epochs move nothing: take at least 1; 500 is usual.")

    def check(self, features: Float[np.ndarray, "n d"]) -> None:
        """Needs as many images as neighbours, some more than dimensions, and not all the same."""
        count, smallest = len(features), self.dimensions + 2
        if count < smallest:
            raise ValueError(
                f"UMAP in {self.dimensions} dimensions needs at least {smallest} images, and there are {count}: add "
                "images, or take PCA."
            )
        if self.neighbours > count:
            raise ValueError(
                f"{self.neighbours} neighbours, the image itself among them, need at least {self.neighbours} images, "
                f"and there are {count}: take {count} neighbours or fewer."
            )
        varied(features, self.title)

    def search(self) -> Search:
        """All neighbours but the image itself."""
        return Search(self.neighbours - 1, self.metric, self.reduction)

    def arrange(
        self,
        features: Float[np.ndarray, "n d"],
        neighbours: Neighbours | None,
        start: Float[np.ndarray, "n m"] | None = None,
    ) -> Generator[MapFrame, None, Layout]:
        """Build the graph, then lay it out epoch by epoch."""
        assert neighbours is not None
        progress.report(0, 0, "UMAP's graph")
        total = self.epochs or (500 if len(features) <= MANY else 200)
        graph = _graph(_with_self(neighbours.first(self.neighbours - 1)))
        graph.data[graph.data < graph.data.max() / float(total if total > 10 else 500)] = 0
        graph.eliminate_zeros()
        random = np.random.RandomState(self.seed)
        points = self._start(reduced(features, self.reduction), graph, random, start)
        layout = Graph(graph, total, random.randint(-(2**31) + 1, 2**31 - 2, 3).astype(np.int64), *self.curve())
        kept = snapshots(total)
        for epoch in layout.epochs(points, points, 1.0):
            progress.report(epoch, total, "UMAP epochs")
            if epoch in kept:
                yield MapFrame(points.copy(), epoch, total)
        progress.report(total, total, "UMAP epochs")
        yield MapFrame(points.copy(), total, total)
        return Layout(points)

    def curve(self) -> tuple[float, float]:
        """The a and b with which w falls off from the minimum distance on."""
        from umap.umap_ import find_ab_params

        a, b = find_ab_params(1.0, float(self.minimum_distance))
        return float(a), float(b)

    def _start(
        self,
        features: Float[np.ndarray, "n d"],
        graph: scipy.sparse.coo_matrix,
        random: np.random.RandomState,
        start: Float[np.ndarray, "n m"] | None,
    ) -> Float[np.ndarray, "n m"]:
        from umap.spectral import spectral_layout
        from umap.umap_ import noisy_scale_coords

        shape = (len(features), self.dimensions)
        if start is not None:
            points = noisy_scale_coords(start - start.mean(axis=0), random)
        elif self.initialization == "random":
            points = random.uniform(low=-10.0, high=10.0, size=shape).astype(np.float32)
        elif self.initialization == "pca":
            axes = principal_axes(features, self.dimensions)
            points = noisy_scale_coords(placed(axes, features, self.dimensions), random)
        else:
            eigenvectors = spectral_layout(features.astype(np.float32), graph, shape[1], random, metric=self.metric)
            points = noisy_scale_coords(eigenvectors, random)
        lowest, extent = points.min(axis=0), np.ptp(points, axis=0)
        return (10.0 * (points - lowest) / extent).astype(np.float32, order="C")


class Graph:
    """A weighted graph as umap-learn lays it out: edges are drawn the more often, the heavier they are."""

    def __init__(
        self, graph: scipy.sparse.coo_matrix, epochs: int, random: Int[np.ndarray, " 3"], a: float, b: float
    ) -> None:
        from umap.umap_ import make_epochs_per_sample

        self._graph = graph
        self._epochs = epochs
        self._random = random
        self._curve = (a, b)
        self._pace = make_epochs_per_sample(graph.data, epochs)

    def epochs(
        self, points: Float[np.ndarray, "m a"], others: Float[np.ndarray, "n a"], rate: float
    ) -> Generator[int, None, None]:
        """Move the points in place, one epoch after each yield; others that are not the points themselves stay."""
        move = _compiled().move
        pushes = self._pace / float(NEGATIVES)
        next_push, next_pull = pushes.copy(), self._pace.copy()
        # Every point has a random stream of its own, so that the order of edges does not matter to it.
        streams = self._random + points[:, :1].astype(np.float64).view(np.int64)
        alpha = rate
        for epoch in range(self._epochs):
            yield epoch
            ends = (self._graph.row, self._graph.col)
            due = (self._pace, pushes, next_pull, next_push)
            move(points, others, *ends, *due, streams, self._curve, alpha, epoch, others is points)
            alpha = rate * (1.0 - epoch / self._epochs)


class _Compiled(NamedTuple):
    smooth: Callable[..., Any]
    memberships: Callable[..., Any]
    move: Callable[..., Any]


@functools.cache
def _compiled() -> _Compiled:
    """umap-learn's loops over the graph, and our own over its edges, compiled for one thread and kept on disk.

    As umap-learn compiles them, anew in each process and for many threads, the first map takes ten seconds longer.
    """
    from umap import umap_

    return _Compiled(
        compiling.exact(umap_.smooth_knn_dist),
        compiling.exact(umap_.compute_membership_strengths),
        compiling.fast(pull_and_push),
    )


def memberships(
    neighbours: Neighbours, others: int, *, connectivity: float, bipartite: bool
) -> scipy.sparse.coo_matrix:
    """How strongly each image belongs to each of its neighbours' neighbourhoods, 0 to 1."""
    distances = np.ascontiguousarray(neighbours.distances, dtype=np.float32)
    indices = np.ascontiguousarray(neighbours.indices, dtype=np.int32)
    sigmas, rhos = _compiled().smooth(distances, float(neighbours.count), local_connectivity=connectivity)
    rows, columns, values, _ = _compiled().memberships(indices, distances, sigmas, rhos, False, bipartite)
    graph = scipy.sparse.coo_matrix((values, (rows, columns)), shape=(len(distances), others))
    graph.eliminate_zeros()
    return graph


def _graph(neighbours: Neighbours) -> scipy.sparse.coo_matrix:
    one_way = memberships(neighbours, len(neighbours.indices), connectivity=1.0, bipartite=False)
    other_way = one_way.T
    # The chance that at least one of two independent edges is there.
    graph = scipy.sparse.coo_matrix(one_way + other_way - one_way.multiply(other_way))
    graph.eliminate_zeros()
    graph.sum_duplicates()
    return graph


def _with_self(neighbours: Neighbours) -> Neighbours:
    own = np.arange(len(neighbours.indices), dtype=np.int32)[:, None]
    return Neighbours(
        np.concatenate([own, neighbours.indices], axis=1),
        np.concatenate([np.zeros_like(neighbours.distances[:, :1]), neighbours.distances], axis=1),
        neighbours.metric,
    )
