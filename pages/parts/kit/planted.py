"""What lessons on planted reasons share: whose is asked for, the answer that is closed at first, and removals."""

from __future__ import annotations

import numpy as np
import streamlit as st

from interp.figures import unit_cues as figures
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.types import Classifier
from interp.units import Ablated
from interp.units.cues import CueRemoval
from pages.parts.kit import charts, controls
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


def removed(gone: CueRemoval, label: str, what: str) -> None:
    """Draw what becomes of the classifier without some units, which are called by `what` they do."""
    charts.draw(figures.cue_removed(gone, label), config={"displayModeBar": False})
    own, said = gone.own, []
    if own is not None:
        said.append(_fall(own, gone.target, label, what))
    if gone.moved is not None:
        before, after = gone.moved.whole.accuracy, gone.moved.without.accuracy
        random = np.mean([one.accuracy for one in gone.moved.without_drawn])
        said.append(
            f"Where the cue is on all other classes instead, it is right on {before:.0%} as it is and on "
            f"**{after:.0%}** without them; on {random:.0%} without as many random units."
        )
    st.markdown(" ".join(said))


def _fall(own: Ablated, target: int, label: str, what: str) -> str:
    before, after, random = own.before[target], own.after[target], own.random[:, target]
    logits = np.array([one.logit[target] for one in own.without_drawn])
    lower = float((random > after).mean())
    said = (
        f"Without the {len(own.units)} {what} of {plain(own.layer.name)}, **{after:.0%}** of the pictures of a "
        f"{plain(label)} are recognized instead of {before:.0%}; without as many random units {random.mean():.0%}, and "
        f"more in {lower:.0%} of such sets. Its mean score goes from {own.whole.logit[target]:.1f} to "
        f"{own.without.logit[target]:.1f} (random: {logits.mean():.1f})."
    )
    return said if after < before else f"{said} **The class does not fall**: others carry it, or these never did."
