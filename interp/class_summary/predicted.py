"""Images counted for the class that a classifier takes them for, where their labels do not tell, or are not to."""

from __future__ import annotations

from typing import Literal

from interp.images import ImageSet
from interp.models import match_set
from interp.models.predictions import PredictionPass, Predictions
from interp.set_pass import Positions, by_chunks, returned
from interp.types import Classifier, digest

ClassesBy = Literal["labels", "predictions"]
"""What says for which class an image counts."""


def predicted(
    classifier: Classifier, photos: ImageSet, positions: Positions = None, *, first: int = PredictionPass.first
) -> Predictions:
    """What the classifier says of the images at these positions of the set (None: of all).

    `first` is the length of the first chunk: images run together where the chunks that they are in are the same.
    Raises `ValueError` for a classifier without a head, or where a probability is not a number.
    """
    classifier.require_head("A prediction")
    [found] = returned(by_chunks(PredictionPass(first=first), classifier, photos, (0,), positions))
    return found


def labelled_as_predicted(classifier: Classifier, photos: ImageSet, predictions: Predictions) -> ImageSet:
    """The set with the most probable class of each image as its label; without a prediction it has none.

    All that goes by an image's label goes by that class then. Raises `ValueError` for predictions of another set or
    classifier.
    """
    count = len(classifier.labels)
    if predictions.indices.max(initial=-1) >= len(photos) or predictions.predicted.max(initial=-1) >= count:
        raise ValueError(
            f"The predictions are not those of {classifier.name} for {photos.name}: give what `models.predict` says of "
            "these two."
        )
    said = dict(zip(predictions.indices.tolist(), predictions.predicted.tolist(), strict=True))
    classes = tuple(said.get(position) for position in range(len(photos)))
    # Numbers say it of classes that share a name, too; names where classes are called by other numbers.
    ways = {"class_index": [str(one) for one in range(count)], "label": classifier.labels}
    for form, names in ways.items():
        labels = tuple(None if one is None else names[one] for one in classes)
        found = photos.part(
            range(len(photos)),
            description=photos.description,
            fingerprint=f"as predicted {digest(photos, classes)}",
            label_forms={form: labels},
        ).counting_from(0)
        if match_set(classifier, found).indices == classes:
            return found
    raise ValueError(
        f"The classes of {classifier.name} are called by numbers, of which some are given twice: give each a name."
    )
