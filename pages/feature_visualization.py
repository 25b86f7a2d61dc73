"""Feature visualization: pictures that make a unit, a layer or a class respond as strongly as possible."""

from pages.parts.feature_visualization import channels, classes, dream, objectives, reading
from pages.parts.frame import layout
from pages.parts.kit import controls, screens
from pages.parts.kit.selection import Selection

TITLE = "Feature visualization"
OF_CLASSES = ("Objectives", "Classes")
VIEWS = {
    "Channels": channels.view,
    "Objectives": objectives.view,
    "Two units": objectives.between,
    "Classes": classes.view,
    "Deep dream": dream.view,
}

selection = layout.page(
    TITLE,
    "What does a unit look for? Pictures made from noise, step by step, until it responds as strongly as it can.",
)


def body(selection: Selection) -> None:
    """The chosen view."""
    picture, side = screens.beside()
    with side:
        offered = [name for name in VIEWS if selection.classifier.labels or name not in OF_CLASSES]
        view = controls.one_of("Show", "fv.view", offered)
    VIEWS[view](selection.at(view), picture, side)
    layout.how_to_read(reading.READING)


layout.body(body, selection)
