"""What the views of units ask for: tallies of all layers offered, and their dissection where concepts are known."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

import cache
from interp import units
from interp.passes.receptive_fields import ReceptiveFields, receptive_fields
from interp.types import Classifier, Layer
from interp.units import ConceptSource, Counted, Dissection, LayerDissection, LayerTally
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
    """Draw the picker of a layer: it opens with the last but one of those offered, whose units are most telling.

    A layer inside a block, to which a unit's inputs lead, is offered while it is chosen.
    """
    names = [one.name for one in layers.offered(classifier)]
    return layers.choose_layer(classifier, "un.layer", default=names[max(0, len(names) - 2)], inner=True)


def results(selection: Selection, layer: Layer, beside: str = "") -> UnitResults:
    """What is known of the units, as far as it is computed; progress is drawn where this is called.

    A second classifier is asked for `beside` the first under a name of its own.
    """
    names = _names(selection.classifier, layer)
    place = names.index(layer.name)
    fields = selection.scope.shared.compute(f"fields{beside}", receptive_fields, selection.classifier, layer.name)
    sees: ReceptiveFields = waiting.value(fields)
    job = counting(selection, layer, beside)
    done, tallied = waiting.settled(job), tallies(job)
    latest = job.latest(None)
    if done and tallied:
        problems.left_out(tallied[place].problems)
    if not tallied or not tallied[place].images:
        if done and tallied:
            st.info("None of the images could be read, so nothing is known of the units.")
        return UnitResults(names, layer, sees, None, None, (), False)
    dissected = latest.layers if isinstance(latest, Dissection) else ()
    own = dissected[place] if dissected else None
    return UnitResults(names, layer, sees, tallied[place].value, own, dissected, done)


def counting(selection: Selection, layer: Layer, beside: str = "") -> cache.Job:
    """The job that `results` reads: tallies alone, or where concepts are known, dissection."""
    names, source, scope = _names(selection.classifier, layer), _concepts(selection), selection.scope.shared
    asked = (selection.classifier, selection.photos)
    if not isinstance(source, str):
        return scope.compute(f"dissection{beside}", units.dissecting, *asked, names, source, kept=cache.CachedItems())
    items = units.tallying(selection.classifier, names, len(selection.photos), QUANTILE)
    return over_set.ask(scope, f"tally{beside}", units.UnitPass(), *asked, items)


def tallies(job: cache.Job) -> tuple[Counted[LayerTally], ...]:
    """The tallies of the layers that are read together, as far as that job has them."""
    latest = job.latest(())
    return latest.tallied if isinstance(latest, Dissection) else latest


def concepts(selection: Selection) -> ConceptSource | None:
    """What is known to be in the images; where nothing is, a sentence is drawn that says why.

    A view calls it where its dissection would stand, above what `results` draws.
    """
    source = _concepts(selection)
    if isinstance(source, str):
        st.caption(f"No dissection: {plain(source, limit=400)}")
        return None
    return source


def _concepts(selection: Selection) -> ConceptSource | str:
    try:
        return units.concepts(selection.photos)
    except ValueError as error:
        return str(error)


def choose_unit(layer: Layer) -> int:
    """Draw the field for a unit's number."""
    return layers.choose_channel(layer, "un.unit", "Unit")


def take(value: str) -> None:
    """Make a unit that was clicked the chosen one."""
    if value.isdecimal():
        st.session_state["un.unit"] = int(value)


def go(value: str) -> None:
    """Make a unit of another layer the chosen one: `value` is the layer's name, a bar, and the unit's number."""
    layer, _, unit = value.rpartition("|")
    if unit.isdecimal():
        st.session_state["un.layer"], st.session_state["un.unit"] = layer, int(unit)


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
    few = sum(one.channels for one in offered) <= MOST_CHANNELS and layer in offered
    return tuple(one.name for one in offered) if few else (layer.name,)
