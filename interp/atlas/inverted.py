"""What is inverted of an atlas, and what comes out: the pictures of its cells, beside the best real samples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from interp.feature_visualization.objectives import LEAST_COSINE
from interp.types import Fingerprinted

LEAST_LENGTH = 1e-12
AT_ONCE = 4096


def score(
    activations: Float[np.ndarray, "n k"], vectors: Float[np.ndarray, "m k"], power: float | int
) -> Float[np.ndarray, "n m"]:
    """How far each activation vector goes towards each of some vectors: a·v · max(cos(a, v), 0.1)^power.

    What inverted pictures make large (Carter et al. 2019), as `feature_visualization.Direction` has it at one position.
    An activation of zeros scores 0, as does anything with a vector of zeros; against its direction a score is negative.
    """
    dots = activations.astype(np.float64) @ vectors.astype(np.float64).T
    lengths = np.linalg.norm(activations, axis=1)[:, None] * np.linalg.norm(vectors, axis=1)
    cosines = dots / np.maximum(lengths.astype(np.float64), LEAST_LENGTH)
    return dots * np.maximum(cosines, LEAST_COSINE) ** float(power)


def best_real(
    activations: Float[np.ndarray, "n k"], vectors: Float[np.ndarray, "m k"], power: float | int
) -> Float[np.ndarray, " m"]:
    """The best score with each vector that any of the samples has: what its picture is to beat.

    Raises `ValueError` for no samples.
    """
    if not len(activations):
        raise ValueError("There are no samples for pictures to be compared with: give their activations.")
    starts = range(0, len(activations), AT_ONCE)
    return np.max([score(activations[at : at + AT_ONCE], vectors, power).max(axis=0) for at in starts], axis=0)


@dataclass(frozen=True, eq=False)
class LevelTargets(Fingerprinted):
    """What is to be inverted of one grid: a vector for each of m cells, and the best score a real sample has with it.

    `grid` is the number of cells a side, `rows` and `columns` from 0 say where each cell is, and `vectors` are the
    means of their activations, or directions made of these. `best` is what `best_real` gives with the power of the
    settings. A vector of zeros points nowhere: its cell gets no picture. Raises `ValueError` for what does not fit
    together, a cell outside the grid or given twice, and vectors or scores that are not finite.
    """

    grid: int
    rows: Int[np.ndarray, " m"]
    columns: Int[np.ndarray, " m"]
    vectors: Float[np.ndarray, "m k"] = field(repr=False)
    best: Float[np.ndarray, " m"] = field(repr=False)

    def __post_init__(self) -> None:
        counts = [len(one) for one in (self.rows, self.columns, self.vectors, self.best)]
        if len(set(counts)) > 1:
            raise ValueError(
                f"The grid of {self.grid} has {counts[0]} rows, {counts[1]} columns, {counts[2]} vectors and "
                f"{counts[3]} best scores: give one of each for every cell."
            )
        places = np.stack([self.rows, self.columns])
        if places.size and (places.min() < 0 or places.max() >= self.grid):
            raise ValueError(f"A cell lies outside of the grid: rows and columns go from 0 to {self.grid - 1}.")
        if len(np.unique(self.rows * self.grid + self.columns)) < len(self.rows):
            raise ValueError(f"A cell of the grid of {self.grid} is given twice: give each once.")
        for values, what in ((self.vectors, "vector"), (self.best[:, None], "best score")):
            wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
            if len(wrong):
                place = f"row {self.rows[wrong[0]]}, column {self.columns[wrong[0]]}"
                raise ValueError(
                    f"The {what} of {len(wrong)} cells of the grid of {self.grid} is not finite, first at {place}: "
                    "leave out samples with activations that are not numbers."
                )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def pointing(self) -> Bool[np.ndarray, " m"]:
        """Whose vector points somewhere: not all of it is 0."""
        return (self.vectors != 0).any(axis=1)

    def parents(self, coarser: LevelTargets, usable: Bool[np.ndarray, " p"]) -> Int[np.ndarray, " m"]:
        """Of each cell the coarser grid's cell that its middle lies in, or else the nearest one.

        Only `usable` ones count; -1 where there is none.
        """
        there = np.flatnonzero(usable)
        if not len(there):
            return np.full(len(self), -1)
        middles = np.stack([self.rows, self.columns], axis=1) + 0.5
        coarse = (np.stack([coarser.rows, coarser.columns], axis=1)[there] + 0.5) * (self.grid / coarser.grid)
        # The largest of both differences, so that of a cell on an edge the one that holds it is always the nearest.
        apart = np.abs(middles[:, None] - coarse[None]).max(axis=2)
        return there[apart.argmin(axis=1)]


@dataclass(frozen=True, eq=False)
class InvertedLevel(Fingerprinted):
    """The pictures of one grid's cells, in the order of its `LevelTargets`.

    `scores` are those of the finished pictures, without transforms, at the position that they were made for; nan where
    none is `made` yet, and such pictures are grey. `beats` says where a picture's score is above that of the best real
    sample.
    """

    grid: int
    pictures: UInt8[np.ndarray, "m h w 3"]
    scores: Float[np.ndarray, " m"]
    made: Bool[np.ndarray, " m"]
    beats: Bool[np.ndarray, " m"]

    @property
    def share(self) -> float | None:
        """The share of the made pictures that beat every real sample, in [0, 1]; None where none is made."""
        return float(self.beats.sum() / self.made.sum()) if self.made.any() else None


@dataclass(frozen=True, eq=False)
class Inverted(Fingerprinted):
    """The pictures of an atlas's cells so far, coarse grids first; `complete` where no more are to come."""

    levels: tuple[InvertedLevel, ...]
    complete: bool

    def level(self, grid: int) -> InvertedLevel:
        """The pictures of one of its grids. Raises `ValueError` for one that it does not have."""
        for one in self.levels:
            if one.grid == grid:
                return one
        offered = ", ".join(str(one.grid) for one in self.levels)
        raise ValueError(f"No grid of {grid} cells a side was inverted: there are {offered}.")
