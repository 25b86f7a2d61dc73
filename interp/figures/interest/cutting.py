"""How cases hang on where scores and maps are cut: one image along a ladder of rules, and the counts of a set."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from interp.figures.interest.frame import COLOURS, mark_chosen, plain
from interp.shared_interest import AUTHORS, CASES, SCORES, CaseCounts, Sweep, Thresholds, setting_title

GREY = "#8A8A8A"
_LINES = {"iou": "#009E73", "ground_truth_coverage": "#0072B2", "saliency_coverage": "#D55E00"}
_DASHES = {"iou": "solid", "ground_truth_coverage": "dash", "saliency_coverage": "dot"}


def sweep_chart(sweep: Sweep, *, thresholds: Thresholds = AUTHORS, chosen: float | int | None = None) -> go.Figure:
    """The three scores of one image along a ladder of rules, its case as a band below, and where the case changes.

    Dashed lines are the thresholds, and a thick one the `chosen` setting of the rule.
    """
    figure = go.Figure()
    x, found = sweep.settings, sweep.overlap
    # Of an empty saliency no share is anywhere: a line that falls to 0 would look like a finding.
    inside = np.where(found.salient > 0, found.saliency_coverage, np.nan)
    for name in ("iou", "ground_truth_coverage", "saliency_coverage"):
        figure.add_scatter(
            x=x,
            y=inside if name == "saliency_coverage" else getattr(found, name),
            name=SCORES[name],
            mode="lines",
            line={"color": _LINES[name], "dash": _DASHES[name]},
            hovertemplate="%{y:.2f}",
        )
    _add_band(figure, x, sweep.cases)
    for title, height in (("low", thresholds.low), ("high", thresholds.high)):
        figure.add_hline(y=height, line={"color": GREY, "dash": "dash", "width": 1}, annotation_text=title)
    mark_chosen(figure, chosen)
    figure.update_layout(
        hovermode="x unified",
        xaxis={"title": setting_title(sweep.rules[0]), "range": sorted((float(x[0]), float(x[-1])))},
        yaxis={"title": "score", "range": [-0.14, 1.02], "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1]},
    )
    return plain(figure, 340)


def count_chart(counts: CaseCounts, *, chosen: float | int | None = None) -> go.Figure:
    """How many images have each case as one setting varies, as areas on top of each other; the `chosen` one marked.

    Cases that no image has at any setting are left out.
    """
    figure = go.Figure()
    for case, of_case in zip(CASES, counts.counts.T, strict=True):
        if of_case.any():
            figure.add_scatter(
                x=counts.settings,
                y=of_case,
                name=case,
                mode="lines",
                stackgroup="cases",
                line={"width": 0.5, "color": COLOURS[case]},
                fillcolor=COLOURS[case],
                hovertemplate="%{y:,}",
            )
    mark_chosen(figure, chosen)
    figure.update_layout(
        hovermode="x unified",
        xaxis={"title": counts.title},
        yaxis={"title": "images", "rangemode": "tozero"},
    )
    # The order of the areas, from top to bottom.
    return plain(figure, 320, {"orientation": "v", "traceorder": "reversed"})


def _add_band(figure: go.Figure, x: np.ndarray, cases: np.ndarray) -> None:
    """The case at each setting as a band under the scores, named where it is wide enough, and a line at each change."""
    middles = (x[1:] + x[:-1]) / 2
    edges = np.concatenate([x[:1], middles, x[-1:]])
    starts = np.flatnonzero(np.concatenate([[True], cases[1:] != cases[:-1]])).tolist()
    for start, end in pairwise([*starts, len(x)]):
        case = CASES[cases[start]]
        left, right = float(edges[start]), float(edges[end])
        figure.add_shape(type="rect", x0=left, x1=right, y0=-0.13, y1=-0.04, fillcolor=COLOURS[case], line={"width": 0})
        if abs(right - left) > 0.13 * abs(float(x[-1] - x[0])):
            light = case in ("sufficient subset", "context dependent", "sufficient context", "unclassified")
            figure.add_annotation(
                x=(left + right) / 2,
                y=-0.085,
                text=case,
                showarrow=False,
                font={"color": "black" if light else "white"},
            )
        if start:
            figure.add_vline(x=left, line={"color": GREY, "dash": "dot", "width": 1})
    # Says the case when the pointer is over a setting.
    figure.add_scatter(
        x=x,
        y=np.full(len(x), -0.085),
        mode="markers",
        opacity=0,
        showlegend=False,
        name="case",
        text=[CASES[one] for one in cases.tolist()],
        hovertemplate="%{text}",
    )
