"""How good a classifier's predictions are: accuracy, class by class, and which classes it takes for one another.

Functions take the predictions and, where only some images count, a mask that `keep` gives. What cannot be said (the
accuracy of no image) is nan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from interp.models.predictions import Predictions

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """`hits` of `count`, as a share in [0, 1] with its 95% interval from `low` to `high`; all nan for a count of 0."""

    hits: int
    count: int
    value: float
    low: float
    high: float


Outcome = Literal["all", "right", "wrong"]


@dataclass(frozen=True)
class Filter:
    """Which images to look at.

    `classes` keeps the images that are labelled or predicted as one of them, `confidence` those whose predicted class
    has a probability in this closed interval, `groups` those of these groups of the image set; None keeps all.
    An image without a label is neither right nor wrong.
    """

    outcome: Outcome = "all"
    classes: frozenset[int] | None = None
    confidence: tuple[float, float] = (0.0, 1.0)
    groups: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.outcome not in ("all", "right", "wrong"):
            raise ValueError(f"The outcome {self.outcome!r} does not exist: choose all, right or wrong.")
        low, high = self.confidence
        if not 0 <= low <= high <= 1:
            raise ValueError(
                f"The confidence from {low} to {high} is no interval: give two numbers, 0 ≤ low ≤ high ≤ 1."
            )


def keep(
    predictions: Predictions, filter: Filter, groups: Sequence[str | None] | None = None
) -> Bool[np.ndarray, " n"]:
    """Which of the predictions pass the filter.

    `groups` are those of the whole image set, by position; only a filter that names groups reads them, and raises
    `ValueError` without them.
    """
    low, high = filter.confidence
    # Single precision may round a probability just past 1.
    kept = (predictions.confidence >= low) & ((predictions.confidence <= high) | (high == 1))
    if filter.outcome == "right":
        kept &= predictions.right
    elif filter.outcome == "wrong":
        kept &= predictions.labelled & ~predictions.right
    if filter.classes is not None:
        wanted = sorted(filter.classes)
        kept &= np.isin(predictions.labels, wanted) | np.isin(predictions.predicted, wanted)
    if filter.groups is not None:
        if groups is None:
            raise ValueError(f"The filter names the groups {sorted(filter.groups)}: give the image set's groups, too.")
        inside = np.array([group in filter.groups for group in groups], bool)
        kept &= inside[predictions.indices]
    return kept


def accuracy(predictions: Predictions, kept: Bool[np.ndarray, " n"] | None = None) -> Share:
    """The share of labelled images whose predicted class is the label."""
    labelled = _mask(predictions, kept) & predictions.labelled
    return share(int((predictions.right & labelled).sum()), int(labelled.sum()))


def top_accuracy(predictions: Predictions, kept: Bool[np.ndarray, " n"] | None = None, *, within: int = 5) -> Share:
    """The share of labelled images whose label is among the `within` most probable classes.

    Raises `ValueError` for a number below 1.
    """
    if within < 1:
        raise ValueError(f"The top {within} classes do not exist: give a number of at least 1.")
    labelled = _mask(predictions, kept) & predictions.labelled
    among = (predictions.classes[:, :within] == predictions.labels[:, None]).any(axis=1)
    return share(int((among & labelled).sum()), int(labelled.sum()))


def share(hits: int, count: int) -> Share:
    """`hits` of `count`, with Wilson's interval (Wilson 1927), which keeps within [0, 1] also for few images."""
    if count == 0:
        return Share(0, 0, nan, nan, nan)
    value, square = hits / count, Z95**2
    middle = (value + square / (2 * count)) / (1 + square / count)
    half = Z95 * sqrt(value * (1 - value) / count + square / (4 * count**2)) / (1 + square / count)
    return Share(hits, count, value, max(0.0, middle - half), min(1.0, middle + half))


def per_class(predictions: Predictions, kept: Bool[np.ndarray, " n"] | None = None) -> pd.DataFrame:
    """A row for each class that occurs as a label or a prediction, by class index.

    `class`; `count`: the images of the class, by label, or by prediction for those without a label; `labelled` among
    them, and `right` among these; `accuracy` = right / labelled; `confidence`: the mean over the count; `mistake`: the
    class that most of its wrong images are taken for (-1: none; the lowest index among equals), and `mistakes`: how
    many. Numbers that cannot be said are nan.
    """
    mask = _mask(predictions, kept)
    labels, predicted = predictions.labels[mask], predictions.predicted[mask]
    size = max(labels.max(initial=-1), predicted.max(initial=-1)) + 1
    own = np.where(labels >= 0, labels, predicted)
    count = np.bincount(own, minlength=size)
    labelled = np.bincount(labels[labels >= 0], minlength=size)
    right = np.bincount(labels[labels == predicted], minlength=size)
    confidence = np.bincount(own, weights=predictions.confidence[mask], minlength=size)
    mistake, mistakes = np.full(size, -1), np.zeros(size, int)
    pairs = confused_pairs(predictions, kept).drop_duplicates("label")
    mistake[pairs["label"]], mistakes[pairs["label"]] = pairs["prediction"], pairs["count"]
    table = pd.DataFrame(
        {
            "class": np.arange(size),
            "count": count,
            "labelled": labelled,
            "right": right,
            "accuracy": _ratio(right, labelled),
            "confidence": _ratio(confidence, count),
            "mistake": mistake,
            "mistakes": mistakes,
        }
    )
    occurs = (count > 0) | (np.bincount(predicted, minlength=size) > 0)
    return table.loc[occurs].reset_index(drop=True)


def confusion(
    predictions: Predictions, classes: Sequence[int], kept: Bool[np.ndarray, " n"] | None = None
) -> Int[np.ndarray, "rows columns"]:
    """How many images labelled as class i (row) are predicted as class j (column), for the chosen classes.

    One row and one column more, the last, gather all other classes. Unlabelled images are left out.
    Raises `ValueError` for a class that is given twice, or is negative.
    """
    if len(set(classes)) != len(classes) or any(index < 0 for index in classes):
        raise ValueError(f"The classes {list(classes)} must be different from one another, and none negative.")
    mask = _mask(predictions, kept) & predictions.labelled
    labels, predicted = predictions.labels[mask], predictions.predicted[mask]
    size = max([labels.max(initial=-1), predicted.max(initial=-1), *classes]) + 1
    other = len(classes)
    place = np.full(size, other)
    place[list(classes)] = np.arange(other)
    cells = place[labels] * (other + 1) + place[predicted]
    return np.bincount(cells, minlength=(other + 1) ** 2).reshape(other + 1, other + 1)


def confused_pairs(predictions: Predictions, kept: Bool[np.ndarray, " n"] | None = None) -> pd.DataFrame:
    """Every pair of classes that is confused, most frequent first.

    `label` and `prediction` (class indices), `count`, `share` of the label's images, `confidence`: the mean with which
    the wrong class was predicted.
    """
    mask = _mask(predictions, kept) & predictions.labelled
    labels, predicted = predictions.labels[mask].astype(np.int64), predictions.predicted[mask].astype(np.int64)
    wrong = labels != predicted
    size = int(max(labels.max(initial=0), predicted.max(initial=0))) + 1
    pairs, which, count = np.unique(labels[wrong] * size + predicted[wrong], return_inverse=True, return_counts=True)
    confidence = np.bincount(which, weights=predictions.confidence[mask][wrong], minlength=len(pairs))
    label = pairs // size
    table = pd.DataFrame(
        {
            "label": label,
            "prediction": pairs % size,
            "count": count,
            "share": _ratio(count, np.bincount(labels, minlength=size)[label]),
            "confidence": _ratio(confidence, count),
        }
    )
    return table.sort_values("count", ascending=False, kind="stable").reset_index(drop=True)


def _mask(predictions: Predictions, kept: Bool[np.ndarray, " n"] | None) -> Bool[np.ndarray, " n"]:
    return np.ones(len(predictions), bool) if kept is None else kept


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), nan), where=whole > 0)
