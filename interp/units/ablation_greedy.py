"""Which few units carry a class: removed one after the other, each time the one that the class misses most."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from interp import progress
from interp.images import ImageSet, Problem
from interp.models import inputs
from interp.models.ground_truth import OwnLabels
from interp.passes.resuming import Resumed
from interp.set_pass import ItemStore, Positions, evenly, returned
from interp.types import Classifier, Fingerprinted, Layer
from interp.units.ablation import CHUNK, UnitAblation, own_classes
from interp.units.ablation_removal import Removal
from interp.units.ablation_sets import (
    SetAblationPass,
    SetRows,
    UnitSets,
    balanced_of,
    halved,
    meanwhile,
    without_sets,
)
from interp.units.ablation_sums import AblationSums
from interp.units.counting import UnitPass
from interp.units.counts import Counted

SHORTLIST = 30
"""Among how many units, those whose removal alone lowers the class most, each step chooses."""

IMAGES = 512
LARGEST = 256 << 20
"""How many bytes of pixels and activations of the ranking half are held."""

WHAT = "Choosing units"


@dataclass(frozen=True, eq=False)
class GreedySet(Fingerprinted):
    """Units of a layer in the order in which a class misses them most, each after those before it are gone.

    Entry i of the arrays is without the first i units. `ranked` is the class's balanced accuracy on the images by
    which units were chosen, and `ranked_logit` its mean logit; `balanced`, `logit`, `probability` and `accuracy` (over
    all classes) are read on the other half. `candidates` are the units that were tried in each step. `images` says how
    many of the ranking half were used, of how many, and how many the other half has. `problems` names those of both
    that are left out.
    """

    layer: Layer
    target: int
    units: tuple[int, ...]
    candidates: tuple[int, ...]
    images: tuple[int, int, int]
    ranked: Float[np.ndarray, " s"]
    ranked_logit: Float[np.ndarray, " s"]
    balanced: Float[np.ndarray, " s"]
    logit: Float[np.ndarray, " s"]
    probability: Float[np.ndarray, " s"]
    accuracy: Float[np.ndarray, " s"]
    problems: tuple[Problem, ...] = ()


def greedy(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None,
    target_class: int,
    *,
    most: int = 20,
    shortlist: int = SHORTLIST,
    positions: Positions = None,
) -> GreedySet:
    """The few units that carry a class. As `greedily`."""
    return returned(
        greedily(classifier, photos, layer, target_class, most=most, shortlist=shortlist, positions=positions)
    )


def greedily(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None,
    target_class: int,
    *,
    most: int = 20,
    shortlist: int = SHORTLIST,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[tuple[int, ...], None, GreedySet]:
    """Remove `most` units one after the other; yields those chosen so far, and returns what becomes of the class.

    Units are set to zero. They are ranked on one half of the images and read on the other (`halves`). First each unit
    is removed alone, and the `shortlist` whose removal lowers the class's balanced accuracy most stay (of equal ones by
    the mean logit of its images). Each step then removes, besides those chosen before, each unit of that list, and
    chooses by the same rule. So (most × shortlist) rests of the network at most for each ranking image; of these at
    most `IMAGES` are used, spread evenly over each class, and fewer where they would take more memory than `LARGEST`.
    Raises `ValueError` for a layer or class that there is not, and for images that cannot be halved.
    """
    place = classifier.layer(layer)
    if most < 1 or shortlist < 1:
        raise ValueError(f"{most} units out of {shortlist} cannot be chosen: give at least 1 of each.")
    ranking, reading = halved(classifier, photos, target_class, positions)
    own = OwnLabels.of(classifier, photos)
    used = _some(classifier, place, ranking, own)
    removal = Removal(place.name)
    asked = (UnitPass(CHUNK), classifier, photos, UnitAblation(place.name), used, kept)
    counted: Counted[AblationSums] = yield from meanwhile((), *asked)
    effects = counted.value
    # What cannot be read, or gives no numbers, is known from here on.
    failed = {one.name for one in counted.problems}
    used = np.array([one for one in used.tolist() if photos.names[one] not in failed], np.int64)
    if not 0 < effects.images[target_class] < len(used):
        raise ValueError(
            f"Of the images for ranking {effects.images[target_class]} of class {classifier.labels[target_class]!r} "
            f"and {len(used)} in all could be used, and some of both are needed. {counted.problems[0].reason}"
        )
    candidates = effects.order(target_class)[:shortlist]
    chosen, told = yield from _chosen(classifier, photos, own, used, target_class, candidates, most, removal)
    prefixes = np.zeros((len(chosen) + 1, place.channels), bool)
    for number, unit in enumerate(chosen, start=1):
        prefixes[number:, unit] = True
    sets = UnitSets(removal, prefixes)
    rows: SetRows = yield from meanwhile(chosen, SetAblationPass(), classifier, photos, sets, reading, kept)
    measures = [rows.measures(number, len(classifier.labels)) for number in range(len(prefixes))]
    return GreedySet(
        layer=place,
        target=target_class,
        units=chosen,
        candidates=tuple(candidates.tolist()),
        images=(len(used), len(ranking), len(reading)),
        ranked=told[:, 0],
        ranked_logit=told[:, 1],
        balanced=np.array([one.balanced[target_class] for one in measures]),
        logit=np.array([one.logit[target_class] for one in measures]),
        probability=np.array([one.probability[target_class] for one in measures]),
        accuracy=np.array([one.accuracy for one in measures]),
        problems=counted.problems + rows.problems,
    )


def _chosen(
    classifier: Classifier,
    photos: ImageSet,
    own: OwnLabels,
    used: Int[np.ndarray, " n"],
    target: int,
    candidates: Int[np.ndarray, " m"],
    most: int,
    removal: Removal,
) -> Generator[tuple[int, ...], None, tuple[tuple[int, ...], Float[np.ndarray, "s 2"]]]:
    """The units in the order of choice; the class's balanced accuracy and mean logit before, and after each."""
    held: list[tuple[Resumed, Tensor]] = []
    count = min(most, len(candidates))
    starts = range(0, len(used), size := SetAblationPass().batch_size(classifier, ()))
    total = len(starts) * (count + 1)
    for number, start in enumerate(starts):
        progress.report(number, total, WHAT)
        held.append(_resumed(classifier, photos, own, used[start : start + size], removal))
        yield ()
    chosen: list[int] = []
    told: list[tuple[float, float]] = []
    for step in range(count):
        left = [one for one in candidates.tolist() if one not in chosen]
        # The first set is what is gone already.
        sets = np.zeros((len(left) + 1, removal.check(classifier).channels), bool)
        sets[:, chosen] = True
        sets[np.arange(1, len(sets)), left] = True
        parts = []
        for number, (resumed, labels) in enumerate(held):
            with progress.within(len(starts) * (step + 1) + number, 1, total, WHAT):
                found = without_sets(classifier, resumed, removal, labels, sets, WHAT)
            parts.append((labels.cpu().numpy(), *(values.cpu().numpy() for values in found[:2])))
            yield tuple(chosen)
        labels, predicted, logits = (np.concatenate(one) for one in zip(*parts, strict=True))
        balanced, logit = balanced_of(labels, predicted, target), logits[labels == target].mean(axis=0)
        if not step:
            told.append((balanced[0], logit[0]))
        best = int(np.lexsort((logit[1:], balanced[1:]))[0])
        chosen.append(left[best])
        told.append((balanced[1 + best], logit[1 + best]))
    return tuple(chosen), np.array(told)


def _resumed(
    classifier: Classifier, photos: ImageSet, own: OwnLabels, part: Int[np.ndarray, " n"], removal: Removal
) -> tuple[Resumed, Tensor]:
    """Some images, run up to the layer, with their classes."""
    images = inputs.read(classifier, photos, part.tolist())
    several = own.present is not None
    return removal.resumed(classifier, images), own_classes(own, part, classifier.logits(images) if several else None)


def _some(
    classifier: Classifier, layer: Layer, ranking: Int[np.ndarray, " n"], own: OwnLabels
) -> Int[np.ndarray, " m"]:
    """As many of the images as may be held, spread evenly over each class."""
    height, width = classifier.input_size
    numbers = classifier.channels * height * width + 2 * layer.channels * max(1, layer.height * layer.width)
    labels = own.at(ranking, np.zeros((len(ranking), len(classifier.labels)), np.float32))
    order = np.lexsort((ranking, labels))
    return np.sort(ranking[order][evenly(len(ranking), max(2, min(IMAGES, LARGEST // (4 * numbers))))])
