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
    # The graph's text says what counts and influences are, which others speak of.
    layout.how_to_read("\n\n".join(dict.fromkeys((VIEWS[chosen].READING, graph.READING))))


layout.body(body, selection)
