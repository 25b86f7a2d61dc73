"""'One class': the atlas of what speaks for a class."""

from __future__ import annotations

import streamlit as st

from pages.parts.atlas import asking, cell, drawing, whole
from pages.parts.kit import controls
from pages.parts.kit.selection import Selection

KEY = "at.of"
READING = (
    "**One class.** The samples with the largest attribution to the class, 3,000 at most, and all whose largest "
    "attribution is to it, laid out by themselves: all kinds of things that argue for the class, whatever class their "
    "image is of. *Pitfall:* that a patch argues for a class does not say that any image is decided by it: look at how "
    "much it brings, in logits, and try it out under *Attack it*."
)


def view(selection: Selection, picture, side) -> None:
    """The map of the class, coloured by what cells bring to it."""
    number = choose_class(selection, side)
    if number is None:
        picture.info("The classifier has no classes, so nothing speaks for one.")
        return
    with side:
        settings = asking.choose(selection, of=(number,))
    with picture:
        top = st.container()
        found = asking.results(selection, settings)
        if found is None:
            return
        with top:
            chosen = drawing.draw(found, key="atlas-class", value=number)
            st.caption(whole.said(found))
            cell.panel(found, chosen)
        cell.downloads(found)


def choose_class(
    selection: Selection, side, key: str = KEY, label: str = "Class", *, default: int = 0, other_than: int = -1
) -> int | None:
    """Draw the list of classes; None for a classifier without any."""
    labels = selection.classifier.labels
    names = {str(number): name for number, name in enumerate(labels) if number != other_than}
    if not names:
        return None
    first = str(default) if str(default) in names else next(iter(names))
    with side:
        return int(controls.listed(label, key, list(names), default=first, named=names.__getitem__))
