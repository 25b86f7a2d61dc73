"""Clicks on what is drawn as HTML: anything with `data-click="kind:value"` tells the page that it was clicked.

So tiles and pictures are drawn once and sent again as they are, and one component hears of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.components.v2 import component

KEY = "clicks"
_CLICKS = component(
    "loupe_clicks",
    js="""
export default function ({ setTriggerValue }) {
  const click = (event) => {
    const one = event.target.closest?.("[data-click]");
    if (one) setTriggerValue("click", one.dataset.click);
  };
  document.addEventListener("click", click, true);
  return () => document.removeEventListener("click", click, true);
}
""",
)


def listen(heard: Mapping[str, Callable[[str], None]]) -> None:
    """Have what is clicked told to the function of its kind, before the page is drawn again."""
    _CLICKS(key=KEY, height=0, on_click_change=lambda: hear(st.session_state[KEY].get("click"), heard))


def hear(message: object, heard: Mapping[str, Callable[[str], None]]) -> None:
    """Pass on one message of the browser; what is not as the page has drawn it is passed over."""
    kind, separator, value = message.partition(":") if isinstance(message, str) else ("", "", "")
    if separator and kind in heard:
        heard[kind](value)
