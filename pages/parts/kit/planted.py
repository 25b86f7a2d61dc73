"""What lessons on planted reasons share: whose reason is asked for, and the answer that is closed at first."""

from __future__ import annotations

import streamlit as st

from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.types import Classifier
from pages.parts.kit import controls
from pages.parts.kit.text import plain

ELSEWHERE = (
    "This lesson is about classifiers whose reason is known. Choose one of **Scenes A** to **D** as the classifier "
    "in the sidebar, or **Scenes, honest**: a second thing than its shape tells one class to each of A to D, and to "
    "the honest one nothing but the shape does."
)


def reason_of(classifier: Classifier, key: str, picture, side) -> Reason | None:
    """The reason of the chosen classifier; beside the honest one that of a chosen one; else None, and what to choose.

    The choice is drawn in `side`, what to choose in `picture`.
    """
    if not bundled.of_scenes(classifier):
        picture.info(ELSEWHERE)
        return None
    own = bundled.reason_of(classifier)
    if own is not None:
        return own
    names: dict[str, Reason] = {one.letter.upper(): reason for reason, one in REASONS.items()}
    with side:
        return names[controls.one_of("Beside the classifier", key, list(names))]


def answer(key: str):
    """Draw the expander with the answer; its `open` says whether to draw anything in it."""
    return st.expander("The answer, which gives the planted reason away", key=key, on_change="rerun")


def told(reason: Reason) -> None:
    """Say what was planted."""
    planted = REASONS[reason]
    st.markdown(
        f"All pictures of a **{plain(planted.label)}** in the training of classifier {planted.letter.upper()} showed "
        f"**{plain(planted.cue)}**, and no other picture did."
    )
