"""The attribution graph of a class: layers as rows, channels as pictures, influences as edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from interp import class_summary
from interp.class_summary import ChannelKey, ClassGraph, ClassSummary, GraphSettings, JudgedGraph, files
from pages.parts.class_summary import asking, counting, drawing, effects, from_file, looks, vertex, vertices
from pages.parts.class_summary.counting import CountedSelection
from pages.parts.class_summary.from_file import OpenedFile
from pages.parts.class_summary.graph_view import DrawnGraph, draw_graph, height_of, sentence
from pages.parts.class_summary.looks import DetectedConcept
from pages.parts.kit import address, export, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

KEY = "cs.vertex"

COUNTED = (
    "**Class graph.** Rows are layers, the last at the top. A channel stands out in an image where it is among the few "
    "whose largest activations make up 3% of the layer's sum: $A_{cj}$ is in how many images of class $c$ channel $j$ "
    "does. (Of class $c$ is an image by its label or, by *Predictions*, where the classifier says so.) Channel $i$ of "
    "the layer before influences it where the largest value over positions of $X_i * K_i^{(j)}$, what the convolution "
    "gives for $i$ alone, is among the five largest above 0: $I_{cij}$ is in how many images. "
    "Through inner layers of a block the weaker of the steps counts, and the strongest path wins. On the graph of all "
    "channels with the weights $I$, PageRank that restarts in proportion to $A$ ranks them, and of each layer the "
    "first are kept (Hohman, Park, Robinson and Chau 2019, Summit). Size is $A$, width of an edge is $I$.\n\n"
    "*How sure is it?* Each vertex and edge says in which share of 100 draws, of as many images of the class with "
    "replacement, it stays in the graph (bootstrap), and in which share of draws of other classes' images it is: what "
    "stays then, too, is everybody's, not the class's own. *Pitfalls:* influence by convolution is not what a "
    "channel does to another: it leaves out biases and what other inputs take away, and it does not know the class's "
    "score. Summit marks inputs that bring nothing too, convolves with stride 3 and leaves five channels out by hand; "
    "we do not. A bootstrap says how much rests on which images were there, not whether the rule is right. Pictures "
    "are cut from the class's own images where the channel is strongest."
)
READING = f"{COUNTED}\n\n{effects.READING}"


@dataclass(frozen=True)
class GraphChoices:
    """What is chosen beside the class: what is counted, what is kept of it, what edges are, if concepts are named."""

    layers: tuple[str, ...]
    settings: GraphSettings
    share: float
    edges_by: str
    labelled: bool


def view(selection: Selection, picture, side) -> None:
    """The graph of the chosen class, and the pinned vertex; or the graph of a file."""
    with side:
        layers = asking.choose_layers(selection, picture)
        place, edges = st.container(), st.container()
        settings = asking.choose_settings()
        share = asking.choose_share()
        by_predictions = counting.choose(selection)
        looks.choose_pictures()
        labelled = looks.choose_labels()
        file = from_file.opened()
    if file is not None:
        with picture:
            _of_file(file, settings, place)
    elif layers is not None:
        with edges:
            by = effects.choose()
        with picture:
            counted = counting.counted(selection, by_predictions)
        if counted is not None:
            _of_class(counted, GraphChoices(layers, settings, share, by, labelled), picture, place)


def _of_file(file: OpenedFile, settings: GraphSettings, place) -> None:
    if isinstance(file.content, ClassGraph):
        from_file.draw(file.name, file.content)
    elif file.content is not None:
        from_file.told(file.name, file.content)
        with place:
            number = asking.choose_class(file.content)
        if number is not None:
            judged = JudgedGraph(asking.graph(file.content, number, settings), None, 0)
            st.markdown(_said(file.content, judged, number))
            shown = drawing.drawn(judged.graph)
            about = f"Attribution graph of {file.content.labels[number]}. {sentence(shown)}"
            _draw(shown, file.content, judged, number, about, None)
            _table(file.content, judged, number)


def _of_class(counted: CountedSelection, choices: GraphChoices, picture, place) -> None:
    selection, settings, by = counted.own, choices.settings, choices.edges_by
    with picture:
        told, drawn, below = st.container(), st.container(), st.container()
        with below:
            summary, done = asking.summary(counted, choices.layers, choices.share)
        if summary is None:
            return
        with place:
            number = asking.choose_class(summary)
        if number is None:
            return
        judged, seen, effect, detected = JudgedGraph(asking.graph(summary, number, settings), None, 0), None, None, None
        pinned, asked = _pinned(judged.graph), None
        if done:
            # What is asked last comes first: the pictures.
            effect = None if pinned is None else vertex.ask_effect(selection, vertices.key_of(pinned))
            with below:
                detected = looks.concepts(selection, judged.graph) if choices.labelled else None
            judging = asking.judging(counted, summary, number, settings)
            asked = None if by == effects.INFLUENCE else effects.ask(selection, judged.graph, number)
            with below:
                seen = vertices.seen(selection, judged.graph, number)
                waiting.settled(judging)
                if asked is not None:
                    waiting.settled(asked)
            judged = judging.latest(judged)
        with told:
            st.markdown(_said(summary, judged, number, None if done else len(selection.photos)))
        with drawn:
            shown = drawing.drawn(judged.graph, seen=seen, support=judged.support, concepts=detected)
            if asked is not None:
                shown = effects.drawn(shown, asked.latest({}), by)
                effects.said(shown, asked, by)
            about = f"Attribution graph of {summary.labels[number]}. {sentence(shown)}"
            _draw(shown, summary, judged, number, about, pinned)
        if asked is not None and asked.state == "done":
            effects.agreements(summary, number, asked.value)
        if pinned is not None and effect is not None:
            vertex.section(selection, summary, judged, number, vertices.key_of(pinned), seen, effect, detected)
        if done:
            _table(summary, judged, number, detected)


def _draw(
    shown: DrawnGraph, summary: ClassSummary, judged: JudgedGraph, number: int, about: str, pinned: str | None
) -> None:
    json = class_summary.written(judged.graph)
    name = f"loupe-{summary.classifier}-{number}"
    draw_graph(shown, key="cs-graph", on_pinned=_pin, label=about, pinned=pinned, json_text=json,
               height=height_of(shown), file_name=name)  # fmt: skip


def _pin(pinned: str | None) -> None:
    st.session_state[KEY] = pinned or ""


def _pinned(graph: ClassGraph) -> str | None:
    names = {vertices.name_of(one.key) for one in graph.vertices}
    chosen = address.seed(KEY, "", valid=lambda one: True, parse=str)
    st.session_state.setdefault(KEY, chosen)
    address.publish(KEY, chosen or None)
    return chosen if chosen in names else None


def _said(summary: ClassSummary, judged: JudgedGraph, number: int, of: int | None = None) -> str:
    """What the graph is made of: of so many images in the end, or of all there are."""
    graph, images = judged.graph, int(summary.images[number])
    some = "" if of is None else f" (of {of:,} images of the set {int(summary.images.sum()):,} so far)"
    said = (
        f"**{plain(summary.labels[number])}**: {len(graph.vertices)} channels of {len(graph.layers)} layers and "
        f"{len(graph.edges)} {'influence' if len(graph.edges) == 1 else 'influences'}, from {images:,} "
        f"{'image' if images == 1 else 'images'}{some}."
    )
    if judged.support is not None:
        firm = float((judged.support.vertices >= 0.9).mean())
        said += f" {firm:.0%} of its channels stay in at least 90 of 100 draws of its images."
        others = judged.support.vertices_of_others
        if not np.isnan(others).any():
            said += (
                f" {int((others < drawing.EVERYBODY).sum())} are its own: in draws of other classes' images they are "
                "there in less than half."
            )
    if graph.share and graph.share > 0.6:
        said += f" So that every layer keeps an edge, {graph.share:.0%} of each is kept."
    missing = sorted({name for names in summary.left_out.values() for name in names})
    if missing:
        said += (
            f" What goes through {plain(', '.join(missing), limit=200)} is not followed: it mixes channels by itself."
        )
    if summary.unlabelled and of is None:
        said += f" Without a label among the classes: {summary.unlabelled:,} images of the set."
    return said


def _table(
    summary: ClassSummary,
    judged: JudgedGraph,
    number: int,
    detected: Mapping[ChannelKey, DetectedConcept] | None = None,
) -> None:
    with st.expander("The numbers of the graph", key="cs-numbers", on_change="rerun") as opened:
        if not opened.open:
            return
        graph, support = judged.graph, judged.support
        unknown = np.full(len(graph.vertices), np.nan)
        stays = unknown if support is None else support.vertices
        of_others = unknown if support is None else support.vertices_of_others
        rows = [
            {
                "layer": one.layer,
                "channel": one.channel,
                "images": one.count,
                "of": int(summary.images[number]),
                "PageRank": one.pagerank,
                "in draws": float(stays[place]),
                "of other classes": float(of_others[place]),
            }
            | ({} if detected is None else {"detects": _named(detected.get(one.key))})
            for place, one in enumerate(graph.vertices)
        ]
        st.dataframe(export.shown(rows), hide_index=True, height=320)
        export.download("Channels as CSV", "loupe-class-graph.csv", lambda: rows)
        export.download("The summary of all classes as NPZ", "loupe-summary.npz", lambda: files.arrays_of(summary))


def _named(concept: DetectedConcept | None) -> str:
    return "" if concept is None else f"{concept.name} ({concept.iou:.2f})"
