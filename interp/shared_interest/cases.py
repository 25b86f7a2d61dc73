"""The cases of Shared Interest: what an image's prediction and its scores say together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Int

from interp.shared_interest.scores import Counts

Case = Literal[
    "human aligned",
    "confuser",
    "sufficient subset",
    "insufficient subset",
    "context dependent",
    "context confusion",
    "sufficient context",
    "distractor",
    "unclassified",
    "no annotation",
    "no saliency",
]
CASES: tuple[Case, ...] = get_args(Case)
"""The eight cases of the paper, correct and wrong in turns, and what is none of them."""

UNCLASSIFIED, NO_ANNOTATION, NO_SALIENCY = (CASES.index(name) for name in CASES[8:])

LOW, HIGH = 0.2, 0.65


@dataclass(frozen=True)
class Thresholds:
    """From where a score counts as high, and up to where as low."""

    low: float | int = LOW
    high: float | int = HIGH

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise ValueError(f"Thresholds of {self.low} and {self.high} do not fit: 0 ≤ low < high ≤ 1.")


AUTHORS = Thresholds()
"""The thresholds of the authors' demo."""


def cases(scores: Counts, correct: Bool[np.ndarray, " n"], thresholds: Thresholds = AUTHORS) -> Int[np.ndarray, " n"]:
    """The case of each image, as an index into `CASES`, by the first of these rows that fits.

    IoU high; saliency coverage high and ground-truth coverage low; the reverse; IoU low: each one case for correct
    predictions and one for wrong ones. What fits no row is 'unclassified'; images without annotation or saliency are
    said to be so. Raises `ValueError` for another number of images.
    """
    return cases_at(scores, correct, thresholds.low, thresholds.high)


def cases_at(
    scores: Counts,
    correct: Bool[np.ndarray, " n"],
    low: float | int | Float[np.ndarray, "*n"],
    high: float | int | Float[np.ndarray, "*n"],
) -> Int[np.ndarray, " n"]:
    """As `cases`, with thresholds of each image's own where arrays are given; they are not checked."""
    iou, covered, inside = scores.iou, scores.ground_truth_coverage, scores.saliency_coverage
    if len(correct) != len(iou):
        raise ValueError(f"{len(correct)} predictions are given for {len(iou)} images: there must be one for each.")
    rows = [
        scores.annotated == 0,
        scores.salient == 0,
        iou >= high,
        (inside >= high) & (covered <= low),
        (covered >= high) & (inside <= low),
        iou <= low,
    ]
    wrong = (~correct).astype(int)
    values = [NO_ANNOTATION, NO_SALIENCY, *(2 * row + wrong for row in range(4))]
    return np.select(rows, values, default=UNCLASSIFIED).astype(int)


def counts(found: Int[np.ndarray, " n"]) -> dict[Case, int]:
    """How many images have each case, all of `CASES` in their order."""
    return dict(zip(CASES, np.bincount(found, minlength=len(CASES)).tolist(), strict=True))
