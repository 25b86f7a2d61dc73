"""One concept: its masks on images, its best units, and how far these hang on the quantile and on the axes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, UInt8

from interp.figures.style import transparent
from interp.units.axes import AxesDissection
from interp.units.cav import ConceptSensitivity

OUTLINE = (255, 0, 255)
DIM = 0.35


def outlined(pixels: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """The image with the border of a mask drawn inside it, in magenta, and black beside that."""
    found = pixels.copy()
    width = max(1, min(mask.shape) // 96)
    inner = _shrunk(mask, width)
    found[inner & ~_shrunk(inner, width)] = 0
    found[mask & ~inner] = OUTLINE
    return found


def lit(
    pixels: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], truth: Bool[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    """The image, dark where a unit's mask is not, with the border of the concept's own mask."""
    shown = np.where(mask[..., None], pixels, (pixels * DIM).astype(np.uint8))
    return outlined(shown, truth)


def _shrunk(mask: Bool[np.ndarray, "h w"], times: int) -> Bool[np.ndarray, "h w"]:
    for _ in range(times):
        padded = np.pad(mask, 1, constant_values=True)
        mask = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask


def by_quantile(found: AxesDissection, concept: int, units: Sequence[int]) -> go.Figure:
    """The IoU of some units with a concept at each quantile."""
    shares = found.units.quantiles
    order = np.argsort(shares)
    figure = go.Figure()
    for unit in units:
        values = [float(found.units.iou(int(one))[unit, concept]) for one in order]
        figure.add_scatter(x=[shares[one] for one in order], y=values, mode="lines+markers", name=f"unit {unit}")
    figure.update_layout(
        height=290, margin={"l": 50, "r": 10, "t": 60, "b": 45},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": "share of activations over the threshold", "type": "log", "tickformat": ".1%",
               "tickvals": sorted(shares)},
        yaxis={"title": "IoU", "rangemode": "tozero"},
    )  # fmt: skip
    return transparent(figure)


def by_axes(found: AxesDissection, concept: int) -> go.Figure:
    """The IoUs of all units with a concept, largest first, beside those of directions in rotated bases."""
    figure = go.Figure()
    for place, one in enumerate(found.rotated):
        values = np.sort(one.iou()[:, _same(found, place, concept)])[::-1]
        figure.add_scatter(
            x=np.arange(1, len(values) + 1), y=values, mode="lines", line={"color": "#7F7F7F", "width": 1},
            name="rotated bases", showlegend=place == 0, legendgroup="rotated",
        )  # fmt: skip
    values = np.sort(found.units.iou()[:, concept])[::-1]
    figure.add_scatter(
        x=np.arange(1, len(values) + 1), y=values, mode="lines", line={"color": "#0072B2", "width": 2}, name="units"
    )
    figure.update_layout(
        height=290, margin={"l": 50, "r": 10, "t": 60, "b": 45},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": "rank", "type": "log", "dtick": 1}, yaxis={"title": "IoU", "rangemode": "tozero"},
    )  # fmt: skip
    return transparent(figure)


def sensitivities(found: ConceptSensitivity, labels: Sequence[str], *, most: int = 20) -> go.Figure:
    """The TCAV score of each class, the mean over splits with their standard deviation; random vectors' beside it.

    Classes whose scores differ most from random ones come first; of which it is not significant are pale.
    """
    means, chance = found.scores.mean(axis=0), found.random.mean(axis=0)
    order = np.argsort(found.p, kind="stable")[:most]
    names = [escape(str(labels[found.classes[one]])) for one in order]
    figure = go.Figure()
    figure.add_bar(
        y=names, x=means[order], orientation="h", name="the concept",
        marker={"color": ["#0072B2" if found.significant[one] else "#9CC3DC" for one in order]},
        error_x={"array": found.scores.std(axis=0)[order], "thickness": 1.2},
    )  # fmt: skip
    figure.add_scatter(
        y=names, x=chance[order], mode="markers", name="random vectors", marker={"color": "#7F7F7F", "size": 8},
        error_x={"array": found.random.std(axis=0)[order], "thickness": 1.2},
    )  # fmt: skip
    figure.update_layout(
        height=110 + 26 * len(order), margin={"l": 10, "r": 10, "t": 30, "b": 40},
        xaxis={"title": "share of the class's images whose logit rises", "range": [0, 1.02], "tickformat": ".0%"},
        yaxis={"autorange": "reversed", "automargin": True, "type": "category"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    return transparent(figure)


def _same(found: AxesDissection, place: int, concept: int) -> int:
    return found.rotated[place].concepts.index(found.units.concepts[concept])
