"""t-SNE: each image near its nearest neighbours, and all images pushed apart."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import scipy
from jaxtyping import Float

from interp import progress
from interp.embedding import forces
from interp.embedding.checks import varied
from interp.embedding.descent import Descent
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

EARLY = 250
"""How many steps are exaggerated, of 750 or more; a third of fewer."""

LONGEST_STEP = 5.0
SLOWEST = 50.0
"""The learning rate never falls below it: n / exaggeration is too small to unfold some dozens of points."""


@dataclass(frozen=True)
class TSNE(ProjectionMethod):
    """t-distributed stochastic neighbour embedding.

    `perplexity` is, loosely, how many neighbours each image pays heed to; three times as many are looked at.
    `learning_rate` "auto" is n / exaggeration, at least 50. `exaggeration` multiplies attraction during the first 250
    steps. `initialization` "pca" starts from the first principal axes, "random" from a small Gaussian cloud.
    `reduction` takes distances after PCA to so many components (50 is usual where features are noisy); None takes
    them between the features themselves. With "pca" the seed moves the start by 1% only. One of
    the `dimensions` alone gives an order along a line, as for one axis of a figure; images cannot pass each other there
    as easily as in the plane, so fewer neighbours are kept.
    """

    perplexity: float | int = 30
    learning_rate: float | int | Literal["auto"] = "auto"
    exaggeration: float | int = 12
    initialization: Literal["pca", "random"] = "pca"
    metric: Metric = "euclidean"
    iterations: int = 750
    dimensions: int = 2
    reduction: int | None = None
    seed: int = 0

    title: ClassVar[str] = "t-SNE"
    summary: ClassVar[str] = (
        "Gives every image about the same number of neighbours and places the images so that neighbours stay "
        "neighbours, whatever becomes of larger distances."
    )
    formula: ClassVar[str] = (
        r"\min_y \mathrm{KL}(P\Vert Q) = \sum_{i\ne j} p_{ij} \log\frac{p_{ij}}{q_{ij}},\quad "
        r"q_{ij} \propto \left(1 + \lVert y_i - y_j\rVert^2\right)^{-1}"
    )
    source: ClassVar[str] = (
        "van der Maaten and Hinton, Visualizing data using t-SNE (2008); Linderman et al., Fast interpolation-based "
        "t-SNE (2019); how to read it: Wattenberg, Viégas and Johnson, How to use t-SNE effectively (2016)"
    )
    pitfalls: ClassVar[str] = (
        "The size of a cluster and the distance between clusters mean nothing. Noise forms clumps at low perplexity. "
        "Look at several perplexities and seeds before believing a shape."
    )

    def __post_init__(self) -> None:
        check_dimensions(self.dimensions, fewest=1)
        check_reduction(self.reduction)
        if not self.perplexity >= 1:
            raise ValueError(f"A perplexity of {self.perplexity} is not possible: it counts neighbours, from 1.")
        if self.learning_rate != "auto" and not self.learning_rate > 0:
            raise ValueError(f'A learning rate of {self.learning_rate} is not possible: take more than 0, or "auto".')
        if not self.exaggeration >= 1:
            raise ValueError(f"An exaggeration of {self.exaggeration} is not possible: take 1 (none) or more.")
        if self.iterations < 1:
            raise ValueError(f"{self.iterations} iterations move nothing: take at least 1; 750 is usual.")

    @staticmethod
    def largest_perplexity(images: int) -> int:
        """The largest whole perplexity for so many images: a third of each one's others; 0 for fewer than 4."""
        return max(0, (images - 1) // 3)

    def check(self, features: Float[np.ndarray, "n d"]) -> None:
        """Needs more than three times as many images as the perplexity, and not all the same."""
        count = len(features)
        if count < 4:
            raise ValueError(f"t-SNE needs at least 4 images, and there are {count}: add images, or take PCA.")
        if 3 * self.perplexity > count - 1:
            raise ValueError(
                f"A perplexity of {self.perplexity:g} needs at least {int(np.ceil(3 * self.perplexity)) + 1} images, "
                f"and there are {count}: take a perplexity of {self.largest_perplexity(count)} or less, or add images."
            )
        varied(features, self.title)

    def search(self) -> Search:
        """Three neighbours for each unit of perplexity."""
        return Search(max(1, int(3 * self.perplexity)), self.metric, self.reduction)

    def arrange(
        self,
        features: Float[np.ndarray, "n d"],
        neighbours: Neighbours | None,
        start: Float[np.ndarray, "n m"] | None = None,
    ) -> Generator[MapFrame, None, Layout]:
        """Descend along the gradient, frame by frame."""
        assert neighbours is not None
        points = self._start(reduced(features, self.reduction), start)
        joint = affinities(neighbours, self.perplexity)
        early = min(EARLY, self.iterations // 3)
        kept = snapshots(self.iterations)
        descent = Descent(points, LONGEST_STEP)
        for step in range(self.iterations):
            progress.report(step, self.iterations, "t-SNE steps")
            factor = float(self.exaggeration) if step < early else 1.0
            gradient, divergence = forces.gradient(points, joint, factor, with_divergence=step in kept)
            if step in kept:
                yield MapFrame(points.astype(np.float32), step, self.iterations, divergence)
            descent.move(points, gradient, self._rate(len(points), factor))
            points -= points.mean(axis=0)
        progress.report(self.iterations, self.iterations, "t-SNE steps")
        _, divergence = forces.gradient(points, joint, 1.0, with_divergence=True)
        yield MapFrame(points.astype(np.float32), self.iterations, self.iterations, divergence)
        return Layout(points, divergence=divergence)

    def _rate(self, count: int, exaggeration: float) -> float:
        if self.learning_rate == "auto":
            return max(count / exaggeration, SLOWEST)
        return float(self.learning_rate)

    def _start(
        self, features: Float[np.ndarray, "n d"], start: Float[np.ndarray, "n m"] | None
    ) -> Float[np.ndarray, "n m"]:
        """Small, so that attraction decides first: a standard deviation of 1e-4 along the first axis."""
        noise = np.random.default_rng(self.seed).normal(size=(len(features), self.dimensions))
        if start is not None:
            points = start.astype(np.float64) - start.mean(axis=0, dtype=np.float64)
            return 1e-4 * (points / points.std(axis=0).max() + 0.01 * noise)
        if self.initialization == "random":
            return 1e-4 * noise
        points = placed(principal_axes(features, self.dimensions), features, self.dimensions).astype(np.float64)
        return 1e-4 * (points / points[:, 0].std() + 0.01 * noise)


def affinities(neighbours: Neighbours, perplexity: float | int) -> scipy.sparse.csr_matrix:
    """P: how much each pair of images are neighbours, symmetric, summing to 1.

    Each row is a Gaussian of the distances whose entropy is log(perplexity), over three neighbours for each unit of
    perplexity; then P = (P + Pᵀ) / 2n.
    """
    from openTSNE import affinity

    first = neighbours.first(max(1, int(3 * perplexity)))
    joint = affinity.joint_probabilities_nn(
        first.indices, _comparable(first.distances), [float(perplexity)], n_jobs=forces.threads()
    )
    return scipy.sparse.csr_matrix(joint)


def affinities_to(neighbours: Neighbours, perplexity: float | int, others: int) -> scipy.sparse.csr_matrix:
    """How much each new image is a neighbour of each of so many others; each row sums to 1."""
    from openTSNE import affinity

    first = neighbours.first(max(1, int(3 * perplexity)))
    rows = affinity.joint_probabilities_nn(
        first.indices,
        _comparable(first.distances),
        [float(perplexity)],
        symmetrize=False,
        normalization="point-wise",
        n_reference_samples=others,
        n_jobs=forces.threads(),
    )
    return scipy.sparse.csr_matrix(rows)


def _comparable(distances: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Distances that give each row the same Gaussian weights, and are about 1.

    exp(−β d²) is the same, up to its sum, with the nearest one's d² taken off and β in other units. As they come, far
    neighbours' weights vanish before openTSNE's search has found β.
    """
    squares = distances.astype(np.float64) ** 2
    squares -= squares[:, :1]
    mean = squares.mean(axis=1, keepdims=True)
    return np.sqrt(squares / np.where(mean > 0, mean, 1.0))
