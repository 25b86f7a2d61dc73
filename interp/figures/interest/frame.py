"""What all figures of Shared Interest share: the colours of the cases, the frame, and the mark of what is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go

from interp.figures import style
from interp.shared_interest import Case

CHOSEN = "#444444"
ABOVE: Mapping[str, Any] = MappingProxyType({"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})

# A hue of Okabe and Ito for each pattern of overlap, dark where the prediction is wrong.
COLOURS: dict[Case, str] = {
    "human aligned": "#009E73",
    "confuser": "#00543D",
    "sufficient subset": "#56B4E9",
    "insufficient subset": "#12598A",
    "context dependent": "#E69F00",
    "context confusion": "#7D5600",
    "sufficient context": "#D98CB5",
    "distractor": "#7E2E5A",
    "unclassified": "#C4C4C4",
    "no annotation": "#8F8F8F",
    "no saliency": "#5E5E5E",
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
