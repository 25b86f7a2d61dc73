"""What the channels of a graph are shown by: pictures that were made for them, and the concept that each detects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

import cache
from interp import feature_visualization as fv
from interp import units
from interp.class_summary import ChannelKey, ClassGraph
from interp.images.data_urls import data_url
from interp.units import Dissection
from pages.parts.cards import making
from pages.parts.kit import controls, layers, waiting
from pages.parts.kit.markup import shrunk
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

PICTURES = ("Cut-outs", "Visualized")
LABELS = ("None", "Concepts")
SIDE = 72


@dataclass(frozen=True)
class DetectedConcept:
    """The concept whose masks a channel's overlap most, over the bound of a detector; `odds` beside exchanged masks."""

    category: str
    name: str
    iou: float
    odds: float

    def __str__(self) -> str:
        return f"detects {self.name} ({self.category}): IoU {self.iou:.2f}, {self.odds:.1f} times chance"


def choose_pictures() -> None:
    """Draw the choice of what a channel's picture is; `visualized` reads it."""
    help = (
        "Cut-outs: what the channel sees where it is strongest in the class's images. Visualized: an image that was "
        "optimized to drive the channel, as on the page Feature visualization; these take a while and come one by one."
    )
    controls.one_of("Pictures", "cs.pictures", PICTURES, help=help)


def choose_labels() -> bool:
    """Draw the choice of whether channels are labelled with concepts; gives whether they are."""
    help = (
        "Concepts: network dissection of the graph's layers over the whole set, where what is in its images is known; "
        "a channel is labelled from an IoU of 0.04 on, as on the page Units."
    )
    return controls.one_of("Labels", "cs.labels", LABELS, help=help) == LABELS[1]


def visualized(selection: Selection, graph: ClassGraph, slot: str) -> dict[ChannelKey, str] | None:
    """A picture made for each vertex, as data URLs, as far as they are made; None where cut-outs were chosen.

    Progress is drawn where this is called.
    """
    if st.session_state.get("cs.pictures") != PICTURES[1]:
        return None
    how, keys = making.settings(selection), [one.key for one in graph.vertices]
    objectives = [fv.Channel(*key) for key in keys]
    found, _ = making.pictures(selection.scope, f"visualized{slot}", selection.classifier, how, objectives)
    return {keys[place]: cache.figure(_url, one) for place, one in found.items()}


def _url(picture: fv.Picture) -> str:
    return data_url(shrunk(picture.pixels, SIDE), "webp", quality=80)


def concepts(selection: Selection, graph: ClassGraph) -> Mapping[ChannelKey, DetectedConcept] | None:
    """The concept that each vertex detects, for those that are detectors; None where that is not known (yet).

    Progress is drawn where this is called, or why nothing is known.
    """
    try:
        source = units.concepts(selection.photos)
    except ValueError as error:
        st.caption(f"No labels: {plain(str(error), limit=400)}")
        return None
    offered = tuple(one.name for one in layers.offered(selection.classifier))
    # As the page of units asks, where it reads all these layers, so that it is computed once for both.
    names = offered if set(graph.layers) <= set(offered) else graph.layers
    given = (selection.classifier, selection.photos, names, source)
    job = selection.scope.shared.compute("dissection", units.dissecting, *given, kept=cache.CachedItems())
    waiting.settled(job)
    found = job.latest(None)
    if not isinstance(found, Dissection) or not found.layers:
        return None
    return detected(found, graph)


def detected(found: Dissection, graph: ClassGraph) -> dict[ChannelKey, DetectedConcept]:
    """The concepts of those vertices that are detectors."""
    labelled = {}
    for one in found.layers:
        labels, iou, odds = one.labels(), one.iou(), one.odds()
        for channel in graph.channels(one.layer) if one.layer in graph.layers else ():
            place = int(labels[channel])
            if place >= 0:
                category, name = one.concepts[place]
                value = float(iou[channel, place])
                labelled[one.layer, channel] = DetectedConcept(category, name, value, float(odds[channel, place]))
    return labelled
