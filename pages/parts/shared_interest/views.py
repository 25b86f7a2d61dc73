"""Which view of the scored images is drawn below the cases: gallery, scores, classes, thresholds, and further ones."""

from __future__ import annotations

import streamlit as st

from interp.images import ImageSet
from pages.parts.kit import controls
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.shared_interest import (
    annotating,
    choosing,
    closeup,
    gallery,
    lesson,
    probing,
    rivals,
    settings,
    tables,
    threshold,
)
from pages.parts.shared_interest.scored_set import NAMES, ScoredSet

KEY = "interest.view"
GALLERY, SCORES, CLASSES, THRESHOLD = "Gallery", "Scores", "Classes", "Threshold"
METHODS, CLASSIFIERS = "Methods", "Classifiers"
DRAW, PROBE = "Draw", "Probe"
UNSCORED = (DRAW, PROBE)
VIEWS = (GALLERY, SCORES, CLASSES, THRESHOLD, METHODS, CLASSIFIERS, *UNSCORED)


def case(value: str) -> None:
    """Show the images of the case that was clicked, in the gallery; for a callback.

    Those that nobody has annotated are not scored: they can be drawn on.
    """
    unmarked = value == str(NAMES.index("no annotation"))
    if not unmarked:
        choosing.toggle_case(value)
    st.session_state[KEY] = DRAW if unmarked else GALLERY


def choose(photos: ImageSet) -> str:
    """Draw the switch between views; of a set without annotations it is said what is missing, and what can be done."""
    if photos.annotated:
        return controls.one_of("View", KEY, VIEWS)
    st.info(
        f"Nobody has marked anything in the {len(photos):,} images of {plain(photos.name)}, and without annotations "
        "there is nothing to hold a heatmap against. Draw some below; or choose another set, such as the scenes, whose "
        "objects are all marked; or lay annotations beside your own images: an export of the usual tools, or masks.",
        icon=":material/draw:",
    )
    # Under a name of its own, so that the next set with annotations does not open here.
    return controls.one_of("View", f"{KEY}-unmarked", UNSCORED)


def draw(view: str, selection: Selection, scored_set: ScoredSet, choice: choosing.Choice) -> None:
    """Draw the view of this name of scored images."""
    scope = selection.scope
    if not len(scored_set):
        if scored_set.scored.finished:
            st.info("None of the annotated images could be scored. The reasons are listed below, image by image.")
        return
    rows = choosing.rows(scored_set, choice)
    if view == GALLERY:
        gallery.draw(scope, "pictures", scored_set, rows)
    elif view == SCORES:
        tables.scores(scored_set)
    elif view == CLASSES:
        tables.classes(scored_set)
    elif view == THRESHOLD:
        threshold.draw(scope, scored_set)
    elif view == METHODS:
        rivals.by_method(scope, scored_set)
    elif view == CLASSIFIERS:
        if lesson.offered(scored_set.classifier):
            lesson.draw(scope, scored_set)
        rivals.by_classifier(scope, scored_set)
    closeup.offer(scope, scored_set, rows)
    tables.download(scored_set)


def without_scores(view: str, selection: Selection) -> None:
    """Draw a view that needs no scored images."""
    if view == DRAW:
        annotating.section(selection, score=_to_gallery)
        return
    column, _ = st.columns([2, 3])
    with column:
        rule = settings.rule()
    probing.section(selection, rule=rule)


def _to_gallery() -> None:
    st.session_state[KEY] = GALLERY
