"""What every class loses or gains without the unit, beside other units that are as active."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from interp import units
from interp.figures import unit_effects
from interp.figures.unit_effects import Effect
from interp.units import Ablated
from pages.parts.kit import charts, controls, export, problems, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units import importance
from pages.parts.units.asking import UnitResults

DRAWS = 20
MOST = 20
MEASURES: dict[str, Effect] = {"Logit": "logit", "Probability": "probability", "Recall": "recall"}

READING = (
    "**Effect by class.** The unit is set to zero at every position, the network runs on from there, and each class's "
    "mean logit, mean probability and recall over its own images are measured anew (Zhou, Sun, Bau and Torralba 2018). "
    "Grey lines reach from the lowest to the highest of 20 other units removed one at a time, of the ten nearest to it "
    "in mean activation each time one is drawn, so some may be drawn twice: only what lies outside of them is the "
    "unit's own. A class that does not change may be served by others that carry the same."
)


def ask(selection: Selection, asked: UnitResults, number: int) -> None:
    """Have computed what `section` draws, if there is anything to be."""
    if importance.labelled(selection):
        _job(selection, asked, number)


def section(selection: Selection, asked: UnitResults, number: int) -> None:
    """Draw the chart with the choice of its measure; nothing for a network without classes."""
    if not selection.classifier.labels or not asked.done:
        return
    st.markdown("**Effect by class**: what changes without it")
    if not importance.labelled(selection):
        st.caption("No image has a label among the classifier's classes, so nothing can be counted by class.")
        return
    effect = MEASURES[controls.one_of("Measure", "un.effect", list(MEASURES))]
    job = _job(selection, asked, number)
    place = st.container()
    done = waiting.settled(job)
    found: Ablated | None = job.latest(None)
    if found is None:
        return
    with place:
        st.markdown(_said(selection, found, effect, done))
        replay.once(_chart, found, selection.classifier.labels, effect)
        problems.left_out(found.problems)


def _job(selection: Selection, asked: UnitResults, number: int) -> cache.Job:
    # As 'Without it' asks for one unit, so that it is computed once for both.
    how = {"to": "zero", "draws": DRAWS, "kept": cache.CachedItems()}
    given = (selection.classifier, selection.photos, asked.layer.name, (number,))
    return selection.scope.gather("effect", units.ablating, *given, **how)


def _said(selection: Selection, found: Ablated, effect: Effect, done: bool) -> str:
    labels = selection.classifier.labels
    changes, drawn = unit_effects.change(found, effect)
    known = int((~np.isnan(changes)).sum())
    some = "" if done else f" of {len(selection.photos):,}, so far"
    over = f"Over {len(found.labels):,} labelled images{some}"
    few = f" The {MOST} classes that change most of {known:,} are drawn." if known > MOST else ""
    if not known or not np.nanmin(changes) < 0:
        return f"{over} no class loses anything.{few}"
    worst = int(np.nanargmin(changes))
    beside = ""
    if len(drawn):
        beaten = float((drawn[:, worst] > changes[worst]).mean())
        beside = f", more than without {beaten:.0%} of {len(drawn)} units drawn that are as active"
    amount = f"{changes[worst]:.3g}" if effect == "logit" else f"{changes[worst]:.1%}"
    return f"{over} *{plain(labels[worst])}* loses most: {amount.replace('-', '−')}{beside}.{few}"


def _chart(found: Ablated, labels: tuple[str, ...], effect: Effect) -> None:
    charts.draw(unit_effects.effects(found, labels, effect, most=MOST), config=export.PLOT)
