"""Activation atlas: all that a layer can tell, on one map."""

from pages.parts.atlas import attack, beside, lesson, of_class, own_picture, two_classes, whole
from pages.parts.frame import layout
from pages.parts.kit import controls, screens
from pages.parts.kit.selection import Selection

TITLE = "Activation atlas"
VIEWS = {
    "Whole layer": whole,
    "One class": of_class,
    "Two classes": two_classes,
    "Two atlases": beside,
    "One picture": own_picture,
    "Attack it": attack,
    "Where the cue lies": lesson,
}

selection = layout.page(
    TITLE, "What can a layer tell apart, where does each class live in it, and what argues for a class that should not?"
)


def body(selection: Selection) -> None:
    """The chosen view."""
    chosen = controls.one_of("Show", "at.view", list(VIEWS))
    picture, side = screens.beside()
    VIEWS[chosen].view(selection.at(chosen), picture, side)
    # The whole layer says what cells and their pictures are, which all views speak of.
    layout.how_to_read("\n\n".join(dict.fromkeys((VIEWS[chosen].READING, whole.READING))))


layout.body(body, selection)
