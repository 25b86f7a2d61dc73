"""In which images a unit is strongest, how strong it is anywhere, and for which classes: from one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from interp.types import Classifier, Fingerprinted
from interp.units.counts import Batch, MapCount, fixed, real

OCTAVES = (-20, 20)
"""The sketch tells numbers from 2^-20 to 2^20 apart, to 1 in 128; what is below counts as 0, what is above as 2^20."""
STEPS = 128
SKETCH_ERROR = 1 / 256
"""How far a threshold of the sketch may be off, as a share of it."""


@dataclass(frozen=True, eq=False)
class LayerTally(Fingerprinted):
    """What k units of a layer do over n images of a set.

    For each unit the images in which it is strongest, by its largest activation over positions (`values`, in `images`,
    the position in the set, at `places`, the row and column of the layer's grid) and by its mean over positions
    (`means`, in `mean_images`), strongest first; of equals the image that comes first in the set. Where there are fewer
    images, -1 and -inf stand. `largest` are the largest activations over all images and positions, each unit's
    descending; where these would be too many, `sketch` counts activations by size instead (`OCTAVES`).
    `total` is the sum over images of the mean over positions, `active` counts the positions where it is above 0, and
    `by_class` are sums as `total` over the images of each class, of which there are `class_images`.
    """

    layer: str
    count: int
    positions: int
    values: Float[np.ndarray, "k n"]
    images: Int[np.ndarray, "k n"]
    places: Int[np.ndarray, "k n 2"]
    means: Float[np.ndarray, "k n"]
    mean_images: Int[np.ndarray, "k n"]
    largest: Float[np.ndarray, "k m"]
    sketch: Int[np.ndarray, "k bins"]
    total: Int[np.ndarray, " k"]
    active: Int[np.ndarray, " k"]
    by_class: Int[np.ndarray, "c k"]
    class_images: Int[np.ndarray, " c"]

    @property
    def mean(self) -> Float[np.ndarray, " k"]:
        """Each unit's mean activation over images and positions."""
        return real(self.total) / max(1, self.count)

    @property
    def density(self) -> Float[np.ndarray, " k"]:
        """The share of positions, over all images, where each unit is above 0: 1 for a unit that is never silent."""
        return self.active / max(1, self.count * self.positions)

    @property
    def class_means(self) -> Float[np.ndarray, "c k"]:
        """Each unit's mean activation over the images of each class; nan for a class without an image."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return real(self.by_class) / self.class_images[:, None]

    @property
    def selectivity(self) -> tuple[Float[np.ndarray, " k"], Int[np.ndarray, " k"]]:
        """Each unit's class selectivity, and the class: (a - b) / (a + b), from 0 to 1 (Morcos et al. 2018).

        `a` is the mean activation over the images of the class where it is largest, `b` the mean over the other
        classes' means. nan and -1 where fewer than two classes have images, or the unit is silent.
        """
        means = self.class_means
        there = self.class_images > 0
        if there.sum() < 2:
            return np.full(len(self.total), np.nan), np.full(len(self.total), -1)
        best = np.nanargmax(np.where(there[:, None], means, -np.inf), axis=0)
        highest = means[best, np.arange(len(best))]
        others = (np.nansum(means[there], axis=0) - highest) / (there.sum() - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = (highest - others) / (highest + others)
        usable = (highest > 0) & (others >= 0)
        return np.where(usable, found, np.nan), np.where(usable, best, -1)

    def thresholds(self, quantile: float) -> Float[np.ndarray, " k"]:
        """T with P(activation > T) = `quantile` over all images and positions: at most so many are above it.

        Exact where `largest` holds that many, else to 1 in 256 (`SKETCH_ERROR`). Raises `ValueError` for a share that
        the tally was not kept for.
        """
        above = int(quantile * self.count * self.positions)
        if self.sketch.shape[1]:
            return _from_sketch(self.sketch, above)
        if not 0 < quantile < 1 or above >= self.largest.shape[1]:
            raise ValueError(
                f"A threshold that {quantile:.2%} of the activations exceed is not known: the largest "
                f"{self.largest.shape[1]:,} of {self.count * self.positions:,} were kept. Give a smaller share."
            )
        return self.largest[:, above].copy()


@dataclass(frozen=True, eq=False)
class UnitTally(MapCount[LayerTally]):
    """The tally of a layer: the `top` images of each unit, and its `kept` largest activations (0: a sketch of all)."""

    top: int = 9
    kept: int = 0

    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> LayerTally:
        """The tally of some images."""
        from interp.units.loops import summed_up

        images, units, height, width = maps.shape
        every = np.empty((units, images, height * width), np.float32)
        values, means = (np.empty((units, images), np.float32) for _ in range(2))
        where, active = np.empty((units, images), np.int32), np.zeros(units, np.int64)
        summed_up(maps.flatten(2).cpu().numpy(), every, values, where, means, active)
        places = np.stack([where // width, where % width], axis=2)
        owners = np.broadcast_to(batch.positions.astype(np.int32), (units, images))
        every = every.reshape(units, -1)
        sums = fixed(means)
        by_class, class_images = _by_class(sums, batch.labels, len(classifier.labels))
        best, best_owners, best_places = strongest(values, owners, places, self.top)
        best_means, mean_owners, _ = strongest(means, owners, places, self.top)
        return LayerTally(
            self.layer,
            images,
            height * width,
            best,
            best_owners,
            best_places,
            best_means,
            mean_owners,
            every if self.kept else np.zeros((units, 0), np.float32),
            _sketched(every) if not self.kept else np.zeros((units, 0), np.int64),
            sums.sum(axis=1),
            active,
            by_class,
            class_images,
        )

    def blank(self, classifier: Classifier) -> LayerTally:
        """The tally of no image."""
        layer = classifier.layer(self.layer)
        units, classes = layer.channels, len(classifier.labels)
        none, nowhere = np.full((units, 0), -np.inf, np.float32), np.zeros((units, 0), np.int32)
        best, owners, places = strongest(none, nowhere, np.zeros((units, 0, 2), np.int32), self.top)
        bins = 0 if self.kept else _bins()
        return LayerTally(
            self.layer,
            0,
            max(1, layer.height * layer.width),
            best,
            owners,
            places,
            best,
            owners,
            np.zeros((units, 0), np.float32),
            np.zeros((units, bins), np.int64),
            np.zeros(units, np.int64),
            np.zeros(units, np.int64),
            np.zeros((classes, units), np.int64),
            np.zeros(classes, np.int64),
        )

    def reduced(self, value: LayerTally, so_far: LayerTally) -> LayerTally:
        """The tally with those activations alone that can be among the largest."""
        if not self.kept:
            return value
        from interp.units.loops import count_over, take_over

        if so_far.largest.shape[1] < self.kept:
            return replace(value, largest=_largest(value.largest, self.kept))
        least, counts = so_far.largest[:, -1].copy(), np.zeros(len(value.total), np.int64)
        count_over(value.largest, least, counts)
        some = np.full((len(counts), counts.max(initial=0)), -np.inf, np.float32)
        take_over(value.largest, least, some)
        return replace(value, largest=some)

    def merged(self, values: Sequence[LayerTally]) -> LayerTally:
        """The tally of the images of all."""

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(one, name) for one in values], axis=1)

        def added(name: str) -> np.ndarray:
            return np.sum([getattr(one, name) for one in values], axis=0)

        best, owners, places = strongest(joined("values"), joined("images"), joined("places"), self.top)
        means, mean_owners, _ = strongest(joined("means"), joined("mean_images"), joined("places"), self.top)
        return LayerTally(
            self.layer,
            sum(one.count for one in values),
            values[0].positions,
            best,
            owners,
            places,
            means,
            mean_owners,
            _largest(joined("largest"), self.kept),
            added("sketch"),
            added("total"),
            added("active"),
            added("by_class"),
            added("class_images"),
        )


def strongest(
    values: Float[np.ndarray, "k m"], owners: Int[np.ndarray, "k m"], places: Int[np.ndarray, "k m 2"], top: int
) -> tuple[Float[np.ndarray, "k n"], Int[np.ndarray, "k n"], Int[np.ndarray, "k n 2"]]:
    """The `top` largest of each row, of equals the first owners, with their owners and places; else -inf and -1."""
    missing = max(0, top - values.shape[1])
    values = np.pad(values, ((0, 0), (0, missing)), constant_values=-np.inf)
    owners = np.pad(owners, ((0, 0), (0, missing)), constant_values=-1)
    places = np.pad(places, ((0, 0), (0, missing), (0, 0)))
    # What stands for no image is behind all images.
    order = np.lexsort((np.where(owners < 0, np.iinfo(np.int32).max, owners), -values), axis=1)[:, :top]
    best, own = np.take_along_axis(values, order, axis=1), np.take_along_axis(owners, order, axis=1)
    return best, own, np.take_along_axis(places, order[:, :, None], axis=1)


def _largest(values: Float[np.ndarray, "k m"], kept: int) -> Float[np.ndarray, "k _"]:
    """The `kept` largest of each row, descending; of fewer, all."""
    # Faster than finding these alone, as NumPy sorts many numbers at once.
    return np.ascontiguousarray(np.sort(values, axis=1)[:, ::-1][:, :kept])


def _by_class(
    sums: Int[np.ndarray, "k n"], labels: Int[np.ndarray, " n"], classes: int
) -> tuple[Int[np.ndarray, "c k"], Int[np.ndarray, " c"]]:
    totals, counts = np.zeros((classes, len(sums)), np.int64), np.zeros(classes, np.int64)
    known = labels >= 0
    np.add.at(totals, labels[known], sums.T[known])
    np.add.at(counts, labels[known], 1)
    return totals, counts


def _bins() -> int:
    return (OCTAVES[1] - OCTAVES[0]) * STEPS + 2


def _sketched(values: Float[np.ndarray, "k m"]) -> Int[np.ndarray, "k bins"]:
    """How many numbers of each row are of each size: the first bin is below 2^-20, the last from 2^20.

    The first 8 + 7 bits of a positive number, its exponent and 7 binary digits, are in the order of its size.
    """
    from interp.units.loops import count_sizes

    counts = np.zeros((len(values), _bins()), np.int64)
    count_sizes(values.view(np.int32), (127 + OCTAVES[0]) * STEPS - 1, counts)
    return counts


def _from_sketch(sketch: Int[np.ndarray, "k bins"], above: int) -> Float[np.ndarray, " k"]:
    """The middle of the bin that holds the number which `above` others exceed; 0 where that is below 2^-20."""
    reached = sketch[:, ::-1].cumsum(axis=1) > above
    found = sketch.shape[1] - 1 - reached.argmax(axis=1)
    code = (127 + OCTAVES[0]) * STEPS + found - 1
    edges = (code.astype(np.int32)[:, None] + np.array([0, 1], np.int32) << 16).view(np.float32)
    return np.where(found == 0, 0, edges.mean(axis=1)).astype(np.float32)
