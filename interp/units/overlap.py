"""How far the places where units are active and those of concepts are the same, counted image by image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.types import Classifier, Fingerprinted
from interp.units.counts import Batch, MapCount
from interp.units.exceeding import Centres, count_exceeding
from interp.units.truth import Names, Truth, in_order, product


@dataclass(frozen=True, eq=False)
class OverlapCounts(Fingerprinted):
    """Pixels of k units' masks, of c concepts' masks, and of both, over images; q thresholds for each unit.

    Images are told apart by the categories that something in them is known of: `present` lists these combinations (s).
    `both` are pixels in both masks, `active` those of units' masks and `truth` those of concepts', in the images of
    each combination; `of_concept` and `of_kind` count images. `active_blocks` and `truth_blocks` count the same pixels
    (of units at the first threshold) by where in the picture they are, in b blocks of `block_pixels` each.
    `active_meeting` and `truth_meeting` are, at the first threshold, only of images where the unit's mask meets
    something of the category g (`categories`): the denominator of NetDissect-Lite.
    """

    layer: str
    concepts: Names
    categories: tuple[str, ...]
    present: tuple[tuple[str, ...], ...]
    both: Int[np.ndarray, "q k c"]
    active: Int[np.ndarray, "q k s"]
    truth: Int[np.ndarray, "c s"]
    of_concept: Int[np.ndarray, " c"]
    of_kind: Int[np.ndarray, " s"]
    active_meeting: Int[np.ndarray, "k g"]
    truth_meeting: Int[np.ndarray, "k c"]
    active_blocks: Int[np.ndarray, "k s b"]
    truth_blocks: Int[np.ndarray, "c s b"]
    block_pixels: Int[np.ndarray, " b"]


@dataclass(frozen=True, eq=False)
class ConceptOverlap(MapCount[OverlapCounts]):
    """The overlap of a layer's units with concepts: a unit's mask is where its enlarged map exceeds its threshold.

    `thresholds` has a row for each quantile asked for, the main one first; `centres` are where the layer's positions
    are in the picture, in pixels, rows and columns.
    """

    thresholds: Float[np.ndarray, "q k"]
    centres: Centres

    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> OverlapCounts:
        """The counts of some images."""
        size = classifier.input_size
        truth = batch.once("truth", lambda: Truth(batch.known, size))
        sums = _Sums(self.layer, len(self.thresholds), maps.shape[1], truth)
        for place, thresholds in enumerate(torch.from_numpy(self.thresholds).to(maps).unbind()):
            sums.add(place, partial(count_exceeding, maps, thresholds, self.centres, size))
        return sums.counts()

    def blank(self, classifier: Classifier) -> OverlapCounts:
        """The counts of no image."""
        quantiles, units = self.thresholds.shape
        return _Sums(self.layer, quantiles, units, Truth((), classifier.input_size)).counts()

    def merged(self, values: Sequence[OverlapCounts]) -> OverlapCounts:
        """The counts of the images of all."""
        concepts = in_order(one.concepts for one in values)
        present = in_order(one.present for one in values)
        categories = tuple(dict.fromkeys(category for category, _ in concepts))
        axes = {"c": concepts, "s": present, "g": categories}
        places = {axis: {entry: place for place, entry in enumerate(entries)} for axis, entries in axes.items()}
        merged: dict[str, Any] = {}
        for name, along in _AXES.items():
            shape = [len(axes[axis]) if axis in axes else length for axis, length in _known(values, name, along)]
            merged[name] = np.zeros(shape, np.int64)
        for one in values:
            own = {"c": one.concepts, "s": one.present, "g": one.categories}
            for name, along in _AXES.items():
                if all(own[axis] == axes[axis] for axis in along if axis in axes):
                    merged[name] += getattr(one, name)
                    continue
                spots = [
                    [places[axis][entry] for entry in own[axis]] if axis in axes else np.arange(length)
                    for axis, length in zip(along, getattr(one, name).shape, strict=True)
                ]
                merged[name][np.ix_(*spots)] += getattr(one, name)
        return OverlapCounts(self.layer, concepts, categories, present, **merged, block_pixels=values[0].block_pixels)


# The axes of what is counted; those of concepts, of combinations and of categories grow as these are met.
_AXES = {
    "both": "qkc",
    "active": "qks",
    "truth": "cs",
    "of_concept": "c",
    "of_kind": "s",
    "active_meeting": "kg",
    "truth_meeting": "kc",
    "active_blocks": "ksb",
    "truth_blocks": "csb",
}
assert {field.name for field in fields(OverlapCounts)} >= set(_AXES)


class _Sums:
    """The counts of a layer's units over some images, as pixels of the units' masks are added."""

    def __init__(self, layer: str, quantiles: int, units: int, truth: Truth) -> None:
        self.layer, self.truth = layer, truth
        sizes = {"q": quantiles, "k": units, "c": len(truth.concepts), "s": len(truth.present)}
        sizes |= {"g": len(truth.categories), "b": len(truth.block_pixels)}
        self.sums = {name: np.zeros([sizes[axis] for axis in along], np.int64) for name, along in _AXES.items()}
        self.counted = np.zeros((units, len(truth.inside)), np.int64)
        self.sums["truth"][:] = product(truth.areas.T, truth.of_each_kind)
        self.sums["truth_blocks"][:] = truth.in_blocks
        self.sums["of_concept"][:] = (truth.areas > 0).sum(axis=0)
        self.sums["of_kind"][:] = truth.of_each_kind.sum(axis=0)

    def add(self, quantile: int, count: Callable[[tuple, tuple], None]) -> None:
        """Have pixels counted at which units of the images are over their threshold, by segment and by block."""
        truth, (units, segments) = self.truth, self.counted.shape
        counted, blocks = np.zeros((units, segments), np.int64), self.sums["active_blocks"].reshape(units, -1)
        if quantile:
            count((truth.segment_of,), (counted,))
        else:
            count((truth.segment_of, truth.kind_and_block_of), (counted, blocks))
            self.counted += counted
        self.sums["both"][quantile] += product(counted, truth.inside)
        self.sums["active"][quantile] += product(counted, truth.of_each_kind[truth.owners])

    def _meet(self) -> None:
        """Count only images in which a unit's mask meets something of the category."""
        truth = self.truth
        groups, of = len(truth.categories), truth.owners[:, None] == np.arange(truth.images)
        in_group = (truth.group_of[:, None] == np.arange(groups)).astype(np.int64)
        met = (product(truth.inside, in_group) > 0)[:, None] & of[:, :, None]
        meets = product(self.counted, met.reshape(len(met), -1)).reshape(-1, truth.images, groups) > 0
        areas = product(self.counted, of)
        self.sums["active_meeting"] += (meets * areas[:, :, None]).sum(axis=1)
        self.sums["truth_meeting"] += (meets[:, :, truth.group_of] * truth.areas).sum(axis=1)

    def counts(self) -> OverlapCounts:
        """All that was added; to be asked for once."""
        truth = self.truth
        if truth.concepts:
            self._meet()
        kinds = (truth.concepts, truth.categories, truth.present)
        return OverlapCounts(self.layer, *kinds, **self.sums, block_pixels=truth.block_pixels)


def _known(values: Sequence[OverlapCounts], name: str, along: str) -> list[tuple[str, int]]:
    return list(zip(along, getattr(values[0], name).shape, strict=True))
