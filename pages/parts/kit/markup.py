"""HTML from templates, in which every text is escaped, and the one stylesheet for all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import streamlit as st
from jaxtyping import UInt8
from PIL import Image

from interp.figures import style
from interp.images.data_urls import data_url

QUALITY = 82
_HERE = Path(__file__).parent


def _on_either(colours: tuple[str, str]) -> str:
    """For CSS: the first on a light page, the second on a dark one."""
    return f"light-dark({', '.join(colours)})"


_COLOURS = {
    "for": style.LINES["for"],
    "against": style.LINES["against"],
    "right": _on_either(style.RIGHT_TEXT),
    "wrong": _on_either(style.WRONG_TEXT),
    "outline": style.OUTLINE_COLOR,
}


def html(template: str, /, **values: Any) -> str:
    """What a file of `templates` makes of the values; a name that it does not find is an error."""
    return TEMPLATES.get_template(template).render(**values)


def draw(template: str, /, **values: Any) -> None:
    """Draw what a template makes of the values, as one element."""
    st.html(html(template, **values))


def stylesheet() -> None:
    """Draw the stylesheet, once for a whole page: fragments and dialogs are drawn under it, too.

    Not by `replay.once`: Streamlit does not send again what stands, as styles do, outside a page's own containers.
    """
    st.html(STYLE)


def url(picture: UInt8[np.ndarray, "h w 3"], quality: int = QUALITY) -> str:
    """A picture as a data URL, small and lossy."""
    return data_url(picture, quality=quality, method=2)


def shrunk(picture: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "rows columns 3"]:
    """A picture, neither of its sides longer than that."""
    if max(picture.shape[:2]) <= side:
        return picture
    image = Image.fromarray(picture)
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)


def blocks(picture: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "rows columns 3"]:
    """A picture, its pixels whole blocks where it is less wide than it is drawn."""
    times = max(1, round(1.5 * side / picture.shape[1])) if picture.shape[1] < side else 1
    return picture.repeat(times, axis=0).repeat(times, axis=1)


TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
TEMPLATES.filters |= {"url": url, "shrunk": shrunk, "blocks": blocks, "number": format}
_VARIABLES = "".join(f"--{name}:{colour};" for name, colour in _COLOURS.items())
_SHEETS = "\n".join((_HERE / name).read_text("utf-8") for name in ("screens.css", "cards.css"))
STYLE = f"<style>.drawn{{{_VARIABLES}}}\n{_SHEETS}</style>"
