"""The channels that support the class most, and those that oppose it most, as cards."""

from __future__ import annotations

import streamlit as st

from pages.parts.channels.subject import Subject


def view(about: Subject, picture, side) -> None:
    """The channels as cards."""
    with picture:
        st.dataframe({"attribution": about.mean})
