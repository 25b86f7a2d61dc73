"""What a set says is in each image, as a classifier's classes, where one image may have several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from interp.images import ImageSet
from interp.models.labels import LabelMatch, match_labels, match_set
from interp.types import Classifier, Fingerprinted, digest

Origin = Literal["label sets", "columns", "one label", "nothing"]


@dataclass(frozen=True, eq=False)
class GroundTruth(Fingerprinted):
    """Which of k classes are in each of n images of a set.

    `present` counts only where `known` is true. `unmatched` are the set's labels, or its columns of 0 and 1, without a
    class. `by` is where it comes from: the images' label sets, columns named after classes, the one label of each
    image, or nowhere. `remarks` are those of the match (`LabelMatch`).
    """

    present: Bool[np.ndarray, "n k"]
    known: Bool[np.ndarray, "n k"]
    unmatched: tuple[str, ...]
    by: Origin
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class OwnLabels:
    """The class of each image's own label: what the set says, or of several labels the one with the highest score."""

    indices: Int[np.ndarray, " n"] | None
    present: Bool[np.ndarray, "n k"] | None = None

    @classmethod
    def of(cls, classifier: Classifier, photos: ImageSet, *, start: int | None = None) -> OwnLabels:
        """Those of a whole set; all labels of an image count where the classes do not exclude each other.

        `start` is what labels that are numbers count from (`match_set`).
        """
        if classifier.multi_label:
            return cls(None, match_several(classifier, photos, start=start).present)
        indices = match_set(classifier, photos, start=start).indices
        return cls(np.array([-1 if one is None else one for one in indices], np.int32))

    def fingerprint_of(self, positions: Sequence[int] | np.ndarray) -> str:
        """A digest of what is said of the images at these positions."""
        chosen = np.asarray(positions, np.int64)
        return digest(*(None if one is None else one[chosen] for one in (self.indices, self.present)))

    def at(self, positions: Sequence[int] | np.ndarray, scores: Float[np.ndarray, "m k"]) -> Int[np.ndarray, " m"]:
        """The labels of the images at these positions, whose scores are given; -1 where there is none."""
        chosen = np.asarray(positions, np.int64)
        if self.present is None:
            assert self.indices is not None
            return self.indices[chosen]
        present = self.present[chosen]
        best = np.where(present, scores, -np.inf).argmax(axis=1)
        return np.where(present.any(axis=1), best, -1).astype(np.int32)


def match_several(classifier: Classifier, photos: ImageSet, *, start: int | None = None) -> GroundTruth:
    """The classes of each image: from its label set, from columns of 0 and 1 named after classes, or its one label.

    Of label sets and columns the one counts that names more classes. An image with a label set has no other class; a
    class that no label set names is not known of any image, for nothing tells whether anybody looked for it. In a
    column 1 is present and 0 absent; a gap, or −1 (CheXpert's 'uncertain', Irvin et al. 2019), is not known. One label
    an image, where there are neither, is taken for all that is in it. `start` is what labels that are numbers count
    from (`match_set`).
    """
    start = photos.counts_from if start is None else start
    found = [_from_sets(classifier, photos, start), _from_columns(classifier, photos)]
    best = max(found, key=lambda one: int(one.known.any(axis=0).sum()))
    if best.known.any():
        return best
    single = _from_single_labels(classifier, photos, start)
    # Where nothing matches, what was meant for classes is still to be named.
    return single if single.known.any() or not best.unmatched else best


def _from_sets(classifier: Classifier, photos: ImageSet, start: int | None) -> GroundTruth:
    sets = photos.label_sets or ()
    return _of_sets(classifier, photos, [None if one is None else sorted(one) for one in sets], "label sets", start)


def _from_single_labels(classifier: Classifier, photos: ImageSet, start: int | None) -> GroundTruth:
    present, known = _unknown(classifier, photos)
    match = match_set(classifier, photos, start=start)
    for row, (label, index) in enumerate(zip(photos.labels, match.indices, strict=True)):
        known[row] = label is not None
        if index is not None:
            present[row, index] = True
    return _of_named_classes(present, known, match, "one label")


def _of_sets(
    classifier: Classifier, photos: ImageSet, sets: list[list[str] | None], by: Origin, start: int | None
) -> GroundTruth:
    present, known = _unknown(classifier, photos)
    distinct = sorted({label for one in sets for label in one or ()})
    match = match_labels(distinct, classifier, start=start)
    index_of = dict(zip(distinct, match.indices, strict=True))
    for row, labels in enumerate(sets):
        known[row] = labels is not None
        present[row, [index for label in labels or () if (index := index_of[label]) is not None]] = True
    return _of_named_classes(present, known, match, by)


def _from_columns(classifier: Classifier, photos: ImageSet) -> GroundTruth:
    present, known = _unknown(classifier, photos)
    columns = {name: np.array(values) for name, values in photos.numbers.items()}
    flags = [name for name, values in columns.items() if np.isin(values[~np.isnan(values)], (-1, 0, 1)).all()]
    match = match_labels(flags, classifier)
    if match.by not in ("name", "wordnet id"):
        return GroundTruth(present, known, (), "nothing")
    for name, index in zip(flags, match.indices, strict=True):
        if index is not None:
            present[:, index] = columns[name] == 1
            known[:, index] = np.isin(columns[name], (0, 1))
    return GroundTruth(present, known, match.unmatched, "columns", match.remarks)


def _of_named_classes(present: np.ndarray, known: np.ndarray, match: LabelMatch, by: Origin) -> GroundTruth:
    named = present.any(axis=0)
    return GroundTruth(present, known & named, match.unmatched, by if named.any() else "nothing", match.remarks)


def _unknown(classifier: Classifier, photos: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    size = (len(photos), len(classifier.labels))
    return np.zeros(size, bool), np.zeros(size, bool)
