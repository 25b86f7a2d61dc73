"""Figures about maps: the variance that principal axes carry, a map's KL divergence, and neighbours of one class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Integer

from interp.embedding import ClassAgreement, MapFrame
from interp.figures.style import GUIDE, RIGHT, SERIES

HEIGHT = 260
BARS = 12
LATER = "#7F95A8"
"""Okabe and Ito's colours, and three more, for up to nine maps."""


def explained_variance(explained: Float[np.ndarray, " a"], drawn: int) -> go.Figure:
    """The share of the variance on each principal axis as bars, the drawn ones dark, and their running sum as a line.

    Raises `ValueError` where there is no axis, as with identical features.
    """
    if not len(explained):
        raise ValueError("The features do not vary, so no axis explains anything: choose other images or a layer.")
    axes = np.arange(1, len(explained) + 1)
    figure = go.Figure(
        [
            go.Bar(
                x=axes,
                y=explained,
                name="this axis",
                marker_color=[RIGHT.colour if axis <= drawn else LATER for axis in axes],
                hovertemplate="axis %{x}: %{y:.1%}<extra></extra>",
            ),
            go.Scatter(
                x=axes,
                y=np.cumsum(explained),
                name="up to this axis",
                mode="lines+markers",
                line={"color": GUIDE},
                marker={"size": 4},
                hovertemplate="axes 1 to %{x}: %{y:.1%}<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(title="principal axis")
    figure.update_yaxes(title="share of the variance", range=[0, 1.03], tickformat=".0%")
    return _plain(figure)


def divergence(films: Mapping[str, Sequence[MapFrame]]) -> go.Figure:
    """t-SNE's KL(P‖Q) in nats at the frames of each film, by its title; frames without one are left out."""
    figure = go.Figure()
    for (title, frames), colour in zip(films.items(), SERIES, strict=False):
        known = [frame for frame in frames if frame.divergence is not None]
        figure.add_scatter(
            x=[frame.step for frame in known],
            y=[frame.divergence for frame in known],
            name=escape(title),
            mode="lines+markers",
            line={"color": colour},
            marker={"size": 4},
            hovertemplate="step %{x}: %{y:.3f}<extra></extra>",
        )
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="KL divergence, in nats", rangemode="tozero")
    return _plain(figure)


def agreements(found: Mapping[str, Sequence[ClassAgreement]], layers: Sequence[str]) -> go.Figure:
    """The share of neighbours of one class at successive layers, a line for each kind of class; dotted: by chance."""
    figure = go.Figure()
    for (title, shares), colour in zip(found.items(), SERIES, strict=False):
        name = escape(title)
        for values, legend, dash in (
            ([one.share for one in shares], f"same {name}", "solid"),
            ([one.chance for one in shares], f"same {name} by chance", "dot"),
        ):
            figure.add_scatter(
                x=[escape(layer) for layer in layers],
                y=values,
                name=legend,
                mode="lines+markers" if dash == "solid" else "lines",
                line={"color": colour, "dash": dash},
                hovertemplate="%{x}: %{y:.1%}<extra>" + legend + "</extra>",
            )
    figure.update_xaxes(type="category")
    figure.update_yaxes(title="share of the neighbours", range=[0, 1.03], tickformat=".0%")
    return _plain(figure)


def class_counts(
    classes: Integer[np.ndarray, " n"], kind: str, names: Sequence[str], heads: Sequence[str]
) -> go.Figure:
    """How many images have each class, the largest on top; of more than 12 classes the 12 largest.

    `names` are those of all classes, `heads` what stands beside their bars, and `kind` says in the title what they
    are. Raises `ValueError` for no image.
    """
    if not len(classes):
        raise ValueError("No image is given, so there is no class to count: give one class or more.")
    indices, counts = np.unique(classes, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:BARS][::-1]
    shown = [int(one) for one in indices[order]]
    figure = go.Figure(
        go.Bar(
            x=counts[order],
            # By number, as two classes may have one name.
            y=list(range(len(order))),
            customdata=[escape(names[one]) for one in shown],
            orientation="h",
            marker_color=RIGHT.colour,
            hovertemplate="%{customdata}: %{x}<extra></extra>",
        )
    )
    cut = f", the {BARS} largest of {len(indices):,}" if len(indices) > BARS else ""
    figure.update_layout(
        height=80 + 24 * len(order),
        margin={"l": 4, "r": 4, "t": 30, "b": 4},
        title={"text": f"By {kind}{cut}", "font": {"size": 13}},
    )
    texts = [escape(heads[one]) for one in shown]
    figure.update_yaxes(automargin=True, tickvals=list(range(len(order))), ticktext=texts)
    figure.update_xaxes(dtick=1 if counts.max() < 6 else None, rangemode="tozero")
    return figure


def _plain(figure: go.Figure) -> go.Figure:
    return figure.update_layout(
        height=HEIGHT,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0},
        showlegend=True,
    )
