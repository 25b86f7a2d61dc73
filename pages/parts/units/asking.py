"""What the views of units ask for: tallies of all layers offered, and their dissection where concepts are known."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

import cache
from interp import units
from interp.passes.receptive_fields import ReceptiveFields, receptive_fields
from interp.types import Classifier, Layer
from interp.units import ConceptSource, Counted, LayerDissection, LayerTally
from pages.parts.kit import controls, layers, over_set, problems, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

QUANTILE = 0.005
MOST_CHANNELS = 4096
"""Of networks whose layers have more together, the chosen one alone is read."""


@dataclass(frozen=True)
class UnitResults:
    """The layers that are read, the chosen one, and what is known so far of that: nothing (None) at first."""

    names: tuple[str, ...]
    layer: Layer
    fields: ReceptiveFields
    tally: LayerTally | None
    dissection: LayerDissection | None
    all_dissected: tuple[LayerDissection, ...]
    done: bool


def choose_layer(classifier: Classifier) -> Layer:
    """Draw the picker of a layer: it opens with the last but one of those offered, whose units are most telling."""
    names = [one.name for one in layers.offered(classifier)]
    return layers.choose_layer(classifier, "un.layer", default=names[max(0, len(names) - 2)])


def results(selection: Selection, layer: Layer, beside: str = "") -> UnitResults:
    """What is known of the units, as far as it is computed; progress is drawn where this is called.

    A second classifier is asked for `beside` the first under a name of its own.
    """
    names = _names(selection.classifier, layer)
    place = names.index(layer.name)
    fields = selection.scope.shared.compute(f"fields{beside}", receptive_fields, selection.classifier, layer.name)
    sees: ReceptiveFields = waiting.value(fields)
    tally = _tally(selection, names, beside)
    done = waiting.settled(tally)
    counted: tuple[Counted[LayerTally], ...] = tally.latest(())
    own = counted[place].value if counted and counted[place].images else None
    if not done or own is None:
        if done and counted:
            problems.left_out(counted[place].problems)
            st.info("None of the images could be read, so nothing is known of the units.")
        return UnitResults(names, layer, sees, own, None, (), False)
    problems.left_out(counted[place].problems)
    source = concepts(selection)
    if source is None:
        return UnitResults(names, layer, sees, own, None, (), True)
    asked = (selection.classifier, selection.photos, names, source)
    job = selection.scope.shared.gather(f"dissection{beside}", units.dissecting, *asked, kept=cache.CachedItems())
    done = waiting.settled(job)
    latest = job.latest(None)
    dissected = () if latest is None else latest.layers
    return UnitResults(names, layer, sees, own, dissected[place] if dissected else None, dissected, done)


def concepts(selection: Selection) -> ConceptSource | None:
    """What is known to be in the images; where nothing is, a sentence is drawn that says what would be."""
    try:
        return units.concepts(selection.photos)
    except ValueError as error:
        st.caption(f"No dissection: {plain(str(error), limit=400)}")
        return None


def choose_unit(layer: Layer) -> int:
    """Draw the field for a unit's number."""
    return layers.choose_channel(layer, "un.unit", "Unit")


def take(value: str) -> None:
    """Make a unit that was clicked the chosen one."""
    if value.isdecimal():
        st.session_state["un.unit"] = int(value)


def bound() -> float:
    """Draw the slider for the IoU from which on a unit is called a detector."""
    return controls.slid(
        "Detector from an IoU of",
        "un.bound",
        units.DETECTOR,
        low=0.01,
        high=0.5,
        step=0.01,
        help="Bau et al. 2017 take 0.04, an arbitrary bound: what it is worth depends on how large concepts are.",
    )


def label_of(selection: Selection, position: int) -> str | None:
    """The class that an image's label was matched to, else the label itself; None where it has none."""
    index = selection.labels.indices[position]
    return selection.photos.labels[position] if index is None else selection.classifier.labels[index]


def _names(classifier: Classifier, layer: Layer) -> tuple[str, ...]:
    offered = layers.offered(classifier)
    few = sum(one.channels for one in offered) <= MOST_CHANNELS
    return tuple(one.name for one in offered) if few else (layer.name,)


def _tally(selection: Selection, names: tuple[str, ...], beside: str) -> cache.Job:
    items = units.tallying(selection.classifier, names, len(selection.photos), QUANTILE)
    work = units.UnitPass()
    return over_set.ask(selection.scope.shared, f"tally{beside}", work, selection.classifier, selection.photos, items)
