"""All classes as points, layer by layer: a slider goes through the network, without a question to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from interp.class_summary import ClassEmbedding
from interp.figures import style

HEIGHT = 520
MOST_NAMES = 40
"""Of more classes names are shown where one points alone."""


def embedding(
    found: ClassEmbedding, labels: Sequence[str], chosen: int | None = None, layer: str | None = None
) -> go.Figure:
    """The classes' maps as frames of one figure, from the first layer to the last, begun at `layer` (None: the last).

    Points are the classes of the embedding; `chosen` is marked. Axes are the same for all layers. A point's
    `customdata` is the class's number and the layer.
    """
    layers = list(found.points)
    first = layers.index(layer) if layer in layers else len(layers) - 1
    names = [labels[one] for one in found.classes.tolist()]
    every = np.concatenate([found.points[layer] for layer in layers])
    middle, reach = every.mean(axis=0), 0.55 * float(np.ptp(every, axis=0).max() or 1.0)
    marked = [one == chosen for one in found.classes.tolist()]
    marker = {
        "size": [14 if one else 9 for one in marked],
        "color": [style.SERIES[1] if one else style.SERIES[0] for one in marked],
        "line": {"width": 1, "color": "rgba(128,128,128,0.8)"},
    }

    def trace(layer: str) -> go.Scatter:
        points = found.points[layer]
        return go.Scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="markers+text" if len(names) <= MOST_NAMES else "markers",
            text=names,
            textposition="top center",
            customdata=[[one, layer] for one in found.classes.tolist()],
            hovertemplate="%{text}<extra></extra>",
            marker=marker,
            cliponaxis=False,
        )

    figure = go.Figure(trace(layers[first]), frames=[go.Frame(name=layer, data=[trace(layer)]) for layer in layers])
    axes = {"visible": False, "showgrid": False, "zeroline": False}
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        sliders=[_slider(layers, first)],
        xaxis=axes | {"range": [middle[0] - reach, middle[0] + reach]},
        yaxis=axes | {"range": [middle[1] - reach, middle[1] + reach], "scaleanchor": "x"},
        # With the lasso at hand from the start, Streamlit hears of no click.
        dragmode="pan",
        showlegend=False,
    )
    return figure


def _slider(layers: Sequence[str], first: int) -> dict[str, Any]:
    steps = [
        {
            "label": layer,
            "method": "animate",
            "args": [[layer], {"mode": "immediate", "frame": {"duration": 400, "redraw": False},
                               "transition": {"duration": 400}}],
        }
        for layer in layers
    ]  # fmt: skip
    return {
        "active": first,
        "steps": steps,
        "currentvalue": {"prefix": "Layer "},
        "pad": {"t": 24, "l": 24, "r": 24},
    }
