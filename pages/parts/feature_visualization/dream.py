"""Deep dream: a photograph changed until a layer responds more strongly to what it sees in it already."""

from __future__ import annotations

import streamlit as st

from interp import feature_visualization as fv
from interp.models import inputs
from pages.parts.cards import making
from pages.parts.feature_visualization.film import FRAMES, film, reel
from pages.parts.kit import controls, pickers, waiting
from pages.parts.kit.layers import choose_channel, choose_layer
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

OF = ("The whole layer", "One channel", "The photograph itself")


def view(selection: Selection, picture, side) -> None:
    """The photograph's dream, step by step."""
    classifier, scope = selection.classifier, selection.scope
    with side:
        position = pickers.image(selection.photos)
        layer = choose_layer(classifier)
        of = controls.one_of(
            "More of",
            "fv.dream",
            OF,
            help="The layer: whatever it sees, more of it. A channel: what that one looks for. The photograph itself: "
            "its own activations, exaggerated (a caricature, from noise).",
        )
        channel = choose_channel(layer) if of == OF[1] else 0
        making.quality()
        colours = making.colours(selection)
    with picture:
        one = waiting.value(scope.read("photograph", inputs.read, classifier, selection.photos, (position,)))
        start = fv.Noise() if of == OF[2] else fv.FromPictures(one.pixels)
        full = fv.Fourier(min(classifier.input_size), colours)
        chosen = fv.Settings(making.steps(), full, start=start, frames=FRAMES)
        if of == OF[2]:
            objective = waiting.value(scope.gather("caricature", fv.caricature, classifier, one, layer.name))[0]
        else:
            objective = fv.Layer(layer.name) if of == OF[0] else fv.Channel(layer.name, channel)
        st.markdown(f"**{plain(selection.photos.names[position])}**, more of what **{plain(layer.name)}** sees in it.")
        job = scope.compute("dream", fv.optimizing, classifier, (objective,), chosen)
        place = st.container()
        waiting.settled(job)
        dreamt = reel("the photograph, changed" if of != OF[2] else "made from noise", job)
        if dreamt is not None:
            with place:
                film([dreamt], side=380)
