"""Figures of channel attribution: estimate against measured effect, and many images' channels as a grid."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from interp.channels import Compared
from interp.channels.cues import CueChannels
from interp.figures import style
from interp.figures.style import RIGHT, WRONG, transparent

SMALL = 11
FAINT = "rgba(128, 128, 128, 0.6)"


def effects(found: Compared, layer: str, chosen: int | None = None) -> go.Figure:
    """Every active channel of a layer by its attribution (x) and its measured effect (y), in logits.

    On the line both are equal. The outliers are numbered, and so is the `chosen` channel, within a ring. A mark's
    `customdata` is the channel's number.
    """
    active = np.flatnonzero((found.attribution != 0) | (found.effect != 0))
    named = [one for one in found.outliers if one != chosen]
    figure = go.Figure()
    both = np.concatenate([found.attribution, found.effect, [0.0]])
    room = 0.06 * float(both.max() - both.min()) or 1.0
    low, high = float(both.min()) - room, float(both.max()) + room
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        line={"color": FAINT, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        name="both are equal",
    )
    others = np.setdiff1d(active, found.outliers)
    _marks(figure, found, others, f"{len(others):,} channels", RIGHT.colour, "circle", 6)
    _marks(figure, found, np.array(found.outliers, int), "furthest from the line", WRONG.colour, "diamond", 9)
    ringed = [] if chosen is None else [chosen]
    if ringed:
        ring = {"symbol": "circle-open", "size": 17, "color": style.GUIDE, "line": {"width": 2}}
        x, y = found.attribution[ringed], found.effect[ringed]
        figure.add_scatter(x=x, y=y, mode="markers", marker=ring, hoverinfo="skip", name=f"channel {chosen}")
    for one in [*named, *ringed]:
        figure.add_annotation(
            x=float(found.attribution[one]),
            y=float(found.effect[one]),
            text=str(one),
            showarrow=False,
            yshift=13,
            font={"size": SMALL},
        )
    axis = {"range": [low, high], "zeroline": True, "zerolinecolor": FAINT}
    figure.update_layout(
        height=470,
        margin={"l": 10, "r": 10, "t": 34, "b": 10},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        xaxis={**axis, "title": f"attribution of a channel of {escape(layer)}, logits"},
        yaxis={**axis, "title": "measured effect: the fall when it is zeroed, logits"},
    )
    return transparent(figure)


def _marks(
    figure: go.Figure, found: Compared, channels: np.ndarray, title: str, colour: str, symbol: str, size: int
) -> None:
    if not len(channels):
        return
    figure.add_scatter(
        x=found.attribution[channels].astype(np.float32),
        y=found.effect[channels].astype(np.float32),
        mode="markers",
        name=title,
        marker={"color": colour, "symbol": symbol, "size": size, "opacity": 0.8},
        customdata=channels,
        hovertemplate="channel %{customdata}<br>attribution %{x:.3f}<br>effect %{y:.3f}<extra></extra>",
    )


def grid(
    values: Float[np.ndarray, "n m"], channels: Sequence[int], names: Sequence[str], said: Sequence[str]
) -> go.Figure:
    """The attribution of some channels (columns) in some images (rows), red for the class and blue against it.

    All cells share one scale, which ends at the 99th percentile of the magnitudes. `said` is what is said of an image
    when it is pointed at. Raises `ValueError` where names or channels do not fit.
    """
    if values.shape != (len(names), len(channels)) or len(said) != len(names):
        raise ValueError(
            f"{len(names)} names and {len(channels)} channels for a grid of {values.shape[0]} × {values.shape[1]}."
        )
    end = float(np.quantile(np.abs(values), 0.99)) if values.size else 0.0
    end = end or float(np.abs(values).max(initial=0)) or 1.0
    heads = [escape(style.shortened(name)) for name in names]
    figure = go.Figure(
        go.Heatmap(
            z=values.astype(np.float32).round(4),
            x=[str(one) for one in channels],
            y=list(range(len(names))),
            zmin=-end,
            zmax=end,
            colorscale=style.signed(),
            customdata=[[escape(one)] * len(channels) for one in said],
            hovertemplate="%{customdata}<br>channel %{x}: %{z:+.3f}<extra></extra>",
            colorbar={"title": {"text": "logits", "side": "right"}, "thickness": 12},
        )
    )
    few = len(names) <= 40
    figure.update_layout(
        height=min(900, max(260, 110 + (16 if few else 5) * len(names))),
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        xaxis={"type": "category", "side": "top", "title": "channel"},
        yaxis={
            "autorange": "reversed",
            "automargin": True,
            "showticklabels": few,
            "tickvals": list(range(len(names))),
            "ticktext": heads,
            "title": "" if few else f"{len(names)} images",
        },
    )
    return transparent(figure)


def cue(found: Sequence[CueChannels], titles: Sequence[str]) -> go.Figure:
    """Every channel by how much a cue makes its activation rise (x) and its attribution for the cue's class (y).

    One panel for each classifier, on the same axes; the channels with the largest rise are numbered. Raises
    `ValueError` where the titles do not fit.
    """
    if len(found) != len(titles) or not found:
        raise ValueError(f"{len(titles)} titles for {len(found)} classifiers: give one for each, and at least one.")
    heads = [escape(one) for one in titles]
    figure = make_subplots(1, len(found), shared_xaxes=True, shared_yaxes=True, subplot_titles=heads)
    figure.update_xaxes(matches="x")
    for column, one in enumerate(found, start=1):
        seeing = np.array(one.seeing)
        others = np.setdiff1d(np.arange(len(one.rise)), seeing)
        for some, mark, title in ((others, RIGHT, "other channels"), (seeing, WRONG, "those that see it best")):
            figure.add_scatter(
                x=one.rise[some],
                y=one.attribution[some],
                mode="markers+text" if some is seeing else "markers",
                text=[str(channel) for channel in some] if some is seeing else None,
                textposition="top center",
                textfont={"size": SMALL},
                marker={"color": mark.colour, "size": 9 if some is seeing else 6, "opacity": 0.8},
                name=title,
                showlegend=column == 1,
                customdata=some,
                hovertemplate="channel %{customdata}<br>rises by %{x:.3f}<br>attribution %{y:+.3f}<extra></extra>",
                row=1,
                col=column,
            )
    figure.update_xaxes(title="rise of the mean activation with the cue", zerolinecolor=FAINT)
    figure.update_yaxes(title="mean attribution, logits", zerolinecolor=FAINT, col=1)
    figure.update_layout(
        height=360, margin={"l": 10, "r": 10, "t": 30, "b": 10}, legend={"orientation": "h", "x": 0, "y": -0.22}
    )
    return transparent(figure)
