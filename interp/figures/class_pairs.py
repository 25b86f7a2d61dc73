"""How much two classes share, layer by layer, beside random pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from interp.class_summary import PairOverlaps
from interp.figures import style


def shared(layers: Sequence[str], overlap: Float[np.ndarray, " l"], chance: PairOverlaps) -> go.Figure:
    """The Jaccard overlap of two classes' channels by layer, and that of random pairs: their mean and middle 90%."""
    figure = go.Figure()
    if len(chance):
        low, high = np.nanpercentile(np.nan_to_num(chance.values), [5, 95], axis=0)
        mean = np.nan_to_num(chance.mean)
        figure.add_scatter(
            x=list(layers),
            y=mean,
            name="random pairs",
            mode="lines+markers",
            line={"color": "#8A8A8A", "dash": "dot"},
            error_y={"type": "data", "symmetric": False, "array": high - mean, "arrayminus": mean - low,
                     "color": "#8A8A8A", "thickness": 1.2},
        )  # fmt: skip
    figure.add_scatter(
        x=list(layers), y=overlap, name="these two", mode="lines+markers", line={"color": style.SERIES[0], "width": 3}
    )
    figure.update_layout(
        height=300,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        yaxis={"title": "shared of all their channels", "range": [0, 1.03], "tickformat": ".0%"},
        legend={"orientation": "h", "y": 1.12, "x": 0},
    )
    return figure
