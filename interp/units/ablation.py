"""Every unit of a layer removed alone, over a set: what becomes of each class. Memory does not grow with the set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from interp.images import ImageSet, Problem
from interp.models.ground_truth import OwnLabels
from interp.models.inputs import Input, PicturePass, positions_of
from interp.passes.ablation import OneByOne
from interp.types import Classifier, Images
from interp.units.ablation_removal import Removal, whole_logits
from interp.units.ablation_sums import AblationSums, Adding, by_class, fixed, left_out, read_of

UNLABELLED = "It has no label among the classifier's classes, so it belongs to no class."


@dataclass(frozen=True)
class LabelledPass(PicturePass[Any, Any]):
    """A pass over images with a label of the classifier; the others become problems and are not run."""

    chunk: int = 1024
    first: int = 32

    def context(self, classifier: Classifier, photos: ImageSet) -> OwnLabels:
        """The classes of the images' labels."""
        return OwnLabels.of(classifier, photos)

    def rests_on(self, photos: ImageSet, context: OwnLabels, positions: Int[np.ndarray, " n"]) -> str:
        """A digest of the images' classes."""
        return context.fingerprint_of(positions)

    def run(
        self, classifier: Classifier, items: Sequence[Any], context: OwnLabels, seen: Sequence[Input]
    ) -> Sequence[Any]:
        """The value of each item for the images that could be read and have a label."""
        # Whether there is a label does not rest on the scores, only which.
        scores = np.zeros((len(seen), len(classifier.labels)), np.float32)
        labels = context.at(positions_of(seen), scores)
        given = zip(seen, labels.tolist(), strict=True)
        known = [
            replace(one, pixels=None, problem=Problem(one.name, UNLABELLED))
            if one.pixels is not None and own < 0
            else one
            for one, own in given
        ]
        return super().run(classifier, items, context, known)


@dataclass(frozen=True)
class UnitAblationPass(LabelledPass):
    """Every unit of a layer removed alone, for each removal.

    The network runs up to the layer once for each image, and from there on for each unit that is not there already what
    it would be set to (`interp.passes.ablation.OneByOne`). An image that cannot be read, has no label or gives numbers
    that are not finite becomes a problem, and the rest goes on. Memory does not grow with the number of images.
    """

    what = "Removing units"

    def checked(self, classifier: Classifier, items: Sequence[Removal]) -> tuple[Removal, ...]:
        """The removals, if the classifier has their layers."""
        for one in items:
            one.check(classifier)
        return tuple(items)

    def values(
        self,
        classifier: Classifier,
        items: Sequence[Removal],
        context: OwnLabels,
        images: Images,
        read: Sequence[Input],
    ) -> Sequence[AblationSums]:
        """The sums over some images for each removal."""
        return [self._sums(classifier, one, context, images, positions_of(read)) for one in items]

    def _sums(
        self, classifier: Classifier, item: Removal, context: OwnLabels, images: Images, positions: np.ndarray
    ) -> AblationSums:
        layer, resumed = item.check(classifier), item.resumed(classifier, images)
        before = whole_logits(resumed)
        own = own_classes(context, positions, before)
        begun = read_of(classifier, before, own)
        # Without a unit that is not active nothing changes.
        after = [one[:, None].repeat(1, layer.channels) for one in begun]
        removed = OneByOne.of(resumed, layer.channel_axis, item.instead(classifier, resumed))
        for part, logits in removed.logits(self.what):
            rows, channels = removed.rows[part], removed.channels[part]
            for array, values in zip(after, read_of(classifier, logits, own[rows]), strict=True):
                array[rows, channels] = values
        kept, problems = left_out(classifier, images, [one.float().cpu().numpy() for one in (before, *after[1:])])
        return _added(
            item,
            len(classifier.labels),
            own.cpu().numpy()[kept],
            [one.cpu().numpy()[kept] for one in begun],
            [one.cpu().numpy()[kept] for one in after],
            problems,
        )

    def blank(self, classifier: Classifier, item: Removal, problems: tuple[Problem, ...] = ()) -> AblationSums:
        """The sums over no image."""
        classes, units = len(classifier.labels), item.check(classifier).channels
        one, each = np.zeros(classes, np.int64), np.zeros((units, classes), np.int64)
        return AblationSums(item, one, one, one, one, one, each, each, each, each, problems)

    def collecting(self, classifier: Classifier, items: Sequence[Removal], count: int) -> Adding:
        """What sums come together in."""
        return Adding([self.blank(classifier, one) for one in items])


def own_classes(context: OwnLabels, positions: Int[np.ndarray, " n"], logits: Tensor | None) -> Int[Tensor, " n"]:
    """The classes of the images' labels; the logits are needed where an image may have several."""
    none = np.zeros((len(positions), 0), np.float32)
    found = context.at(positions, none if logits is None else logits.float().cpu().numpy())
    return torch.from_numpy(found.astype(np.int64)).to("cpu" if logits is None else logits.device)


def _added(
    item: Removal,
    classes: int,
    labels: np.ndarray,
    begun: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    problems: tuple[Problem, ...],
) -> AblationSums:
    """The sums of predictions, logits and probabilities, as they were and without each unit."""
    one = np.ones(len(labels), np.int64)
    right = (begun[0] == labels).astype(np.int64)
    right_after = (after[0] == labels[:, None]).astype(np.int64)
    reals, reals_after = [fixed(values) for values in begun[1:]], [fixed(values) for values in after[1:]]
    changes = [
        by_class(classes, labels, late - early[:, None]).T.copy()
        for early, late in zip((right, *reals), (right_after, *reals_after), strict=True)
    ]
    predicted = by_class(classes, begun[0], one)
    counts = np.zeros((after[0].shape[1], classes), np.int64)
    np.add.at(counts, (np.arange(len(counts))[None], after[0]), 1)
    return AblationSums(
        removal=item,
        images=by_class(classes, labels, one),
        right=by_class(classes, labels, right),
        predicted=predicted,
        logit=by_class(classes, labels, reals[0]),
        probability=by_class(classes, labels, reals[1]),
        right_change=changes[0],
        predicted_change=counts - predicted,
        logit_change=changes[1],
        probability_change=changes[2],
        problems=problems,
    )
