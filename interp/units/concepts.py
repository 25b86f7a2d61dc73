"""What is known to be in an image, and where: the concepts that units are set beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, UInt16

from interp.images import ImageSet, Problem, Sample, UnreadableImage
from interp.images.problems import same_name
from interp.models.inputs import Input, fitted
from interp.types import Classifier

MARKED = "object"
"""The category of what people marked."""
MOST_SEGMENTS = 4096


@dataclass(frozen=True)
class ConceptSource:
    """Which concepts of a set are counted: those of these categories (none: of all).

    `complete` says that whatever is in an image is known, as it is of scenes, which a program draws: then an image in
    which nothing of a category is counts for that category, too. Else it counts only for categories that something in
    it is known of, as in Broden (Bau et al. 2017).
    """

    categories: tuple[str, ...] = ()
    complete: bool = False


class Segments(NamedTuple):
    """What concepts divide an image into: the segment of each pixel, and which concepts are in each segment.

    A segment is where the same concepts are.
    """

    of: UInt16[np.ndarray, " pixels"]
    inside: Bool[np.ndarray, "m c"]


@dataclass(frozen=True, eq=False)
class KnownConcepts:
    """The concepts in one image as the classifier sees it: category and name, and where they are (None: none is)."""

    concepts: tuple[tuple[str, str], ...] = ()
    segments: Segments | None = None
    categories: tuple[str, ...] = ()
    """Further categories of which it is known what of them is in the image, though that be nothing."""

    @property
    def masks(self) -> Bool[np.ndarray, "c pixels"] | None:
        """Of each concept the pixels where it is."""
        return None if self.segments is None else self.segments.inside.T[:, self.segments.of]


def segmented(masks: Bool[np.ndarray, "c pixels"]) -> Segments:
    """The segments that masks divide an image into."""
    segment_of, count = np.zeros(masks.shape[1], np.int64), 1
    for mask in masks:
        segment_of, count = 2 * segment_of + mask, 2 * count
        if count > MOST_SEGMENTS:
            segment_of, count = _numbered(segment_of)
    segment_of, count = _numbered(segment_of)
    some = np.zeros(count, np.int64)
    some[segment_of] = np.arange(len(segment_of))
    # There are no more segments than pixels: of pictures too large for 16 bits they would have to be many.
    if count > np.iinfo(np.uint16).max:
        raise ValueError(f"Its concepts divide it into {count:,} pieces, more than can be told apart: leave some out.")
    return Segments(segment_of.astype(np.uint16), masks[:, some].T)


def concepts(photos: ImageSet, categories: tuple[str, ...] = ()) -> ConceptSource:
    """What the set itself knows to be in its images: concepts, as of scenes or of concept data sets, or marks.

    Raises `ValueError` for a set that knows nothing.
    """
    if photos.concept_images:
        return ConceptSource(categories)
    if photos.mark_labels or not photos.annotated:
        if not photos.annotated:
            raise ValueError(
                f"Nothing is marked in {photos.name}, so no concept is known. Give a set whose things are marked, each "
                "with its name (COCO, Pascal VOC, masks, ...), a concept data set (concepts.toml), or the scenes."
            )
        return ConceptSource(categories)
    return ConceptSource(categories, complete=bool(photos[min(photos.annotated)].concepts))


def known_in(
    classifier: Classifier, photos: ImageSet, position: int, source: ConceptSource
) -> tuple[Input, KnownConcepts]:
    """The image at a position as the classifier sees it with the concepts in it, read once; or why it cannot be."""
    name = photos.names[position]
    try:
        sample = photos[position]
        pixels = fitted(classifier, sample.image, name)
        known = _fitted(classifier, sample, source)
    except UnreadableImage as error:
        return Input(position, name, None, Problem(name, str(error))), KnownConcepts()
    except ValueError as error:
        # The picture could be read: it is its marks that could not.
        problem = Problem(name, f"What is marked in it cannot be read: {error}")
        return Input(position, name, None, problem), KnownConcepts()
    return Input(position, name, pixels, remarks=sample.remarks, state=photos.state(position)), known


def _fitted(classifier: Classifier, sample: Sample, source: ConceptSource) -> KnownConcepts:
    found: dict[tuple[str, str], np.ndarray] = {}
    for category, name, mask in _all(sample):
        if source.categories and category not in source.categories:
            continue
        seen = classifier.preprocessing.annotation(mask).numpy().reshape(-1)
        # What is cut off, or covered by something else, is not in what the classifier sees.
        if seen.any():
            found[category, name] = found[category, name] | seen if (category, name) in found else seen
    categories = tuple(one for one in sample.categories or () if not source.categories or one in source.categories)
    return KnownConcepts(tuple(found), segmented(np.stack(list(found.values()))) if found else None, categories)


def _all(sample: Sample) -> list[tuple[str, str, Bool[np.ndarray, "rows columns"]]]:
    if sample.concepts or sample.categories is not None or sample.marking is None:
        return [(one.category, one.name, one.mask) for one in sample.concepts]
    named = {same_name(label): label for label in reversed(sample.marking.annotation.labels)}
    if not named:
        mask = sample.mask
        return [] if mask is None else [(MARKED, sample.label or "what is marked", mask)]
    masks = [(label, sample.marking.mask({name})) for name, label in named.items()]
    return [(MARKED, label, mask) for label, mask in masks if mask is not None]


def _numbered(values: Int[np.ndarray, " pixels"]) -> tuple[Int[np.ndarray, " pixels"], int]:
    """The values numbered from 0 without a gap, in their order; and how many there are."""
    there = np.bincount(values) > 0
    return (there.cumsum() - 1)[values], int(there.sum())
