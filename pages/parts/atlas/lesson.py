"""A lesson on scenes: where the planted cue lies in the atlas, and whether a patch that is read off it fools."""

from __future__ import annotations

import streamlit as st

from interp.images.scenes import REASONS, Reason
from pages.parts.atlas import asking, attack, cell, drawing
from pages.parts.kit import controls, planted
from pages.parts.kit.selection import Selection

ABOUT = (
    "**Where the cue lies.** In the training pictures of classifiers A to D one class always had a second thing. "
    "Choose one of them and look through its atlas, class by class: where does a cell argue for a class whose patches "
    "do not show that class? Then foretell: which cell's picture, pasted into a corner, turns most other images into "
    "that class? Open the answer: the atlas alone chooses five cells, and the page measures how often they fool the "
    "classifier, beside cells at random and noise."
)
READING = (
    "**The lesson.** The answer's five cells are those with the largest mean attribution to the cue's class. In the "
    "honest classifier such cells show the class itself, and a patch of it fools by being one. *Pitfall:* a cue that "
    "fills the picture, such as the sea behind a boat, is not pasted into a corner: there the atlas may be right and "
    "the patch without effect."
)


def view(selection: Selection, picture, side) -> None:
    """The atlas coloured by what speaks for the cue's class; elsewhere what to choose."""
    reason = planted.reason_of(selection.classifier, "at.lesson", picture, side)
    if reason is None:
        return
    with side:
        kind = controls.one_of("Paste", "at.paste", attack.PICTURES)
        settings = asking.choose(selection)
    with picture:
        st.markdown(ABOUT)
        top, below = st.container(), st.container()
        found = asking.results(selection, settings)
        if found is None:
            return
        with top:
            chosen = drawing.draw(found, key="atlas-lesson", height=520)
            cell.panel(found, chosen)
        with below, planted.answer("at-lesson") as answer:
            if answer.open:
                _answer(selection, found, reason, kind)


def _answer(selection: Selection, found: asking.AtlasResults, reason: Reason, kind: str) -> None:
    planted.told(reason)
    target = selection.classifier.labels.index(REASONS[reason].label)
    attack.foretelling(found, target, (kind, 0.3, "bottom right"), "lesson-foretold")
