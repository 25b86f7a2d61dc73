"""One unit from all sides: its numbers, its top images, what drives it in them, its concepts and its classes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from interp.figures import units as figures
from interp.units import LayerDissection, LayerTally
from pages.parts.cards import making
from pages.parts.kit import charts, clicks, export, replay
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units import asking, drawn, effect, filters, histogram, mask_pictures, top, words
from pages.parts.units.asking import UnitResults

CONCEPTS = 8

READING = (
    "**One unit.** Its top images are cut to its receptive field, the pixels that it can depend on at all, where it is "
    "strongest. *What drives it* explains its activation at that position as the other pages explain a class: by "
    "gradient, guided backpropagation, deconvolution (Zeiler and Fergus 2014) and LRP; noise is the control. The table "
    "has the concepts that its mask overlaps with most, with the IoU, its odds against masks of other images, and in "
    "how many images the concept is. *Class selectivity* is (a − b) / (a + b), a the mean activation over the images "
    "of the class where it is largest, b the mean over the other classes (Morcos et al. 2018); a selective unit is not "
    "for that reason an important one."
)
READING = "\n\n".join(
    (
        READING,
        words.READING,
        top.READING,
        drawn.READING,
        mask_pictures.READING,
        histogram.READING,
        effect.READING,
        filters.READING,
    )
)


def view(selection: Selection, picture, side) -> None:
    """The chosen unit."""
    with side:
        layer = asking.choose_layer(selection.classifier)
        number = asking.choose_unit(layer)
        bound = asking.bound()
    with picture:
        clicks.listen({"source": asking.go})
        st.markdown(f"#### {plain(layer.name)}, unit {number}")
        asking.concepts(selection)
        place = st.container()
        asked = asking.results(selection, layer)
        if asked.tally is None:
            return
        with place:
            facts(selection, asked, number, bound)
            in_words = st.container()
            made, images = st.columns([1, 3])
            with images:
                ranking = top.section(selection, asked, number)
            if asked.done:
                with made:
                    how = making.settings(selection)
                # Of one visitor's jobs the newest comes first, so what takes longest is asked for first.
                effect.ask(selection, asked, number)
                words.ask(selection, asked)
                with made:
                    drawn.of_unit(selection, layer, number, how)
                if ranking is not None:
                    top.driving(selection, asked, number, ranking)
                with in_words:
                    words.section(selection, asked, number)
            if asked.dissection is not None and asked.dissection.concepts:
                st.markdown("**Concepts**")
                replay.once(_concepts, asked.dissection, number)
                mask_pictures.section(selection, asked, number)
            _classes(selection, asked.tally, number)
            histogram.section(selection, asked, number)
            effect.section(selection, asked, number)
            filters.section(selection, asked, number)


def facts(selection: Selection, asked: UnitResults, number: int, bound: float) -> None:
    """What was measured of a unit, in a sentence."""
    tally = asked.tally
    assert tally is not None
    selectivity, classes = tally.selectivity
    said = [f"Active at {tally.density[number]:.1%} of all positions, up to {tally.values[number, 0]:.3g}."]
    if asked.dissection is not None and asked.dissection.concepts:
        iou, odds = asked.dissection.iou()[number], asked.dissection.odds()[number]
        best = int(iou.argmax())
        category, name = asked.dissection.concepts[best]
        what = "It detects" if iou[best] > bound else "No concept is over the bound; nearest is"
        images = int(asked.dissection.counts.of_concept[best])
        there = "one image" if images == 1 else f"{images:,} images"
        found = f"IoU {iou[best]:.3f}, {odds[best]:.1f} times chance; it is in {there}"
        said.append(f"{what} **{plain(name)}** ({category}): {found}.")
    if classes[number] >= 0:
        label = plain(selection.classifier.labels[classes[number]])
        said.append(f"Strongest for *{label}*, class selectivity {selectivity[number]:.2f}.")
    said.append(plain(asked.fields.reason, limit=300))
    st.markdown(" ".join(said))


def _concepts(dissection: LayerDissection, number: int) -> None:
    iou, odds = dissection.iou()[number], dissection.odds()[number]
    rows = [
        {
            "category": dissection.concepts[one][0],
            "concept": dissection.concepts[one][1],
            "IoU": float(iou[one]),
            "odds": float(odds[one]),
            "images with it": int(dissection.counts.of_concept[one]),
        }
        for one in np.argsort(-iou, kind="stable")[:CONCEPTS]
    ]
    config = {name: st.column_config.NumberColumn(format=form) for name, form in (("IoU", "%.3f"), ("odds", "%.1f"))}
    st.dataframe(export.shown(rows), hide_index=True, column_config=config)


def _classes(selection: Selection, tally: LayerTally, number: int) -> None:
    means = tally.class_means[:, number]
    if np.isfinite(means).sum() > 1:
        st.markdown("**By class**")
        replay.once(_bars, means, selection.classifier.labels)


def _bars(means: np.ndarray, labels: tuple[str, ...]) -> None:
    charts.draw(figures.by_class(means, labels), config=export.PLOT)
