"""Which of an image's marks are of a class: the marks' names as a classifier's classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from interp.images import ImageSet
from interp.images.problems import same_name
from interp.models.ground_truth import OwnLabels
from interp.models.labels import match_labels
from interp.types import Classifier


@dataclass(frozen=True, eq=False)
class ClassMarks:
    """The names (as names are compared) of a set's marks, by the class that they are matched to."""

    of_class: Mapping[int, frozenset[str]]
    labels: OwnLabels

    @classmethod
    def of(cls, classifier: Classifier, photos: ImageSet, labels: OwnLabels) -> ClassMarks:
        """Those of a whole set; `labels` are the classes of the images' own labels."""
        match = match_labels(photos.mark_labels, classifier)
        named: dict[int, set[str]] = {}
        for label, index in zip(photos.mark_labels, match.indices, strict=True):
            if index is not None:
                named.setdefault(index, set()).add(same_name(label))
        return cls({index: frozenset(names) for index, names in named.items()}, labels)

    def fingerprint_of(self, positions: Sequence[int] | np.ndarray) -> str:
        """A digest of what is said of the images at these positions."""
        named = {index: sorted(names) for index, names in sorted(self.of_class.items())}
        return f"{self.labels.fingerprint_of(positions)} {named}"

    def names(self, own: frozenset[str] | None, index: int, label: int) -> frozenset[str] | None:
        """The names of the marks of class `index` in an image with the class `label` (-1: none).

        `own` are the names of the marks of its own label (`Sample.own`). None where all marks count: the image's own
        label is asked for, and nothing is marked by the names of labels.
        """
        matched = self.of_class.get(index, frozenset())
        if index != label or self.labels.present is not None:
            # Of several labels an image has, each has its own marks; where no name is a class's, all marks count.
            return matched if self.of_class or index != label else None
        return None if own is None else own | matched
