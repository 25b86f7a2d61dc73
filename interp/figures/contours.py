"""Contour lines of a map, around the strongest shares of its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from interp.figures import style, traces

AREAS = (0.05, 0.1, 0.25)
"""The lines are around so many of the pixels: those with the largest magnitudes."""

SCATTERED = 0.5
"""Edges for each of the strongest pixels from which on lines would be a net: a single pixel has 4, a square of n², 4/n.

Of a trained SqueezeNet and eight photographs, gradients and their like have 0.98 to 3.1, layer maps, segments,
Occlusion and RISE at most 0.2.
"""

# Straight pieces may leave the line by so much, in pixels: fewer points, and no eye sees it.
_TOLERANCE = 0.3


@dataclass(frozen=True)
class Contours:
    """What is drawn of a map, and a few words on it: the magnitudes of its lines, or that it has none."""

    drawn: tuple[dict[str, Any], ...]
    text: str


def contours(values: Float[Tensor, "h w"], signed: bool) -> Contours:
    """Lines around the strongest 5, 10 and 25 per cent of the pixels, by magnitude; dashed around what is against.

    The map is taken as it is, neither smoothed nor clipped. Where its strongest pixels are scattered, so that lines
    would be a net, the strongest 5 per cent are drawn themselves. A share that would take in pixels of value zero has
    no line.
    """
    numbers = values.detach().cpu().double().numpy()
    magnitudes = np.abs(numbers)
    levels = [float(level) for level in np.percentile(magnitudes, [100 * (1 - area) for area in AREAS])]
    levels = [level for level in levels if level > 0]
    if not levels:
        return Contours((), "fewer than 5% are not zero" if magnitudes.any() else "")
    sides = {"for": numbers, "against": -numbers} if signed else {"magnitude": numbers}
    if _edges(magnitudes >= levels[0]) > SCATTERED:
        return Contours((_spots(sides, levels[0]),), f"scattered: ≥ {traces.number(levels[0])}")
    lines = tuple(line for side, some in sides.items() if (line := _lines(some, levels, side)) is not None)
    return Contours(lines, "≥ " + " · ".join(traces.number(level) for level in levels))


def _edges(inside: Bool[np.ndarray, "h w"]) -> float:
    """The length of the border between inside and outside, for each pixel inside."""
    border = (inside[1:] != inside[:-1]).sum() + (inside[:, 1:] != inside[:, :-1]).sum()
    return float(border / max(1, inside.sum()))


def _lines(values: Float[np.ndarray, "h w"], levels: list[float], side: str) -> dict[str, Any] | None:
    # Loaded with the first lines that are drawn: this takes a fifth of what the app starts with.
    from skimage.measure import approximate_polygon, find_contours

    # Beyond the picture is nothing, so that lines close along its edge; a level just below lets plateaus be inside.
    padded = np.pad(values, 1)
    pieces = []
    for level in dict.fromkeys(levels):
        for found in find_contours(padded, level * (1 - 1e-6)):
            line = approximate_polygon(found, _TOLERANCE) - 1
            pieces += [line.clip(-0.5, np.array(values.shape) - 0.5), np.full((1, 2), np.nan)]
    if not pieces:
        return None
    points = np.concatenate(pieces).astype(np.float32)
    style_of_line = {"color": style.LINES[side], "width": 2, "dash": "dot" if side == "against" else "solid"}
    trace = {"type": "scatter", "mode": "lines", "line": style_of_line, "hoverinfo": "skip"}
    return trace | {"x": points[:, 1], "y": points[:, 0]}


def _spots(sides: dict[str, np.ndarray], level: float) -> dict[str, Any]:
    shape = next(iter(sides.values())).shape
    spots = np.zeros((*shape, 4), np.uint8)
    for side, some in sides.items():
        spots[some >= level] = (*bytes.fromhex(style.LINES[side][1:]), 255)
    return traces.lossless(spots)
