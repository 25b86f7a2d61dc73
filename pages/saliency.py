"""Saliency comparison: where in a photograph several methods see the reason for a class, side by side."""

import streamlit as st

import cache
from interp import attribution
from interp.models import inputs
from interp.types import Classifier
from pages.parts.frame import layout, pickers
from pages.parts.kit import methods, replay, said, targets, waiting
from pages.parts.saliency import closeup, evidence, explained, playground, rounding, verdicts

TITLE = "Saliency comparison"

selection = layout.page(
    TITLE, "Which pixels speak for a class? Each method answers in its own way, and noise stands beside as the control."
)
classifier, photos, visitor = selection.classifier, selection.photos, selection.visitor

picture, controls = st.columns([3, 1], gap="medium")
with controls:
    positions = pickers.further_images(photos, pickers.image(photos))
with picture:
    read = cache.call(inputs.read_marked, classifier, photos, positions)
    original, annotations = waiting.value(visitor.ask(f"{TITLE}/image", read, disk=False, device="reading"))
    spoken = st.container()
    batch = playground.panel(selection, TITLE, positions[0], original)
with spoken:
    predicted = cache.call(Classifier.probabilities, classifier, batch)
    probabilities = waiting.value(visitor.ask(f"{TITLE}/classes", predicted))
    own = said.own(classifier, photos, selection.labels, positions, probabilities)
    said.predictions(classifier, probabilities, own)
with controls:
    named = [(one, photos.names[one]) for one in positions]
    explain = targets.choose(classifier, probabilities, own, named)
    chosen = methods.choose(visitor, classifier)
    drawing = methods.drawing(several=len(positions) > 1)
    chosen = methods.parameters(classifier, chosen)
    methods.plan(visitor, classifier, chosen, len(positions))

chosen = methods.with_references(chosen, visitor, classifier, photos)
with controls:
    rounded = rounding.choose(visitor, TITLE, classifier, photos, chosen)
asked = cache.call(attribution.compare, classifier, batch, explain, chosen, rounded=rounded)
job = visitor.ask(f"{TITLE}/maps", asked)
with picture:
    place = st.container(key="comparison")
    done = waiting.settled(job)
    ready = methods.ordered(job.value if done else job.partial, chosen)
    if ready:
        comparison = explained.Comparison(classifier, annotations, batch, explain, ready, drawing)
        judged = verdicts.asked(comparison, visitor, TITLE) if done else ()
        shown = verdicts.remarked(comparison, judged)
        with place:
            replay.once(explained.maps, shown)
        closeup.offer(shown)
        if done:
            verdicts.table(comparison, judged)
            explained.numbers(comparison)
            evidence.panel(comparison, judged, visitor, TITLE)
layout.how_to_read(explained.reading(chosen) + playground.READING + evidence.READING)
