"""Colours and marks that all figures share, chosen so that nobody needs to tell red from green; and their names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, UInt8
from plotly.colors import diverging, sequential, unlabel_rgb

Colorscale = list[tuple[float, str]]
TRANSPARENT = "rgba(0, 0, 0, 0)"
NAME = 24
"""So many characters of a class's name are written in a figure."""


@dataclass(frozen=True)
class PointStyle:
    """How a point looks: hue and shape say the same, so that neither alone is needed."""

    colour: str
    symbol: str


# Blue, vermilion, grey and yellow of Okabe and Ito 2008, which stay apart under any common colour blindness.
RIGHT = PointStyle("#0072B2", "square")
WRONG = PointStyle("#D55E00", "x")
UNLABELLED = PointStyle("#8A8A8A", "circle-open")

# Pages are light or dark, as the browser is, and a figure does not know: a mark on a page's ground has a contrast of at
# least 3 to 1 with both of these, and letters have the theme's colour, or their own ground.
GROUNDS = ("#FFFFFF", "#171614")
GUIDE = "#808080"
"""Lines of reference, rings and the like."""
SERIES = ("#0072B2", "#D55E00", "#7540EC", "#CB73C4", "#A14759", "#4B8EFE", "#805789", "#C13425", "#8A8A8A")
"""Several things in one figure; searched for, so that they stay apart under any common colour blindness."""

RIGHT_TEXT = ("#0068A3", "#56B4E9")
"""What is right, in small letters: on the light ground, and on the dark one."""
WRONG_TEXT = ("#B34E00", "#FF8A3D")
"""What is wrong, in small letters, likewise."""

# White letters on them have a contrast of at least 4.5 to 1; each has a sign of its own.
LEVELS = {
    "supported": PointStyle("#00704A", "✓"),
    "mixed": PointStyle("#9A5700", "±"),
    "not supported": PointStyle("#B3261E", "✗"),
    "unknown": PointStyle("#666666", "?"),
}
"""How the levels of a verdict look, by their names; the symbols are characters here."""

# On photographs: vermilion and blue that stay apart under any common colour blindness, and inferno's bright end.
LINES = {"for": "#FF4B1F", "against": "#2F8CFF", "magnitude": "#FFB000"}
"""Lines around what speaks for the class, against it, or, in maps without signs, around what counts at all."""

OUTLINE_COLOR = "#F0E442"
"""A human's outline: bright on photographs, and in neither colour scale's strong end."""

# Blue, white, red (Brewer's RdBu, turned so that red is positive): its two sides are equally dark at equal distance
# from the middle, and blue and red stay apart under every common colour blindness.
_SIGNED = np.array([unlabel_rgb(color) for color in reversed(diverging.RdBu)], float)
# Inferno: perceptually even, its lightness rises all the way, so it reads in grey too; on a grey photograph its
# yellow end stands out more than viridis's.
_UNSIGNED = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in sequential.Inferno], float)
_STOPS = 21


def signed() -> Colorscale:
    """Blue (negative) through white (zero) to red."""
    return _scale(_SIGNED, np.ones(_STOPS))


def unsigned() -> Colorscale:
    """Black (zero) through red to yellow."""
    return _scale(_UNSIGNED, np.ones(_STOPS))


def signed_glaze() -> Colorscale:
    """For a signed map over a photograph: clear at zero, blue and red without the pale middle, which would look grey.

    The opacity is 0.9 times the root of the magnitude, since a few extremes lie far from the rest.
    """
    strong = np.concatenate([_SIGNED[:4], _SIGNED[-4:]])
    return _scale(strong, 0.9 * np.sqrt(np.abs(np.linspace(-1, 1, _STOPS))))


def unsigned_glaze() -> Colorscale:
    """For an unsigned map over a photograph: clear at zero, its opacity 0.9 times the value."""
    return _scale(_UNSIGNED, 0.9 * np.linspace(0, 1, _STOPS))


def shade(lowest: float) -> Colorscale:
    """Black, opaque up to zero and ever clearer from there to 1: what lies under it is multiplied by the value.

    `lowest` is where the scale begins: −1 for signed values, 0 for others.
    """
    return _scale(np.zeros((2, 3)), 1 - np.linspace(lowest, 1, _STOPS).clip(min=0))


def colours(scale: Colorscale, places: Float[np.ndarray, " s"]) -> UInt8[np.ndarray, "s 4"]:
    """Red, green, blue and opacity of a colour scale at some places of it, 0 to 1, as a browser blends them."""
    known = np.array([place for place, _ in scale])
    parts = np.array([[float(one) for one in text[5:-1].split(",")] for _, text in scale]) * (1, 1, 1, 255)
    blended = np.stack([np.interp(places, known, parts[:, i]) for i in range(4)], axis=1)
    return blended.round().astype(np.uint8)


def _scale(colours: Float[np.ndarray, "stops 3"], opacity: Float[np.ndarray, " s"]) -> Colorscale:
    places, known = np.linspace(0, 1, _STOPS), np.linspace(0, 1, len(colours))
    channels = np.stack([np.interp(places, known, colours[:, i]) for i in range(3)], axis=1).round()
    return [
        (round(float(place), 4), f"rgba({red:.0f},{green:.0f},{blue:.0f},{alpha:.3g})")
        for place, (red, green, blue), alpha in zip(places, channels, opacity, strict=True)
    ]


def transparent(figure: go.Figure) -> go.Figure:
    """The figure on the page's own ground."""
    return figure.update_layout(paper_bgcolor=TRANSPARENT, plot_bgcolor=TRANSPARENT)


def shortened(name: str) -> str:
    """A class's name, its end left out where it is long."""
    return name if len(name) <= NAME else name[: NAME - 1].rstrip() + "…"
