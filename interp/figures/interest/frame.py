"""What all figures of Shared Interest share: the colours of the cases, the frame, and the mark of what is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go

from interp.figures import style
from interp.shared_interest import Case

CHOSEN = style.GUIDE
ABOVE: Mapping[str, Any] = MappingProxyType({"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})

# A hue for each pattern of overlap, darker where the prediction is wrong; searched for, so that they are seen on either
# ground, and stay apart under any common colour blindness.
COLOURS: dict[Case, str] = {
    "human aligned": "#4A9A5E",
    "confuser": "#2B7351",
    "sufficient subset": "#4B8EFE",
    "insufficient subset": "#2668D5",
    "context dependent": "#C17938",
    "context confusion": "#9A5505",
    "sufficient context": "#C077D1",
    "distractor": "#BF1C7F",
    "unclassified": "#929292",
    "no annotation": "#7C7C7C",
    "no saliency": "#676767",
}
"""The colour of each case, the same in all figures."""


def mark_chosen(figure: go.Figure, chosen: float | int | None) -> None:
    """Draw a line at the setting that is chosen, where it has a place."""
    if chosen is not None and isfinite(chosen):
        figure.add_vline(x=float(chosen), line={"color": CHOSEN, "width": 2})


def plain(figure: go.Figure, height: int, legend: Mapping[str, Any] = ABOVE) -> go.Figure:
    """The figure with room for nothing but itself, its legend above unless another place is given."""
    figure.update_layout(height=height, margin={"l": 10, "r": 10, "t": 30, "b": 10}, legend=dict(legend))
    return style.transparent(figure)
