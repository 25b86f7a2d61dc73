"""The channel that was clicked: large, with ways to see more of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from interp import feature_visualization as fv
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.channels.subject import CHANNEL, Subject
from pages.parts.kit.text import plain, shortened


def take(value: str) -> None:
    """Make the channel of this number the chosen one."""
    if value.isdecimal():
        st.session_state[CHANNEL] = int(value)


def detail(subject: Subject, made: Mapping[int, fv.Picture]) -> None:
    """Draw the channel that was clicked, if any, in each photograph, and where to go with it."""
    channel = st.session_state.get(CHANNEL)
    if channel is None:
        st.caption("Click a channel to see it large, and to go on with it.")
        return
    st.markdown(f"#### {plain(subject.layer.name)}, channel {channel}")
    picture = made.get(channel)
    shown = [("What it looks for", picturecards.line(picture), None if picture is None else picture.pixels)]
    for row, position in enumerate(subject.positions):
        value = float(subject.attribution.values[row, channel])
        name = shortened(subject.selection.photos.names[position], 24)
        shown.append((name, f"attribution {value:+.3g}", subject.lit(row, channel)))
    picturecards.draw([one[2] for one in shown], [PictureCard(one[0], one[1]) for one in shown], side=170)
    with st.container(horizontal=True):
        if st.button("Open in Feature visualization", icon=":material/texture:", key="ch-to-fv"):
            st.session_state["fv.layer"], st.session_state["fv.channel"] = subject.layer.name, channel
            st.session_state["fv.view"] = "Channels"
            st.switch_page("pages/feature_visualization.py")
