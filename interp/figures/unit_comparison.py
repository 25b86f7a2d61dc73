"""The detectors of two classifiers beside each other, and in which layers a concept appears in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from interp.figures import units
from interp.figures.style import transparent
from interp.units import LayerDissection

COLOURS = ("#0072B2", "#D55E00")
ROOM = 1.25


def detectors_of_both(
    first: Sequence[LayerDissection], second: Sequence[LayerDissection], bound: float
) -> tuple[go.Figure, go.Figure]:
    """How many units of each layer detect a concept, of two classifiers: two figures with the same upper end."""
    most = max([1, *(int((one.labels(bound) >= 0).sum()) for one in (*first, *second))])
    drawn = (units.detectors(some, bound).update_yaxes(range=[0, ROOM * most]) for some in (first, second))
    one, other = drawn
    return one, other


def appearance(
    layers: Sequence[Sequence[LayerDissection]], titles: Sequence[str], concept: tuple[str, str], bound: float
) -> go.Figure:
    """The largest IoU of a concept with any unit of each layer, for each classifier; dotted what chance would give.

    The horizontal line is the bound from which on a unit is a detector.
    """
    figure = go.Figure()
    for some, title, colour in zip(layers, titles, COLOURS, strict=True):
        known = [one for one in some if concept in one.concepts]
        best = [best_unit(one, concept) for one in known]
        names = [one.layer for one in known]
        told = [f"unit {unit}: IoU {iou:.3f}, {odds:.1f} times chance" for unit, iou, odds in best]
        figure.add_scatter(
            x=names,
            y=[iou for _, iou, _ in best],
            name=title,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            text=told,
            hovertemplate="%{x}<br>%{text}<extra>" + title + "</extra>",
        )
        figure.add_scatter(
            x=names,
            y=[iou / odds if odds else 0 for _, iou, odds in best],
            name=f"{title}, by chance",
            mode="lines",
            line={"color": colour, "width": 1, "dash": "dot"},
            hoverinfo="skip",
        )
    figure.add_hline(y=bound, line={"color": "#8A8A8A", "width": 1})
    figure.update_layout(
        height=320,
        margin={"l": 50, "r": 10, "t": 40, "b": 60},
        xaxis={"type": "category"},
        yaxis={"title": "largest IoU of any unit", "rangemode": "tozero"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return transparent(figure)


def best_unit(dissection: LayerDissection, concept: tuple[str, str]) -> tuple[int, float, float]:
    """The unit with the largest IoU with a concept, that IoU, and its odds. Raises `ValueError` for an unknown one."""
    place = dissection.concepts.index(concept)
    iou = dissection.iou()[:, place]
    unit = int(np.argmax(iou))
    return unit, float(iou[unit]), float(dissection.odds()[unit, place])
