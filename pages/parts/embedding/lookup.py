"""A photograph from outside the set: its nearest images, and where the maps would place it."""

from __future__ import annotations

import streamlit as st

import cache
from interp import embedding, images
from interp.embedding import Features, LabelledRows, Lookup, Projection
from interp.embedding.neighbours import Metric
from interp.figures import framed
from interp.images import ImageSet
from interp.types import Classifier
from pages.parts.cards import pictured
from pages.parts.embedding import neighbourhood, representations
from pages.parts.kit import waiting
from pages.parts.kit.text import plain, shortened

NAME = "Your photograph"
CAVEAT = (
    "A new photograph is always put somewhere on a map, also one that is like none of the set; the other points do "
    "not move. So look at its distance: its nearest image is at **{nearest}**, while for half of the set's own "
    "images the nearest other one is within {typical}. On a UMAP a photograph that is in the set comes back to its own "
    "place; others are put between their neighbours, by as much chance as the map itself."
)


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
) -> Lookup | None:
    """Where the photograph belongs, in these features and on these maps of them; None while that is computed."""
    reading = representations.ask(scope, f"{slot}-features", classifier, photo, (features.representation,))
    if not waiting.settled(reading):
        return None
    searching = cache.call(
        embedding.look_up, reading.value[0].values, features, projections, neighbourhood.NEAREST, metric
    )
    job = scope.ask(slot, searching, disk=False, queue=cache.Queue.PROJECTIONS)
    return job.value if waiting.settled(job) else None


def shown(scope: cache.Scope, photo: ImageSet, known: LabelledRows, found: Lookup, layer: str) -> None:
    """The photograph beside its nearest images."""
    picture, others = st.columns([1, 3], gap="medium")
    with picture:
        pictured.large(scope.read("photograph-picture", framed.in_file, photo, 0), photo.names[0])
    with others:
        st.markdown(f"**{NAME}**, {plain(shortened(photo.names[0], 60))}")
        neighbourhood.row_of_pictures(scope, "photograph-nearest", known, found.neighbours, layer)
        _compared(found)


def _compared(found: Lookup) -> None:
    nearest, typical = neighbourhood.short(found.neighbours.distances[0, 0]), neighbourhood.short(found.typical)
    rings = "It and its nearest images have a ring on the maps. " if found.places else ""
    st.caption(rings + CAVEAT.format(nearest=nearest, typical=typical))
