"""A walk through layers as it is drawn: where it has been, what there was beside it, and what it has come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from interp.figures import style
from pages.parts.cards.making import address

LARGE, SMALL = 148, 72
CSS = f"""<style>
.walk button,.steps button,.strips button{{font:inherit;color:inherit;background:none;text-align:left;
cursor:pointer;padding:3px;border:2px solid transparent;border-radius:6px}}
.walk button:hover,.steps button:hover,.strips button:hover{{background:rgba(128,128,128,.15)}}
.walk{{font-size:13.5px;display:flex;flex-wrap:wrap;align-items:center;gap:2px}}
.walk b{{padding:3px}}
.strips{{font-size:12px;line-height:1.3}}
.strips>div{{display:flex;gap:6px;align-items:center;border-bottom:1px solid rgba(128,128,128,.2);padding:3px 0}}
.strips h6{{margin:0;padding:0;font-size:12.5px;font-weight:600;width:104px;flex:none;overflow-wrap:anywhere}}
.strips .some{{display:flex;gap:4px;overflow-x:auto}} .strips .some button{{min-width:{SMALL + 12}px}}
.strips button.chosen{{border-color:#0072B2}}
.steps{{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,{2 * LARGE + 20}px),1fr));gap:14px;
font-size:12.5px;line-height:1.35}}
.steps h5{{margin:0 0 4px;font-size:14px;padding:0}}
.steps .grid{{display:grid;grid-template-columns:repeat(auto-fill,minmax({2 * LARGE + 14}px,1fr));gap:6px}}
.steps .row{{display:flex;gap:4px;flex-wrap:wrap}} .steps .rest{{flex:1;min-width:{LARGE}px;align-content:flex-start}}
.steps img,.steps .blank,.strips img,.strips .blank{{border-radius:4px;display:block;object-fit:cover;
background:rgba(128,128,128,.15)}}
.steps .large{{width:{LARGE}px;height:{LARGE}px}} .strips .small,.steps .small{{width:{SMALL}px;height:{SMALL}px}}
.bar{{display:block;height:6px;border-radius:2px;margin:1px 0 2px;max-width:100%}}
.for{{background:{style.LINES["for"]}}} .against{{background:{style.LINES["against"]}}}
.strips .line,.steps .line{{display:block;white-space:nowrap}} .faint{{opacity:.75}}
</style>"""


@dataclass(frozen=True, eq=False)
class Entry:
    """A unit in a strip, or on a card: what it adds, and its share of what it adds to; `click` says where it leads.

    `where` are the photographs, lit where it adds; in a strip there are none. `picture` is None while it is made.
    """

    title: str
    value: float
    share: float
    picture: UInt8[np.ndarray, "h w 3"] | None
    click: str
    chosen: bool = False
    where: tuple[UInt8[np.ndarray, "h w 3"], ...] = ()


@dataclass(frozen=True, eq=False)
class Strip:
    """A layer that the walk has passed, with the strongest of what there is."""

    title: str
    entries: tuple[Entry, ...]


def trail(places: Sequence[tuple[str, str]]) -> None:
    """The way back: a text for each place of the walk, with where a click on it leads; the last is where we are."""
    *back, (here, _) = places
    links = "".join(f'<button data-click="walk:{escape(to)}">{escape(text)}</button>›' for text, to in back)
    st.html(f'{CSS}<div class="walk">{links}<b>{escape(here)}</b></div>')


def strips(first: str, given: Sequence[Strip]) -> None:
    """The walk from the class downwards, a strip for each layer."""
    made = "".join(
        f'<div><h6>{escape(strip.title)}</h6><div class="some">{"".join(map(_small, strip.entries))}</div></div>'
        for strip in given
    )
    start = f'<div><h6>class</h6><button data-click="walk:class">{escape(first)}</button></div>'
    st.html(f'{CSS}<div class="strips">{start}{made}</div>')


def sides(given: Sequence[tuple[str, Sequence[Entry]]]) -> None:
    """What the walk has come to: under each title a card for each entry, the titles side by side."""
    made = "".join(
        f"<div><h5>{escape(title)}</h5>"
        + (f'<div class="grid">{"".join(map(_large, some))}</div>' if some else '<span class="faint">none</span>')
        + "</div>"
        for title, some in given
    )
    st.html(f'{CSS}<div class="steps">{made}</div>')


def _small(entry: Entry) -> str:
    chosen = ' class="chosen"' if entry.chosen else ""
    return (
        f'<button{chosen} data-click="walk:{escape(entry.click)}" title="{escape(entry.title)}">'
        f"{_image(entry.picture, 'small', 'what it looks for')}{_number(entry)}</button>"
    )


def _large(entry: Entry) -> str:
    several = len(entry.where) > 1
    where = "".join(_image(one, "small" if several else "large", "where it adds") for one in entry.where)
    picture = _image(entry.picture, "large", "what it looks for")
    return (
        f'<button data-click="walk:{escape(entry.click)}"><span class="row">{picture}'
        f'<span class="row rest">{where}</span></span>{_number(entry)}</button>'
    )


def _number(entry: Entry) -> str:
    width = max(1.0, min(100.0, 100 * abs(entry.share)))
    return (
        f'<span class="line">{escape(entry.title)}</span><span class="line"><b>{entry.value:+.3g}</b> '
        f'<span class="faint">{abs(entry.share):.0%}</span></span>'
        f'<span class="bar {"for" if entry.value > 0 else "against"}" style="width:{width:.1f}%"></span>'
    )


def _image(picture: np.ndarray | None, size: str, about: str) -> str:
    if picture is None:
        return f'<span class="blank {size}" title="{about}: being made"></span>'
    side = LARGE if size == "large" else SMALL
    return f'<img class="{size}" src="{address(picture, side)}" alt="{about}" title="{about}">'
