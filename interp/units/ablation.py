"""Every unit of a layer removed alone, over a set: what becomes of each class. Memory does not grow with the set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.images import Problem
from interp.models.ground_truth import OwnLabels
from interp.passes.ablation import OneByOne
from interp.types import Classifier, Images, Layer
from interp.units.ablation_removal import Removal, whole_logits
from interp.units.ablation_sums import DIGITS, AblationSums, added, by_class, left_out, read_of
from interp.units.counts import Counted, ImageCount, fixed

CHUNK = 1024
"""Of how many images sums are kept together, where nothing else is counted: they are large, and the work is long."""

UNLABELLED = "It has no label among the classifier's classes, so it belongs to no class."


@dataclass(frozen=True, eq=False)
class UnitAblation(ImageCount[AblationSums]):
    """Every unit of a layer removed alone, set to zero or to the `mean` (`Removal`).

    The network runs up to the layer once for each image, and from there on for each unit that is not there already what
    it would be set to (`interp.passes.ablation.OneByOne`); beside counts of maps it runs up to the layer again. An
    image that has no label or gives numbers that are not finite is left out by name, and the rest goes on.
    """

    to: Literal["zero", "mean"] = "zero"
    mean: Float[np.ndarray, "*k"] | None = None

    what = "Removing units"

    @property
    def removal(self) -> Removal:
        """How units are removed, and where."""
        return Removal(self.layer, self.to, self.mean)

    def check(self, classifier: Classifier) -> Layer:
        """The layer. Raises `ValueError` as `Removal.check` does."""
        return self.removal.check(classifier)

    def of(
        self, classifier: Classifier, images: Images, positions: Int[np.ndarray, " n"], labels: OwnLabels
    ) -> Counted[AblationSums]:
        """The sums over those of the images that have a label."""
        # Whether there is a label does not rest on the scores, only which.
        scores = np.zeros((len(positions), len(classifier.labels)), np.float32)
        known = labels.at(positions, scores) >= 0
        nameless = tuple(Problem(images.names[row], UNLABELLED) for row in np.flatnonzero(~known))
        if not known.any():
            return Counted(0, self.blank(classifier), nameless)
        if nameless:
            rows = np.flatnonzero(known).tolist()
            images = Images(images.pixels[rows], tuple(images.names[row] for row in rows))
        sums, problems = self._sums(classifier, images, positions[known], labels)
        return Counted(int(sums.images.sum()), sums, nameless + problems)

    def _sums(
        self, classifier: Classifier, images: Images, positions: Int[np.ndarray, " n"], labels: OwnLabels
    ) -> tuple[AblationSums, tuple[Problem, ...]]:
        removal, layer = self.removal, self.check(classifier)
        resumed = removal.resumed(classifier, images)
        before = whole_logits(resumed)
        own = own_classes(labels, positions, before)
        begun = read_of(classifier, before, own)
        # Without a unit that is not active nothing changes.
        after = [one[:, None].repeat(1, layer.channels) for one in begun]
        removed = OneByOne.of(resumed, layer.channel_axis, removal.instead(classifier, resumed))
        for part, logits in removed.logits(self.what):
            rows, channels = removed.rows[part], removed.channels[part]
            for array, values in zip(after, read_of(classifier, logits, own[rows]), strict=True):
                array[rows, channels] = values
        kept, problems = left_out(classifier, images, [one.float().cpu().numpy() for one in (before, *after[1:])])
        sums = _added(
            removal,
            len(classifier.labels),
            own.cpu().numpy()[kept],
            [one.cpu().numpy()[kept] for one in begun],
            [one.cpu().numpy()[kept] for one in after],
        )
        return sums, problems

    def blank(self, classifier: Classifier) -> AblationSums:
        """The sums over no image."""
        classes, units = len(classifier.labels), self.check(classifier).channels
        one, each = np.zeros(classes, np.int64), np.zeros((units, classes), np.int64)
        return AblationSums(self.removal, one, one, one, one, one, each, each, each, each)

    def merged(self, values: Sequence[AblationSums]) -> AblationSums:
        """The sums over the images of all."""
        return added(values)


def own_classes(context: OwnLabels, positions: Int[np.ndarray, " n"], logits: Tensor | None) -> Int[Tensor, " n"]:
    """The classes of the images' labels; the logits are needed where an image may have several."""
    none = np.zeros((len(positions), 0), np.float32)
    found = context.at(positions, none if logits is None else logits.float().cpu().numpy())
    return torch.from_numpy(found.astype(np.int64)).to("cpu" if logits is None else logits.device)


def _added(
    removal: Removal,
    classes: int,
    labels: np.ndarray,
    begun: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
) -> AblationSums:
    """The sums of predictions, logits and probabilities, as they were and without each unit."""
    one = np.ones(len(labels), np.int64)
    right = (begun[0] == labels).astype(np.int64)
    right_after = (after[0] == labels[:, None]).astype(np.int64)
    reals, reals_after = [fixed(one, DIGITS) for one in begun[1:]], [fixed(one, DIGITS) for one in after[1:]]
    changes = [
        by_class(classes, labels, late - early[:, None]).T.copy()
        for early, late in zip((right, *reals), (right_after, *reals_after), strict=True)
    ]
    predicted = by_class(classes, begun[0], one)
    counts = np.zeros((after[0].shape[1], classes), np.int64)
    np.add.at(counts, (np.arange(len(counts))[None], after[0]), 1)
    return AblationSums(
        removal=removal,
        images=by_class(classes, labels, one),
        right=by_class(classes, labels, right),
        predicted=predicted,
        logit=by_class(classes, labels, reals[0]),
        probability=by_class(classes, labels, reals[1]),
        right_change=changes[0],
        predicted_change=counts - predicted,
        logit_change=changes[1],
        probability_change=changes[2],
    )
