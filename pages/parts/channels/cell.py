"""One cell of a photograph: its patch, and its strongest channels with what they look for and where they fire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st
from jaxtyping import UInt8
from PIL import Image

from pages.parts.cards.making import address
from pages.parts.channels.cards import shrunk

SIDE, PATCH = 58, 130
CSS = f"""<style>
.cell{{display:flex;gap:16px;flex-wrap:wrap;font-size:12.5px;line-height:1.35}}
.cell .patch{{display:flex;flex-direction:column;gap:6px;width:{PATCH}px}}
.cell .patch img{{width:{PATCH}px;height:{PATCH}px;object-fit:contain;border-radius:4px}}
.cell .sides{{flex:1;min-width:300px}} .cell h5{{margin:0 0 4px;font-size:13.5px;padding:0}}
.cell .row{{display:grid;grid-template-columns:repeat(auto-fill,minmax({2 * SIDE + 10}px,1fr));gap:6px;
margin-bottom:10px}}
.cell button{{font:inherit;color:inherit;text-align:left;background:none;border:2px solid transparent;
border-radius:6px;padding:2px;margin:0;cursor:pointer;min-width:0}}
.cell button:hover{{background:rgba(128,128,128,.15)}} .cell .chosen{{border-color:#0072B2}}
.cell .pair{{display:flex;gap:3px}}
.cell i{{width:{SIDE}px;height:{SIDE}px;border-radius:4px;background-color:rgba(128,128,128,.15);background-size:cover;
background-position:center}}
.cell .faint{{opacity:.75}}
</style>"""


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
    grounds = "".join(
        f".cell .{letter}{channel}{{background-image:url({address(shrunk(one, 2 * SIDE), SIDE)})}}"
        for letter, pictures in (("p", opened.pictures), ("l", opened.lit))
        for channel, one in pictures.items()
    )
    patches = "".join(
        f'<img src="{address(enlarged(one), PATCH)}" alt="{told}" title="{told}">'
        for one, told in ((opened.framed, "where the cell is"), (opened.patch, "the cell"))
    )
    sides = "".join(
        f'<h5>{escape(title)}</h5><div class="row">{_side(opened, strong)}</div>' for title, strong in opened.sides
    )
    return (
        f'{CSS}<style>{grounds}</style><div class="cell"><div class="patch">{patches}</div>'
        f'<div class="sides">{sides}</div></div>'
    )


def enlarged(picture: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "rows columns 3"]:
    """The picture, its longer side as long as it is drawn, smoothly: a cell has few pixels."""
    image = Image.fromarray(picture)
    share = PATCH / max(image.size)
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))


def _side(opened: Opened, strong: Sequence[Strong]) -> str:
    return "".join(_card(one, opened.chosen) for one in strong) or '<span class="faint">none</span>'


def _card(one: Strong, chosen: int | None) -> str:
    mark = ' class="chosen"' if one.channel == chosen else ""
    line = f"{one.activation:.3g} · {one.attribution:+.2g}"
    told = f"channel {one.channel}: activation {one.activation:.3g}, attribution {one.attribution:+.3g} logits here"
    return (
        f'<button{mark} data-click="channel:{one.channel}" aria-label="{told}">'
        f'<span class="pair"><i class="p{one.channel}" title="what channel {one.channel} looks for"></i>'
        f'<i class="l{one.channel}" title="where channel {one.channel} fires"></i></span>'
        f'<span title="{told}"><b>Channel {one.channel}</b><br><span class="faint">{line}</span></span></button>'
    )
