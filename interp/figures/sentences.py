"""What a figure shows, said in a few sentences of its own numbers: for who hears a page and does not see it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from torch import Tensor

MOST_TRACES, MOST_BARS = 8, 6


def told(figure: go.Figure) -> str:
    """What the figure's lines, bars, points and cells come to; its title or axes first."""
    several = _axes(figure)
    said = [
        text
        for trace in cast(Any, figure.data)
        if trace.type in _KINDS and (text := _KINDS[trace.type](figure, trace)) is not None
    ]
    more = f" And {len(said) - MOST_TRACES} more." if len(said) > MOST_TRACES else ""
    return " ".join([*several, *(f"{text}." for text in said[:MOST_TRACES])]) + more or "A figure without data."


def of_maps(maps: Sequence[tuple[str, Float[Tensor, "h w"]]]) -> str:
    """Where each heatmap, with its title, is strongest."""
    return f"Where most of each map's magnitude lies: {', '.join(f'{title} {_where(one)}' for title, one in maps)}."


def _where(values: Float[Tensor, "h w"]) -> str:
    """In which ninth of a map most of its magnitude lies, and how much of it."""
    magnitude = values.detach().abs().double()
    total = float(magnitude.sum())
    if not total:
        return "nowhere"
    parts = [
        (float(part.sum()) / total, " ".join(dict.fromkeys((high, across))))
        for high, rows in zip(("top", "middle", "bottom"), magnitude.tensor_split(3, 0), strict=True)
        for across, part in zip(("left", "middle", "right"), rows.tensor_split(3, 1), strict=True)
    ]
    share, where = max(parts)
    return f"{where} ({share:.0%})"


def _axes(figure: go.Figure) -> list[str]:
    title = _plain(figure.layout.title.text)
    x, y = (_plain(axis.title.text) for axis in (figure.layout.xaxis, figure.layout.yaxis))
    axes = f"{y} by {x}" if x and y else x or y
    return [f"{one[0].upper()}{one[1:]}." for one in (title, axes) if one]


def _lines_or_points(figure: go.Figure, trace: Any) -> str | None:
    if trace.opacity == 0 or trace.hoverinfo == "skip" or trace.y is None or not len(trace.y):
        return None
    name, rows = _plain(trace.name), _ticks(figure, trace, "yaxis")
    if rows:
        return name or None
    y = _numbers(trace.y)
    known = y[np.isfinite(y)]
    if not len(known):
        return None
    if "lines" in (trace.mode or ""):
        course = f"from {_short(known[0])} to {_short(known[-1])}"
        return f"{name or 'The line'} goes {course}, at least {_short(known.min())}, at most {_short(known.max())}"
    x = _numbers(trace.x)
    return f"{name or 'Points'}: {_range(x)} across, {_range(y)} up"


def _bars(figure: go.Figure, trace: Any) -> str | None:
    lying = trace.orientation == "h"
    values, places = (trace.x, trace.y) if lying else (trace.y, trace.x)
    values = _numbers(values)
    if not np.isfinite(values).any():
        return None
    names = _ticks(figure, trace, "yaxis" if lying else "xaxis")
    order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")[:MOST_BARS]
    texts = list(trace.text) if isinstance(trace.text, (tuple, list, np.ndarray)) else None
    said = ", ".join(
        f"{names.get(_key(places[i]), _plain(str(places[i])))} {_plain(texts[i]) if texts else _short(values[i])}"
        for i in order.tolist()
    )
    rest = f", {len(values) - len(order)} smaller ones" if len(values) > len(order) else ""
    name = _plain(trace.name)
    return f"{name}: {said}{rest}" if name else f"{said}{rest}"


def _histogram(figure: go.Figure, trace: Any) -> str | None:
    x = _numbers(trace.x)
    if not len(x):
        return None
    return f"{len(x):,} values, {_range(x)}, half of them up to {_short(np.nanmedian(x))}"


def _cells(figure: go.Figure, trace: Any) -> str | None:
    if trace.z is None:
        return None
    z = np.array([_numbers(row) for row in trace.z])
    if not z.size or not np.isfinite(z).any():
        return None
    texts = [] if trace.text is None else list(trace.text)
    row, column = np.unravel_index(int(np.nanargmax(z)), z.shape)
    across, up = (_ticks(figure, trace, axis) for axis in ("xaxis", "yaxis"))
    at = [
        names.get(_key(places[place] if places is not None else place), str(place if places is None else places[place]))
        for names, places, place in ((up, trace.y, int(row)), (across, trace.x, int(column)))
    ]
    value = _plain(str(texts[row][column])) if texts and not isinstance(texts[row], str) else _short(z[row, column])
    count = int(np.isfinite(z).sum())
    return f"{count:,} cells, {_range(z)}; the largest, {value}, at {_plain(at[0])} and {_plain(at[1])}"


def _flows(figure: go.Figure, trace: Any) -> str | None:
    values = _numbers(trace.link.value)
    if not len(values):
        return None
    labels = [_plain(one) for one in trace.node.label]
    order = np.argsort(-values, kind="stable")[:MOST_BARS].tolist()
    source, target = trace.link.source, trace.link.target
    return ", ".join(f"{_short(values[i])} from {labels[source[i]]} to {labels[target[i]]}" for i in order)


_KINDS: Mapping[str, Callable[[go.Figure, Any], str | None]] = MappingProxyType(
    {
        "scatter": _lines_or_points,
        "scattergl": _lines_or_points,
        "bar": _bars,
        "histogram": _histogram,
        "heatmap": _cells,
        "sankey": _flows,
    }
)


def _ticks(figure: go.Figure, trace: Any, axis: str) -> dict[Any, str]:
    """The texts at an axis's places."""
    number = (trace[axis] or "x")[1:]
    drawn = figure.layout[f"{axis}{number}"]
    if drawn.tickvals is None or drawn.ticktext is None:
        return {}
    return {_key(place): _plain(text) for place, text in zip(drawn.tickvals, drawn.ticktext, strict=False)}


def _key(place: Any) -> Any:
    return float(place) if isinstance(place, (int, float, np.number)) else place


def _numbers(values: Any) -> np.ndarray:
    try:
        return np.asarray(() if values is None else values, float)
    except (TypeError, ValueError):
        return np.empty(0)


def _range(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    if not len(known):
        return "without numbers"
    low, high = _short(known.min()), _short(known.max())
    return f"all {low}" if low == high else f"{low} to {high}"


def _short(value: Any) -> str:
    number = float(value)
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def _plain(text: Any) -> str:
    """A text of a figure without tags and entities."""
    return html.unescape(re.sub(r"<br\s*/?>", " ", str(text or "")).replace("<b>", "").replace("</b>", "")).strip()
