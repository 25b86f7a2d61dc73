"""Choosing which features the maps are made of, and having them read."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

import cache
from interp import embedding
from interp.embedding.representations import LOGITS, PIXELS, Pooling, Representation
from interp.images import ImageSet
from interp.set_pass import evenly
from interp.types import Classifier
from pages.parts.kit import controls, over_set, waiting

MOST, MANY = "20,000 images", "50,000 images"
"""How many images are drawn at most, by default and on request."""
MOST_CELLS, CELLS_READ = 5_000, 60_000
"""How many positions are drawn at most, and out of how many."""
SIZE = "map.most"
FILM = 7
"""How many layers a film shows at most, beside pixels and logits."""
POOLINGS: dict[str, Pooling] = {"Mean": "mean", "Max": "max", "Whole map": "flat", "Each position": "positions"}
BASELINES = {LOGITS: "logits: the scores of the classes", PIXELS: "pixels: no classifier at all"}
HELP = (
    "What becomes of a layer's map: a number for each channel, its mean or its maximum; the map as it is; or each "
    "position of it as a point of its own."
)


def choose(classifier: Classifier, photos: ImageSet) -> Representation:
    """Draw the pickers of layer and pooling, and for a large set of how many images are drawn."""
    if len(photos) > _number(MOST):
        help = "Evenly spread over the set. t-SNE of 50,000 takes some minutes."
        controls.one_of("At most", SIZE, (MOST, MANY), help=help)
    layers = [layer for layer in classifier.layers if layer.block_end or layer == classifier.last_spatial_layer]
    names = {layer.name: f"{layer.name} · {layer.channels} channels" for layer in layers} | _baselines(classifier)
    chosen = controls.listed(
        "Layer", "map.layer", list(names), default=classifier.last_spatial_layer.name, named=names.__getitem__
    )
    if chosen in BASELINES or classifier.layer(chosen).kind == "flat":
        return Representation(chosen).resolved(classifier)
    return Representation(chosen, POOLINGS[pooling()]).resolved(classifier)


def _baselines(classifier: Classifier) -> dict[str, str]:
    return BASELINES if classifier.labels else {PIXELS: BASELINES[PIXELS]}


def pooling() -> str:
    """Draw the picker of the pooling; gives a key of `POOLINGS`."""
    return controls.one_of("Pooled by", "map.pooling", list(POOLINGS), help=HELP)


def film(classifier: Classifier, pooled: str) -> tuple[Representation, ...]:
    """Successive layers, from the pixels to the logits, evenly spread where there are many."""
    layers = [layer.name for layer in classifier.layers if layer.block_end and layer.kind != "flat"]
    if len(layers) > FILM:
        layers = [layers[round(i * (len(layers) - 1) / (FILM - 1))] for i in range(FILM)]
    # Positions of maps of different sizes have nothing to do with each other.
    pooling = "mean" if POOLINGS[pooled] == "positions" else POOLINGS[pooled]
    between = [Representation(name, pooling) for name in layers]
    chosen = [Representation(PIXELS), *between, *([Representation(LOGITS)] if classifier.labels else [])]
    return tuple(one.resolved(classifier) for one in chosen)


def room(classifier: Classifier, representations: tuple[Representation, ...]) -> int:
    """How many images are read at most: fewer where each gives many rows of features."""
    rows = max(one.shape(classifier)[0] for one in representations)
    wanted = st.session_state.get(SIZE, MOST)
    return _number(wanted) if rows == 1 else max(1, CELLS_READ // rows)


def _number(size: str) -> int:
    return int(size.partition(" ")[0].replace(",", ""))


def ask(
    scope: cache.Scope,
    slot: str,
    classifier: Classifier,
    photos: ImageSet,
    representations: tuple[Representation, ...],
) -> cache.Job:
    """The job that reads the features of the set's images, at most as many as `room` has, evenly spread.

    What was read is kept chunk by chunk, so a server that was stopped goes on where it was.
    """
    positions = evenly(len(photos), room(classifier, representations))
    return over_set.ask(scope, slot, embedding.FeaturePass(), classifier, photos, representations, positions)


def read(
    scope: cache.Scope,
    slot: str,
    classifier: Classifier,
    photos: ImageSet,
    representations: tuple[Representation, ...],
    meanwhile: Callable[[embedding.Features], None] = lambda so_far: None,
) -> tuple[embedding.Features, ...]:
    """The features; while they are read the page ends here, with progress. Nothing read at all ends it, too.

    `meanwhile` draws the first representation's features as far as they are.
    """
    most = room(classifier, representations)
    if len(photos) > most:
        st.caption(f":material/info: {most:,} of {len(photos):,} images, evenly spread over the set.")
    job = ask(scope, slot, classifier, photos, representations)
    if not waiting.settled(job):
        some = job.latest(())
        if some and len(some[0]) and some[0].representation.pooling != "positions":
            meanwhile(some[0])
        st.stop()
    found = job.value
    if not len(found[0]):
        st.info("None of these images could be opened. Choose another set, or add JPEG or PNG files in the sidebar.")
        st.stop()
    return found


def cells(features: embedding.Features, classifier: Classifier) -> tuple[embedding.Features, embedding.Cells | None]:
    """The features to be drawn, and for features of each position which one a row is; of these `MOST_CELLS` at most."""
    if features.representation.pooling != "positions":
        return features, None
    kept, found = cache.figure(embedding.cells, features, classifier, MOST_CELLS)
    some = f"{len(kept):,} of {len(features):,} positions, evenly spread. " if len(kept) < len(features) else ""
    st.caption(f":material/info: {some}Pictures show the place itself; what its features depend on is larger.")
    return kept, found
