"""A Plotly figure on a page, with what it comes to in words for who hears the page."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from interp.figures import sentences


def draw(figure: go.Figure, **placed: Any) -> Any:
    """As `st.plotly_chart`, with `alt` made of the figure's own numbers."""
    # Kept with a figure that is drawn again.
    told = getattr(figure, "_told", None) or sentences.told(figure)
    setattr(figure, "_told", told)  # noqa: B010
    return st.plotly_chart(figure, alt=told, **placed)
