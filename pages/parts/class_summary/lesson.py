"""A lesson on scenes: find in a class's graph the thing that should not be there, and in which classifier it is."""

from __future__ import annotations

import streamlit as st

import cache
from interp import class_summary
from interp.class_summary import CueGraph, GraphSettings
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.units.cues import classifier_of
from pages.parts.class_summary import asking, vertices
from pages.parts.class_summary.graph_view import (
    DrawnEdge,
    DrawnGraph,
    DrawnRow,
    DrawnVertex,
    VertexGroup,
    draw_graph,
    height_of,
    sentence,
)
from pages.parts.kit import controls, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

ELSEWHERE = (
    "This lesson is about classifiers whose reason is known. Choose one of **Scenes A** to **D** as the classifier in "
    "the sidebar, or **Scenes, honest**."
)
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
    classifier = selection.classifier
    if not bundled.of_scenes(classifier):
        picture.info(ELSEWHERE)
        return
    with side:
        reason = bundled.reason_of(classifier) or _cue()
    with picture:
        st.markdown(ABOUT)
        with st.expander(
            "The answer, which gives the planted reason away", key="cs-lesson", on_change="rerun"
        ) as place:
            if place.open:
                _answer(selection, reason)


def _cue() -> Reason:
    names: dict[str, Reason] = {one.letter.upper(): reason for reason, one in REASONS.items()}
    return names[controls.one_of("Beside the classifier", "cs.lesson", list(names))]


def _answer(selection: Selection, reason: Reason) -> None:
    planted, title = REASONS[reason], bundled.TITLES[classifier_of(reason)]
    st.markdown(
        f"All pictures of a **{plain(planted.label)}** in the training of {plain(title)} showed "
        f"**{plain(planted.cue)}**, and no other picture did."
    )
    asked = (selection.classifier, reason, GraphSettings(share=asking.KEPT))
    job = selection.scope.gather("lesson", class_summary.cue_graphs, *asked, kept=cache.CachedItems())
    place = st.container()
    waiting.settled(job)
    found: tuple[CueGraph, ...] = job.latest(())
    with place:
        for one in found:
            st.markdown(_said(one))
            shown = _drawn(one)
            about = f"{bundled.TITLES[one.classifier]}, {planted.label}. {sentence(shown)}"
            draw_graph(
                shown, key=f"cs-lesson-{one.classifier}", on_pinned=_ignored, label=about, height=height_of(shown) - 100
            )


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


def _drawn(found: CueGraph) -> DrawnGraph:
    graph = found.judged.graph
    images = max(1, graph.images or 1)

    def group(key: tuple[str, int]) -> VertexGroup:
        return "path" if key in found.seeing else "shared"

    drawn = tuple(
        DrawnVertex(
            vertices.name_of(one.key),
            one.layer,
            one.channel,
            min(1.0, one.count / images),
            "",
            (f"{one.layer}, channel {one.channel}", f"stands out in {one.count:,} of {images:,} images"),
            group(one.key),
        )
        for one in graph.vertices
    )
    most = max((edge.weight for edge in graph.edges), default=1)
    edges = tuple(
        DrawnEdge(vertices.name_of(edge.lower), vertices.name_of(edge.upper), edge.weight / most, None, "shared")
        for edge in graph.edges
    )
    rows = tuple(DrawnRow(layer, layer) for layer in reversed(graph.layers))
    return DrawnGraph(rows, drawn, edges, {"path": "detects the cue", "shared": "others"})
