"""What the panels of a figure hold: photographs, maps as numbers or as pictures, colour scales, outlines."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor

from interp.figures import style
from interp.figures.style import Colorscale
from interp.images import bytes_of
from interp.images.data_urls import data_url

MapView = Literal["heatmap", "overlay", "masked", "contour"]

FEW, MANY = 12, 60
"""Up to so many maps go as numbers, which the pointer reads; beyond, as pictures in steps, beyond again in fewer."""


def magnitude_of(title: str, values: Float[Tensor, "rows columns"], pixels: Float[Tensor, "c h w"]) -> float:
    """The largest magnitude in a map."""
    if values.shape != pixels.shape[1:]:
        given, wanted = (" × ".join(map(str, shape)) for shape in (values.shape, pixels.shape[1:]))
        raise ValueError(f"The map {title!r} has {given} pixels and the photograph {wanted}: they must be equal.")
    if not bool(values.isfinite().all()):
        raise ValueError(f"The map {title!r} contains NaN or infinity and cannot be drawn: compute it again.")
    return float(values.abs().max())


def end_of(values: Float[Tensor, "h w"], clip: float) -> float:
    """Where the colour scale of a map ends. A map that is zero at so many pixels ends at its largest magnitude."""
    magnitudes = values.detach().abs().double()
    return float(np.percentile(magnitudes.cpu().numpy(), clip)) or float(magnitudes.max())


def steps_of(maps: int) -> int | None:
    """In how many steps to zero the colours of so many maps are drawn; None where they go as numbers.

    A gradient's map of 224 × 224 is 90 kB as numbers, 39 kB as a picture in 32 steps and 25 kB in 10.
    """
    if maps <= FEW:
        return None
    return 32 if maps <= MANY else 10


def heatmap(values: Float[Tensor, "h w"], end: float, signed: bool) -> dict[str, Any]:
    """A map as a trace, in whole per cents of its scale's end."""
    # Towards zero rather than to the nearest: bytes of −1 are slashes in base64, each of which Plotly's JSON escapes to
    # six letters, and most pixels of a gradient lie that close to zero.
    share = (values.detach().cpu().double() / end * 100).trunc().clamp(-100, 100) if end else torch.zeros(values.shape)
    shown = "%{z:+d}%" if signed else "%{z}%"
    return {
        "type": "heatmap",
        "z": share.to(torch.int8).numpy(),
        "hovertemplate": f"x %{{x}}, y %{{y}}: {shown} of {number(end)}<extra></extra>",
    }


def coloraxis(view: MapView, signed: bool, end: float, place: dict[str, Any], *, clipped: bool) -> dict[str, Any]:
    """A colour scale and its bar; `clipped` says that some values lie beyond the end."""
    numbers = [-100, 0, 100] if signed else [0, 100]
    texts = [number(one / 100 * end) for one in numbers] if end else ["", "0", ""][-len(numbers) :]
    if clipped:
        texts = [f"≤ {texts[0]}" if signed else texts[0], *texts[1:-1], f"≥ {texts[-1]}"]
    bar = {"orientation": "h", "lenmode": "fraction", "thickness": 8, "outlinewidth": 0}
    ticks = {"tickvals": numbers, "ticktext": texts, "tickfont": {"size": 11}, "ticks": "", "ypad": 0, "xpad": 0}
    lowest = -100 if signed else 0
    colors = _colorscale(view, signed)
    return {"cmin": lowest, "cmax": 100, "colorscale": colors, "colorbar": bar | ticks | place}


def _colorscale(view: MapView, signed: bool) -> Colorscale:
    if view == "overlay":
        return style.signed_glaze() if signed else style.unsigned_glaze()
    if view == "masked":
        return style.shade(-1.0 if signed else 0.0)
    return style.signed() if signed else style.unsigned()


def picture(values: Float[Tensor, "h w"], end: float, signed: bool, view: MapView, steps: int) -> dict[str, Any]:
    """A map as a picture with all its pixels, its colours those of the scale in so many steps to zero.

    It has no numbers for the pointer to read. Lossless, for a lossy one would smear single pixels.
    """
    share = values.detach().cpu().double() / end if end else torch.zeros(values.shape, dtype=torch.double)
    step = (share * steps).round().clamp(-steps if signed else 0, steps).long().numpy()
    places = np.linspace(0, 1, 2 * steps + 1 if signed else steps + 1)
    colours = style.colours(_colorscale(view, signed), places)
    return lossless(colours[step + steps if signed else step])


def lossless(coloured: UInt8[np.ndarray, "h w 4"]) -> dict[str, Any]:
    """Red, green, blue and opacity as a trace, pixel by pixel."""
    return _picture(data_url(coloured, lossless=True, quality=50, method=4)) | {"zsmooth": False}


def holder(coloraxis: str) -> dict[str, Any]:
    """A trace that shows nothing but the bar of a colour scale, which pictures do not bring along."""
    marker = {"color": [0], "coloraxis": coloraxis}
    return {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "marker": marker, "hoverinfo": "skip"}


def number(value: float) -> str:
    """A number with three digits, as bars and labels show it."""
    return f"{value:.3g}".replace("-", "−")


def under(pixels: Float[Tensor, "c h w"], view: MapView) -> dict[str, Any] | None:
    """What lies under a map: nothing, the photograph in grey for an overlay, or in colour."""
    if view == "heatmap":
        return None
    if view == "overlay":
        # It is glazed over.
        return photograph(np.asarray(Image.fromarray(bytes_of(pixels)).convert("L")), quality=50)
    return photograph(bytes_of(pixels), quality=80)


def photograph(picture: np.ndarray, *, quality: int) -> dict[str, Any]:
    """A picture as a trace. Small ones go as PNG and with sharp pixels, for JPEG and smoothing would blur them."""
    small = min(picture.shape[:2]) <= 64
    url = data_url(picture, "png") if small else data_url(picture, "jpeg", quality=quality)
    return _picture(url) | {"zsmooth": False if small else "fast"}


def _picture(url: str) -> dict[str, Any]:
    return {"type": "image", "source": url, "hoverinfo": "skip"}


def outline(annotation: Bool[Tensor, "h w"], axes: dict[str, str]) -> dict[str, Any]:
    """The border between inside and outside, along pixel edges, with NaN between its straight pieces."""
    padded = np.pad(annotation.detach().cpu().numpy(), 1)
    y, left, right = _runs(padded[:-1] != padded[1:])
    x, top, bottom = _runs((padded[:, :-1] != padded[:, 1:]).T)
    gap = np.full(len(y) + len(x), np.nan)
    # In the padded mask pixel i is at i + 1, and its near edge half a pixel before it.
    pieces_x = np.stack([np.append(left - 1, x), np.append(right - 1, x), gap], axis=1) - 0.5
    pieces_y = np.stack([np.append(y, top - 1), np.append(y, bottom - 1), gap], axis=1) - 0.5
    line = {"color": style.OUTLINE_COLOR, "width": 2.5}
    trace = {"type": "scatter", "mode": "lines", "line": line, "hoverinfo": "skip"}
    points = {"x": pieces_x.ravel().astype(np.float32), "y": pieces_y.ravel().astype(np.float32)}
    return trace | points | axes


def _runs(edges: Bool[np.ndarray, "rows columns"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The row, first column and column after the last of each unbroken run of edges."""
    steps = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return rows, starts, ends
