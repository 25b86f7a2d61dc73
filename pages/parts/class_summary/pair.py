"""Two classes beside each other: what they share, what is whose own, and where they part."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import streamlit as st

import cache
from interp import class_summary, progress
from interp.class_summary import ClassGraph, ClassSummary, GraphSettings, PairOverlaps
from interp.figures import class_pairs as figures
from interp.set_pass import evenly
from pages.parts.class_summary import asking, counting, drawing, from_file, looks, vertices
from pages.parts.class_summary.graph_view import (
    DrawnEdge,
    DrawnGraph,
    DrawnVertex,
    VertexGroup,
    draw_graph,
    height_of,
    sentence,
)
from pages.parts.class_summary.vertices import SeenVertices
from pages.parts.kit import charts, export, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

MOST_CLASSES = 60
"""Random pairs are drawn among so many classes at most, spread over all."""
CONTRASTED = 12

READING = (
    "**Two classes.** Both graphs in one: channels of both, of the first alone, of the second alone. The curve is the "
    "Jaccard overlap of their channels, $|V_c \\cap V_d| / |V_c \\cup V_d|$, by layer, beside that of random pairs of "
    "classes (mean, and where nine of ten are). Two classes are called together up to a layer as long as they surpass "
    "most random pairs. The table has the channels whose log odds of standing out differ most, with the standard error "
    "(Haldane's and Anscombe's ½ added); many are compared at once, so a few beyond 2 errors are chance."
)


def view(selection: Selection, picture, side) -> None:
    """The joint graph, the overlap by layer, and the channels that differ most."""
    with side:
        layers = asking.choose_layers(selection, picture)
        if layers is None:
            return
        place = st.container()
        settings = asking.choose_settings()
        share = asking.choose_share()
        looks.choose_pictures()
        by_predictions = counting.choose(selection)
        file = from_file.opened()
    with picture:
        counted = None if file is not None else counting.counted(selection, by_predictions)
        above, below = st.container(), st.container()
        with below:
            summary, done = from_file.summary(file) or asking.summary(counted, layers, share)
        if summary is None:
            return
        with place:
            first = asking.choose_class(summary, label="First class")
            second = None if first is None else asking.choose_class(summary, "cs.second", "Second class", first)
        if first is None or second is None:
            st.info("Images of two classes are needed to set one beside the other.")
            return
        graphs = tuple(asking.graph(summary, one, settings) for one in (first, second))
        seen: list[SeenVertices | None] = [None, None]
        if done and counted is not None:
            with below:
                both = zip(graphs, (first, second), ("first", "second"), strict=True)
                seen = [vertices.seen(counted.own, one, number, slot) for one, number, slot in both]
        with above:
            _joint(summary, graphs, (first, second), seen)
        if not done:
            return
        job = selection.scope.draw("graphs", graphs_of_many, summary, settings)
        with above:
            if waiting.settled(job):
                pair = (str(first), str(second))
                others: PairOverlaps = cache.figure(class_summary.random_pairs, job.value, without=pair)
                parted = class_summary.parting(graphs[0], graphs[1], others)
                st.markdown(plain(parted.sentence(*names_of(summary, (first, second))), limit=900))
                replay.once(_curve, parted.layers, parted.overlap, others)
        replay.once(_contrast, summary, first, second)
        export.download("All channels as CSV", "loupe-two-classes.csv", lambda: _contrasts(summary, first, second))


def names_of(summary: ClassSummary, numbers: tuple[int, int]) -> tuple[str, str]:
    """What two classes are called: with their numbers where both have one name, as some of ImageNet's have."""
    first, second = (summary.labels[one] for one in numbers)
    return (first, second) if first != second else (f"{first} ({numbers[0]})", f"{second} ({numbers[1]})")


def graphs_of_many(summary: ClassSummary, settings: GraphSettings) -> Generator[None, None, dict[str, ClassGraph]]:
    """The graphs of the classes that random pairs are drawn of."""
    seen = summary.seen
    chosen = seen[evenly(len(seen), MOST_CLASSES)].tolist()
    found = {}
    for at, one in enumerate(chosen):
        progress.report(at, len(chosen), "graphs of other classes")
        found[str(one)] = class_summary.graph(summary, one, settings)
        yield
    return found


def _joint(
    summary: ClassSummary, graphs: tuple[ClassGraph, ...], numbers: tuple[int, int], seen: Sequence[SeenVertices | None]
) -> None:
    names = names_of(summary, numbers)
    where: dict[tuple[str, int], list[int]] = {}
    for which, graph in enumerate(graphs):
        for one in graph.vertices:
            where.setdefault(one.key, []).append(which)
    groups: dict[VertexGroup, str] = {"shared": "both", "first": names[0], "second": names[1]}

    def group(owners: list[int]) -> VertexGroup:
        return "shared" if len(owners) > 1 else ("first", "second")[owners[0]]

    drawn = []
    for (layer, channel), owners in where.items():
        shares = [summary.counts[layer][one, channel] / max(1, summary.images[one]) for one in numbers]
        lines = [f"{layer}, channel {channel}"]
        lines += [f"{name}: in {part:.0%} of images" for name, part in zip(names, shares, strict=True)]
        name = vertices.name_of((layer, channel))
        picture = vertices.picture_of(seen[owners[0]], (layer, channel))
        drawn.append(DrawnVertex(name, layer, channel, float(max(shares)), picture, tuple(lines), group(owners)))
    edges: dict[tuple[str, str], tuple[float, list[int]]] = {}
    for which, graph in enumerate(graphs):
        most = max((edge.weight for edge in graph.edges), default=1)
        for edge in graph.edges:
            ends = vertices.name_of(edge.lower), vertices.name_of(edge.upper)
            weight, owners = edges.get(ends, (0.0, []))
            edges[ends] = max(weight, edge.weight / most), [*owners, which]
    joins = tuple(
        DrawnEdge(lower, upper, weight, None, group(owners)) for (lower, upper), (weight, owners) in edges.items()
    )
    shown = DrawnGraph(drawing.rows(summary.layers), tuple(drawn), joins, groups)
    about = f"{names[0]} and {names[1]} in one graph. {sentence(shown)}"
    draw_graph(shown, key="cs-pair", on_pinned=_pin, pinned=st.session_state.get("cs-pair-pin"), label=about,
               height=height_of(shown), file_name="loupe-two-classes")  # fmt: skip


def _pin(pinned: str | None) -> None:
    st.session_state["cs-pair-pin"] = pinned


def _curve(layers: tuple[str, ...], overlap: np.ndarray, found: PairOverlaps) -> None:
    charts.draw(figures.shared(layers, overlap, found), config=export.PLOT)


def _contrast(summary: ClassSummary, first: int, second: int) -> None:
    names = names_of(summary, (first, second))
    st.markdown("**Channels that differ most**")
    config = {name: st.column_config.NumberColumn(format="%.0f%%") for name in names}
    config |= {name: st.column_config.NumberColumn(format="%.2f") for name in ("log odds", "standard error")}
    rows = _contrasts(summary, first, second)[:CONTRASTED]
    st.dataframe(export.shown(rows), hide_index=True, column_config=config, height="content")


def _contrasts(summary: ClassSummary, first: int, second: int) -> list[dict[str, Any]]:
    names = names_of(summary, (first, second))
    found = class_summary.contrast(summary.of_class(first), summary.of_class(second))
    rows = [
        {
            "layer": layer,
            "channel": channel,
            names[0]: 100 * float(summary.counts[layer][first, channel] / summary.images[first]),
            names[1]: 100 * float(summary.counts[layer][second, channel] / summary.images[second]),
            "log odds": float(one.log_odds[channel]),
            "standard error": float(one.errors[channel]),
        }
        for layer, one in found.items()
        for channel in range(len(one.z))
    ]
    return sorted(rows, key=lambda row: -abs(row["log odds"] / row["standard error"]))
