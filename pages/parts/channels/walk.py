"""A walk from the class down through the layers, as it stands in the address: a channel or a group, layer by layer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from interp.types import Layer
from pages.parts.channels.subject import CHANNEL
from pages.parts.kit import address

PATH, GROUPS, NAME = "ch.path", "ch.groups", "Layer by layer"
START = "class"
"""What stands in the address for a walk that is still at the class."""
_BEFORE = "ch.path-before"
_STEP = re.compile(r"(.+)/(g?)(\d{1,6})")


@dataclass(frozen=True)
class Step:
    """A unit of a layer: a channel, or one of the groups of the layer at which the walk begins."""

    layer: str
    channel: int | None = None
    group: int | None = None

    def __str__(self) -> str:
        return f"channel {self.channel}" if self.group is None else f"group {self.group + 1}"


Walk = tuple[Step, ...]


def written(walk: Sequence[Step]) -> str:
    """The walk as it stands in the address, and as a click says it."""
    return "|".join(f"{one.layer}/{one.channel if one.group is None else f'g{one.group + 1}'}" for one in walk) or START


def read(text: str) -> Walk:
    """The walk from what `written` gives. Raises `ValueError` for anything else."""
    if text == START:
        return ()
    found = [_STEP.fullmatch(one) for one in text.split("|")]
    if not all(found):
        raise ValueError(f"{text!r} is not a walk through layers.")
    return tuple(
        Step(one[1], group=int(one[3]) - 1) if one[2] else Step(one[1], int(one[3])) for one in found if one is not None
    )


def take(value: str) -> None:
    """Go where a click leads, and show it."""
    st.session_state[PATH] = value
    st.session_state["ch.view"] = NAME


def choose(layers: Sequence[Layer], strongest: int, groups: int) -> Walk:
    """The walk that the session and the address say, through `layers`, whose last is the one where it begins.

    Where they say none, or one that is not possible, it begins with the channel that was clicked last, or else with the
    `strongest`. A channel that has been clicked since begins a new one, and so does another strongest one where nobody
    has gone on from it.
    """
    here = layers[-1]
    clicked = st.session_state.get(CHANNEL)
    if not isinstance(clicked, int) or not 0 <= clicked < here.channels:
        clicked = None
    default = written([Step(here.name, strongest if clicked is None else clicked)])
    before, clicked_before = st.session_state.get(_BEFORE, (default, clicked))
    # Nobody has gone anywhere, or a channel has been clicked since.
    if st.session_state.get(PATH) == before or clicked not in (None, clicked_before):
        st.session_state[PATH] = default
    st.session_state[_BEFORE] = (default, clicked)
    chosen = address.seed(PATH, default, valid=lambda text: possible(text, layers, groups), parse=str)
    address.publish(PATH, None if chosen == default else chosen)
    return read(chosen)


def possible(text: str, layers: Sequence[Layer], groups: int) -> bool:
    """Whether a walk begins at the last of these layers, goes down through them, and meets only what they have."""
    try:
        walk = read(text)
    except ValueError:
        return False
    places = {layer.name: place for place, layer in enumerate(layers)}
    before = len(layers)
    for number, step in enumerate(walk):
        place = places.get(step.layer, before)
        if place >= before or (number == 0 and place != len(layers) - 1):
            return False
        if step.group is not None and (number or not 0 <= step.group < groups):
            return False
        if step.channel is not None and step.channel >= layers[place].channels:
            return False
        before = place
    return True
