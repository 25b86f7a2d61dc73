"""How far the places where units are active and those of concepts are the same, counted image by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.types import Classifier, Fingerprinted
from interp.units.concepts import KnownConcepts
from interp.units.counting import Batch, Count
from interp.units.exceeding import Centres, Exceeding, exceeding

BLOCKS = 28
"""Into how many blocks along each axis a picture is divided for what exchanging masks between images would give."""

Names = tuple[tuple[str, str], ...]
"""Concepts, each by its category and its name."""


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
class ConceptOverlap(Count[OverlapCounts]):
    """The overlap of a layer's units with concepts: a unit's mask is where its enlarged map exceeds its threshold.

    `thresholds` has a row for each quantile asked for, the main one first; `centres` are where the layer's positions
    are in the picture, in pixels, rows and columns.
    """

    thresholds: Float[np.ndarray, "q k"]
    centres: Centres

    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> OverlapCounts:
        """The counts of some images."""
        sums = _Sums(self.layer, len(self.thresholds), maps.shape[1], classifier.input_size, batch.known)
        there = maps.cpu().contiguous()
        for place, thresholds in enumerate(torch.from_numpy(self.thresholds).unbind()):
            for found in exceeding(there, thresholds, self.centres, classifier.input_size):
                sums.add(place, found)
        return sums.counts()

    def blank(self, classifier: Classifier) -> OverlapCounts:
        """The counts of no image."""
        quantiles, units = self.thresholds.shape
        return _Sums(self.layer, quantiles, units, classifier.input_size, ()).counts()

    def merged(self, values: Sequence[OverlapCounts]) -> OverlapCounts:
        """The counts of the images of all."""
        concepts = _sorted(one.concepts for one in values)
        present = _sorted(one.present for one in values)
        categories = tuple(dict.fromkeys(category for category, _ in concepts))
        axes = {"c": concepts, "s": present, "g": categories}
        merged: dict[str, Any] = {}
        for name, along in _AXES.items():
            shape = [len(axes[axis]) if axis in axes else length for axis, length in _known(values, name, along)]
            merged[name] = np.zeros(shape, np.int64)
            for one in values:
                own = {"c": one.concepts, "s": one.present, "g": one.categories}
                spots = [
                    [axes[axis].index(entry) for entry in own[axis]] if axis in axes else np.arange(length)
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
    """The counts of some images, as pixels of units' masks are added.

    Pixels are counted by segments: pixels of one image in which the same concepts are.
    """

    def __init__(
        self, layer: str, quantiles: int, units: int, size: tuple[int, int], images: Sequence[KnownConcepts]
    ) -> None:
        self.layer, self.images = layer, len(images)
        self.concepts = _sorted(one.concepts for one in images)
        self.categories = tuple(dict.fromkeys(category for category, _ in self.concepts))
        self.present = _sorted((_categories(one),) for one in images)
        self.block_of, self.block_pixels = _blocks(size)
        sizes = {"q": quantiles, "k": units, "c": len(self.concepts), "s": len(self.present)}
        sizes |= {"g": len(self.categories), "b": len(self.block_pixels)}
        self.sums = {name: np.zeros([sizes[axis] for axis in along], np.int64) for name, along in _AXES.items()}
        self.kinds = np.array([self.present.index(_categories(one)) for one in images], np.int64)
        self.group_of = np.array([self.categories.index(category) for category, _ in self.concepts], np.int64)
        self._add_truth(images, size[0] * size[1])

    def _add_truth(self, images: Sequence[KnownConcepts], pixels: int) -> None:
        self.areas = np.zeros((self.images, len(self.concepts)), np.int64)
        self.segment_of = np.zeros((self.images, pixels), np.int64)
        inside, owners = [], []
        for row, one in enumerate(images):
            columns = np.array([self.concepts.index(concept) for concept in one.concepts], np.int64)
            start, belongs = len(owners), np.zeros((1, len(self.concepts)), np.int64)
            if one.masks is not None:
                self.areas[row, columns] = one.masks.sum(axis=1)
                self.sums["of_concept"][columns] += 1
                blocks = [np.bincount(self.block_of[mask], minlength=len(self.block_pixels)) for mask in one.masks]
                self.sums["truth_blocks"][columns, self.kinds[row]] += np.stack(blocks)
                segment_of, members = one.segments
                belongs = np.zeros((len(members), len(self.concepts)), np.int64)
                belongs[:, columns], self.segment_of[row] = members, segment_of
            self.segment_of[row] += start
            inside.append(belongs)
            owners.extend([row] * len(belongs))
        np.add.at(self.sums["of_kind"], self.kinds, 1)
        for row, kind in enumerate(self.kinds):
            self.sums["truth"][:, kind] += self.areas[row]
        self.inside = np.concatenate(inside) if inside else np.zeros((0, len(self.concepts)), np.int64)
        self.owners = np.array(owners, np.int64)
        self.counted = np.zeros((self.sums["active"].shape[1], len(self.inside)), np.int64)

    def add(self, quantile: int, found: Exceeding) -> None:
        """Count pixels at which units of some images are over their threshold."""
        units, segments = self.counted.shape
        at = found.channels * segments + self.segment_of[found.rows, found.pixels]
        counted = np.bincount(at, minlength=units * segments).reshape(units, segments)
        self.sums["both"][quantile] += _product(counted, self.inside)
        of_kind = self.kinds[self.owners][:, None] == np.arange(len(self.present))
        self.sums["active"][quantile] += _product(counted, of_kind)
        if quantile:
            return
        self.counted += counted
        blocks = len(self.block_pixels)
        at = (found.channels * len(self.present) + self.kinds[found.rows]) * blocks + self.block_of[found.pixels]
        shape = self.sums["active_blocks"].shape
        self.sums["active_blocks"] += np.bincount(at, minlength=int(np.prod(shape))).reshape(shape)

    def _meet(self) -> None:
        """Count only images in which a unit's mask meets something of the category."""
        groups, of = len(self.categories), self.owners[:, None] == np.arange(self.images)
        in_group = (self.group_of[:, None] == np.arange(groups)).astype(np.int64)
        met = (_product(self.inside, in_group) > 0)[:, None] & of[:, :, None]
        meets = _product(self.counted, met.reshape(len(met), -1)).reshape(-1, self.images, groups) > 0
        areas = _product(self.counted, of)
        self.sums["active_meeting"] += (meets * areas[:, :, None]).sum(axis=1)
        self.sums["truth_meeting"] += (meets[:, :, self.group_of] * self.areas).sum(axis=1)

    def counts(self) -> OverlapCounts:
        """All that was added; to be asked for once."""
        if self.images and self.concepts:
            self._meet()
        return OverlapCounts(
            self.layer,
            self.concepts,
            self.categories,
            self.present,
            **self.sums,
            block_pixels=self.block_pixels,
        )


def _blocks(size: tuple[int, int]) -> tuple[Int[np.ndarray, " pixels"], Int[np.ndarray, " b"]]:
    """The block of each pixel, and how many pixels each has: as equal as can be."""
    along = [np.arange(side) * min(BLOCKS, side) // side for side in size]
    block_of = (along[0][:, None] * min(BLOCKS, size[1]) + along[1]).reshape(-1)
    return block_of, np.bincount(block_of)


def _categories(known: KnownConcepts) -> tuple[str, ...]:
    return tuple(sorted({category for category, _ in known.concepts}))


def _sorted(each: Any) -> tuple:
    return tuple(sorted({entry for one in each for entry in one}))


def _known(values: Sequence[OverlapCounts], name: str, along: str) -> list[tuple[str, int]]:
    return list(zip(along, getattr(values[0], name).shape, strict=True))


def _product(left: np.ndarray, right: np.ndarray) -> Int[np.ndarray, "_ _"]:
    """A product of matrices of whole numbers, fast: exact in double precision up to 2^53."""
    return np.rint(left.astype(np.float64) @ right.astype(np.float64)).astype(np.int64)
