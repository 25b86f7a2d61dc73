"""Overview: what the classifier gets right and wrong, image by image, class by class. The app's entry point."""

import streamlit as st

from interp import models
from pages.parts.frame import layout
from pages.parts.kit import pickers, replay, screens, waiting
from pages.parts.kit.selection import Selection
from pages.parts.overview import filters, multi_label, results, scenes

TITLE = "Overview"

selection = layout.page(
    TITLE, "What this classifier gets right and wrong. Every square is an image: click one to see it, then explain it."
)


def body(selection: Selection) -> None:
    """The numbers, the squares, and the one that was clicked beside them; below, classes and confusions."""
    classifier, photos, scope = selection.classifier, selection.photos, selection.scope

    about_scenes = scenes.concern(classifier, photos)
    if about_scenes:
        scenes.panel(classifier, photos, scope)
    summary = st.container()
    job = scope.shared.compute("predictions", models.predict, classifier, photos)
    done = waiting.settled(job)
    predictions = job.latest(models.merge(()))
    if classifier.multi_label:
        multi_label.page(selection, predictions, summary, done=done)
        layout.how_to_read(multi_label.READING)
        return
    with summary:
        replay.once(results.summary, classifier, photos, predictions)
    if not len(predictions):
        return

    chosen = filters.choose(classifier, photos, predictions)
    kept = results.passing(predictions, photos, chosen)
    results.shown(predictions, kept)
    picture, closeup = screens.beside(drawer=False)
    with picture:
        shown = filters.classes_shown(classifier, predictions, kept)
        results.squares(classifier, photos, predictions, kept, shown)
    with closeup:
        if not done:
            # Which image makes the best example is known only when all have been seen.
            st.caption("The first example comes with the last prediction.")
            return
        position = pickers.image(photos, default=results.example(predictions))
        results.closeup(scope, classifier, photos, predictions, position)

    classes, confusions = st.tabs(["Classes", "Confusions"], key="tables", on_change="rerun")
    if classes.open:
        with classes:
            results.classes(classifier, predictions, kept)
    if confusions.open:
        with confusions:
            results.confusions(classifier, predictions, kept, shown)
    results.downloads(classifier, photos, predictions, kept)
    results.layers(classifier)
    layout.how_to_read(results.READING + scenes.READING * about_scenes)


layout.body(body, selection)
