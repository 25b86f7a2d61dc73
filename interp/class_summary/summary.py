"""The class summary of a classifier over an image set: what each class's images have in common, layer by layer."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from jaxtyping import Int, Integer

from interp.class_summary.array_files import smallest
from interp.class_summary.counted import ClassCounts, LayerPair
from interp.class_summary.gathered import GatheredMarks, counts_of, gathered
from interp.class_summary.layers import summary_layers
from interp.class_summary.marks import SHARES
from interp.class_summary.predicted import ClassesBy, labelled_as_predicted, predicted
from interp.images import ImageSet, Problem
from interp.models import OwnLabels
from interp.models.predictions import Predictions
from interp.set_pass import Positions, by_chunks, chosen_positions, returned
from interp.set_pass.running import ItemStore
from interp.types import Classifier, Fingerprinted
from interp.units.counting import UnitPass
from interp.units.counts import Counted


@dataclass(frozen=True, eq=False)
class Influences(Fingerprinted):
    """In how many images of each class channel i of a layer is among the strongest inputs of channel j of the next.

    Few of all pairs are: of class c the numbers from `starts[c]` to `starts[c + 1]`, at `places` i · j's number + j.
    These are kept as `gaps`, each place less the one before it in its class, which are small: so files are.
    """

    shape: tuple[int, int, int]
    starts: Int[np.ndarray, " c1"]
    gaps: Integer[np.ndarray, " m"]
    numbers: Integer[np.ndarray, " m"]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, number: int) -> Int[np.ndarray, "i j"]:
        """Those of one class. Raises `IndexError` for a class that there is not."""
        if not 0 <= number < len(self):
            raise IndexError(f"Class {number} does not exist: there are {len(self)}, numbered from 0.")
        found = np.zeros(self.shape[1] * self.shape[2], np.int64)
        own = slice(int(self.starts[number]), int(self.starts[number + 1]))
        found[np.cumsum(self.gaps[own], dtype=np.int64)] = self.numbers[own]
        return found.reshape(self.shape[1:])

    @classmethod
    def of(cls, marks: GatheredMarks, place: int) -> Influences:
        """Those of the pair of layers at this place, class by class: all at once would be too many."""
        wires = marks.wirings[place]
        gaps, numbers = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
        for number, images in enumerate(marks.images):
            found = marks.influences(place, number).ravel() if images else np.zeros(0, np.int64)
            own = np.flatnonzero(found)
            gaps.append(np.diff(own, prepend=0).astype(np.int32))
            numbers.append(found[own].astype(np.int32))
        starts = np.cumsum([len(one) for one in gaps])
        shape = (len(marks.images), wires.joints[0].width, wires.joints[-1].width)
        return cls(shape, starts, *(smallest(np.concatenate(one)) for one in (gaps, numbers)))


@dataclass(frozen=True, eq=False)
class ClassSummary(Fingerprinted):
    """What was counted of every class of a classifier over a set (Hohman et al. 2019, Summit).

    `labels` are the classes, `images` how many images of each were seen. `counts` is A by layer: in how many images of
    each class each channel is marked, at a `share` of the layer's sum. `influences` is I by pair of layers. `left_out`
    names what the network does between layers that is not followed, such as attention's products. `unlabelled` images
    belong to no class, and `problems` could not be read. `by` says whether an image counts for the class of its label
    or for the one that the classifier takes it for.
    """

    classifier: str
    labels: tuple[str, ...]
    layers: tuple[str, ...]
    share: float
    images: Int[np.ndarray, " c"]
    counts: Mapping[str, Int[np.ndarray, "c k"]]
    influences: Mapping[LayerPair, Influences]
    left_out: Mapping[LayerPair, tuple[str, ...]]
    unlabelled: int = 0
    problems: tuple[Problem, ...] = ()
    by: ClassesBy = "labels"

    @property
    def seen(self) -> Int[np.ndarray, " m"]:
        """The classes of which there are images."""
        return np.flatnonzero(self.images)

    def of_class(self, number: int) -> ClassCounts:
        """What was counted of one class. Raises `ValueError` for a class that there is not."""
        if not 0 <= number < len(self.labels):
            raise ValueError(f"Class {number} does not exist: there are {len(self.labels)}, numbered from 0.")
        counts = {layer: own[number] for layer, own in self.counts.items()}
        influences = {pair: own[number] for pair, own in self.influences.items()}
        return ClassCounts(int(self.images[number]), self.layers, counts, influences)

    @classmethod
    def of(
        cls,
        classifier: Classifier,
        marks: GatheredMarks,
        unlabelled: int = 0,
        problems: tuple[Problem, ...] = (),
        by: ClassesBy = "labels",
    ) -> ClassSummary:
        """What is counted of marks."""
        return cls.named(classifier.name, classifier.labels, marks, unlabelled, problems, by)

    @classmethod
    def named(
        cls,
        classifier: str,
        labels: tuple[str, ...],
        marks: GatheredMarks,
        unlabelled: int,
        problems: tuple[Problem, ...],
        by: ClassesBy,
    ) -> ClassSummary:
        """What is counted of marks, where the classifier is known by name alone."""
        influences = {pair: Influences.of(marks, place) for place, pair in enumerate(marks.pairs)}
        return cls(
            classifier,
            labels,
            marks.layers,
            SHARES[marks.share],
            marks.images,
            {one.layer: one.counts[marks.share] for one in marks.marks},
            influences,
            {pair: wires.left_out for pair, wires in zip(marks.pairs, marks.wirings, strict=True)},
            unlabelled,
            problems,
            by,
        )


def summarize(
    classifier: Classifier,
    photos: ImageSet,
    layers: Sequence[str] | None = None,
    *,
    share: float = SHARES[-1],
    positions: Positions = None,
    by: ClassesBy = "labels",
) -> ClassSummary:
    """The class summary of a classifier over a set, from one pass in memory that does not grow with the images.

    `layers` are to be in the network's order (None: the ends of its blocks), `share` is one of `SHARES`. Images belong
    to the class that their label is matched to; those without a class are counted in `unlabelled`. By 'predictions',
    which take a pass of their own before, they belong to the class that the classifier takes them for. Raises
    `ValueError` for layers that there are not, for fewer than two, where no image has a class, or where classes do not
    exclude each other.
    """
    if by not in get_args(ClassesBy):
        raise ValueError(f"There is no way {by!r} to count images: choose {' or '.join(get_args(ClassesBy))}.")
    names = checked(classifier, layers)
    said = predicted(classifier, photos, positions) if by == "predictions" else None
    return returned(summing(classifier, photos, names, share, positions, predictions=said))


def summing(
    classifier: Classifier,
    photos: ImageSet,
    layers: Sequence[str] | None = None,
    share: float = SHARES[-1],
    positions: Positions = None,
    *,
    predictions: Predictions | None = None,
    kept: ItemStore | None = None,
) -> Generator[ClassSummary, None, ClassSummary]:
    """As `summarize`: yields what has been counted so far, and leaves what it finds of each chunk in `kept`.

    With `predictions` of the set images belong to the class that these say, and not to that of their label.
    """
    names = checked(classifier, layers)
    if predictions is None:
        by: ClassesBy = "labels"
        check_labels(classifier, photos, positions)
    else:
        by, photos = "predictions", labelled_as_predicted(classifier, photos, predictions)
    latest, seen = None, 0
    with closing(gathering(classifier, photos, names, positions, kept=kept)) as steps:
        while True:
            try:
                counted = next(steps)
            except StopIteration as stop:
                counted, problems = stop.value
                break
            # What is yielded is drawn: each time twice as many images are needed.
            if counted[0].images >= max(32, 2 * seen):
                seen = counted[0].images
                latest = ClassSummary.of(classifier, gathered(classifier, names, counted, share), by=by)
            if latest is not None:
                yield latest
    marks = gathered(classifier, names, counted, share)
    summary = ClassSummary.of(classifier, marks, counted[0].images - int(marks.images.sum()), problems, by)
    if not len(summary.seen):
        raise ValueError(no_class(classifier.name, photos.name, counted[0].images, by))
    return summary


def gathering(
    classifier: Classifier,
    photos: ImageSet,
    layers: Sequence[str],
    positions: Positions = None,
    *,
    kept: ItemStore | None = None,
) -> Generator[Any, None, tuple[Sequence[Counted], tuple[Problem, ...]]]:
    """The pass behind it: yields the values of `counts_of` so far, and returns them with the problems of images."""
    items = counts_of(classifier, layers)
    counted = yield from by_chunks(UnitPass(), classifier, photos, items, positions, kept=kept)
    return counted, counted[0].problems


def checked(classifier: Classifier, layers: Sequence[str] | None) -> tuple[str, ...]:
    """The layers of a summary, of which None are given or some. Raises `ValueError` where it cannot be made."""
    if classifier.multi_label:
        raise ValueError(
            f"The classes of {classifier.name} do not exclude each other, and a class summary counts an image for one "
            "class alone: choose a classifier that gives an image one class."
        )
    names = summary_layers(classifier) if layers is None else tuple(layers)
    if len(names) < 2:
        raise ValueError("A class summary says how layers build on each other: give two of them at least.")
    if len(set(names)) < len(names):
        raise ValueError("A layer is given twice: give each once, in the network's order.")
    return names


def check_labels(classifier: Classifier, photos: ImageSet, positions: Positions) -> None:
    """Raise `ValueError` where the labels tell before any image is read that no class has one."""
    chosen = chosen_positions(photos, positions)
    labels = OwnLabels.of(classifier, photos).indices
    if labels is not None and len(chosen) and not (labels[chosen] >= 0).any():
        raise ValueError(no_class(classifier.name, photos.name, len(chosen), "labels"))


def no_class(classifier: str, photos: str, read: int, by: ClassesBy) -> str:
    """What to say where none of the images that were read has a class."""
    if not read:
        return f"No image of {photos} could be read, so nothing is known of its classes."
    if by == "predictions":
        return f"The predictions are of none of the images of {photos} that were read: give those of these images."
    return (
        f"No image of {photos} has a label that is a class of {classifier}, and a class summary counts the "
        "images of each class: choose a set whose labels are classes of this classifier, or have images counted by "
        "its predictions."
    )
