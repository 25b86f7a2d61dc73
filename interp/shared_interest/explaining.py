"""The maps of an image set beside its annotations, batch by batch: what all scores of a set rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.attribution import Method, attribute, compare
from interp.images import ImageSet, Problem, Sample, UnreadableImage
from interp.models import inputs
from interp.models.class_marks import ClassMarks
from interp.models.ground_truth import OwnLabels
from interp.models.inputs import Input
from interp.set_pass import SetPass
from interp.shared_interest.explained import Explained, Explanation, nothing, smallest, stored
from interp.types import Classifier, Heatmaps, Images

# Between two batches other visitors' jobs have their turn, so a batch of costly maps is small.
PASSES_AT_ONCE = 64
UNMARKED = "Nobody has marked anything in it: there is nothing to hold its map against."


def annotated(photos: ImageSet) -> Int[np.ndarray, " n"]:
    """The positions of the images that have an annotation, in the set's order."""
    return np.array(sorted(photos.annotated), np.int64)


@dataclass(frozen=True)
class ExplanationPass(SetPass[Explanation, Explained]):
    """The maps and annotations of the images of a set that are annotated, for each explanation.

    Methods that can be read off the same passes share them. An image's annotation is what is marked of the class that
    the explanation's `marks` name. An image that cannot be read, annotated or explained, or whose label the classifier
    lacks where its class is asked for, becomes a problem, and the rest goes on.
    """

    # A set's first scores are there after so few maps.
    chunk: int = 32
    first: int = 4
    what = "Explaining images"

    def checked(self, classifier: Classifier, items: Sequence[Explanation]) -> tuple[Explanation, ...]:
        """The explanations, if their methods can run on the classifier."""
        for item in items:
            item.method.check(classifier)
        return tuple(items)

    def every_position(self, photos: ImageSet) -> Int[np.ndarray, " n"]:
        """The images that are annotated."""
        return annotated(photos)

    def context(self, classifier: Classifier, photos: ImageSet) -> ClassMarks:
        """The classes of the images' labels, and of the marks' names."""
        return ClassMarks.of(classifier, photos, OwnLabels.of(classifier, photos))

    def rests_on(self, photos: ImageSet, context: ClassMarks, positions: Int[np.ndarray, " n"]) -> str:
        """A digest of the images' labels and marks, and of the classes of both."""
        labels = [photos.labels[one] for one in positions]
        return f"{context.fingerprint_of(positions)} {photos.marks_fingerprint_of(positions)} {labels}"

    def batch_size(self, classifier: Classifier, items: Sequence[Explanation]) -> int:
        """The fewer the more passes the methods take."""
        cost = sum(item.method.cost(classifier) for item in items)
        return max(1, min(super().batch_size(classifier, items), int(PASSES_AT_ONCE / max(cost, 1))))

    def read(self, classifier: Classifier, photos: ImageSet, position: int) -> _Seen:
        """The image as the classifier sees it with its marks, or why it cannot be read."""
        return _seen(classifier, photos, position)

    def run(
        self, classifier: Classifier, items: Sequence[Explanation], context: ClassMarks, seen: Sequence[_Seen]
    ) -> Sequence[Explained]:
        """The maps of some images for each explanation."""
        return _of_batch(classifier, items, context, seen)

    def blank(self, classifier: Classifier, item: Explanation, problems: tuple[Problem, ...] = ()) -> Explained:
        """The maps of no image."""
        return nothing(classifier, item, problems)


# An annotation as the model sees it, or why there is none.
_Marked = Bool[np.ndarray, "h w"] | str


@dataclass(frozen=True, eq=False)
class _Seen:
    """An image as the classifier sees it, and the marks of its own label."""

    input: Input
    sample: Sample | None = None
    own: _Marked = UNMARKED


def _seen(classifier: Classifier, photos: ImageSet, position: int) -> _Seen:
    name = photos.names[position]

    def failed(reason: str) -> _Seen:
        return _Seen(Input(position, name, None, Problem(name, reason)))

    if position not in photos.annotated:
        return failed(UNMARKED)
    try:
        sample = photos[position]
        pixels = inputs.fitted(classifier, sample.image, name)
    except UnreadableImage as error:
        return failed(str(error))
    return _Seen(Input(position, name, pixels), sample, _annotation(classifier, sample, sample.own))


def _annotation(classifier: Classifier, sample: Sample, names: frozenset[str] | None) -> _Marked:
    """What is marked in an image by these names (None: by any), as the model sees it."""
    try:
        mask = sample.mask if names == sample.own else sample.marked(names)
    except ValueError as error:
        return str(error)
    if mask is None:
        if sample.marking is None or (names == sample.own and sample.unmarked is not None):
            return sample.unmarked or UNMARKED
        there = ", ".join(map(repr, sample.marking.annotation.labels[:3]))
        return f"Nobody has marked anything of the class in it: what is marked is {there}."
    annotation = classifier.preprocessing.annotation(mask).numpy()
    if annotation.any():
        return annotation
    where = "outside of what the model sees" if mask.any() else "outside of the picture, or has no area"
    return f"Its annotation lies {where}: no pixel of the model's input is marked."


@dataclass(frozen=True, eq=False)
class _Batch:
    """Images that could be read, with all that is known of them before they are explained."""

    images: Images
    seen: Sequence[_Seen]
    positions: Int[np.ndarray, " n"]
    predicted: Int[np.ndarray, " n"]
    probability: Float[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]

    def annotations(
        self, classifier: Classifier, item: Explanation, classes: Int[np.ndarray, " n"], marks: ClassMarks
    ) -> list[_Marked]:
        """The annotation of each image that an explanation is held against, whose maps explain these classes."""
        found = []
        for one, label, explained in zip(self.seen, self.labels, classes, strict=True):
            assert one.sample is not None
            index = explained if item.marks == "explained" else label
            names = None if item.marks == "all" else one.sample.own
            if item.marks != "all" and index >= 0:
                names = marks.names(one.sample.own, int(index), int(label))
            found.append(one.own if names == one.sample.own else _annotation(classifier, one.sample, names))
        return found


def _of_batch(
    classifier: Classifier, items: Sequence[Explanation], marks: ClassMarks, seen: Sequence[_Seen]
) -> list[Explained]:
    images, positions, problems = inputs.readable(classifier, [one.input for one in seen])
    if images is None:
        return [nothing(classifier, item, problems) for item in items]
    # Where a probability is not a number the score is not either, and the image is left out below, by name.
    shares = classifier.probabilities(images).float().cpu()
    probability, predicted = (one.numpy() for one in shares.max(dim=1))
    batch = _Batch(
        images,
        [one for one in seen if one.input.pixels is not None],
        np.array(positions, np.int32),
        predicted.astype(np.int32),
        probability,
        marks.labels.at(positions, shares.numpy()),
    )
    found: dict[Explanation, Explained] = {}
    for asked in dict.fromkeys((item.target, item.marks) for item in items):
        found |= _for_target(classifier, marks, [one for one in items if (one.target, one.marks) == asked], batch)
    return [replace(found[item], problems=problems + found[item].problems) for item in items]


def _for_target(
    classifier: Classifier, marks: ClassMarks, items: Sequence[Explanation], batch: _Batch
) -> dict[Explanation, Explained]:
    """The explanations of the same class of each image, and for the same marks."""
    classes = batch.predicted if items[0].target == "predicted" else batch.labels
    drawn = batch.annotations(classifier, items[0], classes, marks)
    rows = np.array([i for i, one in enumerate(drawn) if classes[i] >= 0 and not isinstance(one, str)], np.int64)
    reasons = {
        i: one if isinstance(one, str) else _without_class(classifier, batch.seen[i].sample)
        for i, one in enumerate(drawn)
        if classes[i] < 0 or isinstance(one, str)
    }
    without = tuple(Problem(batch.images.names[i], reason) for i, reason in reasons.items())
    if not len(rows):
        return {item: nothing(classifier, item, without) for item in items}
    names = tuple(batch.images.names[row] for row in rows)
    images = Images(batch.images.pixels[torch.from_numpy(rows)], names)
    found = _maps(classifier, images, classes[rows].tolist(), list(dict.fromkeys(item.method for item in items)))
    answers = {}
    for item in items:
        maps, failures = found[item.method]
        kept = np.delete(rows, list(failures))
        problems = without + tuple(Problem(names[place], reason) for place, reason in failures.items())
        if maps is None or not len(kept):
            answers[item] = nothing(classifier, item, problems)
            continue
        values, peaks = stored(maps, classifier.input_size)
        answers[item] = Explained(
            explanation=item,
            size=classifier.input_size,
            positions=batch.positions[kept],
            predicted=batch.predicted[kept],
            probability=batch.probability[kept],
            labels=batch.labels[kept],
            stored=values,
            peaks=peaks,
            marked=np.packbits(np.stack([drawn[row] for row in kept]).reshape(len(kept), -1), axis=1),
            problems=problems,
        )
    return answers


def _without_class(classifier: Classifier, sample: Sample | None) -> str:
    if sample is None or sample.label is None:
        return "It has no label, so there is no class of its own to explain."
    return f"{classifier.name} has no class {sample.label!r}, so there is no class of its own to explain."


# The maps that could be made, None where there is none, and why others could not, by their places among the images.
_Outcome = tuple[Tensor | None, dict[int, str]]


def _maps(
    classifier: Classifier, images: Images, classes: Sequence[int], methods: Sequence[Method]
) -> dict[Method, _Outcome]:
    if len(methods) > 1:
        try:
            found = dict(compare(classifier, images, classes, methods))
            return {method: (_finite(method, found[method], images), {}) for method in methods}
        except ValueError:
            # Only then each by itself: what one method cannot explain another may.
            pass
    return {method: _alone(classifier, images, classes, method) for method in methods}


def _alone(classifier: Classifier, images: Images, classes: Sequence[int], method: Method) -> _Outcome:
    try:
        return _finite(method, attribute(classifier, images, classes, method), images), {}
    except ValueError as error:
        if len(images) == 1:
            return None, {0: str(error)}
    # One image stops the batch: the others are explained without it.
    maps: list[Tensor] = []
    failures: dict[int, str] = {}
    for place in range(len(images)):
        found, failed = _alone(classifier, images[place : place + 1], classes[place : place + 1], method)
        failures.update((place, reason) for reason in failed.values())
        maps += [found] if found is not None else []
    return (torch.cat(maps) if maps else None), failures


def _finite(method: Method, heatmaps: Heatmaps, images: Images) -> Float[Tensor, "n u v"]:
    maps = smallest(method, heatmaps)
    finite = maps.isfinite().flatten(1).all(dim=1)
    if not bool(finite.all()):
        name = images.names[int(finite.int().argmin())]
        raise ValueError(f"{method.title} gave values that are not numbers for {name}.")
    return maps
