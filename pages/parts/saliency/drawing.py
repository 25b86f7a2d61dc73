"""How maps are drawn: as what, which part, on whose colour scale, and where that ends."""

from __future__ import annotations

from dataclasses import dataclass

from interp.figures.saliency import ColourScale, Sign
from interp.figures.traces import MapView
from pages.parts.kit import controls

VIEWS: dict[str, MapView] = {"Overlay": "overlay", "Heatmap": "heatmap", "Masked": "masked", "Contour": "contour"}
SCALES: dict[str, ColourScale] = {"Each its own": "own", "By method": "method", "Shared": "shared"}
PARTS: dict[str, Sign] = {"Signed": "signed", "Absolute": "absolute", "For": "positive", "Against": "negative"}
CLIPS = {"99% of the pixels": 99.0, "99.9% of the pixels": 99.9, "the largest value": 100.0}


@dataclass(frozen=True)
class MapStyle:
    """How maps are drawn: a key of each of `VIEWS`, `PARTS`, `SCALES` and `CLIPS`."""

    view: str
    part: str
    scale: str
    clip: str


def choose(*, several: bool) -> MapStyle:
    """Draw the choice of how maps are drawn: as what, which part, on whose colour scale, and where that ends."""
    view = controls.one_of("Draw as", "view", list(VIEWS))
    part = controls.one_of("Which part", "part", list(PARTS))
    scale = controls.one_of("Colour scale", "scale", [name for name in SCALES if several or name != "By method"])
    clip = controls.listed(
        "Colours end at",
        "clip",
        list(CLIPS),
        help="A few pixels of a gradient are far above the rest: a scale that reaches them shows little else.",
    )
    return MapStyle(view, part, scale, clip)
