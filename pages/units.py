"""Units: what one channel of a layer does, what all of them do, and what happens without some."""

from pages.parts.frame import layout
from pages.parts.kit import controls, screens
from pages.parts.kit.selection import Selection
from pages.parts.units import comparison, concept, lesson, likeness, sheet, ticking, unit, wall, without

TITLE = "Units"
VIEWS = {
    "All units": sheet,
    "One unit": unit,
    "All channels": wall,
    "One concept": concept,
    "Like this cell": likeness,
    "Two classifiers": comparison,
    "Without it": without,
    "The cue": lesson,
}

selection = layout.page(
    TITLE, "What does each channel of a layer answer to, which concepts do they detect, and what happens without them?"
)


def body(selection: Selection) -> None:
    """The chosen view."""
    ticking.begin(selection.classifier)
    chosen = controls.one_of("Show", "un.view", list(VIEWS))
    picture, side = screens.beside()
    VIEWS[chosen].view(selection.at(chosen), picture, side)
    # The sheet says what a detector and an IoU are, which others speak of.
    layout.how_to_read("\n\n".join(dict.fromkeys((VIEWS[chosen].READING, sheet.READING))))


layout.body(body, selection)
