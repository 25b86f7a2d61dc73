"""Class summaries: which channels stand for a class, how they build on each other, and how classes relate."""

from pages.parts.class_summary import classes, graph, lesson, pair, photograph
from pages.parts.frame import layout
from pages.parts.kit import controls, screens
from pages.parts.kit.selection import Selection

TITLE = "Class summaries"
VIEWS = {
    "Class graph": graph,
    "Classes": classes,
    "Two classes": pair,
    "One photograph": photograph,
    "Tench and hands": lesson,
}

selection = layout.page(
    TITLE,
    "What has the network learned about a class: which channels stand for it, and how do they build on each other?",
)


def body(selection: Selection) -> None:
    """The chosen view."""
    chosen = controls.one_of("Show", "cs.view", list(VIEWS))
    picture, side = screens.beside()
    VIEWS[chosen].view(selection.at(chosen), picture, side)
    reading = VIEWS[chosen].READING
    # It says what counts and influences are, which all views speak of.
    layout.how_to_read(reading if graph.COUNTED in reading else f"{reading}\n\n{graph.COUNTED}")


layout.body(body, selection)
