"""Pairs of classes that a classifier confuses in a set: ready choices of a positive and a negative class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from interp.models.predictions import Predictions


@dataclass(frozen=True)
class Pair:
    """Two classes that are near each other for a classifier, and in how many `images` of a set.

    By 'mistakes' these are labelled as one and predicted as the other; by 'next' one is predicted and the other comes
    next, with the mean `probability` of the latter.
    """

    first: int
    second: int
    images: int
    by: Literal["mistakes", "next"]
    probability: float


def confused(predictions: Predictions, *, most: int = 12) -> tuple[Pair, ...]:
    """The pairs of classes that are confused most, either way; where no label is missed, those that come nearest to it.

    The first of a pair is the one that more of these images belong to: by label or, without mistakes, by prediction.
    Raises `ValueError` for a `most` below 1.
    """
    if most < 1:
        raise ValueError(f"{most} pairs cannot be given: ask for at least 1.")
    wrong = predictions.labelled & ~predictions.right
    if wrong.any():
        own, other, by = predictions.labels[wrong], predictions.predicted[wrong], "mistakes"
        probability = predictions.confidence[wrong]
    elif len(predictions) and predictions.classes.shape[1] > 1:
        own, other, by = predictions.predicted, predictions.classes[:, 1], "next"
        probability = predictions.probabilities[:, 1]
    else:
        return ()
    size = int(max(own.max(), other.max())) + 1
    low, high = np.minimum(own, other).astype(np.int64), np.maximum(own, other).astype(np.int64)
    keys, which, count = np.unique(low * size + high, return_inverse=True, return_counts=True)
    from_low = np.bincount(which, weights=own == low, minlength=len(keys))
    total = np.bincount(which, weights=probability, minlength=len(keys))
    # Among mistakes their number counts; of near ones, how likely the other class was.
    order = np.lexsort((keys, -total, -count)) if by == "mistakes" else np.lexsort((keys, -total))
    found = []
    for place in order[:most].tolist():
        ends = [int(keys[place] // size), int(keys[place] % size)]
        first, second = ends if 2 * from_low[place] >= count[place] else ends[::-1]
        found.append(Pair(first, second, int(count[place]), by, float(total[place] / count[place])))
    return tuple(found)
