"""All classes as points, layer by layer: a slider goes through the network, without a question to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from interp.class_summary import ClassEmbedding
from interp.figures import style

HEIGHT = 520
MOST_NAMES = 40
"""Of more classes names are shown where one points alone."""


def embedding(
    found: ClassEmbedding, labels: Sequence[str], chosen: int | None = None, layer: str | None = None
) -> go.Figure:
    """The classes' maps as frames of one figure, from the first layer to the last, begun at `layer` (None: the last).

    Points are the classes of the embedding; `chosen` is marked. Each layer's map fills the figure, as its scale says
    nothing beside the others'. A point's `customdata` is one number, so that 1,000 classes are soon drawn: `point`
    makes the class and the layer of it.
    """
    layers = list(found.points)
    first = layers.index(layer) if layer in layers else len(layers) - 1
    classes = np.asarray(found.classes, np.int32)
    names = [labels[int(one)] for one in classes]
    marked = np.flatnonzero(classes == chosen)

    def moved(place: int) -> list[dict[str, Any]]:
        """What differs from layer to layer."""
        points, numbers = _filling(found.points[layers[place]]), place * len(labels) + classes
        return [
            {"type": "scatter", "x": points[some, 0], "y": points[some, 1], "customdata": numbers[some]}
            for some in (slice(None), marked)
        ]

    def drawn(at: dict[str, Any], colour: str, size: int, some: Sequence[str], mode: str) -> dict[str, Any]:
        return at | {
            "mode": mode,
            "text": list(some),
            "textposition": "top center",
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {"size": size, "color": colour, "line": {"width": 1, "color": "rgba(128,128,128,0.8)"}},
            "cliponaxis": False,
        }

    others, own = moved(first)
    named = "markers+text" if len(names) <= MOST_NAMES else "markers"
    figure = go.Figure(
        [
            drawn(others, style.SERIES[0], 9, names, named),
            drawn(own, style.SERIES[1], 14, [names[one] for one in marked.tolist()], "markers"),
        ],
        frames=[{"name": one, "data": moved(place)} for place, one in enumerate(layers)],
    )
    axes = {"visible": False, "showgrid": False, "zeroline": False}
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        sliders=[_slider(layers, first)],
        xaxis=axes | {"range": [-1.1, 1.1]},
        yaxis=axes | {"range": [-1.1, 1.1], "scaleanchor": "x"},
        # With the lasso at hand from the start, Streamlit hears of no click.
        dragmode="pan",
        showlegend=False,
    )
    return figure


def _filling(points: Float[np.ndarray, "c 2"]) -> Float[np.ndarray, "c 2"]:
    """Points around the middle of their box, as far as 1 from it."""
    low, high = points.min(axis=0), points.max(axis=0)
    return (points - (low + high) / 2) / (float((high - low).max()) / 2 or 1.0)


def point(number: int, labels: Sequence[str], layers: Sequence[str]) -> tuple[int, str]:
    """The class and the layer of a point with this number in its `customdata`.

    Raises `ValueError` for a number that no point has.
    """
    place, found = divmod(number, len(labels))
    if not 0 <= place < len(layers):
        raise ValueError(f"Point {number} is of none of {len(layers)} layers of {len(labels)} classes.")
    return found, layers[place]


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
