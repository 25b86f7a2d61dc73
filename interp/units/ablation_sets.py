"""Chosen sets of a layer's units removed together, image by image, and what that makes of each class."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp import set_pass
from interp.batches import batched
from interp.images import ImageSet, Problem
from interp.models.ground_truth import OwnLabels
from interp.models.inputs import Input, PicturePass, positions_of
from interp.passes.ablation import active, logits_without
from interp.passes.resuming import Resumed
from interp.set_pass import Collected, Growing, ItemStore, Positions, SetPass
from interp.types import Classifier, Fingerprinted, Images
from interp.units.ablation import UNLABELLED, own_classes
from interp.units.ablation_removal import Removal, distinct
from interp.units.ablation_sums import balanced, left_out, read_of

T = TypeVar("T")

LARGEST = 2_000_000_000


@dataclass(frozen=True, eq=False)
class UnitSets(Fingerprinted):
    """Sets of units, each to be `removed` together."""

    removal: Removal
    removed: Bool[np.ndarray, "v k"]


@dataclass(frozen=True, eq=False)
class SetRows(Fingerprinted):
    """What is said of n images without each of v sets of units.

    The class `predicted`, and the `logit` and the `probability` of the class of the image's own label.
    """

    positions: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    predicted: Int[np.ndarray, "n v"]
    logit: Float[np.ndarray, "n v"]
    probability: Float[np.ndarray, "n v"]
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    def measures(self, which: int, classes: int) -> ClassMeasures:
        """What becomes of each of the classes without the set of this number."""
        return measures(
            self.labels, self.predicted[:, which], self.logit[:, which], self.probability[:, which], classes
        )


@dataclass(frozen=True, eq=False)
class ClassMeasures(Fingerprinted):
    """How a classifier does on each of c classes, by the images' labels: nan where no image has the label.

    `recall` is the share of the class's images that are right; `balanced` the mean of it and of the true-negative rate;
    `logit` and `probability` are the means of those of the class over its images; `accuracy` is over all images.
    """

    images: Int[np.ndarray, " c"]
    recall: Float[np.ndarray, " c"]
    balanced: Float[np.ndarray, " c"]
    logit: Float[np.ndarray, " c"]
    probability: Float[np.ndarray, " c"]
    accuracy: float


def measures(
    labels: Int[np.ndarray, " n"],
    predicted: Int[np.ndarray, " n"],
    logit: Float[np.ndarray, " n"],
    probability: Float[np.ndarray, " n"],
    classes: int,
) -> ClassMeasures:
    """The measures of some images."""
    images = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[labels == predicted], minlength=classes)
    count = np.where(images > 0, images, np.nan)
    sums = [np.bincount(labels, weights=one, minlength=classes) for one in (logit, probability)]
    return ClassMeasures(
        images,
        right / count,
        balanced(images, right, np.bincount(predicted, minlength=classes)),
        sums[0] / count,
        sums[1] / count,
        float(right.sum() / len(labels)) if len(labels) else float("nan"),
    )


def balanced_of(
    labels: Int[np.ndarray, " n"], predicted: Int[np.ndarray, "n v"], target: int
) -> Float[np.ndarray, " v"]:
    """The balanced accuracy of one class without each set of units; nan where all images, or none, have the label."""
    own = labels == target
    if own.all() or not own.any():
        return np.full(predicted.shape[1], np.nan)
    return ((predicted[own] == target).mean(axis=0) + (predicted[~own] != target).mean(axis=0)) / 2


@dataclass(frozen=True)
class SetAblationPass(PicturePass[UnitSets, SetRows]):
    """Images without each of some sets of units: once up to the layer, and from there on once for each that differs.

    An image that cannot be read, has no label or gives numbers that are not finite becomes a problem.
    """

    chunk: int = 256
    first: int = 32
    what = "Removing sets of units"

    def checked(self, classifier: Classifier, items: Sequence[UnitSets]) -> tuple[UnitSets, ...]:
        """The sets, if the classifier has their units."""
        for one in items:
            layer = one.removal.check(classifier)
            if one.removed.shape[1] != layer.channels:
                raise ValueError(
                    f"The sets are of {one.removed.shape[1]} units, and {layer.name} has {layer.channels}."
                )
        return tuple(items)

    def context(self, classifier: Classifier, photos: ImageSet) -> OwnLabels:
        """The classes of the images' labels."""
        return OwnLabels.of(classifier, photos)

    def rests_on(self, photos: ImageSet, context: OwnLabels, positions: Int[np.ndarray, " n"]) -> str:
        """A digest of the images' classes."""
        return context.fingerprint_of(positions)

    def run(
        self, classifier: Classifier, items: Sequence[UnitSets], context: OwnLabels, seen: Sequence[Input]
    ) -> Sequence[SetRows]:
        """The rows of the images that could be read and have a label."""
        # Whether there is a label does not rest on the scores, only which.
        scores = np.zeros((len(seen), len(classifier.labels)), np.float32)
        labels = context.at(positions_of(seen), scores)
        known = [
            replace(one, pixels=None, problem=Problem(one.name, UNLABELLED))
            if one.pixels is not None and own < 0
            else one
            for one, own in zip(seen, labels.tolist(), strict=True)
        ]
        return super().run(classifier, items, context, known)

    def values(
        self,
        classifier: Classifier,
        items: Sequence[UnitSets],
        context: OwnLabels,
        images: Images,
        read: Sequence[Input],
    ) -> Sequence[SetRows]:
        """The rows of some images."""
        return [self._rows(classifier, one, context, images, positions_of(read)) for one in items]

    def _rows(
        self, classifier: Classifier, item: UnitSets, context: OwnLabels, images: Images, positions: np.ndarray
    ) -> SetRows:
        resumed = item.removal.resumed(classifier, images)
        # Which of several labels an image is counted by rests on the whole network's scores.
        several = context.present is not None
        own = own_classes(context, positions, classifier.logits(images) if several else None)
        found = without_sets(classifier, resumed, item.removal, own, item.removed, self.what)
        predicted, logit, probability = (one.cpu().numpy() for one in found)
        kept, problems = left_out(classifier, images, [logit, probability])
        return SetRows(
            positions[kept],
            own.cpu().numpy()[kept].astype(np.int32),
            predicted[kept].astype(np.int32),
            logit[kept],
            probability[kept],
            problems,
        )

    def blank(self, classifier: Classifier, item: UnitSets, problems: tuple[Problem, ...] = ()) -> SetRows:
        """The rows of no image."""
        sets, whole = len(item.removed), np.zeros(0, np.int32)
        real = np.zeros((0, sets), np.float32)
        return SetRows(whole, whole, np.zeros((0, sets), np.int32), real, real, problems)

    def collecting(self, classifier: Classifier, items: Sequence[UnitSets], count: int) -> Collected[SetRows]:
        """The rows as they come in. Raises `ValueError` where they would take more than 2 GB."""
        needed = 12 * count * sum(len(one.removed) for one in items)
        if needed > LARGEST:
            raise ValueError(
                f"What {count:,} images do without each of the sets takes {needed / 1e9:,.1f} GB; the limit is "
                f"{LARGEST / 1e9:.0f} GB. Choose at most {count * LARGEST // needed:,} images, or fewer sets."
            )
        return Collected([Growing(self.blank(classifier, one), count) for one in items])


def without_sets(
    classifier: Classifier,
    resumed: Resumed,
    removal: Removal,
    own: Int[Tensor, " n"],
    removed: Bool[np.ndarray, "v k"],
    what: str,
) -> tuple[Int[Tensor, "n v"], Float[Tensor, "n v"], Float[Tensor, "n v"]]:
    """The predicted class, and logit and probability of each image's own, without each set of units."""
    axis, activations = removal.check(classifier).channel_axis, resumed.activations
    instead = removal.instead(classifier, resumed)
    rows, sets, of = distinct(removed, active(activations, axis, instead).cpu().numpy())
    rows, sets, of = (torch.from_numpy(one).to(activations.device) for one in (rows, sets, of))
    keep = ~torch.from_numpy(removed).to(activations.device)
    shape = [-1, *(keep.shape[1] if i == axis else 1 for i in range(1, activations.ndim))]
    own = own.to(activations.device)

    def run(part: slice) -> tuple[Tensor, ...]:
        logits = logits_without(resumed, rows[part], keep[sets[part]].view(shape), instead)
        return read_of(classifier, logits, own[rows[part]])

    parts = list(batched(run, len(rows), size=resumed.batch_size, what=what))
    predicted, logit, probability = (torch.cat(one)[of] for one in zip(*parts, strict=True))
    return predicted, logit, probability


def meanwhile(
    said: T,
    work: SetPass[Any, Any],
    classifier: Classifier,
    photos: ImageSet,
    item: Any,
    positions: Positions,
    kept: ItemStore | None,
) -> Generator[T, None, Any]:
    """The value of a pass's one item; yields what is `said` after each of its steps."""
    with closing(set_pass.by_chunks(work, classifier, photos, (item,), positions, kept=kept)) as steps:
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value[0]
            yield said


def labelled(classifier: Classifier, photos: ImageSet, positions: Positions) -> tuple[Int[np.ndarray, " n"], OwnLabels]:
    """The positions of images with a label. Raises `ValueError` where there is none, and for a network without head."""
    classifier.require_head("Ablation of units")
    chosen = set_pass.chosen_positions(photos, positions)
    own = OwnLabels.of(classifier, photos)
    found = chosen[own.at(chosen, np.zeros((len(chosen), len(classifier.labels)), np.float32)) >= 0]
    if not len(found):
        raise ValueError(
            f"None of the {len(chosen)} images of {photos.name} has a label among {classifier.name}'s classes, by "
            f"which ablation counts. Choose a set whose labels are names of classes, such as {classifier.labels[0]!r}."
        )
    return found, own


def halved(
    classifier: Classifier, photos: ImageSet, target: int, positions: Positions
) -> tuple[Int[np.ndarray, " a"], Int[np.ndarray, " b"]]:
    """The images with a label in `halves`. Raises `ValueError` where one of them lacks the class, or has no other."""
    classifier.targets(target, 1)
    where, own = labelled(classifier, photos, positions)
    labels = own.at(where, np.zeros((len(where), len(classifier.labels)), np.float32))
    count = int((labels == target).sum())
    if count < 2 or len(labels) - count < 2:
        raise ValueError(
            f"{count} of the {len(labels)} labelled images are of class {classifier.labels[target]!r}: units are "
            "ranked on one half and read on the other, so at least two of it and two of other classes are needed."
        )
    return halves(where, labels)


def halves(
    positions: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " a"], Int[np.ndarray, " b"]]:
    """Positions for ranking and for reading: of each class every second image by position, the first for ranking."""
    order = np.argsort(positions, kind="stable")
    place = np.zeros(len(positions), np.int64)
    for one in np.unique(labels):
        of_class = order[labels[order] == one]
        place[of_class] = np.arange(len(of_class))
    return positions[place % 2 == 0], positions[place % 2 == 1]
