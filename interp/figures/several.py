"""Figures of a classifier whose classes do not exclude each other: one class over a set, and one image's classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Int

from interp.figures.overview import THRESHOLD, bars, in_rows
from interp.figures.style import RIGHT, UNLABELLED, WRONG

LEAST, MOST = 3, 15
"""How many classes of an image are drawn at least, and at most."""


def squares(
    indices: Int[np.ndarray, " m"],
    shares: Float[np.ndarray, " m"],
    present: Bool[np.ndarray, " m"],
    known: Bool[np.ndarray, " m"],
    *,
    threshold: float,
    names: Sequence[str],
) -> go.Figure:
    """Every image a small square, ordered by the probability of one class, in rows of what is known of it.

    Right is an image with the class at or above the threshold, or without it below. `names` are the whole set's.
    """
    rows = {"labelled": known & present, "not labelled": known & ~present, "not known": ~known}
    shown = {title: inside for title, inside in rows.items() if inside.any()}
    row = np.zeros(len(indices), int)
    for place, inside in enumerate(shown.values()):
        row[inside] = place
    right = (shares >= threshold) == present
    return in_rows(
        indices,
        row,
        shares,
        np.where(known, np.where(right, 0, 1), 2),
        [f"{share:.1%}" for share in shares],
        titles=list(shown),
        names=names,
        ordered="each row from the least to the most probable",
        score_name="probability of the class",
        threshold=threshold,
    )


def chosen_classes(
    shares: Float[np.ndarray, " k"], present: Bool[np.ndarray, " k"], threshold: float
) -> Int[np.ndarray, " t"]:
    """The classes of an image to draw: those at or above the threshold and those in it, best first; at least three.

    At most fifteen, those in it before others.
    """
    order = np.argsort(-shares, kind="stable")
    wanted = [int(one) for one in order if shares[one] >= threshold or present[one]]
    if len(wanted) > MOST:
        wanted = sorted(wanted, key=lambda one: not present[one])[:MOST]
    if len(wanted) < LEAST:
        wanted = list(dict.fromkeys([*wanted, *order[:LEAST].tolist()]))[: max(LEAST, len(wanted))]
    return np.array(sorted(wanted, key=lambda one: -shares[one]), int)


def classes_of_image(
    shares: Float[np.ndarray, " t"],
    labels: Sequence[str],
    present: Bool[np.ndarray, " t"],
    known: Bool[np.ndarray, " t"],
    threshold: float,
) -> go.Figure:
    """Classes of one image as bars with the threshold across, each with its own probability; ✓ marks what is in it.

    Blue is right and orange wrong at the threshold; grey is not known, or is neither said nor there.
    """
    above = shares >= threshold
    marks = [
        UNLABELLED if not sure or not (said or there) else RIGHT if said and there else WRONG
        for said, there, sure in zip(above, present, known, strict=True)
    ]
    line = {
        "type": "line",
        "x0": threshold,
        "x1": threshold,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": THRESHOLD,
        "layer": "below",
    }
    return bars(shares, labels, marks, present.tolist(), lines=[line])
