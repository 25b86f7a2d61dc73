"""Deep dream: a photograph changed until a layer responds more strongly to what it sees in it already."""

from __future__ import annotations

import streamlit as st

import cache
from interp import feature_visualization as fv
from interp.models import inputs
from pages.parts.cards import making
from pages.parts.feature_visualization.channels import choose_channel, choose_layer
from pages.parts.feature_visualization.film import FRAMES, film, reel
from pages.parts.frame import pickers
from pages.parts.frame.layout import Selection
from pages.parts.kit import controls, waiting
from pages.parts.kit.text import plain

OF = ("The whole layer", "One channel", "The photograph itself")


def view(selection: Selection, title: str, picture, side) -> None:
    """The photograph's dream, step by step."""
    classifier, visitor = selection.classifier, selection.visitor
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
        colours = making.colours(visitor, title, selection)
    with picture:
        read = cache.call(inputs.read, classifier, selection.photos, (position,))
        one = waiting.value(visitor.ask(f"{title}/photograph", read, disk=False, device="reading"))
        start = fv.Noise() if of == OF[2] else fv.Given(one.pixels)
        full = fv.Fourier(min(classifier.input_size), colours)
        chosen = fv.Settings(making.steps(), full, start=start, frames=FRAMES)
        if of == OF[2]:
            question = cache.call(fv.caricature, classifier, one, layer.name)
            objective = waiting.value(visitor.ask(f"{title}/caricature", question, disk=False))[0]
        else:
            objective = fv.Layer(layer.name) if of == OF[0] else fv.Channel(layer.name, channel)
        st.markdown(f"**{plain(selection.photos.names[position])}**, more of what **{plain(layer.name)}** sees in it.")
        job = visitor.ask(f"{title}/dream", cache.call(fv.optimizing, classifier, (objective,), chosen))
        place = st.container()
        waiting.settled(job)
        dreamt = reel("the photograph, changed" if of != OF[2] else "made from noise", job)
        if dreamt is not None:
            with place:
                film([dreamt], side=380)
