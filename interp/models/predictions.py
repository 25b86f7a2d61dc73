"""What a classifier says of every image of a set: top classes, their probabilities, and the label's."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.batches import batched
from interp.images import ImageSet, Problem, UnreadableImage
from interp.models.labels import match_set
from interp.types import Classifier, Images, digest

TOP = 5
DECODERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions for n images of a set, about 50 bytes an image.

    `indices` are the images' positions in the set. `classes` are the t most probable (five, or as many as the model
    has), best first, with their `probabilities`. `labels` is -1 where an image has no label among the model's classes,
    and `label_probability` nan there. `problems` names the images that could not be read; they are not among the n.
    """

    indices: Int[np.ndarray, " n"]
    classes: Int[np.ndarray, "n t"]
    probabilities: Float[np.ndarray, "n t"]
    labels: Int[np.ndarray, " n"]
    label_probability: Float[np.ndarray, " n"]
    problems: tuple[Problem, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all numbers and problems."""
        arrays = [self.indices, self.classes, self.probabilities, self.labels, self.label_probability]
        return digest(arrays, repr(self.problems))

    def __len__(self) -> int:
        return len(self.indices)

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
        """Whether the predicted class is the label; False where there is none."""
        return self.predicted == self.labels


def predict(
    classifier: Classifier, photos: ImageSet, *, labels: Sequence[int | None] | None = None, batch_size: int = 16
) -> Generator[Predictions, None, Predictions]:
    """Predict every image of a set: yields the predictions of each batch, and returns those of the whole set.

    `labels` gives each image's class index, or None for an image without; left out, the set's own are matched
    (`models.match_set`). The pictures of the next batch are read
    while the classifier runs on this one. Nothing is locked between two batches. An image that cannot be read becomes
    a problem, and the rest goes on.
    Raises `ValueError` where `labels` does not fit the set or the classifier, or a probability is not a number.
    """
    labels = match_set(classifier, photos).indices if labels is None else labels
    known = _checked_labels(classifier, photos, labels)
    pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="decode")
    waiting: dict[int, Future[_Picture]] = {}

    def predicted(part: slice) -> Predictions:
        for position in range(part.start, min(part.stop + batch_size, len(photos))):
            if position not in waiting:
                waiting[position] = pool.submit(_read, classifier, photos, position)
        pictures = [waiting[position].result() for position in range(part.start, part.stop)]
        result = _batch(classifier, pictures, known)
        # Only now: where memory runs out, `batched` asks for the same pictures again.
        for position in range(part.start, part.stop):
            del waiting[position]
        return result

    parts = []
    try:
        for part in batched(predicted, len(photos), size=batch_size, what="Predicting images"):
            parts.append(part)
            yield part
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return merge(parts)


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
    )


@dataclass(frozen=True, eq=False)
class _Picture:
    position: int
    name: str
    pixels: Float[Tensor, "3 h w"] | None
    problem: Problem | None = None


def _read(classifier: Classifier, photos: ImageSet, position: int) -> _Picture:
    name = photos.names[position]
    try:
        image = photos[position].image
    except UnreadableImage as error:
        return _Picture(position, name, None, Problem(name, str(error)))
    return _Picture(position, name, classifier.preprocessing.pixels(image))


def _batch(classifier: Classifier, pictures: Sequence[_Picture], labels: Int[np.ndarray, " n"]) -> Predictions:
    problems = tuple(picture.problem for picture in pictures if picture.problem is not None)
    readable = [picture for picture in pictures if picture.pixels is not None]
    top = min(TOP, len(classifier.labels))
    if not readable:
        nothing = np.zeros(0, np.int32)
        blank = np.zeros((0, top), np.float32)
        return Predictions(nothing, blank.astype(np.int32), blank, nothing, np.zeros(0, np.float32), problems)
    pixels = torch.stack([picture.pixels for picture in readable if picture.pixels is not None])
    images = Images(pixels.to(classifier.device), tuple(picture.name for picture in readable))
    probabilities = classifier.probabilities(images).float().cpu()
    for picture, finite in zip(readable, probabilities.isfinite().all(dim=1).tolist(), strict=True):
        if not finite:
            raise ValueError(
                f"{classifier.name} gave a probability that is not a number for {picture.name}: its weights, or its "
                "precision, do not suit this image. Check the weights, or load it with precision float32."
            )
    best = probabilities.topk(top, dim=1)
    indices = np.array([picture.position for picture in readable], np.int32)
    own = labels[indices]
    of_label = probabilities.numpy()[np.arange(len(own)), own]
    return Predictions(
        indices=indices,
        classes=best.indices.numpy().astype(np.int32),
        probabilities=best.values.numpy(),
        labels=own,
        label_probability=np.where(own >= 0, of_label, np.float32(np.nan)),
        problems=problems,
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
