"""What each image of a set does to each unit, and what is known of it: rows that descriptions are made and tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.types import Classifier, Fingerprinted
from interp.units.counts import Batch, MapCount
from interp.units.looks import COUNT, looks
from interp.units.truth import Names, in_order


@dataclass(frozen=True, eq=False)
class ImageRows(Fingerprinted):
    """n images of a set, in its order: the largest and the mean activation of each of k units, and what is in them.

    `labels` are classes (-1: none); `areas` the share of the picture that each of c concepts covers; `known` says of
    which of g categories something is known in the image; `looks` are those of `interp.units.looks`.
    """

    layer: str
    concepts: Names
    categories: tuple[str, ...]
    positions: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    peaks: Float[np.ndarray, "n k"]
    means: Float[np.ndarray, "n k"]
    areas: Float[np.ndarray, "n c"]
    known: Bool[np.ndarray, "n g"]
    looks: Float[np.ndarray, "n looks"]

    def __len__(self) -> int:
        return len(self.positions)

    def at(self, positions: Int[np.ndarray, " m"]) -> ImageRows:
        """The rows of those of these positions that could be read."""
        return self._of(np.isin(self.positions, positions))

    def _of(self, rows: np.ndarray) -> ImageRows:
        names = ("positions", "labels", "peaks", "means", "areas", "known", "looks")
        return ImageRows(self.layer, self.concepts, self.categories, *(getattr(self, name)[rows] for name in names))


@dataclass(frozen=True, eq=False)
class RowCount(MapCount[ImageRows]):
    """The rows of a layer's units. Unlike other counts, it takes memory for each image: meant for some thousands."""

    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> ImageRows:
        """The rows of some images."""
        pixels, own = batch.pixels, np.zeros((len(maps), COUNT), np.float32)
        if pixels is not None:
            own = batch.once("looks", lambda: looks(pixels).float().cpu().numpy())
        flat = maps.flatten(2)
        concepts = in_order(one.concepts for one in batch.known)
        categories = in_order(tuple(category for category, _ in one.concepts) for one in batch.known)
        areas = np.zeros((len(batch.known), len(concepts)), np.float32)
        known = np.zeros((len(batch.known), len(categories)), bool)
        for row, one in enumerate(batch.known):
            if one.masks is not None:
                areas[row, [concepts.index(concept) for concept in one.concepts]] = one.masks.mean(axis=1)
                known[row, [categories.index(category) for category, _ in one.concepts]] = True
        return ImageRows(
            self.layer,
            concepts,
            categories,
            batch.positions.astype(np.int64),
            batch.labels.astype(np.int32),
            flat.amax(dim=2).cpu().numpy(),
            flat.mean(dim=2).cpu().numpy(),
            areas,
            known,
            own,
        )

    def blank(self, classifier: Classifier) -> ImageRows:
        """No rows."""
        units = classifier.layer(self.layer).channels
        none, real = np.zeros(0, np.int64), np.zeros((0, units), np.float32)
        nothing = np.zeros((0, 0), np.float32)
        some = np.zeros((0, COUNT), np.float32)
        return ImageRows(
            self.layer, (), (), none, none.astype(np.int32), real, real, nothing, nothing.astype(bool), some
        )

    def merged(self, values: Sequence[ImageRows]) -> ImageRows:
        """The rows of all, in the order of the set."""
        concepts = in_order(one.concepts for one in values)
        categories = in_order(one.categories for one in values)
        positions = np.concatenate([one.positions for one in values])
        order = np.argsort(positions, kind="stable")

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(one, name) for one in values])[order]

        areas = np.zeros((len(positions), len(concepts)), np.float32)
        known = np.zeros((len(positions), len(categories)), bool)
        start = 0
        for one in values:
            own = slice(start, start + len(one))
            areas[own, [concepts.index(concept) for concept in one.concepts]] = one.areas
            known[own, [categories.index(category) for category in one.categories]] = one.known
            start += len(one)
        return ImageRows(
            self.layer,
            concepts,
            categories,
            positions[order],
            joined("labels"),
            joined("peaks"),
            joined("means"),
            areas[order],
            known[order],
            joined("looks"),
        )


def top_rows(values: Float[np.ndarray, "n k"], most: int) -> Bool[np.ndarray, "n k"]:
    """Which rows are among the at most `most` largest of each column: those above the one that comes next.

    So no row is preferred to one that is equal to it, and a column of equal numbers has none.
    """
    if not 0 < most < len(values):
        return np.zeros(values.shape, bool)
    following = np.partition(values, len(values) - 1 - most, axis=0)[len(values) - 1 - most]
    return values > following
