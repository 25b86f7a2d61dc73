"""Made-up points whose shape is known, to learn to misread maps and then to read them; and the texts on reading."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import cache
from interp import embedding
from pages.parts.embedding import arrangements, colouring, explorer, mapped, maps, trust
from pages.parts.kit import controls
from pages.parts.kit.text import plain

POINTS = 600
QUALITY = (
    "**Quality.** A map cannot keep everything. *Neighbours kept*: the share of each image's ten nearest on the map "
    "that are among its ten nearest in the features. *Trustworthiness* (Venna and Kaski 2001) falls when the map shows "
    "neighbours that there are not, *continuity* when it tears true ones apart; 1 is perfect. A low value at a point "
    "means: do not believe its surroundings. *Explained variance* is the share of PCA's axes that are drawn.\n\n"
    "**Before believing a shape**, look at other settings, at other seeds (an image that wobbles has no fixed place), "
    "and at the made-up points, where the truth is known (Wattenberg, Viégas and Johnson 2016; Coenen and Pearce 2019)."
)
READING = (
    "These points are made from a seed, so that their true shape is known, and a map can be held against it. Choose a "
    "shape, guess what it is from the map, then play the optimization, change perplexity or neighbours, and compare "
    "seeds.\n\n" + QUALITY
)


def page(scope: cache.Scope, picture: DeltaGenerator) -> None:
    """The explorer on made-up points: their picker where this is called, their maps in `picture`."""
    names = {name: recipe.title for name, recipe in embedding.TOYS.items()}
    name = controls.listed("Shape", "map.toy", list(names), named=names.__getitem__)
    toy = cache.figure(embedding.toy, name, points=POINTS)
    arrangement = arrangements.choose(len(toy.features), film=False)
    with picture:
        st.markdown(f"**{plain(toy.title)}.** {plain(toy.lesson)}\n\n*What to change.* {plain(toy.setting)}")
        place = st.container()
        drawn_maps, projections = explorer.panels(scope, "toy", (toy,), arrangement)
    colours = colouring.choose(toy, projections, arrangement)
    if not drawn_maps:
        return
    with place:
        maps.draw(
            drawn_maps,
            mapped.points(toy),
            colours,
            key="toys",
            linked_view=arrangement.view == arrangements.SEEDS,
        )
        if projections:
            trust.numbers(projections, explorer.titles(arrangement, (toy,)))


def reading(arrangement: arrangements.Arrangement) -> str:
    """How to read the maps: each method with its formula, source and pitfalls."""
    methods = {method.title: method for method in arrangement.methods}
    head = (
        "Each point is an image; its place comes from the numbers that the chosen layer gives it, and from nothing "
        "else: labels only colour it. Images that lie together are alike *to this layer*. With *pixels* no classifier "
        "is involved: what clusters there needs no learning.\n\n"
    )
    return head + "".join(
        f"**{method.title}.** {method.summary}\n\n$$ {method.formula} $$\n\n*Known pitfalls:* {method.pitfalls} "
        f"*Source:* {method.source}\n\n"
        for method in methods.values()
    )
