"""Linked scatter maps of the same images, drawn and handled in the browser: zoom, lasso, thumbnails, films.

The browser keeps what is large (see `wire`), and says what was chosen; everything else stays there, so that a rerun
loses neither zoom nor selection.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Integer

from interp.figures.thumbnails import Sheets
from pages.parts.embedding.maps.wire import MOST_FRAMES, Classes, Feed, HoverTexts, NumberScale, Panel, sheet_feeds

__all__ = ["MapChoice", "Classes", "Panel", "HoverTexts", "NumberScale", "draw", "heard"]

_HERE = Path(__file__).parent
# They share one scope, in this order.
_SCRIPTS = ("grounds.js", "feeds.js", "view.js", "paint.js", "panel.js", "picture.js", "maps.js")
_MAPS = st.components.v2.component(  # pyright: ignore[reportAttributeAccessIssue]
    "loupe_maps",
    css=(_HERE / "maps.css").read_text("utf-8"),
    js="\n".join((_HERE / name).read_text("utf-8") for name in _SCRIPTS),
)
_LARGEST_SERIAL = 2**53
ARRIVING = 10.0
"""Seconds for which a part stays on the page once it is sent; a rerun that takes it away sooner might overtake it."""


@dataclass(frozen=True, eq=False)
class MapChoice:
    """What a person has picked on the maps: one image, or None; and a set of images, in ascending order."""

    chosen: int | None = None
    selected: Integer[np.ndarray, " m"] = field(default_factory=lambda: np.empty(0, np.int64))


def draw(
    panels: Sequence[Panel],
    points: HoverTexts,
    colours: Classes | NumberScale,
    *,
    key: str,
    thumbnails: Sheets | None = None,
    highlighted: Sequence[int] = (),
    links: Sequence[tuple[int, int]] = (),
    linked_view: bool = False,
    wished: MapChoice | None = None,
    on_choice: Callable[[], None] = lambda: None,
) -> MapChoice:
    """Draw the maps; gives what is chosen on them.

    `highlighted` images have a ring; `links` are lines between images (while one is chosen, only those from it).
    `linked_view` moves all panels together, for maps that are aligned. `wished` is a choice made elsewhere (a search,
    the address): it holds from when it is first passed, or changes, until something is chosen on the maps, so the same
    one may be passed at each rerun. A click or a finished selection makes one rerun, after a call of `on_choice`.
    Raises `ValueError` where panels, points and colours are not of the same images, or an index is of none of them.
    """
    _same_images(panels, points, colours)
    _known_images([*highlighted, *(one for pair in links for one in pair)], len(points))
    if wished is not None:
        _known_images([*wished.selected.tolist(), *([] if wished.chosen is None else [wished.chosen])], len(points))
    films = sum(panel.frames is not None for panel in panels)
    placed = [panel.feed(MOST_FRAMES // max(films, 1)) for panel in panels]
    sheets = () if thumbnails is None else sheet_feeds(thumbnails)
    said = _said(st.session_state.get(key))
    heard, serial = _decoded(said, len(points), points.feed.digest)
    choice = wished if wished is not None and _newest(key, wished, points, serial) else heard
    shown = {
        "panels": [
            {"title": panel.title, "note": panel.note, "positions": one.digest}
            for panel, one in zip(panels, placed, strict=True)
        ],
        "points": points.feed.digest,
        "colours": colours.feed.digest,
        "sheets": [sheet.digest for sheet in sheets],
        "count": len(points),
        "highlighted": [int(one) for one in highlighted],
        "links": [[int(i), int(j)] for i, j in links],
        "linked": linked_view,
        "choice": _encoded(choice, len(points)),
        "at": serial,
    }
    with st.container(gap=None):
        with st.container(gap=None):
            _send({points.feed, colours.feed, *placed, *sheets}, said, key)
        _MAPS(key=key, data=shown, default={"choice": None}, on_choice_change=on_choice)
    return choice


def heard(key: str, points: HoverTexts) -> MapChoice:
    """What was last said on the maps with this key, for a callback, which runs before they are drawn."""
    return _decoded(_said(st.session_state.get(key)), len(points), points.feed.digest)[0]


def _newest(key: str, wished: MapChoice, points: HoverTexts, serial: int) -> bool:
    """Whether nobody has said anything on the maps since this was first wished."""
    wish = (_encoded(wished, len(points)), points.feed.digest)
    known, since = st.session_state.get(f"{key}-wished", (None, 0))
    # The numbers begin anew with each drawing in the browser.
    if wish != known or serial < since:
        since = serial
        st.session_state[f"{key}-wished"] = (wish, since)
    return serial == since


def _send(feeds: set[Feed], said: dict[str, Any], key: str) -> None:
    """Send what the browser cannot have yet, or says that it lacks.

    Streamlit itself sends an element that it has sent before by its hash, but takes its time to make the hash.
    """
    now = time.monotonic()
    sent, heard = st.session_state.get(f"{key}-sent", ({}, 0))
    lacking = said.get("lacks") if said.get("serial") != heard else None
    # What it lacks is sent anew, once for each time that it says so.
    sent = {one: when for one, when in sent.items() if not isinstance(lacking, list) or one not in lacking}
    for one in sorted(feeds, key=lambda feed: feed.digest):
        if now - sent.setdefault(one.digest, now) <= ARRIVING:
            _MAPS(key=f"{key}-{one.digest}", data=one.content, height=0)
    st.session_state[f"{key}-sent"] = sent, said.get("serial")


def _same_images(panels: Sequence[Panel], points: HoverTexts, colours: Classes | NumberScale) -> None:
    for what, count in (("colours", len(colours)), *((panel.title, len(panel.points)) for panel in panels)):
        if count != len(points):
            raise ValueError(f"{what}: {count:,} points for {len(points):,} names; give one for each image.")


def _known_images(indices: Sequence[int], count: int) -> None:
    for index in indices:
        if not 0 <= index < count:
            raise ValueError(f"Image {index} does not exist: there are {count:,}, numbered from 0.")


def _said(state: Any) -> dict[str, Any]:
    """The browser's last message, or an empty one."""
    message = state.get("choice") if hasattr(state, "get") else None
    return message if isinstance(message, dict) else {}


def _encoded(choice: MapChoice, count: int) -> dict[str, Any]:
    """A choice as the browser says it: the set as a base64 bit set, its first image in the lowest bit."""
    bits = np.zeros(count, bool)
    bits[choice.selected] = True
    selected = base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode() if bits.any() else ""
    return {"chosen": choice.chosen, "selected": selected}


def _decoded(message: dict[str, Any], count: int, of: str) -> tuple[MapChoice, int]:
    """The choice that a message holds, and its serial number; nothing chosen and 0 for what is not well formed.

    A message about other images (`of` is the digest of their names) holds no choice, but its number counts.
    """
    serial, chosen, selected = message.get("serial"), message.get("chosen"), message.get("selected")
    if type(serial) is not int or not 0 <= serial < _LARGEST_SERIAL:
        return MapChoice(), 0
    if message.get("of") != of or not isinstance(selected, str):
        return MapChoice(), serial
    if chosen is not None and (type(chosen) is not int or not 0 <= chosen < count):
        return MapChoice(), serial
    if not selected:
        return MapChoice(chosen), serial
    try:
        packed = np.frombuffer(base64.b64decode(selected, validate=True), np.uint8)
    except (binascii.Error, ValueError):
        return MapChoice(), serial
    if len(packed) != -(-count // 8):
        return MapChoice(), serial
    bits = np.unpackbits(packed, bitorder="little")
    return (MapChoice(), serial) if bits[count:].any() else (MapChoice(chosen, np.flatnonzero(bits)), serial)
