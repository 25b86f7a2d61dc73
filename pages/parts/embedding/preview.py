"""A first map, by PCA, of what there is: while features are read, and while the methods that take longer begin."""

from __future__ import annotations

import numpy as np
import streamlit as st
from jaxtyping import Float

import cache
from interp import embedding
from interp.embedding import Features
from pages.parts.embedding import colouring, mapped, maps
from pages.parts.kit import waiting
from pages.parts.kit.selection import Selection


def draw(selection: Selection, features: Features) -> None:
    """Draw the map of the images whose features have been read so far."""
    panels = panel(selection.scope, features)
    known = mapped.labelled(selection.classifier, selection.photos, features, None, selection.labels, None)
    colours = cache.figure(colouring.colours, known, (), colouring.offered(known)[0], False)
    if panels:
        st.caption(f":material/info: So far the first {len(features):,} of {len(selection.photos):,} images.")
        maps.draw(panels, mapped.points(known), colours, key="maps-so-far")


def panel(scope: cache.Scope, features: Features) -> tuple[maps.Panel, ...]:
    """The map as a panel; none for features that PCA cannot take, and for a moment, while it is computed."""
    job = scope.draw("first-map", _places, features)
    if not waiting.there(job, waiting.PATIENCE):
        return ()
    return (maps.Panel("PCA", job.value, note="Shown until the map that was asked for is there."),)


def _places(features: Features) -> Float[np.ndarray, "n 2"]:
    # Without the map's quality, which takes longer than the map.
    return next(embedding.PCA().arrange(features.values, None)).points
