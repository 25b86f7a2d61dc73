"""Photographs with what people marked as an outline and what a map singles out, small, to travel inside a page."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, UInt8

from interp.figures import style
from interp.figures.regions import edge

CardView = Literal["area", "map", "photograph"]
SMALLEST, LARGE = 168, 560
"""How many pixels across a picture on a card has at least, and one that is alone."""

QUALITY = 76
# A few pixels of a gradient are far above the rest.
CLIP = 99.0
_TINT = np.array(list(bytes.fromhex(style.LINES["for"][1:])), np.float32)
_OUTLINE = np.array(list(bytes.fromhex(style.OUTLINE_COLOR[1:])), np.float32)


def composed(
    pixels: UInt8[np.ndarray, "h w 3"],
    annotation: Bool[np.ndarray, "h w"],
    heatmap: Float[np.ndarray, "h w"],
    saliency: Bool[np.ndarray, "h w"],
    *,
    view: CardView = "area",
    signed: bool = False,
    smallest: int = SMALLEST,
) -> UInt8[np.ndarray, "rows columns 3"]:
    """The picture with the annotation's outline and, by `view`, the salient area, the map itself, or neither.

    The area is tinted and has a sharp edge; nothing is smoothed. A picture of fewer pixels than `smallest` across is
    enlarged in whole blocks first.
    """
    times = max(1, -(-smallest // pixels.shape[1]))
    canvas = _enlarged(pixels, times).astype(np.float32)
    if view == "area":
        inside = _enlarged(saliency, times)
        canvas[inside] = 0.55 * canvas[inside] + 0.45 * _TINT
        canvas[edge(inside, 1)] = _TINT
    elif view == "map":
        colours = _coloured(_enlarged(heatmap, times), signed)
        opacity = colours[..., 3:] / 255
        canvas = (1 - opacity) * canvas + opacity * colours[..., :3]
    marked = _enlarged(annotation, times)
    canvas[edge(marked, 3)] *= 0.25
    canvas[edge(marked, 2)] = _OUTLINE
    return canvas.round().astype(np.uint8)


def _enlarged(values: np.ndarray, times: int) -> np.ndarray:
    return values if times == 1 else values.repeat(times, axis=0).repeat(times, axis=1)


def _coloured(heatmap: Float[np.ndarray, "h w"], signed: bool) -> Float[np.ndarray, "h w 4"]:
    """The map's colours and opacities, as the saliency page lays them over photographs."""
    values = heatmap.astype(np.float32)
    end = float(np.percentile(np.abs(values), CLIP)) or float(np.abs(values).max()) or 1.0
    scale = style.signed_glaze() if signed else style.unsigned_glaze()
    lowest = -1.0 if signed else 0.0
    steps = style.colours(scale, np.linspace(0, 1, 256)).astype(np.float32)
    places = ((values / end).clip(lowest, 1) - lowest) / (1 - lowest)
    return steps[(places * 255).round().astype(np.uint8)]
