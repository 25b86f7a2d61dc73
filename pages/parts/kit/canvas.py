"""A picture to draw on: brush, rectangle, lasso, or a stamp to put somewhere; the browser tells each finished shape.

Nothing here knows what is drawn for. Shapes are in the picture's own coordinates, pixels from its upper left corner.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from jaxtyping import Float
from PIL import Image
from streamlit.components.v2 import component
from torch import Tensor

from interp.images import bytes_of
from interp.images.data_urls import data_url
from interp.images.editing import MOST_POINTS, Stroke
from interp.images.shapes import Box, Polygon

_HERE = Path(__file__).parent
_CANVAS = component(
    "loupe_canvas",
    css=(_HERE / "canvas.css").read_text("utf-8"),
    js=(_HERE / "canvas.js").read_text("utf-8"),
)
ToolName = Literal["brush", "rectangle", "lasso", "stamp"]
CanvasShape = Stroke | Box | Polygon
DRAWING: tuple[ToolName, ...] = ("brush", "rectangle", "lasso")
TRANSLUCENT = "rgba(0, 114, 178, 0.45)"
# A picture of fewer pixels than this is sent without loss: its blocks would be seen.
SMALL = 100


@dataclass(frozen=True)
class CanvasEvent:
    """What a person did: a shape, the place (x, y) of the stamp, or a press of 'Undo' or 'Clear'."""

    kind: Literal["shape", "place", "undo", "clear"]
    shape: CanvasShape | None = None
    place: tuple[float, float] | None = None


@dataclass(frozen=True)
class CanvasStamp:
    """What the stamp puts down, and how large it is in the picture's pixels."""

    picture: Image.Image
    size: tuple[float, float]


def draw(
    paper: Image.Image,
    on_drawn: Callable[[CanvasEvent], None],
    *,
    key: str,
    label: str,
    tools: Sequence[ToolName] = DRAWING,
    radius: float = 8.0,
    colour: str = TRANSLUCENT,
    shapes: Sequence[CanvasShape] = (),
    stamp: CanvasStamp | None = None,
    undoable: int | None = None,
) -> None:
    """Draw a picture with its tools. `on_drawn` hears of each thing done, once, before the page is drawn again.

    `radius` is the brush's at first; the person changes it. `colour` (any CSS colour) is the ink until the page has
    answered, and that of `shapes`, which are shown on the picture. `undoable` says how many things can be undone; None
    leaves 'Undo' and 'Clear' out. `label` says to screen readers what is drawn on.
    """
    shown = {
        "picture": _url(paper),
        "width": paper.width,
        "height": paper.height,
        "label": label,
        "tools": list(tools),
        "radius": radius,
        "colour": colour,
        "shapes": [_told(shape) for shape in shapes],
        "stamp": None
        if stamp is None
        else {"picture": _url(stamp.picture), "width": stamp.size[0], "height": stamp.size[1]},
        "undo": undoable is not None,
        "count": undoable or 0,
        "seen": st.session_state.get(_seen(key), 0),
    }
    hear = functools.partial(_hear, key, on_drawn)
    _CANVAS(key=key, data=shown, default={"drawn": []}, on_drawn_change=hear)


def picture(pixels: Float[Tensor, "c h w"]) -> Image.Image:
    """Pixels in [0, 1] as a picture to draw on."""
    return Image.fromarray(bytes_of(pixels))


def heard(message: Any) -> CanvasEvent | None:
    """A message of the browser; None for one that is not as the browser writes them."""
    kind = message.get("kind") if isinstance(message, dict) else None
    if kind in ("undo", "clear"):
        return CanvasEvent(kind)
    try:
        points = tuple((float(x), float(y)) for x, y in message["points"][: MOST_POINTS + 1])
        if (
            not points
            or len(points) > MOST_POINTS
            or not all(abs(number) <= 1e6 for point in points for number in point)
        ):
            return None
        if kind == "brush":
            return CanvasEvent("shape", Stroke(points, float(message["radius"])))
        if kind == "stamp":
            return CanvasEvent("place", place=points[0])
        if kind == "rectangle":
            (x0, y0), (x1, y1) = points
            return CanvasEvent("shape", Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
        return CanvasEvent("shape", Polygon(points)) if kind == "lasso" and len(points) > 2 else None
    except (TypeError, ValueError, KeyError):
        return None


def _hear(key: str, on_drawn: Callable[[CanvasEvent], None]) -> None:
    """Pass on what was not heard before: the browser repeats what it has not been answered yet."""
    said = st.session_state[key].get("drawn")
    for message in said if isinstance(said, list) else []:
        number = message.get("id") if isinstance(message, dict) else None
        if not isinstance(number, int | float) or not st.session_state.get(_seen(key), 0) < number < 2**53:
            continue
        st.session_state[_seen(key)] = number
        if (drawn := heard(message)) is not None:
            on_drawn(drawn)


def _seen(key: str) -> str:
    return f"{key}-seen"


def _told(shape: CanvasShape) -> dict[str, Any]:
    if isinstance(shape, Stroke):
        return {"kind": "brush", "points": shape.points, "radius": shape.radius}
    if isinstance(shape, Box):
        return {"kind": "rectangle", "points": [(shape.left, shape.top), (shape.right, shape.bottom)]}
    return {"kind": "lasso", "points": shape.corners}


def _url(image: Image.Image) -> str:
    return data_url(image, "png") if min(image.size) < SMALL else data_url(image, "jpeg", quality=92, subsampling=0)
