"""Feature visualizations on the page of units: the pictures of the page of that name, made by the same jobs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from interp import feature_visualization as fv
from interp.types import Layer
from pages.parts.cards import making, picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import controls
from pages.parts.kit.selection import Selection

_KEY = "un.picture"
CHOICES = ("Top images", "Feature visualization")

READING = (
    "**Feature visualization** is a picture made from noise until the unit's mean over positions is as large as can "
    "be, as on the page of that name. It shows what drives the unit most, not what does so in photographs."
)


def choose() -> None:
    """Draw the choice of what a unit's card shows: its top images, or a picture made for it."""
    controls.one_of("Picture", _KEY, CHOICES)
    if wanted():
        making.quality()


def wanted() -> bool:
    """Whether pictures made for units were chosen."""
    return st.session_state.get(_KEY) == CHOICES[1]


def squares(selection: Selection, layer: Layer, shown: Sequence[int]) -> list[UInt8[np.ndarray, "h w 3"] | None]:
    """The pictures of some units, as far as they are; draws progress."""
    objectives = [fv.Channel(layer.name, one) for one in shown]
    how = making.settings(selection)
    found, _ = making.pictures(selection.scope, "sheet", selection.classifier, how, objectives)
    return making.pixels(found, range(len(shown)))


def of_unit(selection: Selection, layer: Layer, number: int, how: fv.Settings) -> None:
    """Draw the picture of one unit, with what it achieves."""
    st.markdown("**Made for it**")
    place = st.container()
    found, _ = making.pictures(selection.scope, "picture", selection.classifier, how, [fv.Channel(layer.name, number)])
    with place:
        one = found.get(0)
        card = PictureCard("Feature visualization", picturecards.line(one))
        picturecards.draw([None if one is None else one.pixels], [card], side=100)
