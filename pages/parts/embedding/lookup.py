"""A photograph from outside the set: its nearest images, and where the maps would place it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

import cache
from interp import embedding, images
from interp.embedding import Features, Neighbours, Projection
from interp.embedding.neighbours import Metric
from interp.images import ImageSet
from interp.types import Classifier
from pages.parts.cards.pictured import enlarged
from pages.parts.embedding import neighbourhood, representations
from pages.parts.embedding.mapped import Known
from pages.parts.kit import replay, waiting
from pages.parts.kit.text import plain, shortened

NAME = "Your photograph"
CAVEAT = (
    "A new photograph is always put somewhere on a map, also one that is like none of the set; the other points do "
    "not move. So look at its distance: its nearest image is at **{nearest}**, while for half of the set's own "
    "images the nearest other one is within {typical}. On a UMAP a photograph that is in the set comes back to its own "
    "place; others are put between their neighbours, by as much chance as the map itself."
)


@dataclass(frozen=True, eq=False)
class Found:
    """The nearest images of a photograph, how near the set's own usually are, and its place on each map, if any."""

    neighbours: Neighbours
    typical: float
    places: tuple[np.ndarray, ...]


def photograph() -> ImageSet | None:
    """Draw the uploader; gives its picture as a set of one, None where there is none."""
    with st.popover("Like a photograph of yours", width="stretch"):
        file = st.file_uploader(
            "A photograph", key="map-photograph", help="JPEG, PNG, WebP, TIFF or BMP. It stays in this browser session."
        )
        if file is None:
            return None
        read = images.from_files([(file.name, file.getvalue())], name="photograph")
        for problem in read.problems:
            st.error(plain(problem.reason), icon=":material/broken_image:")
        return read if len(read) else None


def find(
    scope: cache.Scope,
    slot: str,
    photo: ImageSet,
    classifier: Classifier,
    features: Features,
    projections: tuple[Projection, ...],
    metric: Metric,
) -> Found | None:
    """Where the photograph belongs, in these features and on these maps of them; None while that is computed."""
    reading = representations.ask(scope, f"{slot}-features", classifier, photo, (features.representation,))
    if not waiting.settled(reading):
        return None
    searching = cache.call(search, reading.value[0].values, features, projections, metric)
    job = scope.ask(slot, searching, disk=False, queue=cache.Queue.PROJECTIONS)
    return job.value if waiting.settled(job) else None


def search(new: np.ndarray, features: Features, projections: tuple[Projection, ...], metric: Metric) -> Found:
    """The nearest images of one new row of features, and its place on each map."""
    count = min(neighbourhood.NEAREST, len(features))
    near = embedding.nearest_to(new, features.values, count, metric=metric)
    own = embedding.nearest(features.values, 1, metric=metric).distances if len(features) > 1 else np.full(1, np.nan)
    places = tuple(embedding.place(new, features.values, one) for one in projections)
    return Found(near, float(np.median(own)), places)


def shown(photo: ImageSet, known: Known, found: Found, layer: str) -> None:
    """The photograph beside its nearest images."""
    picture, others = st.columns([1, 3], gap="medium")
    with picture:
        replay.once(_picture, photo)
    with others:
        replay.once(_others, photo, known, found, layer)


def _picture(photo: ImageSet) -> None:
    st.image(enlarged(photo[0].image), width="stretch")


def _others(photo: ImageSet, known: Known, found: Found, layer: str) -> None:
    st.markdown(f"**{NAME}**, {plain(shortened(photo.names[0], 60))}")
    neighbourhood.row_of_pictures(known, found.neighbours, layer)
    nearest, typical = neighbourhood.short(found.neighbours.distances[0, 0]), neighbourhood.short(found.typical)
    rings = "It and its nearest images have a ring on the maps. " if found.places else ""
    st.caption(rings + CAVEAT.format(nearest=nearest, typical=typical))
