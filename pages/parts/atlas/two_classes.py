"""'Two classes': what speaks for the one, what for the other, and what for both."""

from __future__ import annotations

import streamlit as st

from pages.parts.atlas import asking, cell, drawing, of_class, whole
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

READING = (
    "**Two classes.** The samples of both class atlases, 2,000 of each at most besides those whose top class it is. "
    "From left to right they stand by the difference of what they add to the two classes, from the first to the "
    "second, in units of the 99th percentile of its magnitude: in the middle is what speaks for both alike, or for "
    "neither. From top to bottom they stand by t-SNE to one line (cosine, perplexity 50): alike ones are near, and the "
    "direction means nothing. *Pitfall:* what is at an edge was clipped."
)


def view(selection: Selection, picture, side) -> None:
    """The map from one class to the other."""
    first = of_class.choose_class(selection, side)
    second = None
    if first is not None:
        second = of_class.choose_class(
            selection, side, "at.against", "Against", default=0 if first else 1, other_than=first
        )
    if first is None or second is None:
        picture.info("Two classes are compared, and the classifier has fewer.")
        return
    with side:
        settings = asking.choose(selection, of=(first, second))
    labels = selection.classifier.labels
    with picture:
        top = st.container()
        found = asking.results(selection, settings)
        if found is None:
            return
        with top:
            st.markdown(f"← speaks for **{plain(labels[first])}** · speaks for **{plain(labels[second])}** →")
            chosen = drawing.draw(found, key="atlas-two", value=second)
            st.caption(whole.said(found))
            cell.panel(found, chosen)
        cell.downloads(found)
