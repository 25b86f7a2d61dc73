"""How scores and cases are spread: over right and wrong predictions, over classes and pairs of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from interp.figures.interest.frame import COLOURS, plain
from interp.figures.style import RIGHT, UNLABELLED, WRONG, shortened
from interp.shared_interest import CASES, SCORES, Scored, ScoreName

BINS = 20
MOST_CLASSES = 20
NUMBERS_UP_TO = 12


def histogram(scored: Scored, name: ScoreName) -> go.Figure:
    """How many images have which score, in 20 bins from 0 to 1, those predicted right, wrong and unlabelled stacked.

    Raises `ValueError` for a score that there is not.
    """
    values = scored.score(name)
    edges = np.linspace(0, 1, BINS + 1)
    figure = go.Figure()
    for title, mark, part in (
        ("right", RIGHT, scored.correct),
        ("wrong", WRONG, scored.wrong),
        ("without label", UNLABELLED, ~scored.known),
    ):
        if part.any():
            counts, _ = np.histogram(values[part].clip(0, 1), edges)
            figure.add_bar(
                x=(edges[:-1] + edges[1:]) / 2,
                y=counts,
                width=0.94 / BINS,
                name=f"{part.sum():,} {title}, mean {values[part].mean():.2f}",
                marker={"color": mark.colour},
                customdata=[f"{low:.2f} to {high:.2f}" for low, high in pairwise(edges.tolist())],
                hovertemplate=f"%{{customdata}}: %{{y:,}} {title}<extra></extra>",
            )
    figure.update_layout(barmode="stack", xaxis={"title": SCORES[name], "range": [0, 1]}, yaxis={"title": "images"})
    return plain(figure, 260)


def confusion_map(pairs: pd.DataFrame, labels: Sequence[str], name: ScoreName = "iou") -> go.Figure:
    """The mean score of the images of each label (row) that are predicted as each class (column).

    `pairs` is what `shared_interest.confusion` gives, `labels` the names of the classifier's classes. Of more than 20
    classes those with most wrong images are drawn, then those with most images. The numbers of images are written
    where there is room.
    """
    shown = _most(pairs)
    place = {index: i for i, index in enumerate(shown)}
    score = np.full((len(shown), len(shown)), np.nan)
    count = np.zeros(score.shape, int)
    for label, predicted, images, mean in _rows(pairs):
        if label in place and predicted in place:
            cell = place[label], place[predicted]
            score[cell], count[cell] = mean, images
    names = [escape(shortened(labels[index])) for index in shown]
    numbered = len(shown) <= NUMBERS_UP_TO
    figure = go.Figure(
        go.Heatmap(
            z=score,
            zmin=0,
            zmax=1,
            colorscale="Cividis",
            xgap=1,
            ygap=1,
            hoverongaps=False,
            customdata=count,
            text=np.where(count > 0, count.astype(str), "") if numbered else None,
            texttemplate="%{text}" if numbered else None,
            colorbar={"title": f"mean<br>{SCORES[name]}", "thickness": 12},
            hovertemplate="labelled %{y}<br>predicted as %{x}<br>images: %{customdata:,}, mean %{z:.3f}<extra></extra>",
        )
    )
    ticks = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, "zeroline": False}
    figure.update_layout(
        xaxis={**ticks, "title": "predicted as", "automargin": True},
        yaxis={**ticks, "title": "labelled", "automargin": True, "autorange": "reversed"},
    )
    return plain(figure, min(900, max(320, 150 + 24 * len(names))))


def class_spread(classes: pd.DataFrame, heads: Sequence[str]) -> go.Figure:
    """Accuracy against mean IoU, a point for each class, the extremes named.

    `classes` are rows of what `shared_interest.by_class` gives, `heads` their names.
    """
    iou, accuracy = classes["iou"].to_numpy(), classes["accuracy"].to_numpy()
    lowest = int(accuracy.argmin())
    extremes = {lowest, int(iou.argmin()), int(iou.argmax())}
    names = [escape(head) for head in heads]
    figure = go.Figure(
        go.Scatter(
            x=iou,
            y=accuracy,
            mode="markers+text",
            text=[name if row in extremes else "" for row, name in enumerate(names)],
            textposition=["bottom center" if row == lowest else "top center" for row in range(len(names))],
            hovertext=names,
            customdata=classes["images"],
            marker={"size": 9, "color": RIGHT.colour},
            hovertemplate="%{hovertext}: IoU %{x:.2f}, accuracy %{y:.0%}, %{customdata:,} images<extra></extra>",
        )
    )
    figure.update_layout(
        height=260,
        margin={"l": 10, "r": 10, "t": 20, "b": 10},
        xaxis={"title": "mean IoU", "range": [0, 1]},
        yaxis={"title": "accuracy", "tickformat": ".0%", "range": [-0.05, 1.12], "tickvals": [0, 0.25, 0.5, 0.75, 1]},
    )
    return figure


def case_bars(listed: Sequence[Mapping[str, Any]]) -> go.Figure:
    """A bar for each classifier and set of pictures, made of the shares of its cases, as `shares_of_cases` has them."""
    names = [f"{row['pictures'].partition(',')[0]}: {row['classifier'].replace(',', '')}" for row in listed]
    figure = go.Figure()
    for case in CASES:
        if any(row[case] for row in listed):
            figure.add_bar(
                x=[row[case] for row in listed],
                y=names,
                orientation="h",
                name=case,
                marker_color=COLOURS[case],
                hovertemplate=f"{case}: %{{x:.0%}}<extra></extra>",
            )
    figure.update_layout(
        barmode="stack",
        height=80 + 30 * len(names),
        margin={"l": 4, "r": 24, "t": 30, "b": 4},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        xaxis={"tickformat": ".0%", "range": [0, 1]},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    return figure


def _rows(pairs: pd.DataFrame) -> Iterator[tuple[int, int, int, float]]:
    """Label, prediction, number of images and mean score of each pair."""
    return zip(*(pairs[name].tolist() for name in ("label", "predicted", "count", "score")), strict=True)


def _most(pairs: pd.DataFrame) -> list[int]:
    """The classes to draw, by index: those that most mistakes are made with, then the most frequent."""
    wrong: dict[int, int] = {}
    seen: dict[int, int] = {}
    for label, predicted, images, _ in _rows(pairs):
        for index in (label, predicted):
            seen[index] = seen.get(index, 0) + images
            wrong[index] = wrong.get(index, 0) + (images if label != predicted else 0)
    ranked = sorted(seen, key=lambda index: (-wrong[index], -seen[index], index))
    return sorted(ranked[:MOST_CLASSES])
