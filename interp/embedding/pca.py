"""Principal component analysis: the flat shadow that keeps the most variance."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float

from interp.embedding.checks import usable
from interp.embedding.method import Layout, MapFrame, ProjectionMethod, check_dimensions
from interp.embedding.neighbours import Neighbours

CURVE = 50
"""How many axes the curve of explained variance shows."""


AT_ONCE = 2**20
"""How many values are taken in double precision at once: few enough to stay near the processor."""

LARGEST = 1e37
"""Greater features would leave single precision, in which a map is kept, along an axis."""

ALIKE = 1e-6
"""Entries of a direction that differ by less are equally large: which of them is greater is left to rounding."""


@dataclass(frozen=True, eq=False)
class Axes:
    """The directions of greatest variance, longest first, each of length 1, and the share that each carries.

    Directions are signed so that their largest entry is positive, the first one of several. `explained` adds up to at
    most 1. All in double precision, whatever the features are in.
    """

    mean: Float[np.ndarray, " d"]
    directions: Float[np.ndarray, "a d"]
    explained: Float[np.ndarray, " a"]

    def project(self, features: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m a"]:
        """The coordinates of some images along the axes, summed in double precision, in the features' own."""
        points = np.empty((len(features), len(self.directions)), features.dtype)
        for part in _parts(len(features), features.shape[1]):
            points[part] = (features[part] - self.mean) @ self.directions.T
        return points


@dataclass(frozen=True)
class PCA(ProjectionMethod):
    """Principal component analysis: linear, without a parameter to tune, the same every time.

    The curve of explained variance comes with `quality.explained`, up to 50 axes.
    """

    dimensions: int = 2

    title: ClassVar[str] = "PCA"
    summary: ClassVar[str] = (
        "Turns the features so that the first axes carry as much of their variance as possible, and drops the others."
    )
    formula: ClassVar[str] = r"y_i = W^\top (x_i - \bar x), \quad W = \arg\max_{W^\top W = I} \sum_i \lVert y_i\rVert^2"
    source: ClassVar[str] = "Pearson, On lines and planes of closest fit to systems of points in space (1901)"
    pitfalls: ClassVar[str] = (
        "What differs along dropped axes falls on one spot: look at the explained variance. Distances on the map are "
        "never larger than the true ones, and often much smaller. A few features with large values decide the axes."
    )

    def __post_init__(self) -> None:
        check_dimensions(self.dimensions)

    def check(self, features: Float[np.ndarray, "n d"]) -> None:
        """Any features up to 1e37 will do; equal ones, or one image alone, give a single spot."""
        largest = float(np.abs(features).max())
        if largest > LARGEST:
            raise ValueError(
                f"Features reach {largest:.1e}, and points of a map are kept in single precision: divide all of them "
                f"by one number, so that they stay below {LARGEST:.0e}."
            )

    def search(self) -> None:
        """PCA starts from no neighbours."""

    def arrange(
        self,
        features: Float[np.ndarray, "n d"],
        neighbours: Neighbours | None,
        start: Float[np.ndarray, "n m"] | None = None,
    ) -> Generator[MapFrame, None, Layout]:
        """The map in one step; axes that the features do not have stay 0."""
        axes = principal_axes(features, max(CURVE, self.dimensions))
        points = placed(axes, features, self.dimensions)
        yield MapFrame(points.astype(np.float32), 1, 1)
        return Layout(points, explained=axes.explained)


def placed(axes: Axes, features: Float[np.ndarray, "m d"], dimensions: int) -> Float[np.ndarray, "m a"]:
    """Images on the first axes, with zeros where there are fewer axes than dimensions."""
    points = axes.project(features)[:, :dimensions]
    return np.pad(points, ((0, 0), (0, dimensions - points.shape[1])))


def principal_axes(features: Float[np.ndarray, "n d"], count: int) -> Axes:
    """The first `count` axes, or as many as the features have.

    From the eigenvectors of the smaller of XᵀX and XXᵀ, so that neither many images nor many features cost much:
    scikit-learn's exact solver takes 20 times longer for 600 images of 86,528 features, and its randomized one
    differs in the second digit. Products are summed in double precision; an axis whose variance is below some
    1e-16 · max(n, d) of the first one's cannot be told from rounding, and is left out. Raises `ValueError` for
    features that are not finite.
    """
    given = usable(features)
    images, width = given.shape
    centred = _Centred(given if width <= images else given.T, across=width > images)
    values, vectors = (found.numpy() for found in torch.linalg.eigh(torch.from_numpy(centred.products())))
    values, vectors = values[::-1], vectors[:, ::-1]
    total = float(values.clip(min=0).sum())
    limit = max(images, width) * np.finfo(np.float64).eps * values[0]
    kept = min(count, int((values > limit).sum()))
    values, vectors = values[:kept], vectors[:, :kept]
    directions = vectors if width <= images else centred.times(vectors)
    directions = _signed(directions / np.linalg.norm(directions, axis=0))
    return Axes(centred.mean, directions.T, values / total if total > 0 else values)


class _Centred:
    """Features, or their transpose where there are more of them than images, centred and of a size to be squared.

    Never held as a whole, which would take twice the memory of single precision.
    """

    def __init__(self, rows: Float[np.ndarray, "r c"], across: bool) -> None:
        self._rows = rows
        # The squares of single precision are within the range of double.
        self._scale = 1.0 if rows.dtype == np.float32 else max(float(rows.max()), -float(rows.min())) or 1.0
        # What is the same in all images is subtracted exactly, while a mean of it may be rounded.
        first = self._scaled(rows[:, :1] if across else rows[:1]).astype(np.float64)
        apart = ((where, self._scaled(rows[where]) - first[where if across else slice(1)]) for where in self._parts())
        if across:
            middle = np.concatenate([part.mean(axis=1, keepdims=True) for _, part in apart])
        else:
            middle = sum((part.sum(axis=0, keepdims=True) for _, part in apart), np.zeros(())) / len(rows)
        self._centre = np.broadcast_to(first + middle, rows.shape)
        self.mean: Float[np.ndarray, " d"] = ((first + middle) * self._scale).ravel()

    def products(self) -> Float[np.ndarray, "c c"]:
        """The products of all pairs of columns, by NumPy, which finds each pair's once."""
        return sum((part.T @ part for part in self._each()), np.zeros(()))

    def times(self, vectors: Float[np.ndarray, "c a"]) -> Float[np.ndarray, "r a"]:
        """The rows along some vectors."""
        return np.concatenate([part @ vectors for part in self._each()])

    def _each(self) -> Iterator[Float[np.ndarray, "p c"]]:
        return (self._scaled(self._rows[where]) - self._centre[where] for where in self._parts())

    def _parts(self) -> Iterator[slice]:
        return _parts(*self._rows.shape)

    def _scaled(self, rows: Float[np.ndarray, "p c"]) -> Float[np.ndarray, "p c"]:
        return rows if self._scale == 1 else rows / self._scale


def _parts(rows: int, columns: int) -> Iterator[slice]:
    """Consecutive rows, few enough at once."""
    at_once = max(1, AT_ONCE // columns)
    return (slice(start, start + at_once) for start in range(0, rows, at_once))


def reduced(features: Float[np.ndarray, "n d"], reduction: int | None) -> Float[np.ndarray, "n a"]:
    """The features on so many principal axes; as they are for None, or where they have no more."""
    if reduction is None or reduction >= features.shape[1]:
        return features
    return principal_axes(features, reduction).project(features)


def _signed(directions: Float[np.ndarray, "d a"]) -> Float[np.ndarray, "d a"]:
    magnitudes = np.abs(directions)
    largest = (magnitudes >= (1 - ALIKE) * magnitudes.max(axis=0)).argmax(axis=0)
    return directions * np.where(np.take_along_axis(directions, largest[None], axis=0) < 0, -1.0, 1.0)
