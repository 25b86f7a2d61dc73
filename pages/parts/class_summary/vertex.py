"""The pinned vertex: what the channel sees in the class's images, what it reads and what reads it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

import cache
from interp import units
from interp.class_summary import ChannelKey, ClassSummary, JudgedGraph
from interp.figures import unit_effects
from interp.figures import units as figures
from interp.units import Ablated
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.class_summary.looks import DetectedConcept
from pages.parts.class_summary.vertices import SHOWN, SeenVertices
from pages.parts.kit import export, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened

STRONGEST = 8
DRAWS = 20


def section(
    selection: Selection, summary: ClassSummary, judged: JudgedGraph, number: int, key: ChannelKey,
    seen: SeenVertices | None, effect: cache.Job, detected: Mapping[ChannelKey, DetectedConcept] | None,
) -> None:  # fmt: skip
    """Draw what is known of a vertex."""
    layer, channel = key
    st.markdown(f"#### {plain(layer)}, channel {channel}")
    st.markdown(_classes(summary, number, key))
    if detected is not None:
        concept = detected.get(key)
        st.markdown(f"It {plain(str(concept))}." if concept else "It detects no concept that is known in the set.")
    if seen is not None and layer in seen.tallies:
        _images(selection, seen, key)
    _effect(summary, number, effect)
    pairs = list(summary.influences)
    below, above = st.columns(2)
    for pair, of in summary.influences.items():
        own = of[number]
        if pair[1] == layer:
            _influences(below, f"What it reads, of {plain(pair[0])}", own[:, channel], judged, pair[0])
        if pair[0] == layer:
            _influences(above, f"What reads it, in {plain(pair[1])}", own[channel], judged, pair[1])
    if pairs:
        st.caption("Influence: in how many of the class's images it is among the five strongest inputs. "
                   "*One unit* on the page Units has the channel from all sides.")  # fmt: skip


def _classes(summary: ClassSummary, number: int, key: ChannelKey) -> str:
    """In which classes the channel stands out."""
    counts = summary.counts[key[0]][:, key[1]]
    shares = {one: counts[one] / summary.images[one] for one in summary.seen.tolist()}
    order = sorted(shares, key=lambda one: -shares[one])
    place = order.index(number) + 1
    best = ", ".join(f"{plain(summary.labels[one])} {shares[one]:.0%}" for one in order[:5])
    return (
        f"It stands out in {shares[number]:.0%} of the images of *{plain(summary.labels[number])}*, number {place} of "
        f"{len(order)} classes: {best}."
    )


def ask_effect(selection: Selection, key: ChannelKey) -> cache.Job:
    """Ask for what each class loses without a channel: before what comes sooner, which goes first then."""
    layer, channel = key
    # As the page of units asks for one unit, so that it is computed once for both.
    how = {"to": "zero", "draws": DRAWS, "kept": cache.CachedItems()}
    given = (selection.classifier, selection.photos, layer, (channel,))
    return selection.scope.gather("vertex-effect", units.ablating, *given, **how)


def _effect(summary: ClassSummary, number: int, job: cache.Job) -> None:
    """What the class loses without the channel, beside others that are as active."""
    place = st.container()
    waiting.settled(job)
    found: Ablated | None = job.latest(None)
    if found is None:
        return
    changes, drawn = unit_effects.change(found, "logit")
    if np.isnan(changes[number]):
        return
    order = int((changes < changes[number]).sum()) + 1
    beside = ""
    if len(drawn):
        beaten = float((drawn[:, number] > changes[number]).mean())
        beside = f"; without one of {len(drawn)} others as active it falls less in {beaten:.0%} of draws"
    amount = f"{changes[number]:+.3g}".replace("-", "−")
    place.markdown(
        f"**Without it** (zeroed) the mean logit of *{plain(summary.labels[number])}* over its own images changes by "
        f"{amount}, number {order} of {int((~np.isnan(changes)).sum())} classes from the largest fall{beside}."
    )


def _images(selection: Selection, seen: SeenVertices, key: ChannelKey) -> None:
    tally, fields = seen.tallies[key[0]], seen.fields[key[0]]
    there = tally.images[key[1]] >= 0
    images, places = tally.images[key[1]][there][:SHOWN], tally.places[key[1]][there][:SHOWN]
    boxes = tuple(((int(one), fields.box(*at.tolist())),) for one, at in zip(images, places, strict=True))
    job = selection.scope.read("vertex", figures.crops, selection.classifier, selection.photos, boxes)
    squares = job.value if waiting.there(job, 1.0) else (None,) * len(boxes)
    cards = [
        PictureCard(f"{value:.3g}", shortened(selection.photos.names[int(one)], 16))
        for one, value in zip(images, tally.values[key[1]], strict=False)
    ]
    st.markdown("**Strongest in the class**, cut to what it sees")
    picturecards.draw(squares, cards, side=110)


def _influences(place, title: str, influences, judged: JudgedGraph, layer: str) -> None:
    among = judged.graph.channels(layer)
    rows = [
        {"channel": int(one), "images": int(influences[one]), "in the graph": int(one) in among}
        for one in (-influences).argsort(kind="stable")[:STRONGEST]
        if influences[one] > 0
    ]
    with place:
        st.markdown(f"**{title}**")
        if rows:
            st.dataframe(export.shown(rows), hide_index=True)
        else:
            st.caption("Nothing.")
