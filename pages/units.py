"""Units: what one channel of a layer does, what all of them do, and what happens without some."""

from pages.parts.frame import layout
from pages.parts.kit import controls, screens
from pages.parts.kit.selection import Selection
from pages.parts.units import concept, sheet, unit, without

TITLE = "Units"
VIEWS = {"All units": sheet, "One unit": unit, "One concept": concept, "Without it": without}

selection = layout.page(
    TITLE, "What does each channel of a layer answer to, which concepts do they detect, and what happens without them?"
)


def body(selection: Selection) -> None:
    """The chosen view."""
    picture, side = screens.beside()
    with side:
        chosen = controls.one_of("Show", "un.view", list(VIEWS))
    VIEWS[chosen].view(selection.at(chosen), picture, side)
    layout.how_to_read("\n\n".join(one.READING for one in VIEWS.values()))


layout.body(body, selection)
