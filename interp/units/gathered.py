"""A layer's activations at its positions, and what is in the picture there: gathered once for all concepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float16, Int
from torch import Tensor

from interp.types import Classifier, Fingerprinted
from interp.units.counts import Batch, MapCount
from interp.units.exceeding import Centres
from interp.units.truth import Names, in_order

MOST_GATHERED = 2**25
"""How many activations are held of a layer: 64 MB. Of more only those at as many positions of each image are taken."""


@dataclass(frozen=True, eq=False)
class GatheredPositions(Fingerprinted):
    """The activations of k units at p positions of each of n images, and the share of c concepts in what lies there.

    A position's pixels are those that are nearer to it than to any other. `known` says of which concepts' categories it
    is known what of them is in the image. `images` are positions in the set, `places` those in the layer's grid.
    """

    layer: str
    concepts: Names
    places: Int[np.ndarray, " p"]
    images: Int[np.ndarray, " n"]
    activations: Float16[np.ndarray, "n p k"]
    shares: Float16[np.ndarray, "n p c"]
    categories: tuple[tuple[str, ...], ...]

    def known(self, *, complete: bool) -> Float[np.ndarray, "n c"]:
        """1 where an image counts for a concept, else 0; where a program drew them, `complete`, all count."""
        return np.array(
            [[complete or category in some for category, _ in self.concepts] for some in self.categories], np.float32
        ).reshape(len(self.images), len(self.concepts))


@dataclass(frozen=True, eq=False)
class PositionSample(MapCount[GatheredPositions]):
    """Gathers the activations at the given `places` of a layer's grid (row · columns + column) in every image."""

    places: Int[np.ndarray, " p"]
    centres: Centres

    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> GatheredPositions:
        """What is gathered of some images."""
        concepts = in_order(one.concepts for one in batch.known)
        height, width = classifier.input_size
        down, across = nearest(self.centres[0], height), nearest(self.centres[1], width)
        shares = np.zeros((len(batch.known), len(self.places), len(concepts)), np.float16)
        for row, one in enumerate(batch.known):
            if one.masks is not None:
                masks = one.masks.reshape(-1, height, width).astype(np.float32)
                coarse = (down @ masks @ across.T).reshape(len(masks), -1)
                shares[row][:, [concepts.index(name) for name in one.concepts]] = coarse[:, self.places].T
        flat = maps.flatten(2)[:, :, self.places].permute(0, 2, 1).cpu().numpy()
        largest = float(np.finfo(np.float16).max)
        categories = tuple(
            tuple(sorted({name for name, _ in one.concepts} | set(one.categories))) for one in batch.known
        )
        activations = np.clip(flat, -largest, largest).astype(np.float16)
        return GatheredPositions(
            self.layer, concepts, self.places, batch.positions.astype(np.int64), activations, shares, categories
        )

    def blank(self, classifier: Classifier) -> GatheredPositions:
        """What is gathered of no image."""
        units, some = classifier.layer(self.layer).channels, len(self.places)
        empty = np.zeros((0, some, units), np.float16), np.zeros((0, some, 0), np.float16)
        return GatheredPositions(self.layer, (), self.places, np.zeros(0, np.int64), *empty, ())

    def merged(self, values: Sequence[GatheredPositions]) -> GatheredPositions:
        """What is gathered of the images of all."""
        concepts = in_order(one.concepts for one in values)
        shares = []
        for one in values:
            wide = np.zeros((*one.shares.shape[:2], len(concepts)), np.float16)
            wide[:, :, [concepts.index(name) for name in one.concepts]] = one.shares
            shares.append(wide)
        images = np.concatenate([one.images for one in values])
        activations = np.concatenate([one.activations for one in values])
        categories = tuple(one for some in values for one in some.categories)
        return GatheredPositions(
            self.layer, concepts, self.places, images, activations, np.concatenate(shares), categories
        )


def places_of(classifier: Classifier, layer: str, images: int, seed: int = 0) -> Int[np.ndarray, " p"]:
    """The positions of a layer that are gathered of each of so many images: all, or as many as memory allows."""
    found = classifier.layer(layer)
    every = max(1, found.height * found.width)
    some = min(every, max(1, MOST_GATHERED // (max(1, images) * found.channels)))
    return np.sort(np.random.default_rng(seed).permutation(every)[:some]).astype(np.int64)


@lru_cache(maxsize=64)
def nearest(centres: tuple[float, ...], pixels: int) -> Float[np.ndarray, "u pixels"]:
    """Shares that average pixels into the position whose centre is nearest; of one beyond the picture its edge."""
    at, edges = np.arange(pixels) + 0.5, np.array(centres)
    found = np.zeros((len(edges), pixels), np.float32)
    found[np.abs(at[None] - edges[:, None]).argmin(axis=0), np.arange(pixels)] = 1
    for row in np.flatnonzero(found.sum(axis=1) == 0):
        found[row, np.abs(at - edges[row]).argmin()] = 1
    return found / found.sum(axis=1, keepdims=True)
