"""What a classifier says of every image of a set: top classes, their probabilities, and the label's.

Of a classifier whose classes do not exclude each other the probabilities of all classes are kept, in single precision;
where they would take more than 50 MB, those of every second image, or third, and so on.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from interp.batches import read_ahead
from interp.images import ImageSet, Problem
from interp.models import inputs
from interp.models.inputs import Input
from interp.models.known_shares import KNOWN, Known
from interp.models.truth import OwnLabels
from interp.types import Classifier, Fingerprinted

TOP = 5
_ROWS = ("indices", "classes", "probabilities", "labels", "label_probability")
LARGEST = 50 << 20
"""How many bytes of probabilities of all classes are kept."""


@dataclass(frozen=True, eq=False)
class EveryClass:
    """The probabilities of all k classes for the images at positions that are multiples of `step`: 1 for all of them.

    `indices` are the images' positions in the set.
    """

    indices: Int[np.ndarray, " m"]
    probabilities: Float[np.ndarray, "m k"]
    step: int


@dataclass(frozen=True, eq=False)
class Predictions(Fingerprinted):
    """The predictions for n images of a set, about 50 bytes an image.

    `indices` are the images' positions in the set. `classes` are the t most probable (five, or as many as the model
    has), best first, with their `probabilities`. `labels` is -1 where an image has no label among the model's classes,
    and `label_probability` nan there. Of a model whose classes do not exclude each other it is the most probable of the
    image's labels, and `every` has the probabilities of all classes. `problems` names the images that could not be
    read; they are not among the n. `remarks` names those in whose reading something was guessed or changed, and what.
    """

    indices: Int[np.ndarray, " n"]
    classes: Int[np.ndarray, "n t"]
    probabilities: Float[np.ndarray, "n t"]
    labels: Int[np.ndarray, " n"]
    label_probability: Float[np.ndarray, " n"]
    problems: tuple[Problem, ...] = ()
    every: EveryClass | None = None
    remarks: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.indices)

    def in_order(self) -> Predictions:
        """The same, in the order of the images in the set."""
        order = np.argsort(self.indices)
        rows = {name: getattr(self, name)[order] for name in _ROWS}
        every = self.every
        if every is not None:
            by_index = np.argsort(every.indices)
            every = EveryClass(every.indices[by_index], every.probabilities[by_index], every.step)
        return replace(self, every=every, **rows)

    @property
    def predicted(self) -> Int[np.ndarray, " n"]:
        """The most probable class of each image."""
        return self.classes[:, 0]

    @property
    def confidence(self) -> Float[np.ndarray, " n"]:
        """The probability of the predicted class, in [0, 1]."""
        return self.probabilities[:, 0]

    @property
    def labelled(self) -> Bool[np.ndarray, " n"]:
        """Whether an image has a label among the model's classes."""
        return self.labels >= 0

    @property
    def right(self) -> Bool[np.ndarray, " n"]:
        """Whether the predicted class is the label, or among the labels; False where there is none."""
        return self.predicted == self.labels


def predict(
    classifier: Classifier, photos: ImageSet, *, labels: Sequence[int | None] | None = None, batch_size: int = 16
) -> Generator[Predictions, None, Predictions]:
    """Predict every image of a set: yields the predictions of each batch, and returns those of the whole set.

    `labels` gives each image's class index, or None for an image without; left out, the set's own are matched
    (`models.match_set`; all of an image's labels where the classes do not exclude each other, `models.match_several`).
    An image whose file was predicted before, and is as it was then, is not read again. The pictures of the next batch
    are read while the classifier runs on this one. Nothing is locked between two
    batches. An image that cannot be read becomes a problem, and the rest goes on.
    Raises `ValueError` for a classifier without a head, where `labels` does not fit the set or the classifier, or where
    a probability is not a number.
    """
    classifier.require_head("A prediction")
    given = None if labels is None else OwnLabels(_checked_labels(classifier, photos, labels))
    own = given or OwnLabels.of(classifier, photos)
    step = -(-4 * len(photos) * len(classifier.labels) // LARGEST) if classifier.multi_label else 0

    known = _known(classifier, photos)
    missing = [position for position in range(len(photos)) if position not in known]
    parts = [_of_known(classifier, photos, known, own, step)] if known else []
    yield from parts

    def read(place: int) -> Input:
        return inputs.attempt(classifier, photos, missing[place])

    def predicted(pictures: Sequence[Input]) -> Predictions:
        return _batch(classifier, photos, pictures, own, step)

    batches = read_ahead(read, predicted, len(missing), size=batch_size, what="Predicting images")
    with closing(batches):
        for part in batches:
            parts.append(part)
            yield part
    return merge(parts).in_order() if known else merge(parts)


def _known(classifier: Classifier, photos: ImageSet) -> dict[int, Known]:
    """What was said before of the images whose files are as they were then."""
    keys = ((position, _key(classifier, photos, position)) for position in range(len(photos)))
    found = ((position, None if key is None else KNOWN.get(key)) for position, key in keys)
    return {position: one for position, one in found if one is not None}


def _key(classifier: Classifier, photos: ImageSet, position: int) -> tuple | None:
    state = photos.state(position)
    if state is None or not classifier.deterministic:
        return None
    return classifier.fingerprint, classifier.device.type, *state


def merge(parts: Sequence[Predictions]) -> Predictions:
    """The predictions of several batches as one, in their order; without any, predictions for no image."""
    if not parts:
        nothing = np.zeros(0, np.int32)
        return Predictions(
            nothing, np.zeros((0, 1), np.int32), np.zeros((0, 1), np.float32), nothing, np.zeros(0, np.float32)
        )
    return Predictions(
        indices=np.concatenate([part.indices for part in parts]),
        classes=np.concatenate([part.classes for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        label_probability=np.concatenate([part.label_probability for part in parts]),
        problems=tuple(problem for part in parts for problem in part.problems),
        remarks=tuple(remark for part in parts for remark in part.remarks),
        every=_merged([part.every for part in parts if part.every is not None]),
    )


def _merged(parts: Sequence[EveryClass]) -> EveryClass | None:
    if not parts:
        return None
    indices = np.concatenate([part.indices for part in parts])
    return EveryClass(indices, np.concatenate([part.probabilities for part in parts]), parts[0].step)


def _batch(
    classifier: Classifier, photos: ImageSet, pictures: Sequence[Input], labels: OwnLabels, step: int
) -> Predictions:
    images, positions, problems = inputs.readable(classifier, pictures)
    top = min(TOP, len(classifier.labels))
    if images is None:
        nothing = np.zeros(0, np.int32)
        blank = np.zeros((0, top), np.float32)
        return Predictions(nothing, blank.astype(np.int32), blank, nothing, np.zeros(0, np.float32), problems)
    probabilities = classifier.probabilities(images).float().cpu()
    for name, finite in zip(images.names, probabilities.isfinite().all(dim=1).tolist(), strict=True):
        if not finite:
            raise ValueError(
                f"{classifier.name} gave a probability that is not a number for {name}: its weights, or its "
                "precision, do not suit this image. Check the weights, or load it with precision float32."
            )
    shares = probabilities.numpy()
    remarks = [one.remarks for one in pictures if one.pixels is not None]
    for position, row, said in zip(positions, shares, remarks, strict=True):
        if (key := _key(classifier, photos, position)) is not None:
            KNOWN.put(key, (row.copy(), said))
    found = _of_shares(np.array(positions, np.int32), shares, labels, step)
    names = [one.name for one in pictures if one.pixels is not None]
    return replace(found, problems=problems, remarks=_said(names, remarks))


def _of_known(
    classifier: Classifier, photos: ImageSet, known: Mapping[int, Known], labels: OwnLabels, step: int
) -> Predictions:
    shares = np.stack([shares for shares, _ in known.values()])
    found = _of_shares(np.array(list(known), np.int32), shares, labels, step)
    return replace(found, remarks=_said([photos.names[one] for one in known], [said for _, said in known.values()]))


def _said(names: Sequence[str], remarks: Sequence[tuple[str, ...]]) -> tuple[Problem, ...]:
    return tuple(Problem(name, text) for name, said in zip(names, remarks, strict=True) for text in said)


def _of_shares(
    indices: Int[np.ndarray, " n"], shares: Float[np.ndarray, "n k"], labels: OwnLabels, step: int
) -> Predictions:
    """The predictions for images whose probabilities of all classes are known."""
    best = torch.from_numpy(shares).topk(min(TOP, shares.shape[1]), dim=1)
    own = labels.at(indices, shares)
    of_label = shares[np.arange(len(own)), own]
    chosen = indices % step == 0 if step else None
    return Predictions(
        indices=indices,
        classes=best.indices.numpy().astype(np.int32),
        probabilities=best.values.numpy(),
        labels=own,
        label_probability=np.where(own >= 0, of_label, np.float32(np.nan)),
        every=None if chosen is None else EveryClass(indices[chosen], shares[chosen], step),
    )


def _checked_labels(classifier: Classifier, photos: ImageSet, labels: Sequence[int | None]) -> Int[np.ndarray, " n"]:
    if len(labels) != len(photos):
        raise ValueError(f"{len(labels)} labels for {len(photos)} images: give a class index or None for each image.")
    known = np.array([-1 if label is None else label for label in labels], np.int32).reshape(-1)
    wrong = known[(known < -1) | (known >= len(classifier.labels))]
    if len(wrong):
        raise ValueError(
            f"Class {wrong[0]} does not exist: {classifier.name} has {len(classifier.labels)} classes, "
            f"0 to {len(classifier.labels) - 1}."
        )
    return known
