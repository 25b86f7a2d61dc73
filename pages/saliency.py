"""Saliency comparison: where in a photograph several methods see the reason for a class, side by side."""

import streamlit as st

from interp import attribution
from interp.models import inputs
from interp.types import Classifier
from pages.parts.frame import layout
from pages.parts.kit import methods, pickers, playground, predicted, replay, screens, targets, waiting
from pages.parts.kit.selection import Selection
from pages.parts.saliency import closeup, drawing, evidence, explained, reduced_precision, verdicts

TITLE = "Saliency comparison"

selection = layout.page(
    TITLE, "Which pixels speak for a class? Each method answers in its own way, and noise stands beside as the control."
)


def body(selection: Selection) -> None:
    """Photographs and their maps, with the choices beside them."""
    classifier, photos, scope = selection.classifier, selection.photos, selection.scope

    picture, controls = screens.beside()
    with controls:
        positions = pickers.further_images(photos, pickers.image(photos))
    with picture:
        original, annotations = waiting.value(scope.read("image", inputs.read_marked, classifier, photos, positions))
        spoken = st.container()
        batch = playground.panel(selection, positions[0], original)
    with spoken:
        probabilities = waiting.value(scope.compute("classes", Classifier.probabilities, classifier, batch))
        own = predicted.own(classifier, photos, selection.labels, positions, probabilities)
        predicted.predictions(classifier, probabilities, own)
    with controls:
        named = [(one, photos.names[one]) for one in positions]
        explain = targets.choose(classifier, probabilities, own, named)
        chosen = methods.choose(scope, classifier)
        how = drawing.choose(several=len(positions) > 1)
        chosen = methods.parameters(classifier, chosen)
        methods.plan(scope, classifier, chosen, len(positions))

    chosen = methods.with_references(chosen, scope, classifier, photos)
    with controls:
        rounded = reduced_precision.choose(scope, classifier, photos, chosen)
    job = scope.compute("maps", attribution.compare, classifier, batch, explain, chosen, rounded=rounded)
    with picture:
        place = st.container(key="comparison")
        done = waiting.settled(job)
        ready = methods.ordered(job.parts, chosen)
        if ready:
            comparison = explained.MapComparison(
                classifier, annotations, batch, explain, ready, how, width=screens.width()
            )
            judged = verdicts.judgements(comparison, scope) if done else ()
            shown = verdicts.remarked(comparison, judged)
            with place:
                replay.once(explained.maps, shown)
            closeup.offer(shown)
            if done:
                verdicts.table(comparison, judged)
                explained.numbers(comparison)
                evidence.panel(comparison, judged, scope)
    layout.how_to_read(explained.reading(chosen) + playground.READING + evidence.READING)


layout.body(body, selection)
