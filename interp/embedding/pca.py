"""Principal component analysis: the flat shadow that keeps the most variance."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from interp.embedding.method import Frame, Layout, Method, check_dimensions
from interp.embedding.neighbours import Neighbours

CURVE = 50
"""How many axes the curve of explained variance shows."""


@dataclass(frozen=True, eq=False)
class Axes:
    """The directions of greatest variance, longest first, each of length 1, and the share that each carries.

    Directions are signed so that their largest entry is positive. `explained` adds up to at most 1.
    """

    mean: Float[np.ndarray, " d"]
    directions: Float[np.ndarray, "a d"]
    explained: Float[np.ndarray, " a"]

    def project(self, features: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m a"]:
        """The coordinates of some images along the axes."""
        return (features - self.mean) @ self.directions.T


@dataclass(frozen=True)
class PCA(Method):
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
        """Any features will do; equal ones, or one image alone, give a single spot."""

    def search(self) -> None:
        """PCA starts from no neighbours."""

    def arrange(
        self, features: Float[np.ndarray, "n d"], neighbours: Neighbours | None
    ) -> Generator[Frame, None, Layout]:
        """The map in one step; axes that the features do not have stay 0."""
        axes = principal_axes(features, max(CURVE, self.dimensions))
        points = placed(axes, features, self.dimensions)
        yield Frame(points.astype(np.float32), 1, 1)
        return Layout(points, explained=axes.explained)


def placed(axes: Axes, features: Float[np.ndarray, "m d"], dimensions: int) -> Float[np.ndarray, "m a"]:
    """Images on the first axes, with zeros where there are fewer axes than dimensions."""
    points = axes.project(features)[:, :dimensions]
    return np.pad(points, ((0, 0), (0, dimensions - points.shape[1])))


def principal_axes(features: Float[np.ndarray, "n d"], count: int) -> Axes:
    """The first `count` axes, or as many as the features have, exactly.

    From the eigenvectors of the smaller of XᵀX and XXᵀ, so that neither many images nor many features cost much:
    scikit-learn's exact solver takes 20 times longer for 600 images of 86,528 features, and its randomized one
    differs in the second digit.
    """
    given = torch.from_numpy(np.ascontiguousarray(features))
    mean = given.mean(dim=0)
    centred = given - mean
    images, width = centred.shape
    products = centred.T @ centred if width <= images else centred @ centred.T
    values, vectors = torch.linalg.eigh(products.double())
    total = float(values.clamp(min=0).sum())
    # Rounding leaves the eigenvalues that should be zero at some 1e-7 of the largest (single precision).
    kept = min(count, int((values > max(images, width) * torch.finfo(given.dtype).eps * values[-1]).sum()))
    values, vectors = values.flip(0)[:kept], vectors.flip(1)[:, :kept]
    directions = vectors if width <= images else (centred.T @ vectors.to(given.dtype)).double()
    directions = _signed(directions / directions.norm(dim=0).clamp(min=1e-300)).to(given.dtype)
    explained = values / total if total > 0 else values
    return Axes(mean.numpy(), directions.T.numpy(), explained.numpy())


def reduced(features: Float[np.ndarray, "n d"], reduction: int | None) -> Float[np.ndarray, "n a"]:
    """The features on so many principal axes; as they are for None, or where they have no more."""
    if reduction is None or reduction >= features.shape[1]:
        return features
    return principal_axes(features, reduction).project(features)


def _signed(directions: Float[Tensor, "d a"]) -> Float[Tensor, "d a"]:
    if not directions.shape[1]:
        return directions
    largest = directions.abs().argmax(dim=0, keepdim=True)
    return directions * torch.where(directions.gather(0, largest) < 0, -1.0, 1.0)
