"""Figures of feature visualization: objectives as they rise, and a channel's values over a set."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from torch import Tensor

from interp.figures.style import RIGHT


def objective_curves(curves: Sequence[tuple[str, Float[Tensor, " _"]]]) -> go.Figure:
    """The objective of each picture, by its name, step by step."""
    figure = go.Figure()
    for name, values in curves:
        figure.add_scatter(y=values.tolist(), name=escape(name), mode="lines")
    figure.update_layout(
        height=250,
        margin={"l": 4, "r": 4, "t": 30, "b": 4},
        title={"text": "The objective, step by step", "font": {"size": 13}},
        legend={"orientation": "h", "y": -0.25},
    )
    return figure


def spectrum(values: Float[np.ndarray, " n"]) -> go.Figure:
    """How many images of a set give a channel which mean over all positions."""
    figure = go.Figure(go.Histogram(x=values, nbinsx=40, marker_color=RIGHT.colour))
    figure.update_layout(
        height=180,
        margin={"l": 4, "r": 4, "t": 30, "b": 4},
        title={"text": "The spectrum: every image's mean over all positions", "font": {"size": 13}},
        yaxis_title="images",
        bargap=0.05,
    )
    return figure
