"""Photographs beside their heatmaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import plotly.graph_objects as go
from jaxtyping import Bool, Float
from torch import Tensor

from interp.figures import panels
from interp.figures.panels import View

Scale = Literal["own", "method", "shared"]
Sign = Literal["signed", "absolute", "positive", "negative"]


def part_of(values: Float[Tensor, "*shape"], part: Sign) -> Float[Tensor, "*shape"]:
    """The map itself, its magnitude, or only what speaks for the class ('positive') or against it, as magnitudes."""
    if part == "absolute":
        return values.abs()
    if part == "positive":
        return values.clamp(min=0)
    return (-values).clamp(min=0) if part == "negative" else values


def comparison(
    pixels: Float[Tensor, "3 h w"],
    maps: Sequence[tuple[str, Float[Tensor, "h w"], bool]],
    *,
    view: View = "overlay",
    scale: Literal["own", "shared"] = "own",
    clip: float = 100.0,
    annotation: Bool[Tensor, "h w"] | None = None,
    columns: int = 3,
) -> go.Figure:
    """A grid of panels: the photograph, RGB in [0, 1], then each map (title, values, whether it is signed).

    `heatmap` shows the map alone. `overlay` shows it over the photograph in grey, the more opaque the larger the
    value's share of the scale's end (the share's root for signed maps, whose extremes are far from the rest). `masked`
    shows the photograph multiplied by that share (for a signed map by the positive part's), so that only what speaks
    for the class is lit. A scale's end is the magnitude that `clip` per cent of the map's pixels do not pass (100: the
    largest): each map's own, or the largest of all maps; what is beyond has the end's colour, and the bar says ≥.
    Signed scales begin at the end's negative, others at zero. Values are sent as whole per cents of the end, rounded
    towards zero, and the colour bars carry the raw ends.
    Zoom and pan move all panels. A map that is zero everywhere says so. The annotation is outlined on the photograph.
    Raises `ValueError` for a map that is not finite or not of the photograph's size, and for a clip outside 50 to 100.
    """
    if not 50 <= clip <= 100:
        raise ValueError(f"A colour scale cannot end at {clip} per cent of the pixels: take 50 to 100.")
    if columns < 1:
        raise ValueError(f"A figure with {columns} columns has no place for a panel: take at least 1.")
    magnitudes = [panels.magnitude_of(title, values, pixels) for title, values, _ in maps]
    ends = [panels.end_of(values, clip) for _, values, _ in maps]
    if scale == "shared":
        ends = [max(ends, default=0.0)] * len(maps)
    grid = panels.Grid.of(["Photograph", *(title for title, _, _ in maps)], (pixels.shape[1], pixels.shape[2]), columns)

    figure: dict[str, Any] = {"data": [], "layout": grid.layout()}
    under = panels.under(pixels, view)
    figure["data"].append(panels.photograph(panels.rgb(pixels), quality=80) | grid.axes(0))
    if annotation is not None:
        figure["data"].append(panels.outline(annotation, grid.axes(0)))
    for i, ((_, values, signed), end, magnitude) in enumerate(zip(maps, ends, magnitudes, strict=True), start=1):
        if under is not None:
            figure["data"].append(under | grid.axes(i))
        coloraxis = f"coloraxis{i + 1 if scale == 'own' else 2 + signed}"
        figure["data"].append(panels.heatmap(values, end, signed) | {"coloraxis": coloraxis} | grid.axes(i))
        if magnitude == 0:
            figure["layout"]["annotations"].append(grid.label(i, "all zero"))
        place = grid.below(i) if scale == "own" else grid.bottom(signed, {one for _, _, one in maps})
        clipped = end < (magnitude if scale == "own" else max(magnitudes))
        figure["layout"][coloraxis] = panels.coloraxis(view, signed, end, place, clipped=clipped)
    return go.Figure(figure)


def grid(
    pixels: Float[Tensor, "n 3 h w"],
    names: Sequence[str],
    maps: Sequence[tuple[str, Float[Tensor, "n h w"], bool]],
    *,
    view: View = "overlay",
    scale: Scale = "own",
    clip: float = 100.0,
    annotations: Sequence[Bool[Tensor, "h w"] | None] = (),
) -> go.Figure:
    """Several photographs, each with its maps below it: a column for each photograph, a row for each method.

    As `comparison`; scales are each map's own, those of a row ('method'), or one for all maps. Own scales have no bars
    here, since panels are small: hovering gives the numbers. Raises `ValueError` as `comparison` does.
    """
    if not 50 <= clip <= 100:
        raise ValueError(f"A colour scale cannot end at {clip} per cent of the pixels: take 50 to 100.")
    count = len(pixels)
    magnitudes = [
        [panels.magnitude_of(title, one, pixels[i]) for i, one in enumerate(values)] for title, values, _ in maps
    ]
    ends = [[panels.end_of(one, clip) for one in values] for _, values, _ in maps]
    if scale != "own":
        ends = [[max(row)] * count for row in ends]
    if scale == "shared":
        ends = [[max(row[0] for row in ends)] * count for _ in ends]
    blank = [""] * (count - 1)
    titles = [*names, *(text for title, _, _ in maps for text in (title, *blank))]
    place = panels.Grid.of(titles, (pixels.shape[2], pixels.shape[3]), count, heads_rows=True)
    figure: dict[str, Any] = {"data": [], "layout": place.layout()}
    unders = [panels.under(one, view) for one in pixels]
    for i, one in enumerate(pixels):
        figure["data"].append(panels.photograph(panels.rgb(one), quality=80) | place.axes(i))
        if i < len(annotations) and (annotation := annotations[i]) is not None:
            figure["data"].append(panels.outline(annotation, place.axes(i)))
    for row, (_, values, signed) in enumerate(maps):
        # A scale that maps share is one axis; without bars those that are all their own can share it too.
        axis = f"coloraxis{2 + signed if scale != 'method' else 2 + row}"
        for i, one in enumerate(values):
            panel = count * (row + 1) + i
            if (under := unders[i]) is not None:
                figure["data"].append(under | place.axes(panel))
            figure["data"].append(panels.heatmap(one, ends[row][i], signed) | {"coloraxis": axis} | place.axes(panel))
            if magnitudes[row][i] == 0:
                figure["layout"]["annotations"].append(place.label(panel, "all zero"))
        end = ends[row][0]
        bar = place.below(count * (row + 1)) if scale == "method" else place.bottom(signed, {one for *_, one in maps})
        clipped = end < max(magnitudes[row]) if scale == "method" else end < max(max(some) for some in magnitudes)
        figure["layout"][axis] = panels.coloraxis(view, signed, end, bar, clipped=clipped) | {
            "showscale": scale != "own"
        }
    return go.Figure(figure)
