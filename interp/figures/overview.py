"""Figures of a set's predictions: every image a square, and one image's most probable classes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Int

from interp.figures.style import RIGHT, TRANSPARENT, UNLABELLED, WRONG, PointStyle, shortened, transparent
from interp.models.predictions import Predictions

COLUMNS = 80
LINE, ROOMY = 9, 12
GAP = 0.8
FILE = 32
# SVG marks are sharper and need no WebGL; above this many a browser becomes slow with them.
SVG_LIMIT = 1500
# Rows no longer than this have room for the score itself, where rank alone would leave them at the left end.
SPARSE = 12
# Names of classes of so many letters leave room for their bars.
SHORT = 12
# Of a mark, in per cent of the axis.
WIDTH = 2.2
FAINT = "rgba(128, 128, 128, 0.25)"
THRESHOLD = {"color": "rgba(128, 128, 128, 0.8)", "width": 1, "dash": "dash"}


def squares(
    predictions: Predictions,
    keep: Bool[np.ndarray, " n"],
    *,
    labels: Sequence[str],
    names: Sequence[str],
    classes_shown: Sequence[int],
    by: Literal["label", "prediction"] = "label",
) -> go.Figure:
    """Every image that is kept as a small square in the row of its class, ordered by its score from left to right.

    The score is the probability of the image's label, or of its predicted class where it has none; such an image
    stands in the row of its predicted class. A row of more than 80 images has several lines, filled column by column,
    so that the order still runs from left to right; where no row has more than 12 images, a square stands at its score
    itself. `labels` are the classifier's, `names` the whole set's; a mark's
    `customdata` is the image's position in the set. After ModelTracker (Amershi et al. 2015).
    """
    rows = np.array(classes_shown, int)
    own = (
        predictions.predicted
        if by == "prediction"
        else np.where(predictions.labelled, predictions.labels, predictions.predicted)
    )
    drawn = np.flatnonzero(keep & np.isin(own, rows))
    row_of = np.zeros(max([own.max(initial=-1), *rows]) + 1, int)
    row_of[rows] = np.arange(len(rows))
    row = row_of[own[drawn]]
    score = np.where(predictions.labelled, predictions.label_probability, predictions.confidence)
    right, labelled = predictions.right[drawn], predictions.labelled[drawn]
    return in_rows(
        predictions.indices[drawn],
        row,
        score[drawn],
        np.where(labelled, np.where(right, 0, 1), 2),
        _said(predictions, drawn, labels),
        titles=[labels[index] for index in classes_shown],
        names=names,
        ordered="each row from the least to the most probable label",
        score_name="probability of the label, or of the prediction where there is none",
    )


def in_rows(
    indices: Int[np.ndarray, " n"],
    row: Int[np.ndarray, " n"],
    score: Float[np.ndarray, " n"],
    outcome: Int[np.ndarray, " n"],
    said: Sequence[str],
    *,
    titles: Sequence[str],
    names: Sequence[str],
    ordered: str,
    score_name: str,
    threshold: float | None = None,
) -> go.Figure:
    """Images as small squares in rows, ordered by a score in [0, 1] from left to right, as `squares` has them.

    `outcome` is 0 for right, 1 for wrong and 2 where there is no label; `said` is HTML for each image's hover card.
    `titles` names the rows, `ordered` and `score_name` the axis by rank and by score. A `threshold` is drawn where the
    score itself is.
    """
    order = np.lexsort((score, row))
    indices, row, score, outcome = indices[order], row[order], score[order], outcome[order]
    cards = np.array(said, object)[order]
    count = np.bincount(row, minlength=len(titles))
    sparse = bool(count.max(initial=0) <= SPARSE)
    x, y, lines = _places(row, count)
    if sparse:
        x = _side_by_side((100 * score).round(1), row)
    tops = _tops(lines)

    figure = go.Figure()
    plot = go.Scattergl if len(indices) > SVG_LIMIT else go.Scatter
    size = 11 if sparse else max(6, min(12, round(0.78 * 600 / max(x.max(initial=0) + 1, 40))))
    for number, (title, mark) in enumerate((("right", RIGHT), ("wrong", WRONG), ("without label", UNLABELLED))):
        part = outcome == number
        if part.any():
            figure.add_trace(
                plot(
                    x=x[part],
                    y=(tops[row] + y)[part].astype(np.float32),
                    mode="markers",
                    name=f"{part.sum():,} {title}",
                    marker={"color": mark.colour, "symbol": mark.symbol, "size": size},
                    unselected={"marker": {"opacity": 0.5}},
                    customdata=indices[part],
                    text=[escape(_ending(names[int(index)])) for index in indices[part]],
                    hovertext=cards[part].tolist(),
                    hovertemplate="%{text}<br>%{hovertext}<extra></extra>",
                )
            )
    _frame_squares(figure, titles, tops, lines, 100 if sparse else int(x.max(initial=0)) + 1, ordered)
    if sparse:
        # On a phone a longer line would be cut.
        title = "<br>".join(textwrap.wrap(f"{score_name}, % (equal ones side by side)", 48))
        figure.update_xaxes(range=[-2, 102], showticklabels=True, title=title)
    if sparse and threshold is not None:
        figure.add_vline(x=100 * threshold, line=THRESHOLD, layer="below")
    return figure


def top_classes(probabilities: Float[np.ndarray, " t"], labels: Sequence[str], truth: str | None = None) -> go.Figure:
    """The most probable classes of one image as bars, best first, the labelled class marked.

    `labels` names the t classes. Where the labelled class, `truth`, is not among them, the figure says so.
    """
    marks = [UNLABELLED if truth is None else RIGHT if name == truth else WRONG for name in labels]
    missing = []
    if truth is not None and truth not in labels:
        text = f"not among these: the label,<br>{escape(shortened(truth))}"
        place = {"xref": "paper", "yref": "paper", "x": 0, "y": 0, "xanchor": "left", "yanchor": "top"}
        missing = [{"text": text, "showarrow": False, "align": "left", **place}]
    return bars(probabilities, labels, marks, [name == truth for name in labels], missing)


def bars(
    probabilities: Float[np.ndarray, " t"],
    labels: Sequence[str],
    marks: Sequence[PointStyle],
    checked: Sequence[bool],
    annotations: Sequence[dict] = (),
    lines: Sequence[dict] = (),
) -> go.Figure:
    """Probabilities as bars, each in the colour of its mark; a ✓ before the names that are `checked`."""
    places = list(range(len(labels)))
    bottom = 50 if annotations else 10
    # Drawn anew for each image that is looked at: from plain dicts, without updates, it takes a fifth of the time.
    drawn = {
        "type": "bar",
        "x": probabilities.tolist(),
        "y": places,
        "orientation": "h",
        "marker": {"color": [mark.colour for mark in marks]},
        "text": [f"{share:.1%}" if share >= 0.001 else "&lt;0.1%" for share in probabilities],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [escape(name) for name in labels],
        "hovertemplate": "%{customdata}: %{x:.2%}<extra></extra>",
    }
    layout = {
        "height": 50 + bottom + 30 * len(labels),
        "margin": {"l": 10, "r": 10, "t": 10, "b": bottom},
        "bargap": 0.3,
        # Beside long names the bars are short, and the numbers behind them take a larger share.
        "xaxis": {
            "range": [0, 1.4 if max(map(len, labels), default=0) <= SHORT else 1.9],
            "visible": False,
            "fixedrange": True,
        },
        "yaxis": {
            "tickvals": places,
            "ticktext": [
                ("✓ " if own else "") + escape(shortened(name)) for name, own in zip(labels, checked, strict=True)
            ],
            "range": [len(labels) - 0.5, -0.5],
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
        "annotations": list(annotations),
        "shapes": list(lines),
        "paper_bgcolor": TRANSPARENT,
        "plot_bgcolor": TRANSPARENT,
    }
    return go.Figure({"data": [drawn], "layout": layout})


def _places(row: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column and line within its row of each image, sorted by row and rank; and how many lines each row takes."""
    lines = np.maximum(1, -(-count // COLUMNS))
    first = np.concatenate([[0], np.cumsum(count)[:-1]]) if len(count) else count
    rank = np.arange(len(row)) - first[row]
    return (rank // lines[row]).astype(np.int16), (rank % lines[row]).astype(np.int16), lines


def _side_by_side(score: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Scores in per cent, ascending in each row, moved apart so that no mark hides another and all stay on the axis."""
    x = score.astype(np.float32)
    for i in range(1, len(x)):
        if row[i] == row[i - 1]:
            x[i] = max(x[i], x[i - 1] + WIDTH)
    for i in reversed(range(len(x))):
        last = i + 1 == len(x) or row[i + 1] != row[i]
        x[i] = min(x[i], 100 if last else x[i + 1] - WIDTH)
    return x


def _tops(lines: np.ndarray) -> np.ndarray:
    ends = np.cumsum(lines + GAP)
    return ends - lines - GAP


def _said(predictions: Predictions, drawn: np.ndarray, labels: Sequence[str]) -> list[str]:
    names = [escape(shortened(label)) for label in labels]
    return [
        f"{names[predicted]} {confidence:.1%}"
        if label in (-1, predicted)
        else f"{names[predicted]} {confidence:.1%}, label {names[label]} {of_label:.1%}"
        for label, predicted, of_label, confidence in zip(
            predictions.labels[drawn].tolist(),
            predictions.predicted[drawn].tolist(),
            predictions.label_probability[drawn].tolist(),
            predictions.confidence[drawn].tolist(),
            strict=True,
        )
    ]


def _frame_squares(
    figure: go.Figure, labels: Sequence[str], tops: np.ndarray, lines: np.ndarray, columns: int, ordered: str
) -> None:
    bottom = float(tops[-1] + lines[-1] + GAP) if len(tops) else 1.0
    height = LINE if lines.max(initial=1) > 1 else ROOMY
    figure.update_layout(
        height=round(110 + height * bottom),
        margin={"l": 10, "r": 10, "t": 44, "b": 40},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemsizing": "constant"},
        hoverlabel={"align": "left"},
        xaxis={
            "range": [-0.8, max(columns, 40) - 0.2],
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
            "title": ordered,
        },
        yaxis={
            "range": [bottom - GAP / 2 - 0.5, -GAP / 2 - 0.5],
            "tickvals": tops + (lines - 1) / 2,
            "ticktext": [escape(shortened(label)) for label in labels],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
        },
    )
    for top in tops[1:]:
        figure.add_hline(y=float(top) - GAP / 2 - 0.5, line={"color": FAINT, "width": 1}, layer="below")
    if not figure.data:
        figure.add_annotation(text="No image to show.", xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False)
    transparent(figure)


def _ending(name: str) -> str:
    return name if len(name) <= FILE else "…" + name[1 - FILE :]
