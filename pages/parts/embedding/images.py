"""The images of the set on maps: their features, the maps, what is looked up on them, and how far to trust them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import streamlit as st
from jaxtyping import Int

import cache
from interp import models
from interp.embedding import LabelledRows
from interp.embedding.representations import Representation
from pages.parts.embedding import (
    arrangements,
    colouring,
    explorer,
    lookup,
    mapped,
    maps,
    neighbourhood,
    preview,
    representations,
    trust,
)
from pages.parts.embedding.arrangements import Arrangement
from pages.parts.kit import controls, pickers, waiting
from pages.parts.kit.selection import Selection


def view(selection: Selection, representation: Representation, picture, side) -> Arrangement:
    """Draw the maps of the set's images in a representation, and all that belongs to them; gives how they are made."""
    classifier, photos, scope = selection.classifier, selection.photos, selection.scope
    with picture:
        meanwhile = functools.partial(preview.draw, selection)
        [features] = representations.read(scope, "features", classifier, photos, (representation,), meanwhile)
        features, cells = representations.cells(features, classifier)
    # Maps need no predictions: they are asked for after the features, and awaited after the maps.
    asked = scope.shared.compute("predictions", models.predict, classifier, photos) if classifier.labels else None
    known = mapped.labelled(classifier, photos, features, cells, selection.labels, asked)
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
        hits = neighbourhood.search(known, controls.text("Find", "map.find", placeholder="Part of a name or class"))
        position = pickers.image(photos, default=int(known.positions[0]))
        photo = lookup.photograph() if cells is None else None
    with picture:
        row = mapped.row_of(known, position)
    near = neighbourhood.nearest(features, row, arrangement.metric)
    layer, names, found = str(features.representation.layer), mapped.points(known), None
    links = [] if near is None else [(row, int(one)) for one in near.indices[0]]
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
            linked = arrangement.view in (arrangements.SEEDS, arrangements.FILM)
            with place:
                chosen = _drawn(scope, known, panels, names, colours, linked, hits, links, row)
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
        if asked is not None:
            waiting.settled(asked)
    return arrangement


def _drawn(
    scope: cache.Scope,
    known: LabelledRows,
    panels: Sequence[maps.Panel],
    names: maps.HoverTexts,
    colours: maps.Classes | maps.NumberScale,
    linked: bool,
    hits: list[int],
    links: list[tuple[int, int]],
    row: int,
) -> Int[np.ndarray, " m"]:
    """Draw the maps with what is looked up on them; gives the rows that the reader has selected."""
    choice = maps.draw(
        panels,
        names,
        colours,
        key="maps",
        thumbnails=mapped.sheets(scope, known),
        highlighted=hits,
        links=links,
        linked_view=linked,
        wished=maps.MapChoice(row),
        on_choice=lambda: mapped.take(maps.heard("maps", names), known),
    )
    return choice.selected[choice.selected < len(known)]
