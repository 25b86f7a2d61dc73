"""What was measured of heatmaps: curves against the control, how they lie to annotations, how alike they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from jaxtyping import Bool, Float
from plotly.subplots import make_subplots
from torch import Tensor

from interp.evaluation import Curve, EnergyInside, Faithfulness, Located, Overlap
from interp.figures import style

_HEIGHT = 340
_CELL = 30
_BAR = 22
_CONTROL = style.SERIES[-1]


def curves(found: Sequence[Faithfulness], control: str, *, row: int = 0) -> go.Figure:
    """Deletion at the left, insertion at the right: a line for each method, thin grey ones for the control's orders.

    Each name carries the area under its curve; `row` is the image. Deletion is good when it falls at once, insertion
    when it rises at once.
    """
    figure = make_subplots(1, 2, subplot_titles=("Deletion: lower is better", "Insertion: higher is better"))
    methods = list(dict.fromkeys(one.name for one in found if one.name != control))
    colours = {name: style.SERIES[i % (len(style.SERIES) - 1)] for i, name in enumerate(methods)}
    seen: set[str] = set()
    for one in found:
        for column, curve in enumerate((one.deletion, one.insertion), start=1):
            line = {"color": colours.get(one.name, _CONTROL), "width": 2.5 if one.name in colours else 1}
            figure.add_trace(_line(one.name, curve, row, line, shown=column == 1 and one.name not in seen), 1, column)
        seen.add(one.name)
    figure.update_layout(
        height=_HEIGHT, margin={"l": 50, "r": 10, "t": 40, "b": 90}, legend={"orientation": "h", "y": -0.3}
    )
    figure.update_xaxes(title="share of the pixels", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(range=[0, 1.02])
    figure.update_yaxes(title="probability of the class", row=1, col=1)
    return figure


def _line(name: str, curve: Curve, row: int, line: dict[str, Any], *, shown: bool) -> go.Scatter:
    return go.Scatter(
        x=curve.shares.tolist(),
        y=curve.values[row].tolist(),
        name=name,
        legendgroup=name,
        showlegend=shown,
        line=line,
        hovertemplate=f"{name}, area {curve.area[row]:.3f}<br>%{{x:.0%}} of the pixels: %{{y:.3f}}<extra></extra>",
    )


def located(found: Sequence[Located], control: str) -> go.Figure:
    """Three columns of bars, one for each method, the control's grey: hits, energy inside, overlap with annotations.

    Means over the photographs that count; a dotted line is what chance has. Methods whose maps all are zero have no
    energy, and no bar there.
    """
    titles = ("Pointing game: hits", "Energy inside", "Overlap (IoU)")
    figure = make_subplots(1, 3, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.04)
    names = [one.name for one in found]
    colours = [_CONTROL if name == control else style.RIGHT.colour for name in names]
    measures = (
        ([one.pointing.accuracy for one in found], None),
        ([_mean(one.energy.inside, one.energy.counted) for one in found], _chance([one.energy for one in found])),
        ([_mean(one.overlap.iou, one.overlap.counted) for one in found], _chance([one.overlap for one in found])),
    )
    for column, (values, chance) in enumerate(measures, start=1):
        bars = go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker_color=colours,
            showlegend=False,
            texttemplate="%{x:.2f}",
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
        figure.add_trace(bars, 1, column)
        if chance is not None:
            figure.add_vline(chance, line={"dash": "dot", "color": style.GUIDE}, row=1, col=column)  # pyright: ignore[reportArgumentType]
    figure.update_layout(height=90 + _BAR * len(names), margin={"l": 10, "r": 10, "t": 30, "b": 30})
    figure.update_xaxes(range=[0, 1])
    figure.update_yaxes(autorange="reversed")
    return figure


def _mean(values: Float[Tensor, " n"], counted: Bool[Tensor, " n"]) -> float | None:
    return float(values[counted].mean()) if bool(counted.any()) else None


def _chance(measured: Sequence[EnergyInside] | Sequence[Overlap]) -> float | None:
    """The mean of what chance has, by the first method that has any photograph counted: it is the same for all."""
    return next((_mean(one.chance, one.counted) for one in measured if bool(one.counted.any())), None)


def matrix(names: Sequence[str], values: Float[Tensor, "m m"]) -> go.Figure:
    """A number between −1 and 1 for every pair of maps, written into its cell."""
    figure = go.Figure(
        go.Heatmap(
            z=values.tolist(),
            x=list(names),
            y=list(names),
            zmin=-1,
            zmax=1,
            colorscale=style.signed(),
            texttemplate="%{z:.2f}" if len(names) <= 12 else None,
            hovertemplate="%{y} and %{x}: %{z:.2f}<extra></extra>",
            colorbar={"thickness": 8, "outlinewidth": 0},
        )
    )
    figure.update_layout(height=160 + _CELL * len(names), margin={"l": 10, "r": 10, "t": 10, "b": 10})
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickangle=-45)
    return figure
