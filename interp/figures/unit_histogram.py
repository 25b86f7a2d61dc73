"""How strong a unit is in each image of a set, by class, beside the threshold of its masks."""

from __future__ import annotations

from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float

from interp.figures.style import GUIDE, shortened, transparent

BINS = 40


def by_image(
    largest: Float[np.ndarray, " n"], threshold: float | None, of_class: Bool[np.ndarray, " n"] | None, name: str
) -> go.Figure:
    """How many images reach which largest activation; those of one class, where it is known, apart from the others."""
    low, high = float(largest.min()), float(largest.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    parts = [("images", np.ones(len(largest), bool), "#0072B2")]
    if of_class is not None:
        parts = [(escape(shortened(name)), of_class, "#D55E00"), ("other images", ~of_class, "#0072B2")]
    figure = go.Figure()
    for title, some, colour in parts:
        counts, _ = np.histogram(largest[some], bins=edges)
        figure.add_bar(x=(edges[1:] + edges[:-1]) / 2, y=counts, width=np.diff(edges), name=title, marker_color=colour)
    if threshold is not None:
        figure.add_vline(
            x=threshold, line={"color": GUIDE, "dash": "dash", "width": 2}, annotation_text=f"threshold {threshold:.3g}"
        )
    figure.update_layout(
        barmode="stack", height=260, margin={"l": 50, "r": 10, "t": 40, "b": 45}, bargap=0.02,
        xaxis={"title": "largest activation in the image"}, yaxis={"title": "images"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"}, showlegend=of_class is not None,
    )  # fmt: skip
    return transparent(figure)
