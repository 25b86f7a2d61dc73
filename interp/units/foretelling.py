"""How well descriptions foretell where units are strong in images held out, beside the descriptions of other units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from interp.units.rows import ImageRows, top_rows
from interp.units.words import Clause, UnitWords

SHARE = 10
"""The images in which a unit is strong are a tenth of those held out."""
FEWEST_IMAGES = 30
FEWEST_RIVALS = 10


def scored(words: Sequence[UnitWords], rows: ImageRows, complete: bool) -> tuple[UnitWords, ...]:
    """The descriptions with their scores on these images, which they were not made on.

    A description's prediction is the mean over its clauses, each as the rank of the image; it is tried on the images of
    which all that it speaks of is known: with a label, and with something known of the category. `complete` says that
    all concepts are known of all images.
    """
    aurocs = np.full((len(words), len(words)), np.nan)
    predictions = [_prediction(one.clauses, rows, complete) for one in words]
    described = [number for number, one in enumerate(words) if one.clauses]
    groups: dict[bytes, list[int]] = {}
    for number in described:
        groups.setdefault((~np.isnan(predictions[number])).tobytes(), []).append(number)
    for numbers in groups.values():
        known = ~np.isnan(predictions[numbers[0]])
        if known.sum() >= FEWEST_IMAGES:
            given = np.stack([predictions[number][known] for number in numbers])
            aurocs[:, numbers] = areas(given, rows.peaks[known])
    return tuple(_with(one, number, aurocs[number], described) for number, one in enumerate(words))


def areas(predictions: Float[np.ndarray, "d n"], peaks: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "k d"]:
    """The area under the ROC curve of each prediction for each unit; nan for a unit without images where it is strong.

    It is the probability that an image in which the unit is strong (among the tenth with the largest activations) has a
    larger prediction than one in which it is not; of equal ones half (Mann and Whitney's U).
    """
    from scipy.stats import rankdata

    strong = top_rows(peaks, max(1, len(peaks) // SHARE)).astype(np.float64)
    count = strong.sum(axis=0)[:, None]
    ranks = rankdata(predictions, axis=1)
    above = strong.T @ ranks.T - count * (count + 1) / 2
    pairs = count * (len(peaks) - count)
    return np.divide(above, pairs, out=np.full(above.shape, np.nan), where=pairs > 0)


def _prediction(clauses: Sequence[Clause], rows: ImageRows, complete: bool) -> Float[np.ndarray, " n"]:
    """The mean rank over clauses that differ; nan for an image of which it is not known."""
    different = list({one.foretells: one for one in clauses}.values())
    if not different or not len(rows):
        return np.full(len(rows), np.nan)
    from scipy.stats import rankdata

    each = [foretold(one, rows, complete) for one in different]
    return np.mean([rankdata(one, nan_policy="omit") for one in each], axis=0)


def foretold(clause: Clause, rows: ImageRows, complete: bool) -> Float[np.ndarray, " n"]:
    """What a clause says of each image: 1 for its classes, else 0; the share of its concept; how much of its look.

    nan where it is not known.
    """
    if clause.concept is not None:
        return _areas_of(clause.concept, rows, complete)
    if clause.classes:
        return np.where(rows.labels >= 0, np.isin(rows.labels, clause.classes).astype(np.float64), np.nan)
    assert clause.look is not None
    return rows.looks[:, clause.look].astype(np.float64)


def _areas_of(concept: tuple[str, str], rows: ImageRows, complete: bool) -> Float[np.ndarray, " n"]:
    column = rows.concepts.index(concept) if concept in rows.concepts else None
    found = np.zeros(len(rows)) if column is None else rows.areas[:, column].astype(np.float64)
    if complete:
        return found
    place = rows.categories.index(concept[0]) if concept[0] in rows.categories else None
    return np.where(rows.known[:, place], found, np.nan) if place is not None else np.full(len(rows), np.nan)


def _with(one: UnitWords, number: int, aurocs: np.ndarray, described: Sequence[int]) -> UnitWords:
    if not one.clauses or np.isnan(aurocs[number]):
        return replace(one, auroc=None, percentile=None, rivals=0)
    others = np.array([aurocs[other] for other in described if other != number and not np.isnan(aurocs[other])])
    own = float(aurocs[number])
    if len(others) < FEWEST_RIVALS:
        return replace(one, auroc=own, percentile=None, rivals=len(others))
    share = float((others < own).mean() + (others == own).mean() / 2)
    return replace(one, auroc=own, percentile=share, rivals=len(others))
