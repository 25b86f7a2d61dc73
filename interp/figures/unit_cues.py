"""Units that detect a planted cue, and the classifier without them, as charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from interp.figures.style import transparent
from interp.units.cues import CueDetectors, CueRemoval

COLOURS = ("#D55E00", "#0072B2")


def cue(found: Sequence[CueDetectors], titles: Mapping[str, str], bound: float) -> go.Figure:
    """The largest IoU with the cue by layer, a bar for each classifier, with the number of its detectors."""
    figure = go.Figure()
    for name, colour in zip(dict.fromkeys(one.classifier for one in found), COLOURS, strict=False):
        own = [one for one in found if one.classifier == name]
        figure.add_bar(
            x=[one.layer for one in own], y=[one.iou for one in own], name=titles[name], marker_color=colour,
            text=[str(len(one.detectors)) for one in own], textposition="outside", cliponaxis=False,
            hovertemplate="%{x}: IoU %{y:.3f}, %{text} detectors<extra>" + titles[name] + "</extra>",
        )  # fmt: skip
    figure.add_hline(y=bound, line_dash="dot", line_color="#888", line_width=1)
    figure.update_layout(
        barmode="group", height=300, margin={"l": 10, "r": 10, "t": 40, "b": 40},
        yaxis={"title": "largest IoU with the cue", "rangemode": "tozero", "automargin": True},
        xaxis={"type": "category"}, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    return transparent(figure)


def cue_removed(gone: CueRemoval, label: str) -> go.Figure:
    """The class's recall on its own set, and accuracy where the cue is moved: as it is, without, without random ones.

    Of random sets the bar is the mean, and the line reaches from the lowest to the highest.
    """
    rows, values, random = [], [], []
    if gone.own is not None:
        rows.append(f"recall of {label}, with its cue")
        values.append((gone.own.before[gone.target], gone.own.after[gone.target]))
        random.append(gone.own.random[:, gone.target])
    if gone.moved is not None:
        rows.append("accuracy, the cue on other classes")
        values.append((gone.moved.whole.accuracy, gone.moved.without.accuracy))
        random.append(np.array([one.accuracy for one in gone.moved.without_drawn]))
    figure = go.Figure()
    for place, (title, colour) in enumerate((("as it is", "#9A9A9A"), ("without the detectors", "#D55E00"))):
        own = [one[place] for one in values]
        figure.add_bar(y=rows, x=own, name=title, orientation="h", marker_color=colour)
    if all(len(one) for one in random):
        means = np.array([one.mean() for one in random])
        figure.add_bar(
            y=rows, x=means, name="without random ones", orientation="h", marker_color="#56B4E9",
            error_x={
                "array": np.array([one.max() for one in random]) - means,
                "arrayminus": means - np.array([one.min() for one in random]), "thickness": 1.2,
            },
        )  # fmt: skip
    figure.update_layout(
        barmode="group", height=110 + 70 * len(rows), margin={"l": 10, "r": 20, "t": 30, "b": 40}, bargap=0.25,
        xaxis={"tickformat": ".0%", "range": [0, 1.02]},
        yaxis={"autorange": "reversed", "automargin": True, "type": "category"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "traceorder": "normal"},
    )  # fmt: skip
    return transparent(figure)
