"""Cards of channels: what each looks for, where it fires, which images drive it, and its numbers as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st
from jaxtyping import Float, UInt8
from PIL import Image

from interp.figures import style
from pages.parts.cards.making import address

LARGE, SMALL = 94, 50
CSS = f"""<style>
.sides{{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:14px;font-size:12.5px;line-height:1.35}}
.sides h5{{margin:0 0 6px;font-size:14px;padding:0}}
.sides .channel{{display:flex;flex-direction:column;gap:5px;font:inherit;color:inherit;text-align:left;width:100%;
background:none;border:1px solid rgba(128,128,128,.3);border-radius:6px;padding:7px;margin:0 0 8px;cursor:pointer}}
.sides .channel:hover{{background:rgba(128,128,128,.12)}}
.sides .chosen{{outline:2px solid #0072B2}}
.sides .row{{display:flex;gap:6px;align-items:flex-start;flex-wrap:wrap}}
.sides img,.sides .blank{{border-radius:4px;display:block;object-fit:cover;background:rgba(128,128,128,.15)}}
.sides .large{{width:{LARGE}px;height:{LARGE}px}} .sides .small{{width:{SMALL}px;height:{SMALL}px}}
.sides .said{{flex:1;min-width:110px}}
.sides .bar{{display:block;height:7px;border-radius:2px;margin:1px 0 4px}}
.sides .attribution{{background:var(--side)}}
.sides .effect{{background:none;box-shadow:inset 0 0 0 1.5px var(--side)}}
.sides .other{{--side:var(--against)}}
.sides .faint{{opacity:.75}}
@media (max-width:1000px){{.sides{{grid-template-columns:minmax(0,1fr)}}}}
</style>"""


@dataclass(frozen=True, eq=False)
class Card:
    """What a card shows: attribution and effect of each photograph, the channel's picture, and photographs.

    `where` are the photographs, lit where the channel fires, and `images` those of the set that drive it most;
    `shared` counts the photographs in which it is among the strongest. What is None is not there yet.
    """

    channel: int
    attribution: Float[np.ndarray, " n"]
    effect: Float[np.ndarray, " n"] | None
    picture: UInt8[np.ndarray, "h w 3"] | None
    where: tuple[UInt8[np.ndarray, "h w 3"], ...]
    images: tuple[UInt8[np.ndarray, "h w 3"], ...]
    shared: int
    chosen: bool = False


def head(photographs: Sequence[UInt8[np.ndarray, "h w 3"]], sentence: str) -> None:
    """Draw the photographs with a sentence beside them."""
    images = "".join(_image(one, "large", "the photograph") for one in photographs)
    st.html(
        f'{CSS}<div class="sides" style="display:flex;flex-wrap:wrap;gap:6px 10px;align-items:center;font-size:15px">'
        f'{images}<span style="flex:1;min-width:220px">{escape(sentence)}</span></div>'
    )


def draw(supporting: Sequence[Card], opposing: Sequence[Card]) -> None:
    """Draw both sides as one element; a click on a card says `channel:` and its number."""
    st.html(html(supporting, opposing))


def html(supporting: Sequence[Card], opposing: Sequence[Card]) -> str:
    """Both sides, their bars on one scale."""
    most = max((_extent(card) for card in (*supporting, *opposing)), default=0.0) or 1.0
    colours = (style.LINES["for"], style.LINES["against"])
    sides = "".join(
        f'<div style="--side:{own};--against:{other}"><h5>{title}</h5>'
        + ("".join(_card(card, most) for card in given) or '<span class="faint">none</span>')
        + "</div>"
        for title, given, (own, other) in (
            ("Supporting", supporting, colours),
            ("Opposing", opposing, colours[::-1]),
        )
    )
    return f'{CSS}<div class="sides">{sides}</div>'


def _extent(card: Card) -> float:
    effect = 0.0 if card.effect is None else abs(float(card.effect.mean()))
    return max(abs(float(card.attribution.mean())), effect)


def _card(card: Card, most: float) -> str:
    several = len(card.where) > 1
    title = f"Channel {card.channel}"
    picture = _image(card.picture, "large", f"what channel {card.channel} looks for")
    places = "".join(_image(one, "small" if several else "large", "where it fires") for one in card.where)
    examples = "".join(_image(one, "small", "an image that drives it") for one in card.images)
    waiting = "" if card.images else '<span class="blank small"></span>' * 4
    mean = float(card.attribution.mean())
    said = f'<span class="said"><b>{title}</b>{_bar("attribution", card.attribution, mean, most)}'
    if card.effect is None:
        said += '<span class="faint">effect: being measured</span>'
    else:
        said += _bar("effect", card.effect, mean, most)
    if several:
        said += f'<br><span class="faint">in the top five of {card.shared} of {len(card.where)}</span>'
    said += "</span>"
    first = picture + ("" if several else places) + said
    return (
        f'<button class="channel{" chosen" * card.chosen}" data-click="channel:{card.channel}" '
        f'aria-label="{escape(title)}"><span class="row">{first}</span>'
        + (f'<span class="row">{places}</span>' if several else "")
        + f'<span class="row">{examples}{waiting}</span></button>'
    )


def _bar(name: str, values: Float[np.ndarray, " n"], side: float, most: float) -> str:
    mean = float(values.mean())
    spread = f" ± {values.std():.2g}" if len(values) > 1 else ""
    other = " other" if mean * side < 0 else ""
    width = 100 * min(1.0, abs(mean) / most)
    return (
        f'<span style="display:block">{name} {mean:+.3g}{spread}</span>'
        f'<span class="bar {name}{other}" style="width:{max(width, 1):.1f}%"></span>'
    )


def _image(picture: np.ndarray | None, size: str, about: str) -> str:
    if picture is None:
        return f'<span class="blank {size}" title="{about}: being made"></span>'
    side = LARGE if size == "large" else SMALL
    return f'<img class="{size}" src="{address(shrunk(picture, 2 * side), side)}" alt="{about}" title="{about}">'


def shrunk(picture: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "rows columns 3"]:
    """The picture, not larger than it is drawn on fine screens."""
    image = Image.fromarray(picture)
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)
