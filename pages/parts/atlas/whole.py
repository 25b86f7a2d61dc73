"""'Whole layer': the atlas of all that a layer sees in the set."""

from __future__ import annotations

import streamlit as st

from pages.parts.atlas import asking, cell, drawing
from pages.parts.atlas.asking import AtlasResults
from pages.parts.kit import controls
from pages.parts.kit.selection import Selection

NO_CLASS = "none"

READING = (
    "**The map** (Carter et al. 2019). From each image some positions of the layer are drawn at random, those at the "
    "edge left out. What the layer's channels are at a position is a vector; all vectors are laid out so that alike "
    "ones lie together (UMAP by the cosine), and the map is cut into cells. A cell's *real patches* are what lies in "
    "the images around the samples nearest to the cell's mean, half as wide as what a position sees. Its *inverted "
    r"picture* is made, from noise or from the coarser cell's picture, to make $a\cdot v\,\cos(a, v)^4$ large, $v$ the "
    "mean of the cell and $a$ what the picture gives in the middle. A cell with a sign does not reach what the best "
    "real sample has: its picture says less. The *label* is the class with the largest mean of "
    r"$a\cdot\nabla_a f_c$, $f_c$ the class's logit: behind average pooling and one linear layer the very part of the "
    "logit that such a position brings, elsewhere to first order. *Mixedness* is the chance that two samples of the "
    r"cell have different labels of their own, $1-\sum p^2$. *Pitfalls:* where things lie, and how far apart, is "
    "UMAP's: another seed gives another map of the same vectors, and what lies between two clusters may be nothing "
    "that the network ever sees. A cell is a mean: of a mixed one no picture may be like any sample. Cells with fewer "
    "than 5 samples are left out, so a rare thing has no cell: look at a coarser level. Inverted pictures show what "
    "drives a direction, also what no image has; the real patches beside them say whether they tell the truth. "
)


def view(selection: Selection, picture, side) -> None:
    """The map, and the cell that was clicked."""
    with side:
        settings = asking.choose(selection)
        value = choose_value(selection)
    with picture:
        top = st.container()
        found = asking.results(selection, settings)
        if found is None:
            return
        with top:
            chosen = drawing.draw(found, key="atlas", value=value)
            st.caption(said(found))
            cell.panel(found, chosen)
        cell.downloads(found)


def choose_value(selection: Selection, key: str = "at.class") -> int | None:
    """Draw the choice of the class whose attribution may colour cells; None for none."""
    labels = selection.classifier.labels
    if not labels:
        return None
    names = {NO_CLASS: "none", **{str(number): name for number, name in enumerate(labels)}}
    help = "Choose 'Attribution' as the colour, and see where in the layer the class lives, and what speaks against it."
    chosen = controls.listed("Class to look for", key, list(names), named=names.__getitem__, help=help)
    return None if chosen == NO_CLASS else int(chosen)


def said(found: AtlasResults) -> str:
    """What the map is made of, in words."""
    mapped = found.mapped
    trust = mapped.trust
    inverted = ""
    if found.inverted is not None and found.inverted.complete:
        made = sum(int(one.made.sum()) for one in found.inverted.levels)
        beats = sum(int(one.beats.sum()) for one in found.inverted.levels)
        inverted = f" {beats:,} of {made:,} inverted pictures drive their cell's direction more than any real sample."
    finest = mapped.levels[-1]
    part = "" if len(mapped.samples) == mapped.total or not mapped.total else f" of {mapped.total:,}"
    laid = ""
    if trust:
        laid = f" Trustworthiness of the layout {trust['trustworthiness']:.3f}, continuity {trust['continuity']:.3f}."
    return (
        f"{len(mapped.samples):,}{part} samples at {found.settings.sampled.layer}; {len(finest):,} cells on the grid "
        f"of {finest.grid} × {finest.grid}, with {int(finest.count.sum()):,} of them.{laid}{inverted}"
    )
