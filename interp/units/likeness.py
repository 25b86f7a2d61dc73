"""Images in which a layer does what it does in one cell of a photograph: the same channels, as strong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import avg_pool2d

from interp.images import ImageSet
from interp.models import hooks, inputs
from interp.passes.grids import on_grid
from interp.types import Classifier, Fingerprinted
from interp.units.counts import DIGITS, Batch, MapCount, fixed

Measure = Literal["strength", "pattern"]
"""How two activation vectors a and v are compared: by 'strength', 2 a·v / (|a|² + |v|²), which is 1 only where they are
equal (Dice's coefficient for real numbers: the cosine times 2 |a| |v| / (|a|² + |v|²)); by 'pattern', the cosine
a·v / (|a| |v|), which does not ask how strong they are."""
BINS = 40
"""Similarities, from -1 to 1, are counted by so many equal bins."""


@dataclass(frozen=True, eq=False)
class LikeCells(Fingerprinted):
    """The cells of n images that are most like a given one, each image by its best cell, the most similar first.

    `values` are their similarities, in [-1, 1], `images` positions in the set, `places` the row and column of the grid
    of cells, and `strengths` the activations there of the channels that the count tells of (`CellLikeness.told`). Where
    there are fewer images, -1 and -inf stand. Over all `count` images, `total` is the sum of each one's best
    similarity, and `spread` counts these by size, in equal bins from -1 to 1.
    """

    count: int
    values: Float[np.ndarray, " n"]
    images: Int[np.ndarray, " n"]
    places: Int[np.ndarray, "n 2"]
    strengths: Float[np.ndarray, "n m"]
    total: int
    spread: Int[np.ndarray, " bins"]

    @property
    def mean(self) -> float:
        """The mean over images of the similarity of the best cell: what any image has; nan where there is none."""
        return self.total * 2.0**-DIGITS / self.count if self.count else float("nan")


@dataclass(frozen=True, eq=False)
class CellLikeness(MapCount[LikeCells]):
    """How much cells of a layer are like one whose activation `vector` is given: the best cell of each image counts.

    A cell is a block of `block` × `block` positions, smaller at the right and lower edge, and its vector the mean over
    them (as `interp.channels.CellGrid` has it). Only the cell `at` this row and column counts, or every one (None).
    Vectors are compared in the `channels` alone (all, where None), by `measure`; two of which one is zero there have
    the similarity 0. The image at position `own` is left out: it holds the cell. Of equals the image that comes first
    in the set counts, and the first of its cells, row by row. Raises `ValueError` for a vector that is zero in the
    channels, and for channels and blocks that there cannot be.
    """

    vector: Float[np.ndarray, " k"]
    at: tuple[int, int] | None = None
    channels: tuple[int, ...] | None = None
    measure: Measure = "strength"
    block: int = 1
    own: int = -1
    told: tuple[int, ...] = ()
    top: int = 24

    def __post_init__(self) -> None:
        if self.block < 1 or self.top < 1:
            raise ValueError(
                f"Blocks of {self.block} positions, and the {self.top} most similar, cannot be: give 1 up."
            )
        outside = [one for one in (*self._used, *self.told) if not 0 <= one < len(self.vector)]
        if outside:
            raise ValueError(f"There is no channel {outside[0]}: the vector has {len(self.vector)}, from 0.")
        if not np.abs(self.vector[self._used]).sum() > 0:
            raise ValueError("Nothing is active in the cell, so nothing can be as active: choose another one.")

    @property
    def _used(self) -> list[int]:
        return list(range(len(self.vector))) if self.channels is None else list(self.channels)

    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> LikeCells:
        """The best cells of some images."""
        given = torch.from_numpy(self.vector).to(maps)[self._used]
        found = []
        # One by one, so that the sums are the same whichever images run together.
        for position, one in zip(batch.positions.tolist(), maps, strict=True):
            if position == self.own:
                continue
            cells = joined(one, self.block)
            alike = similarity(cells[self._used], given, self.measure)
            row, column = self._place(alike)
            told = cells[list(self.told), row, column].cpu().numpy()
            found.append((float(alike[row, column]), position, (row, column), told))
        if not found:
            return self.blank(classifier)
        values = np.array([one[0] for one in found], np.float32)
        found_in = np.array([one[1] for one in found], np.int32)
        places = np.array([one[2] for one in found], np.int32)
        strengths = np.stack([one[3] for one in found]).astype(np.float32)
        spread = np.bincount(((values + 1) / 2 * BINS).astype(int).clip(0, BINS - 1), minlength=BINS)
        best = self._best(values, found_in, places, strengths)
        return LikeCells(len(found), *best, int(fixed(values).sum()), spread.astype(np.int64))

    def blank(self, classifier: Classifier) -> LikeCells:
        """The best cells of no image."""
        none = (np.zeros(0, np.float32), np.zeros(0, np.int32), np.zeros((0, 2), np.int32))
        best = self._best(*none, np.zeros((0, len(self.told)), np.float32))
        return LikeCells(0, *best, 0, np.zeros(BINS, np.int64))

    def merged(self, values: Sequence[LikeCells]) -> LikeCells:
        """The best cells of the images of all."""
        there = [one.images >= 0 for one in values]
        joined_up = (
            np.concatenate([getattr(one, name)[some] for one, some in zip(values, there, strict=True)])
            for name in ("values", "images", "places", "strengths")
        )
        return LikeCells(
            sum(one.count for one in values),
            *self._best(*joined_up),
            sum(one.total for one in values),
            np.sum([one.spread for one in values], axis=0),
        )

    def _place(self, alike: Float[Tensor, "rows columns"]) -> tuple[int, int]:
        if self.at is None:
            row, column = divmod(int(alike.argmax()), alike.shape[1])
            return row, column
        if not all(0 <= one < size for one, size in zip(self.at, alike.shape, strict=True)):
            rows, columns = alike.shape
            raise ValueError(f"There is no cell {self.at}: {rows} rows and {columns} columns count from 0.")
        return self.at

    def _best(
        self, values: np.ndarray, images: np.ndarray, places: np.ndarray, strengths: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        order = np.lexsort((images, -values))[: self.top]
        missing = ((0, self.top - len(order)),)
        return (
            np.pad(values[order], missing, constant_values=-np.inf),
            np.pad(images[order], missing, constant_values=-1),
            np.pad(places[order], (*missing, (0, 0)), constant_values=-1),
            np.pad(strengths[order], (*missing, (0, 0))),
        )


def joined(maps: Float[Tensor, "k u v"], block: int) -> Float[Tensor, "k rows columns"]:
    """The means over blocks of positions; those at the right and lower edge may be smaller."""
    return maps if block == 1 else avg_pool2d(maps[None], block, ceil_mode=True)[0]


def similarity(
    cells: Float[Tensor, "m rows columns"], vector: Float[Tensor, " m"], measure: Measure
) -> Float[Tensor, "rows columns"]:
    """How much each cell's vector is like the one given (`Measure`), in [-1, 1]; 0 where one of them is zero."""
    both = (cells * vector[:, None, None]).sum(dim=0)
    own, given = cells.square().sum(dim=0), vector.square().sum()
    below = (own + given) / 2 if measure == "strength" else (own * given).sqrt()
    return torch.where(below > 0, both / below, torch.zeros_like(both)).clamp(-1, 1)


def cell_vectors(
    classifier: Classifier, photos: ImageSet, position: int, layer: str, block: int = 1
) -> Float[Tensor, "k rows columns"]:
    """What a layer gives for one image of a set, as cells: what `CellLikeness.vector` is taken from.

    Raises `UnreadableImage` for one that cannot be read, and `ValueError` for a layer that there is not.
    """
    place = classifier.layer(layer)
    images = inputs.read(classifier, photos, (position,))
    taken: list[Tensor] = []

    def take(output: Tensor) -> None:
        # Copied: what follows may write over it.
        taken.append(on_grid(output.detach(), place)[0].float().cpu().clone())

    with torch.no_grad(), hooks.observed(classifier, {place.name: take}):
        classifier.module(images.pixels)
    return joined(taken[-1], block)


def strongest_channels(vector: Float[np.ndarray, " k"], count: int) -> tuple[int, ...]:
    """The channels with the largest activations above 0, the largest first, at most so many."""
    order = np.argsort(-vector, kind="stable")[:count]
    return tuple(int(one) for one in order if vector[one] > 0)
