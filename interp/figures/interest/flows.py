"""Where images go from case to case as they are scored in one way, then in another."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from interp.figures.interest.frame import COLOURS, plain
from interp.shared_interest import CASES, Comparison


def sankey(comparison: Comparison) -> go.Figure:
    """Which case each image has under each way to score it, way by way from left to right, as flows between cases.

    Flows have the colour of the case that they come from; those that change nothing are faint.
    """
    nodes = [
        (way, case)
        for way in range(len(comparison.titles))
        for case in range(len(CASES))
        if (comparison.cases[way] == case).any()
    ]
    place = {node: i for i, node in enumerate(nodes)}
    flows = [
        (place[way, before], place[way + 1, after], int(count), before, after)
        for way in range(len(comparison.titles) - 1)
        for (before, after), count in np.ndenumerate(comparison.transitions(way, way + 1))
        if count
    ]
    columns = max(1, len(comparison.titles) - 1)
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node={
                "label": [f"{CASES[case]} ({int((comparison.cases[way] == case).sum()):,})" for way, case in nodes],
                "color": [COLOURS[CASES[case]] for _, case in nodes],
                # Ends of exactly 0 or 1 are taken for "not given".
                "x": [min(0.999, max(0.001, way / columns)) for way, _ in nodes],
                "y": _heights(nodes, comparison),
                "pad": 12,
                "thickness": 16,
                "hovertemplate": "%{label}<extra></extra>",
            },
            link={
                "source": [flow[0] for flow in flows],
                "target": [flow[1] for flow in flows],
                "value": [flow[2] for flow in flows],
                "color": [_faded(COLOURS[CASES[flow[3]]], 0.25 if flow[3] == flow[4] else 0.6) for flow in flows],
                "hovertemplate": "%{value:,} images<br>%{source.label} → %{target.label}<extra></extra>",
            },
        )
    )
    for way, title in enumerate(comparison.titles):
        figure.add_annotation(
            text=f"<b>{escape(title)}</b>",
            x=way / columns,
            y=1.02,
            xref="paper",
            yref="paper",
            xanchor="left" if way == 0 else "right" if way == columns else "center",
            yanchor="bottom",
            showarrow=False,
        )
    plain(figure, 420)
    return figure.update_layout(margin={"l": 10, "r": 10, "t": 40, "b": 20})


def _heights(nodes: Sequence[tuple[int, int]], comparison: Comparison) -> list[float]:
    """The middle of each node from top to bottom, in the order of `CASES`, so that equal cases lie side by side."""
    total = max(1, comparison.cases.shape[1])
    heights: list[float] = []
    for way in range(len(comparison.titles)):
        done = 0.0
        for case in (case for node_way, case in nodes if node_way == way):
            share = float((comparison.cases[way] == case).sum()) / total
            heights.append(min(0.999, max(0.001, done + share / 2)))
            done += share
    return heights


def _faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
