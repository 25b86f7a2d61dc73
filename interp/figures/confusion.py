"""The confusion matrix as a figure: what is right and what is wrong, each on a scale of its own."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Int

from interp.figures import style

NUMBERS_UP_TO = 15
BLUES = ((0.0, "#d9e6f5"), (1.0, "#08458a"))
ORANGES = ((0.0, "#fde4cb"), (1.0, "#9c3503"))
GREYS = ((0.0, "#ececec"), (1.0, "#6b6b6b"))
LEAST_END = 5


def confusion(matrix: Int[np.ndarray, "m m"], names: Sequence[str]) -> go.Figure:
    """How many images of each labelled class (row) are predicted as each class (column).

    As `performance.confusion` gives it: the last row and column gather all other classes, and are left out where they
    are empty. The diagonal, what is right, has colours and a scale of its own, so that rare mistakes are seen beside
    it, and the other classes are grey; counts that spread over more than a factor of 30 are coloured by their
    logarithm, and the scale says so. Raises `ValueError` where `names` does not fit.
    """
    if len(names) != len(matrix):
        raise ValueError(f"{len(names)} names for a matrix of {len(matrix)} rows: give one for each row.")
    chosen = len(matrix) - 1
    if not matrix[-1].any() and not matrix[:, -1].any():
        matrix, names = matrix[:-1, :-1], names[:-1]
    rows, columns = np.indices(matrix.shape)
    within = (rows < chosen) & (columns < chosen)
    figure = go.Figure()
    for title, part, colours, place in (
        ("right", within & (rows == columns), BLUES, 1.0),
        ("wrong", within & (rows != columns), ORANGES, 0.48),
        # A scale of its own and no colour: counts of all other classes together would drown those of single ones.
        ("other classes", ~within, GREYS, None),
    ):
        if matrix[part].any():
            figure.add_trace(_cells(np.where(part, matrix, 0), title, colours, place))
    shortened = [escape(style.shortened(name)) for name in names]
    ticks = {"tickvals": list(range(len(names))), "ticktext": shortened, "showgrid": False, "zeroline": False}
    ends = [-0.5, len(names) - 0.5]
    figure.update_layout(
        height=min(1000, max(340, 170 + 21 * len(names))),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={**ticks, "title": "predicted as", "range": ends, "automargin": True},
        yaxis={**ticks, "title": "labelled", "range": ends[::-1], "automargin": True},
    )
    return style.transparent(figure)


def _cells(
    counts: Int[np.ndarray, "m m"], title: str, colours: tuple[tuple[float, str], ...], place: float | None
) -> go.Heatmap:
    """The cells that are not zero on their own colour scale, drawn from `place` down; without a place none is drawn."""
    largest, smallest = int(counts.max()), int(counts[counts > 0].min())
    logarithmic = largest > 30 * smallest
    shown = np.where(counts > 0, counts, np.nan).astype(np.float32)
    # A single mistake is no dark spot.
    end = max(largest, LEAST_END)
    ticks = [tick for tick in (1, 10, 100, 1000, 10000) if 2 * tick < end] + [end] if logarithmic else [0, end]
    numbered = len(counts) <= NUMBERS_UP_TO + 1
    return go.Heatmap(
        z=np.log10(shown) if logarithmic else shown,
        zmin=0,
        zmax=float(np.log10(end)) if logarithmic else end,
        customdata=counts.astype(np.int32),
        text=np.where(counts > 0, counts.astype(str), "") if numbered else None,
        texttemplate="%{text}" if numbered else None,
        colorscale=colours,
        xgap=1,
        ygap=1,
        hoverongaps=False,
        hovertemplate="labelled %{y}<br>predicted as %{x}<br>images: %{customdata:,}<extra></extra>",
        showscale=place is not None,
        colorbar={
            "title": f"{title}, log scale" if logarithmic else title,
            "len": 0.5,
            "y": place or 0,
            "yanchor": "top",
            "thickness": 12,
            "tickvals": [float(np.log10(tick)) if logarithmic else tick for tick in ticks],
            "ticktext": [f"{tick:,}" for tick in ticks],
        },
    )
