"""Choosing what is cut out of another picture, to be pasted into the one that is looked at."""

from __future__ import annotations

import streamlit as st

from interp import images as image_sets
from interp.images import ImageSet
from interp.images.shapes import Box
from interp.models import inputs
from interp.types import Images
from pages.parts.kit import canvas, pickers, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened

_CROP = "playground-crop"


def source(selection: Selection, position: int) -> Images:
    """Draw the choice of the picture that is cut from: one of the set, at first the next, or a file."""
    photos: ImageSet = selection.photos
    index = (position + 1) % len(photos)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = st.container(width="stretch")
        with st.popover("File", icon=":material/upload:", key="playground-upload"):
            file = st.file_uploader("Cut from a file of your own", key="playground-file")
    if file is not None:
        photos, index = image_sets.from_files([(file.name, file.getvalue())], name="crop"), 0
        for problem in photos.problems:
            st.caption(f":material/error: {plain(problem.name)}: {plain(problem.reason)}")
    if not len(photos):
        photos = selection.photos
    elif file is None:
        with place:
            index = _other(photos, index)
    return waiting.value(selection.scope.read("cut-from", inputs.read, selection.classifier, photos, (index,)))


def _other(photos: ImageSet, index: int) -> int:
    key = f"playground-from-{photos.name}-{len(photos)}"
    if len(photos) > pickers.LARGE:
        return st.number_input(f"Cut from image, 0 to {len(photos) - 1:,}", 0, len(photos) - 1, index, key=key)
    return st.selectbox(
        "Cut from", range(len(photos)), index, format_func=lambda i: shortened(photos.names[i], 48), key=key
    )


def crop(source: Images) -> Box:
    """Draw the picture that is cut from; gives the rectangle that was dragged in it, at first its middle."""
    key = source.fingerprint
    height, width = source.pixels.shape[2:]
    middle = Box(width / 4, height / 4, width * 3 / 4, height * 3 / 4)
    of, dragged = st.session_state.get(_CROP, (key, middle))
    chosen = dragged if of == key else middle

    def take(one: canvas.CanvasEvent) -> None:
        if isinstance(one.shape, Box) and one.shape.draw(width, height).any():
            st.session_state[_CROP] = (key, one.shape)

    st.caption("Drag a rectangle here, then click on the photograph where it goes.")
    canvas.draw(
        canvas.picture(source.pixels[0]),
        take,
        key="playground-cut",
        label=f"The picture to cut from, {source.names[0]}",
        tools=("rectangle",),
        shapes=(chosen,),
    )
    return chosen
