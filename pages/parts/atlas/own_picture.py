"""'One picture': where the positions of a photograph, an upload, or what is painted on it lie on the map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

import cache
from interp import atlas
from interp import images as image_sets
from interp.atlas import PlacedPositions
from interp.models import inputs
from interp.types import Images
from pages.parts.atlas import asking, cell, drawing
from pages.parts.atlas.asking import AtlasResults
from pages.parts.atlas.map_view import MapPoint
from pages.parts.kit import controls, pickers, playground, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

SOURCES = ("The set", "Upload")
FAR = 2.0
READING = (
    "**One picture.** All positions of the picture are put on the map, which stays as it is (for UMAP between the "
    "nearest samples, by its own optimization, and home to a sample that is the same). Paint on it, or paste something "
    "into it, and see which cells light up that did not before, and for which class they argue: so Carter et al. "
    "(2019) read off patches that fool a classifier. *Pitfall:* every position is put somewhere, also one that is like "
    "nothing the map shows: those more than twice as far from any sample as usual are counted below it."
)


def view(selection: Selection, picture, side) -> None:
    """The picture with its tools, and the map on which its positions are lit, before and after."""
    with side:
        source = controls.one_of("Picture from", "at.from", SOURCES)
        own, position = _source(selection, source)
        settings = asking.choose(selection)
    with picture:
        if own is None or position is None:
            st.info("Upload a picture, with the button beside: its positions are put on the map.")
            return
        original = waiting.value(own.scope.read("image", inputs.read, own.classifier, own.photos, (position,)))
        batch = playground.panel(own, position, original)
        top = st.container()
        found = asking.results(selection, settings)
        if found is None:
            return
        changed = batch.fingerprint != original.fingerprint
        before = _placed(found, original, "placed")
        after = _placed(found, batch, "placed-after") if changed else None
        if before is None:
            return
        with top:
            points = _points(before, "the picture")
            if after is not None:
                points = _points(before, "as it was") + _points(after, "as it is now")
            value = _predicted(selection, batch)
            chosen = drawing.draw(found, key="atlas-picture", points=points, value=value)
            st.caption(_said(found, before if after is None else after, value))
            if after is not None:
                st.markdown(_moved(found, before, after))
            cell.panel(found, chosen)


def _source(selection: Selection, source: str) -> tuple[Selection | None, int | None]:
    if source == SOURCES[0]:
        return selection, pickers.image(selection.photos)
    file = st.file_uploader("A picture", key="at.file")
    if file is None:
        return None, None
    photos = image_sets.from_files([(file.name, file.getvalue())], name="upload")
    for problem in photos.problems:
        st.caption(f":material/error: {plain(problem.name)}: {plain(problem.reason)}")
    return (replace(selection, photos=photos), 0) if len(photos) else (None, None)


def _placed(found: AtlasResults, batch: Images, slot: str) -> PlacedPositions | None:
    selection = found.selection
    given = (selection.classifier, selection.photos, found.settings, found.mapped, batch[:1])
    job = selection.scope.gather(slot, atlas.placing, *given, kept=cache.CachedItems())
    return job.value if waiting.settled(job) else None


def _points(placed: PlacedPositions, group: str) -> tuple[MapPoint, ...]:
    return tuple(MapPoint(float(x), float(y), group) for x, y in placed.places)


def _predicted(selection: Selection, batch: Images) -> int | None:
    if not selection.classifier.labels:
        return None
    job = selection.scope.gather("predicted", predicted, selection.classifier, batch[:1])
    return int(waiting.value(job))


def predicted(classifier, images: Images) -> int:
    """The class with the largest logit."""
    return int(classifier.logits(images)[0].argmax())


def _said(found: AtlasResults, placed: PlacedPositions, value: int | None) -> str:
    far = int((placed.distance > FAR * placed.usual).sum())
    said = f"{len(placed.places):,} positions; {far:,} of them are like no sample of the map."
    return (
        said
        if value is None
        else f"It is taken for {plain(found.labels[value])}, whose attribution may colour cells. {said}"
    )


def _moved(found: AtlasResults, before: PlacedPositions, after: PlacedPositions) -> str:
    """Which cells light up that did not before, and what they argue for."""
    level = found.mapped.levels[-1]
    was, now = (set(one.cells(level.grid).tolist()) for one in (before, after))
    numbers = [level.at(*divmod(one, level.grid)) for one in sorted(now - was)]
    there = [one for one in numbers if one >= 0]
    if not there:
        return "No cell lights up that did not before."
    labels = level.label[there]
    counted = {int(one): int((labels == one).sum()) for one in np.unique(labels) if one >= 0}
    told = ", ".join(
        f"{plain(found.labels[one])} ({count})" for one, count in sorted(counted.items(), key=lambda pair: -pair[1])[:5]
    )
    return f"**{len(there)}** cells light up that did not before; they argue most for: {told or 'no class'}."
