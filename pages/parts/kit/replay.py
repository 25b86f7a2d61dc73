"""What was drawn once for a result is drawn again from the messages that were sent then.

Turning a figure into JSON, or rows into a table, is most of what a rerun costs; Streamlit keeps the messages of a
cached function, and sends them again. Our keys, not Streamlit's hashing, say what is the same.
"""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

import cache


class Settled(go.Figure):
    """A figure that no longer changes, whose description is made once: for a chart that answers to clicks.

    Such a chart is a widget, whose messages Streamlit does not send again.
    """

    def to_dict(self) -> dict:
        """The description, the same object each time."""
        if not hasattr(self, "_settled"):
            self._settled = super().to_dict()
        return self._settled


def once(draw: Callable[..., None], *arguments: object, known_by: tuple[object, ...] | None = None) -> None:
    """Call a function that draws, or, where it has drawn the same arguments before, send the same messages again.

    `known_by` tells one drawing from another in the arguments' place, where it shows but a part of what they hold.
    The function must only draw: no widget with a state, no buttons.
    """
    # By name: of arguments by position Streamlit looks up the name each time, which takes as long as all the rest.
    _replayed(key=cache.key(draw, arguments if known_by is None else known_by), _draw=draw, _arguments=arguments)


@st.cache_resource(max_entries=200, show_spinner=False)
def _replayed(key: str, _draw: Callable[..., None], _arguments: tuple[object, ...]) -> None:
    _draw(*_arguments)
