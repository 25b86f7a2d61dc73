"""The unit's top images with its mask and a concept's drawn on them: what an IoU looks like."""

from __future__ import annotations

import numpy as np
import streamlit as st

from interp import units
from interp.figures import unit_masks
from interp.units import MaskOverlap
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import controls, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened
from pages.parts.units.asking import UnitResults

SHOWN = 6
OFFERED = 8

READING = (
    "**Masks.** In orange, filled, where the unit's activation, enlarged to the picture, is over its threshold; in "
    "dashed blue the concept. The IoU under each image is of this image alone; a unit's IoU sums both areas over all "
    "images, so top images can look much better than the unit is. A concept may be in an image without the unit, "
    "which its top images do not show."
)


def section(selection: Selection, asked: UnitResults, number: int) -> None:
    """Draw the choice of a concept among the unit's best, and the images."""
    tally, dissection = asked.tally, asked.dissection
    if tally is None or dissection is None or not dissection.concepts or not asked.done:
        return
    iou = dissection.iou()[number]
    best = np.argsort(-iou, kind="stable")[:OFFERED].tolist()
    names = {": ".join(dissection.concepts[one]): one for one in best}
    st.markdown("**Its mask and a concept's** in its top images")
    named = {name: f"{name} · IoU {iou[one]:.3f}" for name, one in names.items()}
    drawn = controls.listed("Concept drawn", "un.masked", list(names), named=lambda one: named.get(one, one))
    chosen = names[drawn]
    shown = tuple(int(one) for one in tally.images[number, :SHOWN] if one >= 0)
    threshold = float(dissection.thresholds[0][number])
    given = (asked.layer.name, number, threshold, dissection.concepts[chosen], units.concepts(selection.photos))
    job = selection.scope.compute("masks", units.mask_overlaps, selection.classifier, selection.photos, shown, *given)
    if waiting.settled(job):
        _draw(selection, job.value, dissection.concepts[chosen][1], threshold)


def _draw(selection: Selection, found: tuple[MaskOverlap, ...], concept: str, threshold: float) -> None:
    st.caption(
        f":orange[■] filled: the unit's mask, activation over {threshold:.3g}. :blue[▨] dashed: {plain(concept)}."
    )
    cards = []
    for one in found:
        there = f"IoU {one.iou:.2f} here" if one.concept.any() else "concept not in it"
        name = selection.photos.names[one.position]
        cards.append(PictureCard(shortened(name, 18), there, about=name))
    picturecards.draw([unit_masks.drawn(one) for one in found], cards, side=150)
