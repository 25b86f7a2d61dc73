"""Embedding explorer: what all units of a layer make of a whole image set, drawn as maps."""

import numpy as np
import streamlit as st

from interp import models
from pages.parts.embedding import (
    arrangements,
    colouring,
    explorer,
    lessons,
    lookup,
    mapped,
    maps,
    neighbourhood,
    representations,
    trust,
)
from pages.parts.frame import layout
from pages.parts.kit import controls, pickers, waiting

TITLE = "Embedding explorer"

selection = layout.page(
    TITLE,
    "What does a layer make of the whole image set? What it treats alike lies together, as far as a map can show.",
    needs_classes=False,
)
classifier, photos, scope = selection.classifier, selection.photos, selection.scope

picture, side = st.columns([3, 1], gap="medium")
with side:
    subject = controls.one_of("Of what", "map.of", ("The images", "Made-up points"))
    if subject == "Made-up points":
        lessons.page(scope, picture)
    else:
        representation = representations.choose(classifier, photos)
if subject == "Made-up points":
    layout.how_to_read(lessons.READING)
    st.stop()
with picture:
    [features] = representations.read(scope, "features", classifier, photos, (representation,))
    features, cells = representations.cells(features, classifier)
# Maps need no predictions: they are asked for after the features, and awaited after the maps.
predicting = None
if classifier.labels:
    predicting = scope.shared.compute("predictions", models.predict, classifier, photos)
known = mapped.known(classifier, photos, features, cells, selection.labels, predicting)
with side:
    arrangement = arrangements.choose(len(features), film=cells is None)
filmed = arrangement.view == arrangements.FILM
pooled = st.session_state.get("map.pooling", "Mean")
with picture:
    sources = (features,)
    if filmed:
        layers = representations.film(classifier, pooled)
        sources = representations.read(scope, "film", classifier, photos, layers)
    place = st.container()
    panels, projections = explorer.panels(scope, "maps", sources, arrangement)
with side:
    colours = colouring.choose(known, projections, arrangement)
    hits = neighbourhood.found(known, controls.text("Find", "map.find", placeholder="Part of a name or class"))
    position = pickers.image(photos, default=int(known.positions[0]))
    photo = lookup.photograph() if cells is None else None
with picture:
    row = mapped.row_of(known, position)
near = neighbourhood.nearest(features, row, arrangement.metric)
layer, names = str(features.representation.layer), mapped.points(known)
links = [] if near is None else [(row, int(one)) for one in near.indices[0]]
found = None
with picture:
    if photo is not None:
        placing = () if filmed else projections
        found = lookup.find(scope, "photograph", photo, classifier, features, placing, arrangement.metric)
    if found is not None:
        hits = [*hits, *found.neighbours.indices[0].tolist()]
    if found is not None and found.places:
        panels = explorer.finished(projections, arrangement, sources, found.places)
        names, colours = mapped.points(known, (lookup.NAME,)), colouring.with_one_more(colours)
        hits = [*hits, len(known)]
    chosen = np.empty(0, np.int64)
    if panels:
        with place:
            choice = maps.draw(
                panels,
                names,
                colours,
                key="maps",
                thumbnails=mapped.sheets(scope, known),
                highlighted=hits,
                links=links,
                linked_view=arrangement.view in (arrangements.SEEDS, arrangements.FILM),
                wished=maps.Choice(row),
                on_choice=lambda: mapped.take(maps.heard("maps", names), known),
            )
        chosen = choice.selected[choice.selected < len(known)]
    if len(chosen):
        neighbourhood.selection(scope, known, chosen, row)
    if found is not None and photo is not None:
        lookup.shown(scope, photo, known, found, layer)
    headed = explorer.titles(arrangement, sources)
    on = explorer.place_of(features, sources, projections)
    neighbourhood.closeup(scope, known, row, near, layer, None if on is None else (headed[on], projections[on]))
    if projections:
        trust.numbers(projections, headed)
    if cells is None:
        trust.sharing(scope, classifier, known, pooled)
    if predicting is not None:
        waiting.settled(predicting)
layout.how_to_read(lessons.reading(arrangement) + lessons.QUALITY)
