"""Choosing a layer with maps, and a channel of it."""

from __future__ import annotations

import streamlit as st

from interp.types import Classifier, Layer
from pages.parts.kit import controls

CHANNEL = "fv.channel"


def offered(classifier: Classifier) -> list[Layer]:
    """The layers with maps that may be chosen: the ends of blocks, and the last spatial one."""
    layers = [one for one in classifier.layers if one.kind != "flat" and one.block_end]
    last = classifier.last_spatial_layer
    return [*layers, *[last] * (last not in layers)]


def choose_layer(
    classifier: Classifier, key: str = "fv.layer", *, default: str | None = None, inner: bool = False
) -> Layer:
    """Draw the picker of a layer with maps; where no default is named it is the middle one.

    With `inner`, another layer with maps is offered, too, where the session or the address names it.
    """
    names = {one.name: f"{one.name} · {one.channels} channels" for one in offered(classifier)}
    chosen = list(names)[len(names) // 2] if default is None else default
    wanted = st.session_state.get(key, st.query_params.get(key)) if inner else None
    names |= {
        one.name: f"{one.name} · {one.channels} channels"
        for one in classifier.layers
        if one.name == wanted and one.name not in names and one.kind != "flat"
    }
    return classifier.layer(controls.listed("Layer", key, list(names), default=chosen, named=names.__getitem__))


def choose_channel(layer: Layer, key: str = CHANNEL, label: str = "Channel", default: int = 0) -> int:
    """Draw the field for a channel's number."""
    if st.session_state.get(key, 0) >= layer.channels:
        st.session_state[key] = 0
    return controls.number(label, key, default, low=0, high=layer.channels - 1)
