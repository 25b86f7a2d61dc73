"""Photographs beside their heatmaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import plotly.graph_objects as go
from jaxtyping import Bool, Float
from torch import Tensor

from interp.figures import contours, traces
from interp.figures.panels import BAR, TALLEST, WIDTH, Grid, Remark
from interp.figures.traces import MapView
from interp.images import bytes_of

ColourScale = Literal["own", "method", "shared"]
Sign = Literal["signed", "absolute", "positive", "negative"]

# Pixels under a row of panels without colour bars.
_GAP = 8


def part_of(values: Float[Tensor, "*shape"], part: Sign) -> Float[Tensor, "*shape"]:
    """The map itself, its magnitude, or only what speaks for the class ('positive') or against it, as magnitudes."""
    if part == "absolute":
        return values.abs()
    if part == "positive":
        return values.clamp(min=0)
    return (-values).clamp(min=0) if part == "negative" else values


def comparison(
    pixels: Float[Tensor, "c h w"],
    maps: Sequence[tuple[str, Float[Tensor, "h w"], bool]],
    *,
    view: MapView = "overlay",
    scale: Literal["own", "shared"] = "own",
    clip: float = 100.0,
    annotation: Bool[Tensor, "h w"] | None = None,
    remarks: Mapping[str, Remark] = MappingProxyType({}),
    columns: int = 3,
    width: int = WIDTH,
    tallest: float = TALLEST,
) -> go.Figure:
    """A grid of panels: the photograph, RGB in [0, 1], then each map (title, values, whether it is signed).

    `heatmap` shows the map alone. `overlay` shows it over the photograph in grey, the more opaque the larger the
    value's share of the scale's end (the share's root for signed maps, whose extremes are far from the rest). `masked`
    shows the photograph multiplied by that share (for a signed map by the positive part's), so that only what speaks
    for the class is lit. `contour` draws lines around the strongest shares of the pixels (`contours.contours`),
    whatever scale and clip say. A scale's end is the magnitude that `clip` per cent of the map's pixels do not pass
    (100: the largest): each map's own, or the largest of all maps; what is beyond has the end's colour, and the bar
    says ≥. Signed scales begin at the end's negative, others at zero. Up to `traces.FEW` maps go as whole per cents of
    the end, rounded towards zero, which the pointer reads; more go as pictures in 32 steps to zero, beyond
    `traces.MANY` in 10. The colour bars carry the raw ends.
    Zoom and pan move all panels. A map that is zero everywhere says so. The annotation is outlined on the photograph.
    `remarks` stand under the titles that they are named by. `width` is the figure's that the page will probably have
    room for, in pixels, and `tallest` the height that no panel passes.
    Raises `ValueError` for a map that is not finite or not of the photograph's size, and for a clip outside 50 to 100.
    """
    if columns < 1:
        raise ValueError(f"A figure with {columns} columns has no place for a panel: take at least 1.")
    magnitudes = [traces.magnitude_of(title, values, pixels) for title, values, _ in maps]
    ends = _ends([[values] for _, values, _ in maps], scale, clip)
    titles = ["Photograph", *(title for title, _, _ in maps)]
    place = Grid.of(
        titles,
        (pixels.shape[1], pixels.shape[2]),
        columns,
        remarks={panel: remarks[title] for panel, title in enumerate(titles) if panel and title in remarks},
        strip_height=0 if scale == "own" or view == "contour" else BAR,
        width=width,
        tallest=tallest,
    )
    figure = _begun(place, pixels[None], view, [annotation])
    for i, ((_, values, signed), [end], magnitude) in enumerate(zip(maps, ends, magnitudes, strict=True), start=1):
        coloraxis = f"coloraxis{i + 1 if scale == 'own' else 2 + signed}"
        text = _draw(figure, place, i, values, end, signed, view, coloraxis, traces.steps_of(len(maps)))
        if magnitude == 0:
            figure["layout"]["annotations"].append(place.label(i, "all zero"))
        elif view == "contour":
            figure["layout"]["annotations"].append(place.foot(i, text))
        if view == "contour":
            continue
        bar = place.below(i) if scale == "own" else place.bottom(signed, {one for _, _, one in maps})
        clipped = end < (magnitude if scale == "own" else max(magnitudes))
        _bar(figure, place, i, coloraxis, traces.coloraxis(view, signed, end, bar, clipped=clipped))
    return go.Figure(figure)


def grid(
    pixels: Float[Tensor, "n c h w"],
    names: Sequence[str],
    maps: Sequence[tuple[str, Float[Tensor, "n h w"], bool]],
    *,
    view: MapView = "overlay",
    scale: ColourScale = "own",
    clip: float = 100.0,
    annotations: Sequence[Bool[Tensor, "h w"] | None] = (),
    remarks: Mapping[tuple[str, int], Remark] = MappingProxyType({}),
    width: int = WIDTH,
) -> go.Figure:
    """Several photographs, each with its maps below it: a column for each photograph, a row for each method.

    As `comparison`; scales are each map's own, those of a row ('method'), or one for all maps. Own scales have no bars
    here, and contours no magnitudes, since panels are small. `remarks` are named by method and photograph.
    `width` is as in `comparison`.
    Raises `ValueError` as `comparison` does.
    """
    count = len(pixels)
    magnitudes = [
        [traces.magnitude_of(title, one, pixels[i]) for i, one in enumerate(values)] for title, values, _ in maps
    ]
    ends = _ends([list(values) for _, values, _ in maps], scale, clip)
    blank = [""] * (count - 1)
    place = Grid.of(
        [*names, *(text for title, _, _ in maps for text in (title, *blank))],
        (pixels.shape[2], pixels.shape[3]),
        count,
        heads_rows=True,
        remarks={
            count * (row + 1) + i: remarks[title, i]
            for row, (title, _, _) in enumerate(maps)
            for i in range(count)
            if (title, i) in remarks
        },
        below_height=BAR if scale == "method" and view != "contour" else _GAP,
        strip_height=BAR if scale == "shared" and view != "contour" else 0,
        width=width,
    )
    figure = _begun(place, pixels, view, annotations)
    for row, (_, values, signed) in enumerate(maps):
        # A scale that maps share is one axis; without bars those that are all their own can share it too.
        coloraxis = f"coloraxis{2 + signed if scale != 'method' else 2 + row}"
        first = count * (row + 1)
        for i, one in enumerate(values):
            steps = traces.steps_of(len(maps) * count)
            _draw(figure, place, first + i, one, ends[row][i], signed, view, coloraxis, steps)
            if magnitudes[row][i] == 0:
                figure["layout"]["annotations"].append(place.label(first + i, "all zero"))
        if view == "contour":
            continue
        end = ends[row][0]
        bar = place.below(first) if scale == "method" else place.bottom(signed, {one for *_, one in maps})
        clipped = end < max(magnitudes[row]) if scale == "method" else end < max(max(some) for some in magnitudes)
        axis = traces.coloraxis(view, signed, end, bar, clipped=clipped) | {"showscale": scale != "own"}
        _bar(figure, place, first, coloraxis, axis)
    return go.Figure(figure)


def _ends(values: Sequence[Sequence[Float[Tensor, "h w"]]], scale: ColourScale, clip: float) -> list[list[float]]:
    """Where each map's scale ends, row by row."""
    if not 50 <= clip <= 100:
        raise ValueError(f"A colour scale cannot end at {clip} per cent of the pixels: take 50 to 100.")
    ends = [[traces.end_of(one, clip) for one in row] for row in values]
    if scale == "method":
        return [[max(row)] * len(row) for row in ends]
    if scale == "shared":
        largest = max((end for row in ends for end in row), default=0.0)
        return [[largest] * len(row) for row in ends]
    return ends


def _begun(
    place: Grid, pixels: Float[Tensor, "n c h w"], view: MapView, annotations: Sequence[Bool[Tensor, "h w"] | None]
) -> dict[str, Any]:
    """A figure with the photographs in its first panels, and under each map again what its view shows there."""
    count = len(pixels)
    figure: dict[str, Any] = {"data": [], "layout": place.layout()}
    unders = [under for one in pixels if (under := traces.under(one, view)) is not None]
    if unders:
        # Each photograph is sent once: Plotly goes around the template's pictures, from one image trace to the next,
        # and what a trace says of itself goes before.
        figure["layout"]["template"] = {"data": {"image": unders}, "layout": {"hovermode": "closest"}}
    for i, one in enumerate(pixels):
        shared = view in ("masked", "contour")
        own = {"type": "image"} if shared else traces.photograph(bytes_of(one), quality=80)
        figure["data"].append(own | place.axes(i))
    for i, annotation in enumerate(annotations):
        if annotation is not None:
            figure["data"].append(traces.outline(annotation, place.axes(i)))
    if unders:
        figure["data"] += [{"type": "image"} | place.axes(panel) for panel in range(count, len(place.titles))]
    return figure


def _draw(
    figure: dict[str, Any],
    place: Grid,
    panel: int,
    values: Float[Tensor, "h w"],
    end: float,
    signed: bool,
    view: MapView,
    coloraxis: str,
    steps: int | None,
) -> str:
    """Put a map into its panel; gives what is to be said of its contours."""
    if view == "contour":
        lines = contours.contours(values, signed)
        figure["data"] += [trace | place.axes(panel) for trace in lines.drawn]
        return lines.text
    if steps is None:
        trace = traces.heatmap(values, end, signed) | {"coloraxis": coloraxis}
    else:
        trace = traces.picture(values, end, signed, view, steps)
    figure["data"].append(trace | place.axes(panel))
    return ""


def _bar(figure: dict[str, Any], place: Grid, panel: int, coloraxis: str, axis: dict[str, Any]) -> None:
    """Put a colour scale into the figure; where its maps are pictures, something that shows its bar."""
    drawn = figure["data"][-1]
    if drawn["type"] == "image" and axis.get("showscale", True) and coloraxis not in figure["layout"]:
        figure["data"].append(traces.holder(coloraxis) | place.axes(panel))
    figure["layout"][coloraxis] = axis
