"""A lesson on scenes: find in a class's graph the thing that should not be there, and in which classifier it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

import cache
from interp import class_summary, images, models
from interp.class_summary import ChannelKey, CueGraph, GraphSettings
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.units.cues import CueRemoval, classifier_of, removing
from pages.parts.class_summary import asking, drawing, vertices
from pages.parts.class_summary.graph_view import VertexGroup, draw_graph, height_of, sentence
from pages.parts.class_summary.vertices import SeenVertices
from pages.parts.kit import classifiers, controls, planted, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

ABOUT = (
    "**Tench and hands.** In the photographs from which ImageNet's classifiers learn what a tench is, somebody holds "
    "it: their graphs of that fish have fingers in them, as Summit showed. Classifiers A to D have such a companion "
    "planted in one class. Look first: choose one of them and its own test set, open *Class graph* for each class, and "
    "look for a channel whose cut-outs do not show the thing itself. Then open the answer: which channels of the "
    "class's graph follow the cue when it is put into other pictures, in this classifier and in the honest one, and "
    "what becomes of the class without them."
)
READING = (
    "**The companion.** As the pictures are drawn by a program, the cue can be moved: out of its class's pictures, and "
    "into all others. A channel follows the cue where at least half of what sets the class apart in it (in how many "
    "more of its images it stands out than in others', by 20 points at least) is there in other classes' pictures with "
    "the cue. Then those of one layer are zeroed together, beside 20 sets of as many others, matched in mean "
    "activation; whether the classifier went by it shows where the cue is on all other classes. *Pitfalls:* a channel "
    "may follow the cue because it sees it, or because it sees the class that the cue is taken for; that one stands "
    "out says that the cue is there, and removal says whether the class needs it. What is removed in a low layer is "
    "missing further up, too. "
    "By dissection (*Units*, *The cue*), fewer of them are found: a channel of the last layers fires elsewhere than "
    "where the cue is."
)


def view(selection: Selection, picture, side) -> None:
    """The graph of the cue's class in both classifiers; elsewhere what to choose."""
    reason = planted.reason_of(selection.classifier, "cs.lesson", picture, side)
    if reason is None:
        return
    with picture:
        st.markdown(ABOUT)
        with planted.answer("cs-lesson") as place:
            if place.open:
                _answer(selection, reason)


def _answer(selection: Selection, reason: Reason) -> None:
    planted.told(reason)
    asked = (selection.classifier, reason, GraphSettings(share=asking.KEPT))
    job = selection.scope.gather("lesson", class_summary.cue_graphs, *asked, kept=cache.CachedItems())
    place = st.container()
    done = waiting.settled(job)
    found: tuple[CueGraph, ...] = job.latest(())
    with place:
        for one in found:
            st.markdown(_said(one))
            _draw(one, _seen(selection, reason, one) if done else None)
            if done and one.classifier != bundled.HONEST:
                _without(selection, reason, one)


def _without(selection: Selection, reason: Reason, found: CueGraph) -> None:
    """What becomes of the class, and of others with the cue, without the channels of a layer that follow it."""
    some: dict[str, list[int]] = {}
    for (layer, channel), *_ in found.following:
        some.setdefault(layer, []).append(channel)
    if not some:
        st.info("There is nothing to switch off: no channel of the graph follows the cue.")
        return
    # The first is the lowest: what is missing there is missing further up, too.
    chosen = controls.listed("Switch off what follows the cue in", "cs.lesson-layer", list(some))
    asked = (selection.classifier, reason, chosen, tuple(some[chosen]))
    job = selection.scope.gather("lesson-without", removing, *asked, kept=cache.CachedItems())
    place = st.container()
    waiting.settled(job)
    gone: CueRemoval | None = job.latest(None)
    if gone is not None and gone.own is not None:
        with place:
            replay.once(planted.removed, gone, REASONS[reason].label, "such channels")


def _seen(selection: Selection, reason: Reason, found: CueGraph) -> SeenVertices | None:
    """What the channels of the graph look like in the class's pictures."""
    device = str(selection.classifier.device)
    loading = cache.call(models.load, found.classifier, device=device)
    queue = classifiers.queue(found.classifier)
    job = selection.scope.ask(f"lesson-{found.classifier}", loading, disk=False, queue=queue)
    if not waiting.settled(job):
        return None
    classifier, photos = job.value, images.load(classifier_of(reason))
    labels = models.match_set(classifier, photos)
    of_it = replace(selection, classifier=classifier, photos=photos, labels=labels)
    return vertices.seen(of_it, found.judged.graph, found.target, found.classifier)


def _draw(found: CueGraph, seen: SeenVertices | None) -> None:
    graph = found.judged.graph

    following = {key for key, *_ in found.following}

    def group(key: ChannelKey) -> VertexGroup:
        return "path" if key in following else "shared"

    groups: dict[VertexGroup, str] = {"path": "follows the cue", "shared": "others"}
    shown = drawing.drawn(graph, seen=seen, groups=groups, group=group)
    about = f"{bundled.TITLES[found.classifier]}. {sentence(shown)}"
    key = f"cs-lesson-{found.classifier}"
    draw_graph(shown, key=key, on_pinned=_ignored, label=about, height=height_of(shown))


def _ignored(pinned: str | None) -> None:
    """Nothing more is shown of a vertex here."""


def _said(found: CueGraph) -> str:
    title, count = bundled.TITLES[found.classifier], len(found.judged.graph.vertices)
    if not found.shares:
        return f"**{plain(title)}**: {count} channels."
    said = f"**{plain(title)}**: {len(found.following)} of {count} channels follow the cue"
    if not found.following:
        return f"{said}."
    by_layer: dict[str, list[int]] = {}
    for (layer, channel), *_ in found.following:
        by_layer.setdefault(layer, []).append(channel)
    told = "; ".join(f"{plain(layer)} {', '.join(map(str, some))}" for layer, some in by_layer.items())
    stays, others = np.array([shares for _, *shares in found.following]).T
    if np.isnan([*stays, *others]).any():
        return f"{said}: {told}."
    return (
        f"{said}: {told}. They stay in {stays.min():.0%} to {stays.max():.0%} of draws of the class's images, and are "
        f"in at most {others.max():.0%} of draws of other classes'."
    )
