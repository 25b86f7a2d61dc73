"""How a class falls as units of a layer are removed, one after the other or more and more at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from interp.figures.style import transparent
from interp.units import DropCurve, GreedySet

COLOURS = {"effect": "#D55E00", "attribution": "#0072B2", "selectivity": "#009E73", "IoU": "#AA4499"}
RANDOM = "#8A8A8A"


def drop_curves(curves: Mapping[str, DropCurve]) -> go.Figure:
    """Balanced accuracy by how many units are removed (or kept alone), for each order; of random ones mean and range.

    The number of units is on a logarithmic axis; the dotted line is the network as it is.
    """
    figure = go.Figure()
    first = next(iter(curves.values()))
    for name, one in curves.items():
        if name.startswith("random"):
            continue
        line = {"color": COLOURS.get(name, "#0072B2"), "width": 2}
        figure.add_scatter(x=one.sizes, y=one.balanced, name=name, mode="lines+markers", line=line)
    random = [one for name, one in curves.items() if name.startswith("random")]
    if random:
        values = np.array([one.balanced for one in random])
        mean = values.mean(axis=0)
        spread = {"array": values.max(axis=0) - mean, "arrayminus": mean - values.min(axis=0), "thickness": 1.2}
        line = {"color": RANDOM, "width": 2, "dash": "dash"}
        figure.add_scatter(x=random[0].sizes, y=mean, name="random", mode="lines+markers", line=line, error_y=spread)
    figure.add_hline(y=first.whole[0], line={"color": RANDOM, "width": 1, "dash": "dot"})
    what = "units kept alone" if first.complement else "units removed"
    ticks = {"tickvals": first.sizes, "ticktext": [str(one) for one in first.sizes]}
    return _placed(figure, {"title": what, "type": "log", **ticks})


def greedy_steps(found: GreedySet) -> go.Figure:
    """A class's balanced accuracy after each unit: on the images that units were chosen on, and on the others."""
    names = ["none", *(f"+ {one}" for one in found.units)]
    figure = go.Figure()
    for title, values, line in (
        ("images chosen on", found.ranked, {"color": RANDOM, "width": 2, "dash": "dash"}),
        ("other images", found.balanced, {"color": "#D55E00", "width": 2}),
        ("all classes' accuracy, other images", found.accuracy, {"color": "#0072B2", "width": 2, "dash": "dot"}),
    ):
        figure.add_scatter(x=names, y=values, name=title, mode="lines+markers", line=line)
    return _placed(figure, {"title": "units removed, one after the other", "type": "category"})


def _placed(figure: go.Figure, across: dict) -> go.Figure:
    figure.update_layout(
        height=340,
        margin={"l": 60, "r": 10, "t": 40, "b": 50},
        xaxis=across,
        yaxis={"title": "balanced accuracy", "tickformat": ".0%", "range": [0, 1.03]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return transparent(figure)
