"""Embedding explorer: what all units of a layer make of a whole image set, drawn as maps."""

from pages.parts.embedding import images, lessons, representations
from pages.parts.frame import layout
from pages.parts.kit import controls, screens
from pages.parts.kit.selection import Selection

TITLE = "Embedding explorer"

selection = layout.page(
    TITLE,
    "What does a layer make of the whole image set? What it treats alike lies together, as far as a map can show.",
)


def body(selection: Selection) -> None:
    """Maps of the images, or of made-up points."""
    picture, side = screens.beside()
    with side:
        subject = controls.one_of("Of what", "map.of", ("The images", "Made-up points"))
    if subject == "Made-up points":
        with side:
            lessons.page(selection.scope, picture)
        layout.how_to_read(lessons.READING)
        return
    with side:
        representation = representations.choose(selection.classifier, selection.photos)
    arrangement = images.view(selection, representation, picture, side)
    layout.how_to_read(lessons.reading(arrangement) + lessons.QUALITY)


layout.body(body, selection)
