"""Channel attribution: which channels, where in the image, argue for a class, and what they look for."""

from pages.parts.cards import making
from pages.parts.channels import (
    cells,
    effects,
    flow,
    grouping,
    layers,
    lesson,
    path,
    reading,
    strongest,
    subject,
    whole_set,
)
from pages.parts.frame import layout
from pages.parts.kit import controls, screens
from pages.parts.kit.selection import Selection

TITLE = "Channel attribution"
OF_PHOTOGRAPHS = {
    "Channels": strongest,
    "Cells": cells,
    "Groups": grouping,
    "Layer by layer": path,
    "Flow": flow,
    "Effects": effects,
}
OF_THE_SET = {"Image set": whole_set, "Lesson": lesson}

selection = layout.page(
    TITLE, "Which channels argue for a class, where in the image, what do they look for, and what do they really do?"
)


def body(selection: Selection) -> None:
    """The chosen view, of photographs or of the set."""
    chosen = controls.one_of("Show", "ch.view", [*OF_PHOTOGRAPHS, *OF_THE_SET])
    selection = selection.at(chosen)
    picture, side = screens.beside()
    with side:
        making.quality()
    if chosen in OF_PHOTOGRAPHS:
        view = OF_PHOTOGRAPHS[chosen]
        view.view(subject.choose(selection, picture, side), picture, side)
    else:
        view = OF_THE_SET[chosen]
        view.view(selection, picture, side)
    layers.draw(selection)
    layout.how_to_read(f"{reading.READING}\n\n{view.READING}")


layout.body(body, selection)
