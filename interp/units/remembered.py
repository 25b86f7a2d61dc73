"""What a pass over images has seen, as far as the next pass needs it: so that the classifier runs once, not twice."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from interp.models.inputs import Input
from interp.units.concepts import ConceptSource, KnownConcepts, Segments

MOST_BYTES = 2**27
"""How much is remembered: 128 MB. Images for which there is no room run again."""

Which = tuple[str, int | None]
"""A layer, and the rotation of its channels."""


class Remembered:
    """Of images, what is known to be in them (`source`), and those values of their maps that may exceed a threshold.

    A threshold is the smallest of the `kept` largest values of a channel over all images, so that it is never below
    that of some of them (`floors`). Only what exceeds that is remembered, and what is beside it, as enlarging needs
    both. Without a source nothing is.
    """

    fingerprint = "Whatever is remembered, results are the same."

    def __init__(self, source: ConceptSource | None = None, kept: Mapping[Which, int] | None = None) -> None:
        self.source, self.kept = source, dict(kept or {})
        self.floors: dict[Which, Float[np.ndarray, " k"]] = {}
        self._images: dict[int, _Image] = {}
        self._size, self._full = 0, source is None

    def __contains__(self, position: int) -> bool:
        """Whether all that the next pass needs of the image at this position is remembered."""
        return position in self._images

    def take(
        self, inputs: Sequence[Input], known: Sequence[KnownConcepts | None], maps: Mapping[Which, list[SparseMaps]]
    ) -> None:
        """Remember images that ran together, of which it is known what is in them, if there is room for them."""
        # Where some counts of these images were kept from before, the others alone ran, and the next pass needs all.
        if self._full or not self.kept.keys() <= maps.keys():
            return
        for row, (one, what) in enumerate(zip(inputs, known, strict=True)):
            if what is not None:
                packed = None if what.segments is None else _Packed.of(what.segments)
                self._put(
                    one.position,
                    _Image(what.concepts, what.categories, packed, {key: own[row] for key, own in maps.items()}),
                )
        if self._size > MOST_BYTES:
            self._prune()
            self._full = self._size > 0.8 * MOST_BYTES

    def sparse(self, which: Which, maps: Float[Tensor, "n k u v"]) -> list[SparseMaps]:
        """What of maps is to be remembered, image by image."""
        if which not in self.floors:
            every = maps.transpose(0, 1).flatten(1).cpu().numpy()
            self.raise_floor(which, np.sort(every, axis=1)[:, ::-1])
        lowest = np.full(maps.shape[1], -np.inf, np.float32)
        return _sparse(maps.cpu().numpy(), self.floors.get(which, lowest))

    def raise_floor(self, which: Which, largest: Float[np.ndarray, "k m"]) -> None:
        """Take in the largest values of channels over some of the images, in descending order."""
        enough = self.kept[which]
        if largest.shape[1] >= enough:
            smallest = largest[:, enough - 1].astype(np.float32)
            self.floors[which] = np.maximum(smallest, self.floors.get(which, smallest))

    def known(self, position: int) -> KnownConcepts:
        """What is known to be in the image."""
        one = self._images[position]
        return KnownConcepts(one.concepts, None if one.segments is None else one.segments.whole(), one.categories)

    def maps(self, which: Which, positions: Int[np.ndarray, " n"]) -> Float[Tensor, "n k u v"]:
        """The maps of images, -inf where they do not matter."""
        return torch.from_numpy(_dense([self._images[position].maps[which] for position in positions.tolist()]))

    def _put(self, position: int, image: _Image) -> None:
        self._size += sum(own.nbytes for own in image.maps.values())
        self._images[position] = image

    def _prune(self) -> None:
        """Forget what has turned out not to matter."""
        images, self._images, self._size = self._images, {}, 0
        for which in self.kept:
            self.raise_floor(which, _largest([one.maps[which] for one in images.values()], self.kept[which]))
        for position, one in images.items():
            maps = {which: own.above(self.floors[which]) for which, own in one.maps.items()}
            self._put(position, one._replace(maps=maps))


class SparseMaps(NamedTuple):
    """The values of k maps of one image that matter: where in all of them together they are, and what they are."""

    at: Int[np.ndarray, " m"]
    values: Float[np.ndarray, " m"]
    shape: tuple[int, int, int]

    @property
    def nbytes(self) -> int:
        """How much memory they take."""
        return self.at.nbytes + self.values.nbytes

    def above(self, floors: Float[np.ndarray, " k"]) -> SparseMaps:
        """Those that matter with floors that are no lower than before."""
        from interp.units.loops import beside_of

        at, values = np.empty_like(self.at), np.empty_like(self.values)
        count = beside_of(self.at, self.values, floors, self.shape, at, values)
        return SparseMaps(at[:count].copy(), values[:count].copy(), self.shape)


class _Packed(NamedTuple):
    bytes_of: bytes
    inside: Bool[np.ndarray, "m c"]

    @classmethod
    def of(cls, segments: Segments) -> _Packed:
        return cls(zlib.compress(segments.of.tobytes(), 1), segments.inside)

    def whole(self) -> Segments:
        return Segments(np.frombuffer(zlib.decompress(self.bytes_of), np.uint16), self.inside)


class _Image(NamedTuple):
    concepts: tuple[tuple[str, str], ...]
    categories: tuple[str, ...]
    segments: _Packed | None
    maps: dict[Which, SparseMaps]


def _sparse(maps: Float[np.ndarray, "n k u v"], floors: Float[np.ndarray, " k"]) -> list[SparseMaps]:
    from interp.units.loops import beside

    at, values = np.empty(maps[0].size, np.int32), np.empty(maps[0].size, np.float32)
    found = []
    for one in maps:
        count = beside(one, floors, at, values)
        found.append(SparseMaps(at[:count].copy(), values[:count].copy(), one.shape))
    return found


def _largest(maps: Sequence[SparseMaps], enough: int) -> Float[np.ndarray, "k m"]:
    """The `enough` largest values of each channel, descending; -inf where it has fewer."""
    channels, rows, columns = maps[0].shape
    # They are in the order of their channels.
    bounds = np.arange(channels + 1) * rows * columns
    cuts = np.stack([np.searchsorted(one.at, bounds) for one in maps], axis=1)
    largest = np.full((channels, enough), -np.inf, np.float32)
    for channel, (first, last) in enumerate(zip(cuts[:-1], cuts[1:], strict=True)):
        values = np.concatenate([one.values[i:j] for one, i, j in zip(maps, first, last, strict=True)])
        if len(values) > enough:
            values = np.partition(values, len(values) - enough)[-enough:]
        largest[channel, : len(values)] = np.sort(values)[::-1]
    return largest


def _dense(maps: Sequence[SparseMaps]) -> Shaped[np.ndarray, "n k u v"]:
    dense = np.full((len(maps), *maps[0].shape), -np.inf, np.float32)
    for row, one in zip(dense, maps, strict=True):
        row.reshape(-1)[one.at] = one.values
    return dense
