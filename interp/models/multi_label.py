"""How good a classifier is whose classes do not exclude each other: class by class, at a threshold and over all.

What cannot be said is nan: the precision of a class that is never predicted, the recall of one that is never present.
Only what is known of an image counts (`GroundTruth.known`). Definitions as in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from interp.models.ground_truth import GroundTruth
from interp.models.predictions import Predictions

THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class Assessed:
    """The probabilities of m images for k classes beside what is in them; `indices` are their positions in the set."""

    indices: np.ndarray
    probabilities: Float[np.ndarray, "m k"]
    present: Bool[np.ndarray, "m k"]
    known: Bool[np.ndarray, "m k"]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Average precision Σ (R_i − R_{i−1}) P_i over thresholds: of each class, and of all pairs of image and class."""

    by_class: Float[np.ndarray, " k"]
    micro: float


@dataclass(frozen=True)
class Averages:
    """Precision, recall, F1 and average precision over all classes that can be judged."""

    precision: float
    recall: float
    f1: float
    average_precision: float


@dataclass(frozen=True)
class LabelCounts:
    """How many labels an image has and gets, on average, among classes that are known of it.

    `images` have a known class; `without` of all images get no label at all.
    """

    images: int
    present: float
    predicted: float
    without: int


def judged(predictions: Predictions, truth: GroundTruth, kept: Bool[np.ndarray, " n"] | None = None) -> Assessed:
    """The images whose probabilities were kept, with what is in them; `kept` says which predictions count.

    Raises `ValueError` for predictions without the probabilities of every class.
    """
    every = predictions.every
    if every is None:
        raise ValueError("These predictions lack the probabilities of every class: predict with a multi-label model.")
    wanted = predictions.indices if kept is None else predictions.indices[kept]
    rows = np.isin(every.indices, wanted)
    indices = every.indices[rows]
    return Assessed(indices, every.probabilities[rows], truth.present[indices], truth.known[indices])


def per_class(found: Assessed, threshold: float = THRESHOLD) -> pd.DataFrame:
    """A row for each class, in their order; a class is predicted where its probability is at least the threshold.

    `class`; `judged`: the images of which it is known whether the class is there, and among these `positives`,
    `predicted`, `hits`; `precision` = hits / predicted, `recall` = hits / positives,
    `f1` = 2 hits / (predicted + positives); `above`: how many of all images reach the threshold.
    """
    above = found.probabilities >= threshold
    known, present = found.known, found.known & found.present
    predicted, positives, hits = (one.sum(axis=0) for one in (above & known, present, above & present))
    return pd.DataFrame(
        {
            "class": np.arange(len(hits)),
            "judged": known.sum(axis=0),
            "positives": positives,
            "predicted": predicted,
            "hits": hits,
            "precision": _ratio(hits, predicted),
            "recall": _ratio(hits, positives),
            "f1": _ratio(2 * hits, predicted + positives),
            "above": above.sum(axis=0),
        }
    )


def ranking(found: Assessed) -> Ranking:
    """The average precision of each class, and over all pairs of image and class, whatever the threshold.

    Equal probabilities come in together. nan where nothing is present.
    """
    columns = zip(found.probabilities.T, found.present.T, found.known.T, strict=True)
    by_class = [_average_precision(share[known], present[known]) for share, present, known in columns]
    known = found.known
    return Ranking(np.array(by_class), _average_precision(found.probabilities[known], found.present[known]))


def macro(table: pd.DataFrame, ranked: Ranking) -> Averages:
    """The mean over classes, each class counting alike; of each number over the classes where it can be said."""
    columns = (table["precision"], table["recall"], table["f1"], ranked.by_class)
    return Averages(*(_mean(np.asarray(column, float)) for column in columns))


def micro(table: pd.DataFrame, ranked: Ranking) -> Averages:
    """Over all pairs of image and class, each pair counting alike."""
    hits, predicted, positives = (
        int(np.sum(table[column].to_numpy())) for column in ("hits", "predicted", "positives")
    )
    precision = hits / predicted if predicted else nan
    recall = hits / positives if positives else nan
    f1 = 2 * hits / (predicted + positives) if predicted + positives else nan
    return Averages(precision, recall, f1, ranked.micro)


def label_counts(found: Assessed, threshold: float = THRESHOLD) -> LabelCounts:
    """How many labels the images have and get."""
    above = found.probabilities >= threshold
    judgeable = found.known.any(axis=1)
    has, gets = ((one & found.known)[judgeable].sum(axis=1) for one in (found.present, above))
    return LabelCounts(int(judgeable.sum()), _mean(has), _mean(gets), int((~above.any(axis=1)).sum()))


def _average_precision(share: np.ndarray, present: np.ndarray) -> float:
    if not present.any():
        return nan
    order = np.argsort(-share, kind="stable")
    hits = np.cumsum(present[order])
    last = np.flatnonzero(np.append(np.diff(share[order]) != 0, True))
    recall = hits[last] / hits[-1]
    return float((np.diff(recall, prepend=0) * hits[last] / (last + 1)).sum())


def _ratio(part: pd.Series | np.ndarray, whole: pd.Series | np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), nan), where=np.asarray(whole) > 0)


def _mean(values: np.ndarray) -> float:
    said = values[~np.isnan(values)]
    return float(said.mean()) if len(said) else nan
