"""The scored images of a set with their cases, as all views of the page read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from interp.images import ImageSet
from interp.shared_interest import CASES, Scored, ScoreName, Thresholds
from interp.types import Classifier, Fingerprinted

NO_LABEL = len(CASES)
"""The case of an image whose label is not known: the eight cases tell right from wrong."""

NAMES: tuple[str, ...] = (*CASES, "no label")
SHORT: dict[ScoreName, str] = {"iou": "IoU", "ground_truth_coverage": "GTC", "saliency_coverage": "SC"}
"""The scores of binary saliency in few letters."""


@dataclass(frozen=True, eq=False)
class ScoredSet(Fingerprinted):
    """Scored images in the order scored, their cases by the thresholds, and the set they are of."""

    classifier: Classifier
    photos: ImageSet
    scored: Scored
    thresholds: Thresholds

    def __len__(self) -> int:
        return len(self.scored)

    @property
    def unannotated(self) -> int:
        """How many images of the set nobody has annotated; they are not among the scored ones."""
        return len(self.photos) - len(self.photos.annotated)

    @cached_property
    def cases(self) -> Int[np.ndarray, " n"]:
        """The case of each image, an index into `NAMES`."""
        found = self.scored.cases(self.thresholds)
        return np.where(self.scored.known, found, NO_LABEL)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many images have each case, those that nobody has annotated among them."""
        found = dict(zip(NAMES, np.bincount(self.cases, minlength=len(NAMES)).tolist(), strict=True))
        found["no annotation"] += self.unannotated
        return found

    def name(self, row: int) -> str:
        """The name of the image in a row."""
        return self.photos.names[self.scored.positions[row]]

    def class_names(self, row: int) -> tuple[str, str]:
        """Label and prediction of the image in a row; an empty label where it is not known."""
        labels, label = self.classifier.labels, int(self.scored.labels[row])
        return labels[label] if label >= 0 else "", labels[self.scored.predicted[row]]

    def where(self, position: int) -> int | None:
        """The row of the image at a position of the set; None where it is not scored."""
        found = np.flatnonzero(self.scored.positions == position)
        return int(found[0]) if len(found) else None
