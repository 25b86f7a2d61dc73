"""The concepts in some images, divided into segments: made once for all layers that are counted together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Int

from interp.units.concepts import KnownConcepts

BLOCKS = 16
"""Into how many blocks along each axis a picture is divided for what exchanging masks between images would give."""

Names = tuple[tuple[str, str], ...]
"""Concepts, each by its category and its name."""


class Truth:
    """The concepts (c) in n images of a batch, and the segments (m) that they divide these into.

    A segment is the pixels of one image in which the same concepts are: `segment_of` has that of each pixel, `owners`
    the image of each segment, `inside` which concepts are in it. `kinds` says of each image which combination of
    categories is in it, of those in `present` (s), and `kind_and_block_of` that and each pixel's block in one number.
    """

    def __init__(self, images: Sequence[KnownConcepts], size: tuple[int, int]) -> None:
        self.images = len(images)
        self.concepts: Names = in_order(one.concepts for one in images)
        self.categories = tuple(dict.fromkeys(category for category, _ in self.concepts))
        self.present: tuple[tuple[str, ...], ...] = in_order((_categories(one),) for one in images)
        self.group_of = np.array([self.categories.index(category) for category, _ in self.concepts], np.int64)
        self.kinds = np.array([self.present.index(_categories(one)) for one in images], np.int64)
        self.of_each_kind = (self.kinds[:, None] == np.arange(len(self.present))).astype(np.int64)
        self.block_of, self.block_pixels = blocks(size)
        self.kind_and_block_of = self.kinds[:, None] * len(self.block_pixels) + self.block_of
        self.segment_of = np.zeros((self.images, size[0] * size[1]), np.int64)
        inside, counts = [np.zeros((0, len(self.concepts)), np.int64)], []
        for row, one in enumerate(images):
            members = np.zeros((1, len(self.concepts)), np.int64)
            if one.segments is not None:
                self.segment_of[row], own = one.segments
                members = np.zeros((len(own), len(self.concepts)), np.int64)
                members[:, [self.concepts.index(concept) for concept in one.concepts]] = own
            self.segment_of[row] += sum(counts)
            inside.append(members)
            counts.append(len(members))
        self.inside = np.concatenate(inside)
        self.owners = np.repeat(np.arange(self.images), counts)
        self._count()

    def _count(self) -> None:
        """How many pixels of each concept are in each image (`areas`), and in each combination and block."""
        segments, count = len(self.inside), len(self.block_pixels)
        at = self.segment_of * count + self.block_of
        in_blocks = np.bincount(at.reshape(-1), minlength=segments * count).reshape(segments, count)
        self.areas = np.zeros((self.images, len(self.concepts)), np.int64)
        np.add.at(self.areas, self.owners, in_blocks.sum(axis=1)[:, None] * self.inside)
        self.in_blocks = np.zeros((len(self.concepts), len(self.present), count), np.int64)
        for kind in range(len(self.present)):
            own = self.kinds[self.owners] == kind
            self.in_blocks[:, kind] = product(self.inside[own].T, in_blocks[own])


@lru_cache(maxsize=16)
def blocks(size: tuple[int, int]) -> tuple[Int[np.ndarray, " pixels"], Int[np.ndarray, " b"]]:
    """The block of each pixel, and how many pixels each has: as equal as can be."""
    along = [np.arange(side) * min(BLOCKS, side) // side for side in size]
    block_of = (along[0][:, None] * min(BLOCKS, size[1]) + along[1]).reshape(-1)
    return block_of, np.bincount(block_of)


def in_order(each: Any) -> tuple:
    """All entries of some tuples, each once, in their order."""
    return tuple(sorted({entry for one in each for entry in one}))


def product(left: np.ndarray, right: np.ndarray) -> Int[np.ndarray, "_ _"]:
    """A product of matrices of whole numbers, fast: exact in double precision up to 2^53."""
    return np.rint(left.astype(np.float64) @ right.astype(np.float64)).astype(np.int64)


def _categories(known: KnownConcepts) -> tuple[str, ...]:
    return tuple(sorted({category for category, _ in known.concepts} | set(known.categories)))
