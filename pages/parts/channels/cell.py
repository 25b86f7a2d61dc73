"""One cell of a photograph: its patch, and its strongest channels with what they look for and where they fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import UInt8
from PIL import Image

from pages.parts.kit import markup

SIDE, PATCH = 58, 130


@dataclass(frozen=True)
class Strong:
    """A channel that is strong in the cell, with its activation and attribution there."""

    channel: int
    activation: float
    attribution: float


@dataclass(frozen=True, eq=False)
class Opened:
    """What is drawn of a cell: its places in the photograph, and channels under a heading for each order.

    Of each channel `pictures` shows what it looks for, where there is one yet, and `lit` where it fires.
    """

    framed: UInt8[np.ndarray, "h w 3"]
    patch: UInt8[np.ndarray, "_ _ 3"]
    sides: tuple[tuple[str, tuple[Strong, ...]], ...]
    pictures: Mapping[int, UInt8[np.ndarray, "_ _ 3"]]
    lit: Mapping[int, UInt8[np.ndarray, "h w 3"]]
    chosen: int | None = None


def draw(opened: Opened) -> None:
    """Draw the cell as one element; a click on a channel says `channel:` and its number."""
    st.html(html(opened))


def html(opened: Opened) -> str:
    """The cell; each distinct picture is in it once."""
    grounds = [(f"p{one}", picture) for one, picture in opened.pictures.items()]
    grounds += [(f"l{one}", picture) for one, picture in opened.lit.items()]
    patches = [(enlarged(opened.framed), "where the cell is"), (enlarged(opened.patch), "the cell")]
    return markup.html("cell.html", grounds=grounds, patches=patches, opened=opened, side=SIDE, patch=PATCH)


def enlarged(picture: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "rows columns 3"]:
    """The picture, its longer side as long as it is drawn, smoothly: a cell has few pixels."""
    image = Image.fromarray(picture)
    share = PATCH / max(image.size)
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))
