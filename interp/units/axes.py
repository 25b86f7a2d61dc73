"""How far a label hangs on the threshold's quantile, and on the axes: a layer's units beside rotated bases of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from interp import progress
from interp.images import ImageSet
from interp.set_pass import ItemStore, Positions, by_chunks, chosen_positions
from interp.types import Classifier, Fingerprinted
from interp.units.concepts import ConceptSource
from interp.units.counting import UnitPass
from interp.units.dissection import LayerDissection, tallying
from interp.units.exceeding import centres
from interp.units.overlap import ConceptOverlap

QUANTILES = (0.005, 0.001, 0.002, 0.01, 0.02, 0.05)
"""The usual one first."""
ROTATIONS = 3


@dataclass(frozen=True, eq=False)
class AxesDissection(Fingerprinted):
    """The dissection of a layer at several quantiles, and at the first one of `rotated` bases of the same layer."""

    units: LayerDissection
    rotated: tuple[LayerDissection, ...]


def dissecting_axes(
    classifier: Classifier,
    photos: ImageSet,
    layer: str,
    concepts: ConceptSource,
    *,
    quantiles: Sequence[float] = QUANTILES,
    rotations: int = ROTATIONS,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[None, None, AxesDissection]:
    """Dissect a layer at several quantiles, and as many seeded rotations of it, in two passes over the images.

    In a rotated basis each direction is a random combination of all units (Bau et al. 2017, section 3.2): if concepts
    were no more in units than in any direction, it would have as many detectors. Yields between batches.
    """
    chosen = chosen_positions(photos, positions)
    name, count = classifier.layer(layer).name, len(chosen)
    bases = (None, *range(rotations))
    tallies = [tallying(classifier, [name], count, _largest(quantiles, one), rotation=one, top=1)[0] for one in bases]
    counted = yield from _half(by_chunks(UnitPass(), classifier, photos, tallies, chosen, kept=kept), 0, count)
    where = centres(classifier, name)
    shares = [tuple(quantiles) if one is None else (quantiles[0],) for one in bases]
    thresholds = [
        np.stack([one.value.thresholds(share) for share in some]) for one, some in zip(counted, shares, strict=True)
    ]
    items = [ConceptOverlap(name, own, where, rotation=one) for own, one in zip(thresholds, bases, strict=True)]
    work = UnitPass(concepts=concepts)
    read = yield from _half(by_chunks(work, classifier, photos, items, chosen, kept=kept), count, count)
    found = tuple(
        LayerDissection(name, some, own, one.value, concepts.complete, one.images, one.problems)
        for one, own, some in zip(read, thresholds, shares, strict=True)
    )
    return AxesDissection(found[0], found[1:])


def _largest(quantiles: Sequence[float], rotation: int | None) -> float:
    return max(quantiles) if rotation is None else quantiles[0]


def _half(steps: Generator, done: int, images: int) -> Generator[None, None, tuple]:
    while True:
        with progress.within(done, images, 2 * images):
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value
        yield
