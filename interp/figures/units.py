"""What units see, and how many of a layer detect what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
import torch
from jaxtyping import Float, Int, UInt8
from torch.nn.functional import interpolate

from interp import progress
from interp.figures.confusion import confusion
from interp.figures.style import transparent
from interp.images import ImageSet, UnreadableImage
from interp.images.picture_bytes import bytes_of
from interp.models import inputs
from interp.types import Classifier
from interp.units import Ablated, LayerDissection, LikeCells

Crop = tuple[int, tuple[int, int, int, int]]
"""An image's position in its set (-1: none), and top, left, bottom and right of what is cut out, in pixels."""

SIDE = 96
"""The side of a sheet of crops, in pixels."""
LEAST = 12
"""What is smaller than so many pixels is shown with what is around it."""
# The order in which Bau et al. 2017 stack them, for the categories that they share with us.
COLOURS = {
    "shape": "#0072B2", "object": "#0072B2", "part": "#009E73", "texture": "#E69F00", "colour": "#CC79A7",
    "background": "#56B4E9", "distractor": "#7F7F7F", "cue": "#D55E00",
}  # fmt: skip


def crops(
    classifier: Classifier, photos: ImageSet, each: Sequence[Sequence[Crop]]
) -> tuple[UInt8[np.ndarray, "side side 3"], ...]:
    """For each unit a square of what it sees in its top images: one crop, or four in a square; grey where none is.

    Each image is read once. A crop is made square with what is around it, black beyond the picture's border.
    """
    seen: dict[int, UInt8[np.ndarray, "h w 3"] | None] = {-1: None}
    for position in progress.steps(sorted({one for some in each for one, _ in some} - {-1}), "Reading images"):
        try:
            seen[position] = bytes_of(inputs.read(classifier, photos, (position,)).pixels[0])
        except UnreadableImage:
            seen[position] = None
    return tuple(_sheet([_crop(seen[position], box) for position, box in some]) for some in each)


def _crop(
    picture: UInt8[np.ndarray, "h w 3"] | None, box: tuple[int, int, int, int]
) -> UInt8[np.ndarray, "side side 3"]:
    top, left, bottom, right = box
    if picture is None or bottom <= top or right <= left:
        return np.full((SIDE, SIDE, 3), 128, np.uint8)
    side = max(LEAST, bottom - top, right - left)
    above, before = (top + bottom - side) // 2, (left + right - side) // 2
    whole = np.zeros((side, side, 3), np.uint8)
    rows = slice(max(0, above), min(picture.shape[0], above + side))
    columns = slice(max(0, before), min(picture.shape[1], before + side))
    whole[rows.start - above : rows.stop - above, columns.start - before : columns.stop - before] = picture[
        rows, columns
    ]
    tensor = torch.from_numpy(whole).permute(2, 0, 1)[None].float()
    sized = interpolate(tensor, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return sized[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()


def _sheet(squares: Sequence[UInt8[np.ndarray, "side side 3"]]) -> UInt8[np.ndarray, "side side 3"]:
    if len(squares) == 1:
        return squares[0]
    half = [one[::2, ::2] for one in [*squares, *[np.full((SIDE, SIDE, 3), 128, np.uint8)] * 4][:4]]
    return np.concatenate([np.concatenate(half[:2], axis=1), np.concatenate(half[2:], axis=1)])


def detectors(layers: Sequence[LayerDissection], bound: float) -> go.Figure:
    """How many units of each layer detect a concept, by its category; in the text how many concepts they detect."""
    counts = []
    for one in layers:
        found = [one.concepts[label] for label in one.labels(bound) if label >= 0]
        counts.append((Counter(category for category, _ in found), len(set(found)), len(one.thresholds[0])))
    names = [f"{one.layer}<br>{units} units" for one, (_, _, units) in zip(layers, counts, strict=True)]
    figure = go.Figure()
    for category in sorted({category for one in layers for category, _ in one.concepts}, key=_place):
        values = [of_category[category] for of_category, _, _ in counts]
        if any(values):
            figure.add_bar(x=names, y=values, name=category, marker_color=COLOURS.get(category))
    totals = [sum(of_category.values()) for of_category, _, _ in counts]
    figure.add_scatter(
        x=names, y=totals, mode="text", textposition="top center", showlegend=False, hoverinfo="skip",
        text=["1 concept" if unique == 1 else f"{unique} concepts" for _, unique, _ in counts], cliponaxis=False,
    )  # fmt: skip
    figure.update_layout(
        barmode="stack", height=300, margin={"l": 50, "r": 10, "t": 30, "b": 50},
        yaxis={"title": "units that detect", "rangemode": "tozero"}, legend={"orientation": "h", "y": 1.15},
    )  # fmt: skip
    return transparent(figure)


def _place(category: str) -> tuple[int, str]:
    order = list(COLOURS)
    return (order.index(category) if category in order else len(order)), category


def by_class(means: Float[np.ndarray, " c"], labels: Sequence[str], *, most: int = 20) -> go.Figure:
    """A unit's mean activation over the images of each class, the largest first; at most so many classes."""
    order = [one for one in np.argsort(-np.nan_to_num(means, nan=-np.inf), kind="stable") if not np.isnan(means[one])][
        :most
    ]
    figure = go.Figure(
        go.Bar(
            x=means[order],
            y=[escape(str(labels[one])) for one in order],
            orientation="h",
            marker_color="#0072B2",
            name="mean",
        )
    )
    figure.update_layout(
        height=60 + 22 * len(order), margin={"l": 10, "r": 10, "t": 10, "b": 40},
        xaxis={"title": "mean activation over the class's images"},
        yaxis={"autorange": "reversed", "automargin": True, "type": "category"}, showlegend=False,
    )  # fmt: skip
    return transparent(figure)


def without(found: Ablated, labels: Sequence[str], *, most: int = 20) -> go.Figure:
    """The balanced accuracy of each class as it is and without units, hardest hit first; beside it random sets'.

    Of random sets the bar is the mean, and the line reaches from the lowest to the highest.
    """
    fall = np.nan_to_num(found.whole.balanced - found.without.balanced, nan=-np.inf)
    shown = [int(one) for one in np.argsort(-fall, kind="stable") if found.whole.images[one]][:most]
    names = [escape(str(labels[one])) for one in shown]
    figure = go.Figure()
    for title, values, colour in (
        ("as it is", found.whole.balanced, "#9A9A9A"),
        ("without the units", found.without.balanced, "#D55E00"),
    ):
        figure.add_bar(y=names, x=values[shown], name=title, orientation="h", marker_color=colour)
    if len(random := found.random_balanced[:, shown]):
        mean = random.mean(axis=0)
        figure.add_bar(
            y=names, x=mean, name="without random ones", orientation="h", marker_color="#56B4E9",
            error_x={"array": random.max(axis=0) - mean, "arrayminus": mean - random.min(axis=0), "thickness": 1.2},
        )  # fmt: skip
    figure.update_layout(
        barmode="group", height=110 + 52 * len(shown), margin={"l": 10, "r": 20, "t": 30, "b": 40}, bargap=0.25,
        xaxis={"title": "balanced accuracy", "tickformat": ".0%", "range": [0, 1.02]},
        yaxis={"autorange": "reversed", "automargin": True, "type": "category"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "traceorder": "normal"},
    )  # fmt: skip
    return transparent(figure)


def affected(before: Int[np.ndarray, "c c"], after: Int[np.ndarray, "c c"], *, most: int = 12) -> Int[np.ndarray, " m"]:
    """The classes whose row or column changes most between two matrices, in order; all, where they are few."""
    used = np.flatnonzero((before + after).sum(axis=0) + (before + after).sum(axis=1))
    if len(used) <= most:
        return used
    moved = np.abs(after - before)
    change = moved.sum(axis=0) + moved.sum(axis=1)
    first = np.argsort(-change, kind="stable")[:most]
    return np.sort(first[change[first] > 0])


def confusions(
    counts: Int[np.ndarray, "c c"], labels: Sequence[str], shown: Int[np.ndarray, " m"], *, rows: str = "labelled"
) -> go.Figure:
    """How many images of each class are taken for each, for the classes shown; the others are put together."""
    place = np.full(len(counts), len(shown))
    place[shown] = np.arange(len(shown))
    matrix = np.zeros((len(shown) + 1, len(shown) + 1), np.int64)
    np.add.at(matrix, (place[:, None], place[None]), counts)
    figure = confusion(matrix, [*(str(labels[one]) for one in shown), "other"])
    # Two stand beside each other, and the counts are in the cells.
    return figure.update_yaxes(title=rows).update_traces(showscale=False)


def likenesses(found: LikeCells) -> go.Figure:
    """How many images have a best cell as similar as that to the chosen one; those shown are from the line on."""
    edges = np.linspace(-1, 1, len(found.spread) + 1)
    first = int(np.flatnonzero(found.spread)[0]) if found.spread.any() else 0
    figure = go.Figure(
        go.Bar(
            x=(edges[first:-1] + edges[first + 1 :]) / 2,
            y=found.spread[first:],
            width=edges[1] - edges[0],
            marker_color="#0072B2",
            name="images",
        )
    )
    shown = found.values[np.isfinite(found.values)]
    if len(shown):
        figure.add_vline(x=float(shown[-1]), line={"color": "#D55E00", "width": 2})
    figure.update_layout(
        height=220, margin={"l": 50, "r": 10, "t": 10, "b": 45}, bargap=0, showlegend=False,
        xaxis={"title": "similarity of an image's best cell; shown are those right of the line"},
        yaxis={"title": "images"},
    )  # fmt: skip
    return transparent(figure)
