"""Choosing which features the maps are made of, and having them read."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from cache import chunks
from interp import embedding
from interp.embedding.representations import LOGITS, PIXELS, Representation
from interp.images import ImageSet
from interp.types import Classifier
from pages.parts import controls, waiting

MOST = 20_000
FILM = 7
"""How many layers a film shows at most, beside pixels and logits."""
POOLINGS = {"Mean": "mean", "Max": "max", "Whole map": "flat"}
BASELINES = {LOGITS: "logits: the scores of the classes", PIXELS: "pixels: no classifier at all"}
HELP = "What becomes of a layer's map: a number for each channel, its mean or its maximum, or the map as it is."


def choose(classifier: Classifier) -> Representation:
    """Draw the pickers of layer and pooling."""
    layers = [layer for layer in classifier.layers if layer.block_end or layer == classifier.last_spatial_layer]
    names = {layer.name: f"{layer.name} · {layer.channels} channels" for layer in layers} | BASELINES
    chosen = controls.listed(
        "Layer", "map.layer", list(names), default=classifier.last_spatial_layer.name, named=names.__getitem__
    )
    if chosen in BASELINES or classifier.layer(chosen).kind == "flat":
        return Representation(chosen).resolved(classifier)
    return Representation(chosen, POOLINGS[pooling()]).resolved(classifier)


def pooling() -> str:
    """Draw the picker of the pooling; gives a key of `POOLINGS`."""
    return controls.one_of("Pooled by", "map.pooling", list(POOLINGS), help=HELP)


def film(classifier: Classifier, pooled: str) -> tuple[Representation, ...]:
    """Successive layers, from the pixels to the logits, evenly spread where there are many."""
    layers = [layer.name for layer in classifier.layers if layer.block_end and layer.kind != "flat"]
    if len(layers) > FILM:
        layers = [layers[round(i * (len(layers) - 1) / (FILM - 1))] for i in range(FILM)]
    between = [Representation(name, POOLINGS[pooled]) for name in layers]
    chosen = [Representation(PIXELS), *between, Representation(LOGITS)]
    return tuple(one.resolved(classifier) for one in chosen)


def ask(
    visitor: cache.Visitor,
    slot: str,
    classifier: Classifier,
    photos: ImageSet,
    representations: tuple[Representation, ...],
) -> cache.Job:
    """The job that reads the features of the set's images, at most `MOST` of them, evenly spread.

    What was read is kept chunk by chunk, so a server that was stopped goes on where it was.
    """
    positions = None
    if len(photos) > MOST:
        positions = np.linspace(0, len(photos) - 1, MOST).round().astype(np.int64)
    reading = (embedding.extract, embedding.Rows, classifier, photos, representations, positions)
    return visitor.ask(slot, cache.call(chunks.gathered, *reading), disk=False)


def read(
    visitor: cache.Visitor,
    slot: str,
    classifier: Classifier,
    photos: ImageSet,
    representations: tuple[Representation, ...],
) -> tuple[embedding.Features, ...]:
    """The features; while they are read the page ends here, with progress. Nothing read at all ends it, too."""
    if len(photos) > MOST:
        st.caption(f":material/info: {MOST:,} of {len(photos):,} images, evenly spread over the set.")
    found = waiting.value(ask(visitor, slot, classifier, photos, representations))
    if not len(found[0]):
        st.info("None of these images could be opened. Choose another set, or add JPEG or PNG files in the sidebar.")
        st.stop()
    return found
