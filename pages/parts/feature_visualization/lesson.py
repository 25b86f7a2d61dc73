"""Why Fourier, and why transforms: one channel's picture made in four ways, and what is left of it when it moves."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from interp import feature_visualization as fv
from pages.parts.cards import making
from pages.parts.kit import replay, waiting
from pages.parts.kit.selection import Selection

ABOUT = (
    "The same channel, the same number of steps, four ways. What is written into **plain pixels** is what the gradient "
    "finds steepest: fine grain that nobody would call a picture, because strided layers pass it on most readily. "
    "**Fourier** coefficients, scaled as photographs have them, make broad shapes as easy to change as fine ones. "
    "**Transforms** shift, turn and scale the picture a little at each step, so that only what survives that is drawn. "
    "Without them a picture reaches a higher number, and loses most of it as soon as it is moved."
)


def ways(how: fv.Settings) -> dict[str, fv.Settings]:
    """The four ways by their names; the last is the one that pictures are made in everywhere else."""
    size = how.parameterization
    pixels = fv.Pixels(size.size if isinstance(size, fv.Fourier) else None)
    return {
        "Plain pixels": replace(how, parameterization=pixels, transforms=()),
        "Pixels, transforms": replace(how, parameterization=pixels),
        "Fourier": replace(how, transforms=()),
        "Fourier, transforms": how,
    }


def draw(selection: Selection, objective: fv.Channel, how: fv.Settings) -> None:
    """The four pictures of a channel, and what is measured of them."""
    with st.expander("Why Fourier, and why transforms?", key="fv-lesson", on_change="rerun") as opened:
        if not opened.open:
            return
        st.markdown(ABOUT)
        place = st.container()
        made = making.in_each_way(selection.scope, "lesson", selection.classifier, ways(how), (objective,), place)
        if made is None:
            return
        job = selection.scope.compute(
            "lesson-moved", fv.robustness, selection.classifier, objective, tuple(one.pixels for one in made)
        )
        if waiting.settled(job):
            replay.once(_table, tuple(ways(how)), job.value)


def _table(names: tuple[str, ...], found: tuple[fv.Robustness, ...]) -> None:
    rows = [
        {
            "way": name,
            "as it is": one.still,
            "shifted": one.shifted,
            "turned, too": one.moved,
            "kept": 100 * one.moved / one.still if one.still > 0 else None,
            "fine grain": 100 * one.finest,
        }
        for name, one in zip(names, found, strict=True)
    ]
    number, percent = st.column_config.NumberColumn(format="%.3g"), st.column_config.NumberColumn(format="%.0f%%")
    columns = dict.fromkeys(list(rows[0])[1:4], number) | dict.fromkeys(list(rows[0])[4:], percent)
    st.dataframe(rows, hide_index=True, column_config=columns)
    st.caption(
        "The channel's mean over all positions: of the picture as it is; on average of 16 shifts by up to 4 pixels; "
        "*turned, too*: of 16 shifts by up to 8 pixels with turns of up to 10° and sizes of 90 to 110%. *Kept* is what "
        "that is of the first number. *Fine grain* is the share of the picture's power above a quarter of a cycle a "
        "pixel, of which white noise has about 80%."
    )
