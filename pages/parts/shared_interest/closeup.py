"""One image large: annotation and saliency, its scores and its case, and at which setting of the rule that changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

import cache
from interp.shared_interest.scoring import SCORES
from pages.parts.kit import address, controls, markup, replay, waiting
from pages.parts.kit.text import plain, prediction, shortened
from pages.parts.shared_interest import gallery, pictures, threshold
from pages.parts.shared_interest.scored_set import NAMES, ScoredSet

KEY = "interest.open"


def click(value: str) -> None:
    """Open the image at this position of the set, and make it the one that all pages look at; for a callback."""
    if value.isdecimal():
        st.session_state[KEY] = st.session_state["image"] = int(value)


def offer(scope: cache.Scope, scored_set: ScoredSet, rows: Sequence[int] | np.ndarray) -> None:
    """Draw the image that is open, if one is; the address says which. `rows` are what 'Next' goes through."""
    names = scored_set.photos.names
    address.seed(KEY, -1, valid=lambda one: -1 <= one < len(names), parse=names.index)
    position = st.session_state[KEY]
    address.publish(KEY, None if position < 0 else names[position])
    # One that is yet to be scored opens when it is.
    if position in scored_set.scored.positions:
        _opened(scope, scored_set, scored_set.scored.positions[rows].tolist())


def _close() -> None:
    st.session_state[KEY] = -1


@st.dialog("One image", width="large", icon=":material/zoom_in:", on_dismiss=_close)
def _opened(scope: cache.Scope, scored_set: ScoredSet, order: list[int]) -> None:
    position = st.session_state[KEY]
    row = scored_set.where(position)
    if row is None:
        # It was closed from within.
        st.rerun()
    address.publish(KEY, scored_set.photos.names[position])
    bar = st.container(horizontal=True, vertical_alignment="center")
    bar.markdown(f"#### {plain(shortened(scored_set.name(row), 60))}")
    if position in order and len(order) > 1:
        place = order.index(position)
        for label, step, icon in (("Previous", -1, ":material/chevron_left:"), ("Next", 1, ":material/chevron_right:")):
            other = order[(place + step) % len(order)]
            bar.button(label, key=f"interest-{label}", icon=icon, on_click=click, args=(str(other),))
    picture, numbers = st.columns([2, 3], gap="medium")
    with picture:
        view = controls.one_of("Drawn", "interest.large-as", list(gallery.VIEWS))
        asked = (
            scored_set.scored.explanation,
            scored_set.scored.scoring,
            scored_set.scored.positions[[row]],
            gallery.VIEWS[view],
        )
        job = scope.gather("large", gallery.made, scored_set.classifier, scored_set.photos, *asked, pictures.LARGE)
        if waiting.settled(job) and job.value[0]:
            markup.draw("large.html", url=job.value[0], name=scored_set.name(row))
        st.page_link("pages/saliency.py", label="Compare saliency methods on it", icon=":material/blur_on:")
    with numbers:
        replay.once(_numbers, scored_set, row)
        threshold.of_image(scope, "large-sweep", scored_set, row)


def _numbers(scored_set: ScoredSet, row: int) -> None:
    label, predicted = scored_set.class_names(row)
    several = scored_set.classifier.multi_label
    said = prediction(predicted, scored_set.scored.probability[row], several=several)
    said = said[:1].upper() + said[1:]
    if label:
        as_labelled = "among its labels" if several else "as labelled"
        outcome = (
            f":blue[✓ {as_labelled}]" if scored_set.scored.correct[row] else f":orange[✗ labelled **{plain(label)}**]"
        )
        said += f" — {outcome}"
    titles = " | ".join(SCORES.values())
    values = " | ".join(f"{scored_set.scored.score(name)[row]:.3f}" for name in SCORES)
    rule = "---|" * len(SCORES)
    st.markdown(f"{said}. Case: **{NAMES[scored_set.cases[row]]}**\n\n| {titles} |\n|{rule}\n| {values} |")
