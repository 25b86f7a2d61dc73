"""How a class falls as more and more units are removed, in one order or another; and what is left with these alone."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from interp import set_pass
from interp.channels.over_set import AttributionPass, SetAttribution, SetTarget
from interp.images import ImageSet
from interp.set_pass import ItemStore, Positions, returned
from interp.types import Classifier, Fingerprinted, Layer
from interp.units.ablation import CHUNK, UnitAblation
from interp.units.ablation_means import MeanPass, MeanSums
from interp.units.ablation_removal import Removal
from interp.units.ablation_sets import SetAblationPass, SetRows, UnitSets, halved, labelled, meanwhile
from interp.units.ablation_sums import AblationSums
from interp.units.counting import UnitPass

SIZES = (1, 2, 3, 4, 5, 20, 64, 128, 256)
RANDOM = 5

UnitOrder = Int[np.ndarray, " m"]
"""Units, those to be removed first in front."""


@dataclass(frozen=True, eq=False)
class Rankings(Fingerprinted):
    """What units of a layer may be ranked by, for any class: made on the images that are for ranking."""

    effects: AblationSums
    means: MeanSums
    attribution: SetAttribution

    def orders(self, target: int, *, draws: int = RANDOM) -> dict[str, UnitOrder]:
        """The orders for a class, by name; raises `ValueError` where no image has the label.

        'effect': the largest drop of the class's balanced accuracy by the unit alone first, of equal ones that of its
        mean logit. 'attribution': the largest mean attribution to the class over its images. 'selectivity': class
        selectivity (`MeanSums.selectivity`). 'random 1' and so on: seeded.
        """
        found = {
            "effect": self.effects.order(target),
            "attribution": by_attribution(self.attribution, target),
            "selectivity": by_score(self.means.selectivity(target)),
        }
        return found | {f"random {seed + 1}": at_random(len(found["effect"]), seed) for seed in range(draws)}


def by_score(scores: Float[np.ndarray, " k"]) -> UnitOrder:
    """The largest score first, such as a unit's IoU with a concept; of equal ones the lower unit; no number last."""
    return np.argsort(-np.where(np.isnan(scores), -np.inf, scores), kind="stable")


def by_attribution(found: SetAttribution, target: int) -> UnitOrder:
    """The largest mean attribution to the class over the images in which it is explained.

    Raises `ValueError` where there is none.
    """
    own = found.positive == target
    if not own.any():
        raise ValueError(f"Class {target} is explained in no image: give an attribution to the labels, or to it.")
    return by_score(found.values[own].mean(axis=0, dtype=np.float64))


def at_random(units: int, seed: int) -> UnitOrder:
    """All units in a seeded order."""
    return np.random.default_rng(seed).permutation(units)


def ranking(
    classifier: Classifier, photos: ImageSet, layer: str | None, positions: Positions, kept: ItemStore | None = None
) -> Generator[None, None, Rankings]:
    """What units are ranked by, over images: each one's own effect, attribution, and how active it is; three passes.

    Raises `ValueError` for a layer that there is not, and where no image has a label.
    """
    place = classifier.layer(layer).name
    where, _ = labelled(classifier, photos, positions)
    asked = (classifier, photos)
    effects = yield from meanwhile(None, UnitPass(CHUNK), *asked, UnitAblation(place), where, kept)
    means = yield from meanwhile(None, MeanPass(), *asked, place, where, kept)
    attributed = yield from meanwhile(None, AttributionPass(), *asked, SetTarget(place, "label"), where, kept)
    return Rankings(effects.value, means, attributed)


@dataclass(frozen=True, eq=False)
class DropCurve(Fingerprinted):
    """What becomes of a class when the first `sizes` units of an order are removed, or (`complement`) all others.

    `balanced` is the class's balanced accuracy and `recall` the share of its images that are right: with only its own
    units kept, every image may be taken for it. `accuracy` is over all classes, `logit` the class's mean logit; `whole`
    has the four with nothing removed. `skipped` are sizes that the order is too short for.
    """

    layer: Layer
    target: int
    complement: bool
    sizes: tuple[int, ...]
    balanced: Float[np.ndarray, " s"]
    recall: Float[np.ndarray, " s"]
    accuracy: Float[np.ndarray, " s"]
    logit: Float[np.ndarray, " s"]
    whole: tuple[float, float, float, float]
    images: int
    skipped: tuple[int, ...] = ()


def drop_curve(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None,
    order: Sequence[int] | UnitOrder,
    *,
    target_class: int,
    sizes: Sequence[int] = SIZES,
    complement: bool = False,
    positions: Positions = None,
) -> DropCurve:
    """The curve of one order. As `drop_curves`; `positions` should not be those that the order was ranked on."""
    asked = (classifier, photos, layer, {"": order})
    steps = drop_curves(*asked, target_class=target_class, sizes=sizes, complement=complement, positions=positions)
    return returned(steps)[""]


def drop_curves(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None,
    orders: Mapping[str, Sequence[int] | UnitOrder],
    *,
    target_class: int | Mapping[str, int],
    sizes: Sequence[int] = SIZES,
    complement: bool = False,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[dict[str, DropCurve], None, dict[str, DropCurve]]:
    """The curves of several orders by their names; yields those over the images so far.

    `target_class` is one class for all orders, or each one's by its name. Units are set to zero. Each image runs up to
    the layer once, and from there on once for each order and size. Raises `ValueError` for a layer, class, or unit that
    there is not, for a unit that an order has twice, for sizes below 1 or all too large, and where no image has a
    label.
    """
    place = classifier.layer(layer)
    targets = {name: target_class if isinstance(target_class, int) else target_class[name] for name in orders}
    classifier.targets(list(targets.values()), len(targets))
    where, _ = labelled(classifier, photos, positions)
    checked = {name: _checked(place, order) for name, order in orders.items()}
    steps = {name: _sizes(order, sizes) for name, order in checked.items()}
    removed = [np.zeros(place.channels, bool)]
    for name, order in checked.items():
        removed.extend(_first(place, order, size) != complement for size in steps[name])
    sets = UnitSets(Removal(place.name), np.stack(removed))
    found: dict[str, DropCurve] = {}
    for (rows,) in set_pass.by_chunks(SetAblationPass(), classifier, photos, (sets,), where, kept=kept):
        found = _curves(rows, place, targets, complement, steps, sizes, len(classifier.labels))
        yield found
    return found


def curves_of_class(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None,
    target_class: int,
    *,
    scores: Mapping[str, Float[np.ndarray, " k"]] | None = None,
    sizes: Sequence[int] = SIZES,
    complement: bool = False,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[dict[str, DropCurve], None, dict[str, DropCurve]]:
    """A class's curves in every order of `Rankings`, and by further scores, such as units' IoU with a concept.

    Units are ranked on one half of the images, and the curves read on the other (`halved`); scores are taken as they
    are given, on whatever images they were made. Yields none while units are ranked, then the curves so far. Raises
    `ValueError` as `halved` and `drop_curves` do.
    """
    ranked_on, read_on = halved(classifier, photos, target_class, positions)
    steps = ranking(classifier, photos, layer, ranked_on, kept)
    with closing(steps):
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                rankings: Rankings = stop.value
                break
            yield {}
    orders = {name: by_score(values) for name, values in (scores or {}).items()} | rankings.orders(target_class)
    return (
        yield from drop_curves(
            classifier,
            photos,
            layer,
            orders,
            target_class=target_class,
            sizes=sizes,
            complement=complement,
            positions=read_on,
            kept=kept,
        )
    )


def _curves(
    rows: SetRows,
    layer: Layer,
    targets: Mapping[str, int],
    complement: bool,
    steps: Mapping[str, tuple[int, ...]],
    sizes: Sequence[int],
    classes: int,
) -> dict[str, DropCurve]:
    measures = [rows.measures(number, classes) for number in range(rows.predicted.shape[1])]
    found, start = {}, 1
    for name, taken in steps.items():
        target = targets[name]
        told = [
            (float(one.balanced[target]), float(one.recall[target]), one.accuracy, float(one.logit[target]))
            for one in (measures[0], *measures[start : start + len(taken)])
        ]
        balanced, recall, accuracy, logit = np.array(told[1:]).T.copy()
        start += len(taken)
        skipped = tuple(sorted(set(sizes) - set(taken)))
        found[name] = DropCurve(
            layer, target, complement, taken, balanced, recall, accuracy, logit, told[0], len(rows), skipped
        )
    return found


def _checked(layer: Layer, order: Sequence[int] | UnitOrder) -> UnitOrder:
    given = np.asarray(order, np.int64)
    outside = given[(given < 0) | (given >= layer.channels)]
    if len(outside):
        raise ValueError(f"Unit {outside[0]} does not exist: {layer.name} has {layer.channels}, numbered from 0.")
    units, counts = np.unique(given, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"Unit {units[counts > 1][0]} stands twice in the order: name each unit once.")
    return given


def _sizes(order: UnitOrder, sizes: Sequence[int]) -> tuple[int, ...]:
    """The sizes that the order is long enough for."""
    if any(size < 1 for size in sizes):
        raise ValueError(f"{min(sizes)} units cannot be removed: give sizes of at least 1.")
    taken = tuple(sorted({size for size in sizes if size <= len(order)}))
    if not taken:
        raise ValueError(f"The order has {len(order)} units: give a size that is not larger, not only {tuple(sizes)}.")
    return taken


def _first(layer: Layer, order: UnitOrder, size: int) -> Bool[np.ndarray, " k"]:
    """Which units are the first of an order."""
    return np.isin(np.arange(layer.channels), order[:size])
