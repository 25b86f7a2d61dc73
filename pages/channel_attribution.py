"""Channel attribution: which channels, where in the image, argue for a class, and what they look for."""

import streamlit as st

from pages.parts import controls, layout
from pages.parts.channels import reading, strongest, subject

TITLE = "Channel attribution"
OF_PHOTOGRAPHS = {
    "Channels": strongest.view,
}
OF_THE_SET = {}

selection = layout.page(
    TITLE, "Which channels argue for a class, where in the image, what do they look for, and what do they really do?"
)
picture, side = st.columns([3, 1], gap="medium")
with side:
    view = controls.one_of("Show", "ch.view", [*OF_PHOTOGRAPHS, *OF_THE_SET])
if view in OF_PHOTOGRAPHS:
    OF_PHOTOGRAPHS[view](subject.choose(selection, TITLE, picture, side), picture, side)
else:
    OF_THE_SET[view](selection, TITLE, picture, side)
layout.how_to_read(reading.READING)
