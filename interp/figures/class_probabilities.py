"""How probable the classifier holds a class in the images of this class."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from interp.figures.style import RIGHT, WRONG
from interp.models.predictions import Predictions

BINS = 20
HEIGHT = 240


def probabilities(predictions: Predictions, number: int) -> go.Figure:
    """The probability of a class in the images that are labelled so, as heaps of right and of wrong predictions.

    Each of 20 bars is a twentieth of [0, 1]; 1 is in the last one.
    """
    own = predictions.labels == number
    edges = np.linspace(0, 1, BINS + 1)
    figure = go.Figure()
    for name, part, mark, pattern in (
        ("right", own & predictions.right, RIGHT, ""),
        ("wrong", own & ~predictions.right, WRONG, "/"),
    ):
        # Single precision may round a probability just past 1.
        counts, _ = np.histogram(predictions.label_probability[part].clip(0, 1), edges)
        if part.any():
            figure.add_bar(
                x=(edges[:-1] + edges[1:]) / 2,
                y=counts,
                width=1 / BINS,
                name=f"{int(part.sum()):,} {name}",
                marker={"color": mark.colour, "pattern": {"shape": pattern}},
                hovertemplate="%{y} images<extra>%{fullData.name}</extra>",
            )
    figure.update_layout(
        barmode="stack",
        bargap=0.05,
        height=HEIGHT,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        xaxis={"title": "predicted probability of the class", "range": [0, 1], "tickformat": ".0%"},
        yaxis={"title": "images"},
        legend={"orientation": "h", "y": 1.2, "x": 0},
        showlegend=True,
    )
    return figure
