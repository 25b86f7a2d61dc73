"""'Two atlases': another layer, seed or classifier beside the first, linked by the positions of the same images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from jaxtyping import Int

import cache
from interp import atlas, models
from interp.atlas import AtlasSettings, LinkedSamples
from interp.passes.receptive_fields import ReceptiveFields, receptive_fields
from interp.types import Classifier
from pages.parts.atlas import asking, cell, drawing, whole
from pages.parts.atlas.asking import AtlasResults
from pages.parts.atlas.map_view import CellPlace, MapPoint
from pages.parts.kit import classifiers, controls, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

BESIDE = ("Another layer", "Another seed", "Another classifier")
HEIGHT = 520
MOST = 400
"""So many lit samples of a map are drawn; more would hide it."""

READING = (
    "**Two atlases.** Click a cell of the upper map: the samples in it are lit there, and in the lower map those at "
    "the same places of the same images (the nearest one, no further off than a step of the coarser grid). So one sees "
    "what becomes of a cell in another layer, with another seed, or in another classifier: whether it stays together, "
    "or is torn apart. *Pitfall:* each atlas draws positions of its own; where they draw few of many, some have no "
    "partner, which is counted."
)


def view(selection: Selection, picture, side) -> None:
    """Both maps, one above the other."""
    with side:
        kind = controls.one_of("Beside it", "at.beside", BESIDE)
        settings = asking.choose(selection)
        other = st.container()
    with picture:
        second = _second(selection, settings, kind, other)
        if second is None:
            st.info("Choose a second classifier: its atlas of the same images is set below the first.")
            return
        upper = st.container()
        lower = st.container()
        # Of one visitor's jobs the newest comes first, so the second is asked for when the first is there.
        first_found = asking.results(selection, settings)
        if first_found is None:
            return
        second_found = asking.results(*second, slot="atlas-second")
        with upper:
            st.markdown(f"**{_title(first_found)}**")
            opened = drawing.chosen_cell(first_found.mapped)
            own = _members(first_found, opened)
            points = _points(first_found, own, "in the chosen cell")
            chosen = drawing.draw(first_found, key="atlas-first", points=points, height=HEIGHT)
        if second_found is not None:
            with lower:
                st.markdown(f"**{_title(second_found)}**")
                _linked(first_found, second_found, own)
        cell.panel(first_found, chosen)


def _second(selection: Selection, settings: AtlasSettings, kind: str, place) -> tuple[Selection, AtlasSettings] | None:
    """What is set beside the first atlas; its choice is drawn in `place`."""
    if kind == BESIDE[0]:
        with place:
            names = [one.name for one in asking.layers.offered(selection.classifier)]
            others = [one for one in names if one != settings.sampled.layer] or names
            name = controls.listed("Second layer", "at.layer2", others, default=others[-1])
        return selection, replace(settings, sampled=replace(settings.sampled, layer=name))
    if kind == BESIDE[1]:
        with place:
            seed = controls.number("Second seed", "at.seed2", 1, low=0, high=99)
        method = settings.method
        if not isinstance(method, asking.embedding.PCA):
            method = replace(method, seed=seed)  # pyright: ignore[reportCallIssue]
        return selection, replace(settings, sampled=replace(settings.sampled, seed=seed), method=method)
    with place:
        name = classifiers.choose_second(selection.classifier, "at.rival")
    if name is None:
        return None
    rival: Classifier = waiting.value(classifiers.ask(selection.scope, name, slot="rival"))
    layer = settings.sampled.layer
    if not any(one.name == layer and one.kind != "flat" for one in rival.layers):
        if not rival.has_maps:
            return None
        layer = rival.last_spatial_layer.name
    labels = cache.lookup(models.match_set, rival, selection.photos)
    own = replace(selection, classifier=rival, labels=labels)
    return own, replace(settings, sampled=replace(settings.sampled, layer=layer))


def _title(found: AtlasResults) -> str:
    sampled = found.settings.sampled
    return f"{plain(found.selection.classifier.name)} · {plain(sampled.layer)} · seed {sampled.seed}"


def _members(found: AtlasResults, place: CellPlace | None) -> Int[np.ndarray, " m"]:
    if place is None:
        return np.zeros(0, np.int64)
    level = found.mapped.level(place[0])
    return level.samples_of(level.at(*place[1:]))


def _points(found: AtlasResults, rows: Int[np.ndarray, " m"], group: str) -> tuple[MapPoint, ...]:
    shown = rows[:: -(-len(rows) // MOST)] if len(rows) else rows
    return tuple(MapPoint(float(x), float(y), group) for x, y in found.mapped.places[shown])


def _linked(first: AtlasResults, second: AtlasResults, rows: Int[np.ndarray, " m"]) -> None:
    fields, others = _fields(first, "fields"), _fields(second, "fields-second")
    points: tuple[MapPoint, ...] = ()
    said = "Click a cell of the upper map: the same image positions light up here."
    if len(rows) and fields is not None and others is not None:
        given = (first.mapped.samples, rows, second.mapped.samples, fields, others)
        found: LinkedSamples = cache.figure(atlas.linked, *given)
        points = _points(second, found.rows, "the same places")
        said = _told(second, found, len(rows))
    drawing.draw(second, key="atlas-second", points=points, cell_key="at.cell2", height=HEIGHT)
    st.caption(said)
    st.caption(whole.said(second))


def _fields(found: AtlasResults, slot: str) -> ReceptiveFields | None:
    scope = found.selection.scope.shared
    job = scope.compute(slot, receptive_fields, found.selection.classifier, found.settings.sampled.layer)
    return job.value if waiting.settled(job) else None


def _told(second: AtlasResults, found: LinkedSamples, asked: int) -> str:
    level = second.mapped.levels[-1]
    cells = level.members[found.rows]
    inside = cells[cells >= 0]
    missing = f"; {found.unmatched:,} of {asked:,} have no partner there" if found.unmatched else ""
    if not len(inside):
        return f"{len(found.rows):,} samples lie at the same places, in no cell of the finest grid{missing}."
    _, counts = np.unique(inside, return_counts=True)
    return (
        f"{len(found.rows):,} samples lie at the same places, in {len(counts):,} cells of the finest grid; the fullest "
        f"holds {counts.max() / len(found.rows):.0%} of them{missing}."
    )
