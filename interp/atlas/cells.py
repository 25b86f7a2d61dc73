"""A map of samples cut into a grid of cells, each with the mean of what is seen there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from interp.atlas.sampling import PositionSamples, strongest
from interp.types import Fingerprinted

LEAST = 5
"""A cell with fewer samples has no mean worth looking at: as in the published recipe, which wants more than 5."""
NEAREST = 9
MARGIN = 1.0
"""The percentile at each end of the map beyond which points are moved to the edge, so that few do not shrink all."""
LENGTH = 1e-12


@dataclass(frozen=True, eq=False)
class MapExtent(Fingerprinted):
    """The rectangle of a map that grids are laid over: its lowest and highest x and y."""

    low: Float[np.ndarray, " 2"]
    high: Float[np.ndarray, " 2"]

    @classmethod
    def of(cls, points: Float[np.ndarray, "n 2"]) -> MapExtent:
        """From the 1st to the 99th percentile of each axis, alike at both ends."""
        low, high = np.percentile(points, [MARGIN, 100 - MARGIN], axis=0)
        return cls(low, high)

    def within(self, points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Points in [0, 1] from left to right and from the top down; those outside are moved to the edge."""
        extent = np.where(self.high > self.low, self.high - self.low, 1.0)
        inside = np.clip((points - self.low) / extent, 0, 1)
        return np.stack([inside[:, 0], 1 - inside[:, 1]], axis=1)


@dataclass(frozen=True, eq=False)
class AtlasCells(Fingerprinted):
    """The m cells of a `grid` × `grid` map that hold enough samples, row by row (Carter et al. 2019).

    `row` 0 is at the top. `mean` is the mean of a cell's activation vectors, `attribution` that of its samples'
    attributions to c classes, in logits, and `label` the class with the largest; -1 where none is above 0. `mixedness`
    in [0, 1) is the chance that two of its samples, drawn with replacement, are labelled otherwise, 1 − Σ p², where a
    sample's label is the class that it adds most to. `nearest` are the samples nearest to the mean by the cosine,
    nearest first, -1 where there are fewer; `members` says of each sample in which cell it is, -1: in none.
    """

    grid: int
    row: Int[np.ndarray, " m"]
    column: Int[np.ndarray, " m"]
    count: Int[np.ndarray, " m"]
    mean: Float[np.ndarray, "m k"]
    attribution: Float[np.ndarray, "m c"]
    label: Int[np.ndarray, " m"]
    mixedness: Float[np.ndarray, " m"]
    nearest: Int[np.ndarray, "m p"]
    members: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.row)

    def at(self, row: int, column: int) -> int:
        """The number of the cell there; -1 where no cell holds enough samples."""
        found = np.flatnonzero((self.row == row) & (self.column == column))
        return int(found[0]) if len(found) else -1

    def samples_of(self, cell: int) -> Int[np.ndarray, " s"]:
        """The samples of a cell. Raises `ValueError` for a cell that there is not."""
        if not 0 <= cell < len(self):
            raise ValueError(f"Cell {cell} does not exist: there are {len(self)}, numbered from 0.")
        return np.flatnonzero(self.members == cell)


def cells(
    samples: PositionSamples,
    places: Float[np.ndarray, "n 2"],
    grid: int,
    *,
    least: int = LEAST,
    nearest: int = NEAREST,
    chosen: Bool[np.ndarray, " n"] | None = None,
) -> AtlasCells:
    """The cells of samples that lie at `places` in [0, 1] of the map.

    Cells with fewer than `least` samples are left out, with their samples. `chosen` are the samples that count (None:
    all). Raises `ValueError` for a grid without cells, or where no cell holds enough samples.
    """
    if grid < 1 or least < 1:
        raise ValueError(f"A grid of {grid} cells a side, of {least} samples at least, holds nothing: take 1 or more.")
    if len(places) != len(samples):
        raise ValueError(f"There are {len(places)} places for {len(samples)} samples: give one for each.")
    column, row = np.minimum((places * grid).astype(np.int64), grid - 1).T
    flat = row * grid + column
    if chosen is not None:
        flat = np.where(chosen, flat, -1)
    counts = np.bincount(flat[flat >= 0], minlength=grid * grid)
    kept = np.flatnonzero(counts >= least)
    if not len(kept):
        raise ValueError(
            f"No cell of {grid} × {grid} holds {least} samples of {len(samples):,}: take a coarser grid, fewer samples "
            "a cell, or more images."
        )
    number = np.full(grid * grid + 1, -1)
    number[kept] = np.arange(len(kept))
    members = number[flat]
    groups = _groups(members, len(kept))
    mean, attribution = (_means(one, groups) for one in (samples.activations, samples.attributions))
    return AtlasCells(
        grid,
        kept // grid,
        kept % grid,
        counts[kept],
        mean,
        attribution,
        strongest(attribution),
        _mixedness(samples.labels, members, len(kept), attribution.shape[1]),
        _nearest(samples.activations, mean, groups, nearest),
        members,
    )


def _groups(members: Int[np.ndarray, " n"], count: int) -> list[Int[np.ndarray, " _"]]:
    """The samples of each cell, in their order."""
    order = np.argsort(members, kind="stable")
    return np.split(order, np.searchsorted(members[order], np.arange(count + 1)))[1:-1]


def _means(values: Float[np.ndarray, "n k"], groups: Sequence[Int[np.ndarray, " _"]]) -> Float[np.ndarray, "m k"]:
    """The mean of each cell's rows, summed in double precision; cell by cell, as all at once would be a copy of all."""
    found = np.zeros((len(groups), values.shape[1]), np.float32)
    for cell, own in enumerate(groups):
        found[cell] = values[own].mean(axis=0, dtype=np.float64)
    return found


def _mixedness(
    labels: Int[np.ndarray, " n"], members: Int[np.ndarray, " n"], count: int, classes: int
) -> Float[np.ndarray, " m"]:
    inside = members >= 0
    # Those that add to no class are a kind of their own.
    pairs = members[inside] * (classes + 1) + labels[inside] + 1
    kinds, of_kind = np.unique(pairs, return_counts=True)
    cell = kinds // (classes + 1)
    whole = np.bincount(members[inside], minlength=count)
    return 1 - np.bincount(cell, weights=(of_kind / whole[cell]) ** 2, minlength=count)


def _nearest(
    activations: Float[np.ndarray, "n k"],
    means: Float[np.ndarray, "m k"],
    groups: Sequence[Int[np.ndarray, " _"]],
    count: int,
) -> Int[np.ndarray, "m p"]:
    found = np.full((len(means), count), -1)
    for cell, own in enumerate(groups):
        vectors = activations[own]
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(means[cell])
        cosines = np.einsum("nk,k->n", vectors, means[cell]) / np.maximum(lengths, LENGTH)
        chosen = own[np.argsort(-cosines, kind="stable")[:count]]
        found[cell, : len(chosen)] = chosen
    return found
