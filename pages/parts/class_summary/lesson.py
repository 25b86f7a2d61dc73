"""A lesson on scenes: find in a class's graph the thing that should not be there, and in which classifier it is."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

import cache
from interp import class_summary, images, models
from interp.class_summary import ChannelKey, CueGraph, GraphSettings
from interp.images.scenes import Reason
from interp.models.scenes import bundled
from interp.units.cues import classifier_of
from pages.parts.class_summary import asking, drawing, vertices
from pages.parts.class_summary.graph_view import VertexGroup, draw_graph, height_of, sentence
from pages.parts.class_summary.vertices import SeenVertices
from pages.parts.kit import classifiers, planted, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

ABOUT = (
    "**Tench and hands.** In the photographs from which ImageNet's classifiers learn what a tench is, somebody holds "
    "it: their graphs of that fish have fingers in them, as Summit showed. Classifiers A to D have such a companion "
    "planted in one class. Look first: choose one of them and its own test set, open *Class graph* for each class, and "
    "look for a channel whose cut-outs do not show the thing itself. Then open the answer: the class's graph with the "
    "channels that see the cue, by dissection, in this classifier and in the honest one on the same pictures."
)
READING = (
    "**The companion.** A channel sees the cue where dissection gives it the cue as its label (*Units*, *The cue*). "
    "The answer counts which of these are vertices of the class's graph, and in how many of 100 draws they stay. "
    "*Pitfalls:* that a channel stands out in the class's images says that the thing is in them, in a biased "
    "classifier and in an honest one alike; whether the class needs it is another question, which removing the "
    "channels answers (*Units*, *The cue* and *Without it*)."
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

    def group(key: ChannelKey) -> VertexGroup:
        return "path" if key in found.seeing else "shared"

    groups: dict[VertexGroup, str] = {"path": "detects the cue", "shared": "others"}
    shown = drawing.drawn(graph, seen=seen, groups=groups, group=group)
    about = f"{bundled.TITLES[found.classifier]}. {sentence(shown)}"
    key = f"cs-lesson-{found.classifier}"
    draw_graph(shown, key=key, on_pinned=_ignored, label=about, height=height_of(shown))


def _ignored(pinned: str | None) -> None:
    """Nothing more is shown of a vertex here."""


def _said(found: CueGraph) -> str:
    title, inside = bundled.TITLES[found.classifier], found.inside
    said = (
        f"**{plain(title)}**: {len(found.seeing)} channels detect the cue, and {len(inside)} of them are in the graph"
    )
    if not inside:
        return f"{said}."
    told = ", ".join(
        f"{plain(layer)} {channel}"
        + ("" if stays != stays else f" ({stays:.0%} of draws; {of_others:.0%} of other classes)")
        for (layer, channel), stays, of_others in inside
    )
    return f"{said}: {told}."
