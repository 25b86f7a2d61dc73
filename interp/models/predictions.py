"""What a classifier says of every image of a set: top classes, their probabilities, and the label's.

Of a classifier whose classes do not exclude each other the probabilities of all classes are kept, in single precision;
where they would take more than 50 MB, those of every second image, or third, and so on.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from interp import set_pass
from interp.images import ImageSet, Problem
from interp.models import inputs, known_shares
from interp.models.ground_truth import OwnLabels
from interp.models.inputs import Input
from interp.models.known_shares import Known
from interp.set_pass import Chunk, Collected, Growing, SetPass, merged
from interp.types import Classifier, Fingerprinted, Images

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
    classifier: Classifier,
    photos: ImageSet,
    *,
    labels: Sequence[int | None] | None = None,
    batch_size: int | None = None,
) -> Generator[Predictions, None, Predictions]:
    """Predict every image of a set: yields the predictions so far after each batch, and returns those of all images.

    `labels` gives each image's class index, or None for an image without; left out, the set's own are matched
    (`models.match_set`; all of an image's labels where the classes do not exclude each other, `models.match_several`).
    An image whose file was predicted before, and is as it was then, is not read again. The pictures of the next batch
    are read while the classifier runs on this one. Nothing is locked between two
    batches. An image that cannot be read becomes a problem, and the rest goes on.
    Raises `ValueError` for a classifier without a head, where `labels` does not fit the set or the classifier, or where
    a probability is not a number.
    """
    classifier.require_head("A prediction")
    work = PredictionPass()
    own = work.context(classifier, photos)
    if labels is not None:
        own = OwnLabels(_checked_labels(classifier, photos, labels))
    step = -(-4 * len(photos) * len(classifier.labels) // LARGEST) if classifier.multi_label else 0
    room = {"every": -(-len(photos) // step)} if step else {}
    whole = Collected([Growing(work.blank(classifier, step), len(photos), room)])

    known = known_shares.find(classifier, photos)
    missing = [position for position in range(len(photos)) if position not in known]
    if known:
        whole.add([_of_known(photos, known, own, step)])
        yield whole.so_far[0]
    chunk = Chunk(photos, np.array(missing, np.int64), own, "")
    for _ in set_pass.of_chunk(work, classifier, chunk, (step,), batch_size, whole):
        yield whole.so_far[0]
    return whole.so_far[0].in_order() if known else whole.so_far[0]


@dataclass(frozen=True)
class PredictionPass(SetPass[int, Predictions]):
    """The predictions for each image; of every so many images, as the item says, all probabilities are kept."""

    what = "Predicting images"

    def context(self, classifier: Classifier, photos: ImageSet) -> OwnLabels:
        """The classes of the images' labels."""
        return OwnLabels.of(classifier, photos)

    def rests_on(self, photos: ImageSet, context: OwnLabels, positions: Int[np.ndarray, " n"]) -> str:
        """A digest of the images' classes."""
        return context.fingerprint_of(positions)

    def read(self, classifier: Classifier, photos: ImageSet, position: int) -> Input:
        """The image as the classifier sees it, with what tells its file, or why it cannot be read."""
        return inputs.attempt(classifier, photos, position)

    def run(
        self, classifier: Classifier, items: Sequence[int], context: OwnLabels, seen: Sequence[Input]
    ) -> Sequence[Predictions]:
        """The predictions for some images."""
        images, positions, problems = inputs.readable(classifier, seen)
        if images is None:
            return [self.blank(classifier, step, problems) for step in items]
        shares = _shares(classifier, images)
        read = [one for one in seen if one.pixels is not None]
        known_shares.note(classifier, read, shares)
        said = _said([one.name for one in read], [one.remarks for one in read])
        parts = [_of_shares(np.array(positions, np.int32), shares, context, step) for step in items]
        return [replace(part, problems=problems, remarks=said) for part in parts]

    def blank(self, classifier: Classifier, item: int, problems: tuple[Problem, ...] = ()) -> Predictions:
        """The predictions for no image."""
        nothing = np.zeros((0, len(classifier.labels)), np.float32)
        labels = OwnLabels(np.zeros(0, np.int32))
        return replace(_of_shares(np.zeros(0, np.int32), nothing, labels, item), problems=problems)


def merge(parts: Sequence[Predictions]) -> Predictions:
    """The predictions of several parts as one, in their order; without any, predictions for no image."""
    whole, real = np.zeros(0, np.int32), np.zeros(0, np.float32)
    nothing = Predictions(whole, np.zeros((0, 1), np.int32), np.zeros((0, 1), np.float32), whole, real)
    return merged(parts or [nothing])


def _of_known(photos: ImageSet, known: Mapping[int, Known], labels: OwnLabels, step: int) -> Predictions:
    shares = np.stack([shares for shares, _ in known.values()])
    found = _of_shares(np.array(list(known), np.int32), shares, labels, step)
    return replace(found, remarks=_said([photos.names[one] for one in known], [said for _, said in known.values()]))


def _shares(classifier: Classifier, images: Images) -> Float[np.ndarray, "n k"]:
    """The probabilities of all classes. Raises `ValueError` that names an image for which one is not a number."""
    probabilities = classifier.probabilities(images).float().cpu()
    for name, finite in zip(images.names, probabilities.isfinite().all(dim=1).tolist(), strict=True):
        if not finite:
            raise ValueError(
                f"{classifier.name} gave a probability that is not a number for {name}: its weights, or its "
                "precision, do not suit this image. Check the weights, or load it with precision float32."
            )
    return probabilities.numpy()


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
