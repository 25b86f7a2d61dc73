"""A page's two parts, beside each other where there is room, and how wide the first of them is.

`screens.css` says how they lie on narrow screens, where no server needs to know.
"""

from __future__ import annotations

import streamlit as st
from streamlit.components.v2 import component
from streamlit.delta_generator import DeltaGenerator

STEP = 40
"""Figures are drawn for widths in such steps of pixels, so that visitors with nearly equal screens share them."""
# Beside the sidebar of a laptop 1280 pixels wide, and on a phone.
USUAL, PHONE = 600, 360
_KEY = "screen-width"
# The browser opens and shuts it by itself. Plotly takes every touch for a drag, so that a finger on a figure could not
# scroll the page: with the script a finger scrolls, and a tap is still a click.
_DRAWER = """<label class="drawer"><input type="checkbox"> Show the controls</label>
<script>
if (!window.loupeScrolls) {
  window.loupeScrolls = true;
  document.addEventListener("touchstart", (event) => {
    if (event.touches.length === 1 && event.target.closest?.(".js-plotly-plot .draglayer")) event.stopPropagation();
  }, true);
}
</script>"""

_WIDTH = component(
    "loupe_width",
    js="""
export default function ({ data, setStateValue }) {
  let asked = null;
  const measure = () => {
    const width = document.querySelector(".st-key-page-picture")?.clientWidth;
    if (width && Math.abs(width - data.width) > data.step / 2) setStateValue("width", width);
  };
  const resized = () => { clearTimeout(asked); asked = setTimeout(measure, 250); };
  addEventListener("resize", resized);
  measure();
  return () => { removeEventListener("resize", resized); clearTimeout(asked); };
}
""",
)


def beside(*, drawer: bool = True) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two places: for the picture, and for its controls or, without a `drawer`, for an example.

    On narrow screens the second lies below the picture, and controls lie in a drawer above it.
    """
    body = st.container(key="page-body", horizontal=True)
    if drawer:
        body.html(_DRAWER, unsafe_allow_javascript=True)
    return body.container(key="page-picture"), body.container(key="page-controls" if drawer else "page-example")


def filters() -> DeltaGenerator:
    """A place for controls in a row above a picture; on phones they lie in a drawer."""
    st.html(_DRAWER, unsafe_allow_javascript=True)
    return st.container(key="page-filters", horizontal=True, gap="medium")


def width() -> int:
    """How many pixels wide the picture is: as the browser last said or, before that, as on most screens of its kind."""
    known = st.session_state.get(_KEY)
    if known is None:
        agent = st.context.headers.get("User-Agent", "")
        known = PHONE if "Mobi" in agent else USUAL
    return known


def watch(key: str) -> None:
    """Have the browser say how wide the place for the picture is, where that is not what figures were drawn for."""
    _WIDTH(
        key=key,
        height=0,
        data={"width": width(), "step": STEP},
        on_width_change=lambda: measured(st.session_state[key].get("width")),
    )


def measured(pixels: object) -> None:
    """Take what the browser says of the picture's width; what makes no sense is passed over."""
    if isinstance(pixels, int | float) and 100 <= pixels <= 10_000:
        st.session_state[_KEY] = max(STEP, STEP * round(pixels / STEP))
