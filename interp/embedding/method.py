"""What every projection method is, and what it gives: a map, how it came about, and how far to trust it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from interp.embedding.neighbours import Metric, Neighbours
from interp.embedding.quality import Quality
from interp.types import Fingerprinted

FRAMES = 45
"""How many frames an optimization leaves, at most."""


@dataclass(frozen=True, eq=False)
class MapFrame:
    """The map before a step of the optimization; the last frame is the finished map.

    `divergence` is, for t-SNE, KL(P‖Q) of this very map, without exaggeration.
    """

    points: Float[np.ndarray, "n m"]
    step: int
    total: int
    divergence: float | None = None


@dataclass(frozen=True, eq=False)
class Layout:
    """What a method computes: the points, and what it knows of its own success."""

    points: Float[np.ndarray, "n m"]
    explained: Float[np.ndarray, " a"] | None = None
    divergence: float | None = None


@dataclass(frozen=True)
class Search:
    """Which neighbours a method asks for; methods that differ in `count` only share one search.

    `reduction` is the number of principal components among which distances are taken, None for the features
    themselves.
    """

    count: int
    metric: Metric
    reduction: int | None


@dataclass(frozen=True)
class ProjectionMethod(ABC):
    """A projection method. Subclasses are frozen dataclasses of its parameters, equal by type and fields.

    The class attributes are for the reader: `title`, a one-sentence `summary`, the `formula` in LaTeX, the `source`,
    and the `pitfalls`, what a reader is known to see in such maps that is not in the features.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    formula: ClassVar[str]
    source: ClassVar[str]
    pitfalls: ClassVar[str]

    @abstractmethod
    def check(self, features: Float[np.ndarray, "n d"]) -> None:
        """Raise `ValueError`, saying what would be right, where the features cannot be arranged so."""

    @abstractmethod
    def search(self) -> Search | None:
        """The neighbours that the method starts from; None where it needs none."""

    @abstractmethod
    def arrange(
        self,
        features: Float[np.ndarray, "n d"],
        neighbours: Neighbours | None,
        start: Float[np.ndarray, "n m"] | None = None,
    ) -> Generator[MapFrame, None, Layout]:
        """The map, from checked features and the neighbours asked for; the frames as they come.

        `start` is a map to begin at instead of the method's own beginning; a method without one ignores it.
        """


@dataclass(frozen=True, eq=False)
class Projection(Fingerprinted):
    """A map of images, one point each, in single precision, with the frames of its making and its quality.

    Equal calls give equal maps. Where a point lies means nothing by itself, nor does a map's rotation or reflection.
    """

    points: Float[np.ndarray, "n m"]
    frames: tuple[MapFrame, ...]
    quality: Quality
    method: ProjectionMethod

    def __len__(self) -> int:
        return len(self.points)


def snapshots(steps: int) -> frozenset[int]:
    """The steps before which a frame is kept: every one at first, then ever fewer."""
    return frozenset(round(steps * (i / (FRAMES - 1)) ** 2) for i in range(FRAMES - 1))


def check_dimensions(dimensions: int, fewest: int = 2) -> None:
    """Raise `ValueError` for a map that cannot be drawn, or has fewer dimensions than the method gives."""
    if not fewest <= dimensions <= 3:
        possible = ", ".join(str(one) for one in range(fewest, 3))
        raise ValueError(f"A map in {dimensions} dimensions cannot be drawn: take {possible} or 3.")


def check_reduction(reduction: int | None) -> None:
    """Raise `ValueError` for a number of principal components that is not one."""
    if reduction is not None and reduction < 1:
        raise ValueError(f"A reduction to {reduction} principal components is not possible: take 1 or more, or None.")
