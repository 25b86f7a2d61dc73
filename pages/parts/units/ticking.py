"""Units that were ticked, of one layer: on the sheet, all of a concept, a class's best; the address carries them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from interp.types import Classifier, Layer
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import address, controls
from pages.parts.kit.text import plain

KEY, _FROM = "un.ticked", "un-from"
OPENS, TICKS = "Opens", "Ticks"
WITHOUT, TICKED = "Without it", "Ticked"
NAMED = 12


def begin(classifier: Classifier) -> None:
    """Take the ticked units from the address; on every view, so that each one's link carries them."""
    address.seed(KEY, "", valid=lambda text: text == "" or _parsed(classifier, text) is not None, parse=str)
    address.publish(KEY, st.session_state[KEY] or None)


def ticked(layer: Layer) -> tuple[int, ...]:
    """The ticked units of a layer, in order; none where those of another one are ticked."""
    name, _, numbers = st.session_state.get(KEY, "").rpartition(":")
    return tuple(map(int, numbers.split(","))) if name == layer.name else ()


def elsewhere(layer: Layer) -> str:
    """The other layer whose units are ticked; empty where there is none."""
    name = st.session_state.get(KEY, "").rpartition(":")[0]
    return "" if name == layer.name else name


def tick(layer: Layer, units: Sequence[int], *, before: Sequence[int] = ()) -> None:
    """Have these units ticked, beside those `before`; those of another layer are let go."""
    some = sorted({*units, *before})
    st.session_state[KEY] = f"{layer.name}:{','.join(map(str, some))}" if some else ""


def turned(layer: Layer) -> Callable[[str], None]:
    """What ticks a unit of the layer by its number, or takes its tick away."""

    def turn(value: str) -> None:
        if value.isdecimal() and int(value) < layer.channels:
            tick(layer, sorted({*ticked(layer)} ^ {int(value)}))

    return turn


def clicking() -> bool:
    """Draw the choice of what a click on a unit does; gives whether it ticks it."""
    chosen = controls.one_of(
        "A click", "un.click", (OPENS, TICKS), help="Tick units to see what becomes of the classes without them."
    )
    return chosen == TICKS


def marked(layer: Layer, cards: Sequence[PictureCard], ticking: bool) -> list[PictureCard]:
    """Cards of units with what is ticked marked, and with clicks that tick, where clicks do so."""
    some = {f"unit:{one}" for one in ticked(layer)}
    found = []
    for card in cards:
        own = card.click in some
        title = f"✓ {card.title}" if own else card.title
        click = str(card.click).replace("unit:", "tick:") if ticking else card.click
        found.append(replace(card, title=title, click=click, chosen=own if ticking else card.chosen))
    return found


def bar(layer: Layer, units: Sequence[int] = (), called: str = "") -> None:
    """Draw what is ticked, with what can be done with it, and a button that ticks these units, called so."""
    some = ticked(layer)
    left = [one for one in units if one not in some]
    if not some and not left:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if some:
            st.markdown(f"**{len(some)} ticked**: {named(some)}", width="content")
            st.button(f"Without {'this one' if len(some) == 1 else 'these'}", key="un-without", on_click=_without)
        if left:
            given = {"args": (layer, left), "kwargs": {"before": some}}
            st.button(f"Tick {called} ({len(left)})", key=f"un-tick-{called}", on_click=tick, **given)
        if some:
            st.button("Untick all", key="un-untick", on_click=tick, args=(layer, ()))


def chosen(layer: Layer) -> tuple[int, ...]:
    """The ticked units, for the view that does without them; where none is, what to do is said."""
    some = ticked(layer)
    if not some:
        there = elsewhere(layer)
        other = f" Units of {plain(there)} are ticked: choose that layer." if there else ""
        st.info(
            f"No unit of {plain(layer.name)} is ticked.{other} Tick units in 'All units', where a click can be set to "
            "tick, or all of a concept there."
        )
    return some


def put_back(layer: Layer) -> None:
    """Draw the button that unticks all and leads back to where one came from."""
    if ticked(layer):
        st.button("Put them back", icon=":material/undo:", key="un-back", on_click=_back)


def named(units: Sequence[int]) -> str:
    """Numbers of units, the first few."""
    return ", ".join(map(str, units[:NAMED])) + (", …" if len(units) > NAMED else "")


def _without() -> None:
    st.session_state[_FROM] = st.session_state.get("un.view")
    st.session_state["un.view"], st.session_state["un.remove"] = WITHOUT, TICKED


def _back() -> None:
    st.session_state[KEY] = ""
    st.session_state["un.view"] = st.session_state.pop(_FROM, None) or "All units"


def _parsed(classifier: Classifier, text: str) -> tuple[str, tuple[int, ...]] | None:
    name, _, numbers = text.rpartition(":")
    parts = numbers.split(",")
    layers = {one.name: one.channels for one in classifier.layers}
    if name not in layers or not all(one.isdecimal() and len(one) < 7 for one in parts):
        return None
    units = tuple(sorted({int(one) for one in parts}))
    return (name, units) if units[-1] < layers[name] else None
