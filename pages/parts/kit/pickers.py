"""Choosing one image of the set, or some, and making some of its images a set of their own."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

import cache
from interp import images as image_sets
from interp.images import ImageSet, UnreadableImage
from pages.parts.kit import address, waiting
from pages.parts.kit.text import plain, shortened

SELECTED, DRAWN = "selected", "drawn"
"""What the sets of a session are called in the choice of image sets: chosen images, and those drawn on by hand."""
_ONWARDS = "onwards"
LARGE = 2000
BESIDE = 7


def image(photos: ImageSet, *, default: int = 0) -> int:
    """Draw the picker of one image; gives its position in the set."""
    positions = _positions(photos)
    address.seed("image", default, valid=range(len(photos)).__contains__, parse=lambda text: positions.get(text, -1))
    if len(photos) <= LARGE:
        chosen = st.selectbox(
            "Image", range(len(photos)), format_func=lambda i: shortened(photos.names[i], 48), key="image"
        )
    else:
        chosen = st.number_input(f"Image, 0 to {len(photos) - 1:,}", 0, len(photos) - 1, key="image")
        st.text(shortened(photos.names[chosen], 48))
    if missed := address.missed("image"):
        st.caption(f":material/info: There is no {plain(missed)} in this set, which the address asks for.")
    address.publish("image", photos.names[chosen])
    reading = cache.Scope(waiting.visitor()).read("remarks", _remarks, photos, chosen)
    if waiting.settled(reading):
        for remark in reading.value:
            st.caption(f":material/info: {plain(remark)}")
    return chosen


def _remarks(photos: ImageSet, position: int) -> tuple[str, ...]:
    """What was guessed or changed in reading an image, and why marks of it are not used."""
    try:
        sample = photos[position]
    except UnreadableImage:
        # Whoever needs its pixels says so.
        return ()
    return sample.remarks if sample.unmarked is None else (*sample.remarks, sample.unmarked)


def further_images(photos: ImageSet, first: int) -> tuple[int, ...]:
    """Draw the picker of images to put beside the first; gives the positions of all, the first one included."""
    positions = _positions(photos)

    def parse(text: str) -> list[int]:
        return [positions[name] for name in text.split("|") if name in positions]

    address.seed("beside", [], valid=lambda some: all(one in range(len(photos)) for one in some), parse=parse)
    if len(photos) > LARGE:
        return (first,)
    chosen = st.multiselect(
        "Beside it",
        range(len(photos)),
        format_func=lambda i: shortened(photos.names[i], 48),
        key="beside",
        max_selections=BESIDE,
        placeholder="Up to 7 other images",
    )
    address.publish("beside", "|".join(photos.names[i] for i in chosen) or None)
    return (first, *(one for one in chosen if one != first))


def _positions(photos: ImageSet) -> dict[str, int]:
    return cache.lookup(_index, photos)


def _index(photos: ImageSet) -> dict[str, int]:
    return {name: position for position, name in enumerate(photos.names)}


def keep(photos: ImageSet, positions: Sequence[int], position: int, onwards: str | None = None) -> None:
    """Make some images of a set the set that all pages work on in this session; for a callback.

    It goes on with the same image, where that is among them, and on another page, where one is named by its file.
    """
    st.session_state[SELECTED] = image_sets.subset(photos, positions)
    st.session_state["images"] = SELECTED
    st.session_state["image"] = positions.index(position) if position in positions else 0
    st.session_state["beside"] = []
    st.session_state[_ONWARDS] = onwards


def go_on() -> None:
    """Go where the last callback has led, if it has led anywhere."""
    if page := st.session_state.pop(_ONWARDS, None):
        st.switch_page(page)
