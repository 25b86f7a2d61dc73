"""Linear combinations of a layer's channels that fit concepts, beside the best single unit.

Source: Fong and Vedaldi 2018, 'Net2Vec'.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp import progress
from interp.images import ImageSet, Problem
from interp.set_pass import ItemStore, Positions, by_chunks, chosen_positions, returned
from interp.types import Classifier, Fingerprinted
from interp.units.concepts import ConceptSource
from interp.units.concepts import concepts as known_concepts
from interp.units.counting import UnitPass
from interp.units.counts import Batch, Counted, MapCount
from interp.units.dissection import LayerDissection, tallying
from interp.units.exceeding import Centres, centres
from interp.units.fitting import Learned, UnitFeatures, learn
from interp.units.gathered import PositionSample, places_of
from interp.units.overlap import ConceptOverlap, OverlapCounts
from interp.units.truth import Names

QUANTILE = 0.005


@dataclass(frozen=True, eq=False)
class Combinations(Fingerprinted):
    """For each of c concepts weights of k units, learned on half of the images; every IoU is of the other half.

    A combination's mask is where Σ_k w_k φ_k + b, enlarged to the picture, is over its `levels`, chosen on the first
    half; `iou_middle` is that over 0, where σ is 1/2, as in Net2Vec. `iou_chance` has the concepts' masks exchanged
    between images, `iou_exchanged` is of combinations that were learned from masks of other images. `units` are the
    best single units on the first half, at the threshold that a share `quantile` of activations exceeds, and
    `fitted_units` those at a level chosen for the concept, `fitted_levels`. `learned_from` and `read_in` count images.
    nan where a concept is in no image of the second half.
    """

    layer: str
    concepts: Names
    features: UnitFeatures
    weights: Float[np.ndarray, "c k"]
    biases: Float[np.ndarray, " c"]
    levels: Float[np.ndarray, " c"]
    balance: Float[np.ndarray, " c"]
    thresholds: Float[np.ndarray, " k"]
    units: Int[np.ndarray, " c"]
    fitted_units: Int[np.ndarray, " c"]
    fitted_levels: Float[np.ndarray, " c"]
    iou: Float[np.ndarray, " c"]
    iou_middle: Float[np.ndarray, " c"]
    iou_chance: Float[np.ndarray, " c"]
    iou_exchanged: Float[np.ndarray, " c"]
    unit_iou: Float[np.ndarray, " c"]
    fitted_unit_iou: Float[np.ndarray, " c"]
    learned_from: Int[np.ndarray, " c"]
    read_in: Int[np.ndarray, " c"]
    images: tuple[int, int]
    positions: tuple[int, int]
    """How many positions of each image were taken, and how many there are."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, eq=False)
class CombinationOverlap(MapCount[OverlapCounts]):
    """The overlap of linear combinations of units with concepts: rows of `weights`, over `levels` (q for each)."""

    weights: Float[np.ndarray, "j k"]
    biases: Float[np.ndarray, " j"]
    levels: Float[np.ndarray, "q j"]
    centres: Centres
    thresholds: Float[np.ndarray, " k"] | None = None

    @property
    def _overlap(self) -> ConceptOverlap:
        return ConceptOverlap(self.layer, self.levels, self.centres)

    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> OverlapCounts:
        """The counts of some images."""
        return self._overlap.of(classifier, combined(maps, self.weights, self.biases, self.thresholds), batch)

    def blank(self, classifier: Classifier) -> OverlapCounts:
        """The counts of no image."""
        return self._overlap.blank(classifier)

    def merged(self, values: Sequence[OverlapCounts]) -> OverlapCounts:
        """The counts of the images of all."""
        return self._overlap.merged(values)


def combined(
    maps: Float[Tensor, "n k u v"],
    weights: Float[np.ndarray, "j k"],
    biases: Float[np.ndarray, " j"],
    thresholds: Float[np.ndarray, " k"] | None = None,
) -> Float[Tensor, "n j u v"]:
    """Σ_k w_k A_k + b at every position, with `thresholds` of 1 where A_k is over its threshold and else 0."""
    if thresholds is not None:
        maps = (maps > torch.from_numpy(thresholds).to(maps)[:, None, None]).float()
    summed = torch.einsum("jk,nkuv->njuv", torch.from_numpy(weights).to(maps), maps)
    return summed + torch.from_numpy(biases).to(maps)[:, None, None]


def combine(
    classifier: Classifier,
    photos: ImageSet,
    layer: str,
    concepts: ConceptSource | None = None,
    *,
    features: UnitFeatures = "thresholded",
    quantile: float = QUANTILE,
    positions: Positions = None,
) -> Combinations:
    """For each concept of a set, the linear combination of a layer's units that fits it best: Net2Vec.

    σ(Σ_k w_k φ_k + b) is fitted at the layer's positions to the share of each that the concept covers, by
    −Σ α y log σ + (1 − α)(1 − y) log(1 − σ), α = 1 − the mean of y, on half of the images, drawn at random, and read on
    the others. The published code differs: it has no log and no b, takes images with the concept alone, and 30 epochs
    of SGD; ours has one solution, and pays for firing where the concept is not. Raises `ValueError` for a layer that
    there is not, a set that knows no concepts, or of which each is in fewer than three images of the first half.
    """
    steps = combining(classifier, photos, layer, concepts, features=features, quantile=quantile, positions=positions)
    return returned(steps)


def halves(positions: Int[np.ndarray, " n"], seed: int = 0) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " o"]]:
    """The positions in two halves, drawn at random: in many sets classes follow each other in turn."""
    order = np.random.default_rng(seed).permutation(positions)
    middle = (len(order) + 1) // 2
    return np.sort(order[:middle]), np.sort(order[middle:])


def combining(
    classifier: Classifier,
    photos: ImageSet,
    layer: str,
    concepts: ConceptSource | None = None,
    *,
    features: UnitFeatures = "thresholded",
    quantile: float = QUANTILE,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[None, None, Combinations]:
    """As `combine`, yielding between batches: the first half of the images is run, then the second."""
    source = known_concepts(photos) if concepts is None else concepts
    name = classifier.layer(layer).name
    chosen = chosen_positions(photos, positions)
    first, second = halves(chosen)
    where = centres(classifier, name)
    places = places_of(classifier, name, len(first))
    [tally] = tallying(classifier, [name], len(first), quantile)
    work = UnitPass(concepts=source)
    items = [tally, PositionSample(name, places, where)]
    counted = yield from _half(by_chunks(work, classifier, photos, items, first, kept=kept), 0, len(first), len(chosen))
    thresholds, gathered = counted[0].value.thresholds(quantile), counted[1].value
    learned = learn(gathered, thresholds, features, complete=source.complete)
    yield
    mine, width = (learned.combination, learned.exchanged), len(learned.concepts)
    both = CombinationOverlap(
        name,
        np.concatenate([one.weights for one in mine]),
        np.concatenate([one.biases for one in mine]),
        np.stack([np.concatenate([one.levels for one in mine]), np.zeros(2 * width, np.float32)]),
        where,
        thresholds if features == "thresholded" else None,
    )
    one_hot = np.eye(len(thresholds), dtype=np.float32)[np.concatenate([learned.units, learned.fitted_units])]
    levels = np.concatenate([thresholds[learned.units], learned.fitted_levels]).astype(np.float32)[None]
    singles = CombinationOverlap(name, one_hot, np.zeros(len(one_hot), np.float32), levels, where)
    passed = by_chunks(work, classifier, photos, [both, singles], second, kept=kept)
    read = yield from _half(passed, len(first), len(second), len(chosen))
    problems = (*counted[0].problems, *read[0].problems)
    grid = classifier.layer(name)
    taken = len(places), max(1, grid.height * grid.width)
    return _result(learned, thresholds, features, read, source, (len(first), len(second)), taken, problems)


def _half(steps: Generator, done: int, images: int, whole: int) -> Generator[None, None, tuple[Counted, ...]]:
    """Run one half, its reports counted as a part of the whole."""
    while True:
        with progress.within(done, images, whole):
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value
        yield


def _result(
    learned: Learned,
    thresholds: Float[np.ndarray, " k"],
    features: UnitFeatures,
    read: Sequence[Counted[OverlapCounts]],
    source: ConceptSource,
    images: tuple[int, int],
    positions: tuple[int, int],
    problems: tuple[Problem, ...],
) -> Combinations:
    concepts = learned.concepts
    width = len(concepts)
    both, singles = (
        LayerDissection(
            learned.layer, (0.0,) * quantiles, np.zeros((quantiles, 0)), one.value, source.complete, one.images
        )
        for one, quantiles in zip(read, (2, 1), strict=True)
    )
    found = {name: place for place, name in enumerate(both.concepts)}
    at = [found.get(name, -1) for name in concepts]

    def own(values: Float[np.ndarray, "j c"], start: int) -> Float[np.ndarray, " c"]:
        """The values of some rows, each for its own concept."""
        picked = [np.nan if place < 0 else values[start + row, place] for row, place in enumerate(at)]
        return np.array(picked, np.float64)

    one = learned.combination
    return Combinations(
        learned.layer,
        concepts,
        features,
        one.weights,
        one.biases,
        one.levels,
        learned.balance,
        thresholds,
        learned.units,
        learned.fitted_units,
        learned.fitted_levels,
        iou=own(both.iou(0), 0),
        iou_middle=own(both.iou(1), 0),
        iou_chance=own(both.chance(), 0),
        iou_exchanged=own(both.iou(0), width),
        unit_iou=own(singles.iou(), 0),
        fitted_unit_iou=own(singles.iou(), width),
        learned_from=learned.learned_from,
        read_in=np.array([0 if place < 0 else int(both.counts.of_concept[place]) for place in at]),
        images=images,
        positions=positions,
        problems=problems,
    )
