"""Network dissection: which concept each unit of a layer detects, and how far that is more than chance."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from interp import progress
from interp.images import ImageSet, Problem
from interp.set_pass import Positions, by_chunks, chosen_positions
from interp.set_pass.running import ItemStore, returned
from interp.types import Classifier, Fingerprinted
from interp.units.concepts import ConceptSource
from interp.units.concepts import concepts as known_concepts
from interp.units.counting import UnitPass
from interp.units.counts import Counted
from interp.units.exceeding import centres
from interp.units.overlap import ConceptOverlap, OverlapCounts
from interp.units.remembered import Remembered
from interp.units.tally import LayerTally, UnitTally
from interp.units.truth import Names

QUANTILES = (0.005,)
DETECTOR = 0.04
"""From what IoU on a unit is called a detector (Bau et al. 2017): an arbitrary bound."""
MOST_KEPT = 2**23
"""How many largest activations are kept for exact thresholds, of all units together: 32 MB. Beyond, a sketch is.

Each chunk of images keeps as many, as far as it has them.
"""

Denominator = Literal["known", "present", "meeting", "everything"]
"""Which images count for a concept: those of which it is known what of its category is in them; those in which
something of its category is (the published code of 2017; the same where not all is known of a set); those where the
unit's mask meets something of its category (NetDissect-Lite); all (dissect, 2020)."""


@dataclass(frozen=True, eq=False)
class LayerDissection(Fingerprinted):
    """How k units of a layer overlap with c concepts; thresholds are by `quantiles`, the main one first."""

    layer: str
    quantiles: tuple[float, ...]
    thresholds: Float[np.ndarray, "q k"]
    counts: OverlapCounts
    complete: bool
    images: int
    problems: tuple[Problem, ...] = ()

    @property
    def concepts(self) -> Names:
        """The concepts, by category and name."""
        return self.counts.concepts

    @property
    def known(self) -> int:
        """Of how many images something is known."""
        counts = self.counts
        return int(sum(n for n, kind in zip(counts.of_kind.tolist(), counts.present, strict=True) if kind))

    def iou(self, quantile: int = 0, denominator: Denominator = "known") -> Float[np.ndarray, "k c"]:
        """Intersection over union of each unit's masks with each concept's, over all images that count."""
        return self._main if (quantile, denominator) == (0, "known") else self._overlap(quantile, denominator)

    def _overlap(self, quantile: int, denominator: Denominator) -> Float[np.ndarray, "k c"]:
        counts = self.counts
        both = counts.both[quantile].astype(np.float64)
        if denominator == "meeting":
            if quantile:
                raise ValueError(
                    "Which images a unit's mask meets a category in was counted at the first quantile only."
                )
            of = [counts.categories.index(category) for category, _ in counts.concepts]
            union = counts.active_meeting[:, of] + counts.truth_meeting - both
        else:
            kinds = self._kinds(denominator)
            union = counts.active[quantile] @ kinds.T + counts.truth.sum(axis=1) - both
        return _ratio(both, union)

    def odds(self, quantile: int = 0) -> Float[np.ndarray, "k c"]:
        """The IoU as a multiple of what exchanging the concepts' masks between images would give (`chance`)."""
        return _ratio(self.iou(quantile), self.chance())

    def chance(self) -> Float[np.ndarray, "k c"]:
        """The IoU expected where each image has the masks of another one, drawn at random, for concepts.

        The mean over all ways to exchange: what is alike in every image, as that the middle is where things are, is in
        it. Where in the picture pixels are is known to blocks, 16 along each axis.
        """
        return self._chance

    @cached_property
    def _chance(self) -> Float[np.ndarray, "k c"]:
        counts, kinds = self.counts, self._kinds("known")
        truth = counts.truth_blocks.sum(axis=1) / counts.block_pixels
        both = np.zeros((counts.both.shape[1], len(counts.concepts)))
        # Concepts for which the same images count are few kinds.
        for kind in np.unique(kinds, axis=0):
            same = (kinds == kind).all(axis=1)
            active = np.tensordot(counts.active_blocks, kind, axes=(1, 0))
            both[:, same] = active @ truth[same].T / max(1.0, float(kind @ counts.of_kind))
        union = counts.active[0] @ kinds.T + counts.truth.sum(axis=1) - both
        return _ratio(both, union)

    @cached_property
    def _main(self) -> Float[np.ndarray, "k c"]:
        return self._overlap(0, "known")

    def labels(self, bound: float = DETECTOR) -> Int[np.ndarray, " k"]:
        """The concept of each unit with the largest IoU, -1 where none is over the bound."""
        iou = self.iou()
        if not iou.shape[1]:
            return np.full(len(iou), -1)
        best = iou.argmax(axis=1)
        return np.where(iou[np.arange(len(iou)), best] > bound, best, -1)

    def _kinds(self, denominator: Denominator) -> Float[np.ndarray, "c s"]:
        """Which combinations of categories count for each concept."""
        every = denominator == "everything" or (denominator == "known" and self.complete)
        return np.array(
            [[every or category in kind for kind in self.counts.present] for category, _ in self.counts.concepts],
            np.float64,
        ).reshape(len(self.counts.concepts), len(self.counts.present))


@dataclass(frozen=True, eq=False)
class Dissection(Fingerprinted):
    """The dissection of several layers; of none, as long as thresholds are not known. `tallied` are their tallies."""

    layers: tuple[LayerDissection, ...]
    tallied: tuple[Counted[LayerTally], ...]

    @property
    def concepts(self) -> Names:
        """The concepts, by category and name."""
        return self.layers[0].concepts if self.layers else ()

    @property
    def iou(self) -> dict[str, Float[np.ndarray, "k c"]]:
        """By layer, each unit's IoU with each concept."""
        return {one.layer: one.iou() for one in self.layers}

    @property
    def odds(self) -> dict[str, Float[np.ndarray, "k c"]]:
        """By layer, each IoU as a multiple of that by chance (`LayerDissection.odds`)."""
        return {one.layer: one.odds() for one in self.layers}


def dissect(
    classifier: Classifier,
    photos: ImageSet,
    layers: Sequence[str],
    concepts: ConceptSource | None = None,
    *,
    quantiles: Sequence[float] = QUANTILES,
    rotation: int | None = None,
    positions: Positions = None,
) -> Dissection:
    """Which concepts the units of layers overlap with: two passes over the images, whatever the layers and quantiles.

    IoU = Σ|M ∩ L| / Σ|M ∪ L| over the images, M where the unit's enlarged map exceeds T, P(activation > T) = quantile,
    L where the concept is (Bau et al. 2017). With a `rotation` the same is done for directions drawn at random. Raises
    `ValueError` for a layer that there is not, a set that knows no concepts, or quantiles that are none.
    """
    return returned(
        dissecting(classifier, photos, layers, concepts, quantiles=quantiles, rotation=rotation, positions=positions)
    )


def dissecting(
    classifier: Classifier,
    photos: ImageSet,
    layers: Sequence[str],
    concepts: ConceptSource | None = None,
    *,
    quantiles: Sequence[float] = QUANTILES,
    rotation: int | None = None,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[Dissection, None, Dissection]:
    """As `dissect`, yielding what is known so far: no layers, but their tallies, while thresholds are found."""
    source = known_concepts(photos) if concepts is None else concepts
    if not quantiles or not all(0 < one < 1 for one in quantiles):
        raise ValueError(f"Quantiles are shares between 0 and 1, such as 0.005, and not {tuple(quantiles)}.")
    chosen = chosen_positions(photos, positions)
    tallies = tallying(classifier, layers, len(chosen), max(quantiles), rotation=rotation)
    # Of a sketch it is not known, while it grows, what is over the threshold in the end.
    exact = all(one.kept for one in tallies)
    remembered = Remembered(source if exact else None, {(one.layer, rotation): one.kept for one in tallies})

    def undissected(tallied: Sequence[Counted[LayerTally]]) -> Dissection:
        if exact:
            for one in tallied:
                remembered.raise_floor((one.value.layer, rotation), one.value.largest)
        return Dissection((), tuple(tallied))

    work = UnitPass(remembered=remembered)
    tallied = yield from _half(
        by_chunks(work, classifier, photos, tallies, chosen, kept=kept), 0, len(chosen), undissected
    )
    thresholds = [np.stack([one.value.thresholds(share) for share in quantiles]) for one in tallied]
    items = [
        ConceptOverlap(one.layer, own, centres(classifier, one.layer), rotation=rotation)
        for one, own in zip(tallies, thresholds, strict=True)
    ]

    def dissection(counted: Sequence[Counted[OverlapCounts]]) -> Dissection:
        return Dissection(
            tuple(
                LayerDissection(
                    one.layer, tuple(quantiles), own, found.value, source.complete, found.images, found.problems
                )
                for one, own, found in zip(items, thresholds, counted, strict=True)
            ),
            tuple(tallied),
        )

    work = UnitPass(concepts=source, remembered=remembered)
    counted = yield from _half(
        by_chunks(work, classifier, photos, items, chosen, kept=kept), 1, len(chosen), dissection
    )
    return dissection(counted)


def _half(
    steps: Generator[Any, None, Any], half: int, images: int, shown: Callable[[Any], Dissection]
) -> Generator[Dissection, None, Any]:
    """Do one of two passes, its reports counted as half of both; gives what it returns."""
    before, drawn = None, None
    with closing(steps):
        while True:
            with progress.within(half * images, images, 2 * images):
                try:
                    latest = next(steps)
                except StopIteration as stop:
                    return stop.value
            if latest is not before:
                before, drawn = latest, shown(latest)
            if drawn is not None:
                yield drawn


def tallying(
    classifier: Classifier,
    layers: Sequence[str],
    images: int,
    share: float,
    *,
    rotation: int | None = None,
    top: int = 9,
) -> list[UnitTally]:
    """The tallies of layers that know exact thresholds up to this share of activations, or sketch them, if too many."""
    found = [classifier.layer(name) for name in layers]
    wanted = [int(share * images * max(1, one.height * one.width)) + 1 for one in found]
    fits = sum(one.channels * kept for one, kept in zip(found, wanted, strict=True)) <= MOST_KEPT
    return [
        UnitTally(one.name, top=top, kept=kept if fits else 0, rotation=rotation)
        for one, kept in zip(found, wanted, strict=True)
    ]


def _ratio(above: Float[np.ndarray, "k c"], below: Float[np.ndarray, "k c"]) -> Float[np.ndarray, "k c"]:
    """A quotient; 0 where nothing is in either."""
    return np.divide(above, below, out=np.zeros(above.shape), where=below > 0)
