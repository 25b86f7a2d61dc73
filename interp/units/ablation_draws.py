"""A few units removed together: every class before and after, beside random sets of as many units as active."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from interp import set_pass
from interp.images import ImageSet, Problem
from interp.set_pass import ItemStore, Positions, returned
from interp.types import Classifier, Fingerprinted, Layer
from interp.units.ablation_means import MeanPass, MeanSums
from interp.units.ablation_removal import Removal
from interp.units.ablation_sets import ClassMeasures, SetAblationPass, SetRows, UnitSets, labelled, meanwhile

NEAR = 10
"""Among how many units, those nearest in the order of mean activation, another is drawn for each."""


@dataclass(frozen=True, eq=False)
class Ablated(Fingerprinted):
    """What becomes of each of c classes over n labelled images without some units of a layer, or with only these.

    `whole` and `without` are the measures of the whole network and of that without the units; `confusion_before` and
    `confusion_after` count images by label and by predicted class; `predicted_before` and `predicted_after` are of the
    images at `positions`, with their `labels`. `without_drawn` has the measures without each of some sets of as many
    units, `drawn`: for each unit one of the `NEAR` others that are nearest in the order of mean activation over the
    set; `drawn_changed` is the share of images whose prediction changes without each of them.
    `remarks` say where the layer had too few. `problems` names the images that are left out.
    """

    layer: Layer
    units: tuple[int, ...]
    to: Literal["zero", "mean"]
    keep: Literal["others", "only"]
    positions: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    predicted_before: Int[np.ndarray, " n"]
    predicted_after: Int[np.ndarray, " n"]
    whole: ClassMeasures
    without: ClassMeasures
    confusion_before: Int[np.ndarray, "c c"]
    confusion_after: Int[np.ndarray, "c c"]
    drawn: Int[np.ndarray, "draws s"]
    without_drawn: tuple[ClassMeasures, ...]
    drawn_changed: Float[np.ndarray, " draws"]
    remarks: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def before(self) -> Float[np.ndarray, " c"]:
        """The accuracy of each class as it is (its recall); nan where it has no image."""
        return self.whole.recall

    @property
    def after(self) -> Float[np.ndarray, " c"]:
        """The accuracy of each class without the units."""
        return self.without.recall

    @property
    def random(self) -> Float[np.ndarray, "draws c"]:
        """The accuracy of each class without each random set."""
        return np.array([one.recall for one in self.without_drawn]).reshape(-1, len(self.whole.recall))

    @property
    def random_balanced(self) -> Float[np.ndarray, "draws c"]:
        """The balanced accuracy of each class without each random set."""
        return np.array([one.balanced for one in self.without_drawn]).reshape(-1, len(self.whole.balanced))

    def below(self) -> Float[np.ndarray, " c"]:
        """Of each class, the share of random sets that leave it a higher balanced accuracy than the units do.

        nan without random sets, and where the class has no image.
        """
        if not self.without_drawn:
            return np.full(len(self.without.balanced), np.nan)
        share = (self.random_balanced > self.without.balanced).mean(axis=0)
        return np.where(np.isnan(self.without.balanced), np.nan, share)


def ablate(
    classifier: Classifier,
    photos: ImageSet,
    *,
    layer: str | None = None,
    units: Sequence[int] | np.ndarray,
    to: Literal["zero", "mean"] = "zero",
    keep: Literal["others", "only"] = "others",
    draws: int = 20,
    seed: int = 0,
    positions: Positions = None,
) -> Ablated:
    """Remove units of a layer, and see what becomes of each class, beside random sets. As `ablating`."""
    asked = (classifier, photos, layer, units)
    return returned(ablating(*asked, to=to, keep=keep, draws=draws, seed=seed, positions=positions))


def ablating(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None,
    units: Sequence[int] | np.ndarray,
    *,
    to: Literal["zero", "mean"] = "zero",
    keep: Literal["others", "only"] = "others",
    draws: int = 20,
    seed: int = 0,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[Ablated | None, None, Ablated]:
    """Remove units of a layer; yields None while means are taken, then what there is so far, and returns the whole.

    `to` says what units are set to: zero, or their mean over these images at every position. `keep` says what stays:
    the other units, or only these. Each image runs up to the layer once, and from there on once as it is, once without
    the units, and once for each of the `draws`, those that are the same in the image once together; where means are
    needed (for draws, or to set units to) one more forward pass goes before. What is `kept` is not computed again.
    Raises `ValueError` for a layer or a unit that there is not, for no unit, a negative number of draws, and where no
    image has a label.
    """
    classifier.require_head("Ablation of units")
    place = classifier.layer(layer)
    chosen = checked_units(place, units)
    if draws < 0:
        raise ValueError(f"There cannot be {draws} draws: give 0 or more.")
    where, _ = labelled(classifier, photos, positions)
    means: MeanSums | None = None
    if draws or to == "mean":
        means = yield from meanwhile(None, MeanPass(), classifier, photos, place.name, where, kept)
    drawn, remarks = np.zeros((0, len(chosen)), np.int64), ()
    if draws and means is not None:
        drawn, remarks = matched(means.mean(), chosen, draws, seed)
    mean = means.map_mean() if to == "mean" and means is not None else None
    removed = np.stack([_removed(place, one, keep) for one in (chosen, *drawn)])
    removed = np.concatenate([np.zeros((1, place.channels), bool), removed])
    sets = UnitSets(Removal(place.name, to, mean), removed)
    found: Ablated | None = None
    for (rows,) in set_pass.by_chunks(SetAblationPass(), classifier, photos, (sets,), where, kept=kept):
        found = _ablated(rows, place, chosen, to, keep, drawn, len(classifier.labels), remarks)
        yield found
    assert found is not None
    return found


def checked_units(layer: Layer, units: Sequence[int] | np.ndarray) -> tuple[int, ...]:
    """The units in order, each once. Raises `ValueError` for none, and for one that the layer does not have."""
    chosen = tuple(sorted({int(one) for one in np.asarray(units).tolist()}))
    if not chosen:
        raise ValueError(f"No units are given: name at least one of the {layer.channels} of {layer.name}.")
    for one in chosen:
        if not 0 <= one < layer.channels:
            raise ValueError(f"Unit {one} does not exist: {layer.name} has {layer.channels}, numbered from 0.")
    return chosen


def matched(
    means: Float[np.ndarray, " k"], units: Sequence[int], draws: int, seed: int, near: int = NEAR
) -> tuple[Int[np.ndarray, "draws s"], tuple[str, ...]]:
    """Random sets of as many other units, matched in mean activation; and remarks where there are too few.

    Each unit is replaced by one of the `near` other units whose places in the order of mean activation are nearest to
    its own, those left out that the set has already; of equally near ones the less active first. No draws where the
    layer has fewer other units than there are units.
    """
    others = np.setdiff1d(np.arange(len(means)), units)
    if len(others) < len(units):
        said = f"The layer has {len(others)} other units, and {len(units)} are needed for a random set: there is none."
        return np.zeros((0, len(units)), np.int64), (said,)
    order = np.argsort(means, kind="stable")
    place = np.argsort(order, kind="stable")
    rng = np.random.default_rng(seed)
    drawn = np.zeros((draws, len(units)), np.int64)
    for row in drawn:
        free = others
        for number in rng.permutation(len(units)):
            distance = np.abs(place[free] - place[units[number]])
            row[number] = rng.choice(free[np.lexsort((place[free], distance))[:near]])
            free = free[free != row[number]]
    few = f"The layer has only {len(others)} other units: random sets share many of theirs, and match less well."
    return drawn, (few,) if len(others) < 2 * len(units) + near else ()


def changed_without(predicted: Int[np.ndarray, "n v"]) -> Float[np.ndarray, " draws"]:
    """The share of images that are called something else than at first, for each set behind the first two."""
    if not len(predicted):
        return np.full(max(0, predicted.shape[1] - 2), np.nan)
    return (predicted[:, 2:] != predicted[:, :1]).mean(axis=0)


def _removed(
    layer: Layer, units: Sequence[int] | np.ndarray, keep: Literal["others", "only"]
) -> Bool[np.ndarray, " k"]:
    removed = np.full(layer.channels, keep == "only")
    removed[np.asarray(units)] = keep == "others"
    return removed


def _ablated(
    rows: SetRows,
    layer: Layer,
    units: tuple[int, ...],
    to: Literal["zero", "mean"],
    keep: Literal["others", "only"],
    drawn: np.ndarray,
    classes: int,
    remarks: tuple[str, ...],
) -> Ablated:
    def confusion(which: int) -> np.ndarray:
        counts = np.zeros((classes, classes), np.int64)
        np.add.at(counts, (rows.labels, rows.predicted[:, which]), 1)
        return counts

    return Ablated(
        layer=layer,
        units=units,
        to=to,
        keep=keep,
        positions=rows.positions,
        labels=rows.labels,
        predicted_before=rows.predicted[:, 0],
        predicted_after=rows.predicted[:, 1],
        whole=rows.measures(0, classes),
        without=rows.measures(1, classes),
        confusion_before=confusion(0),
        confusion_after=confusion(1),
        drawn=drawn,
        without_drawn=tuple(rows.measures(2 + number, classes) for number in range(len(drawn))),
        drawn_changed=changed_without(rows.predicted),
        remarks=remarks,
        problems=rows.problems,
    )
