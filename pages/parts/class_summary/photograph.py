"""One photograph beside a class's graph: which of its channels and influences it uses, and how they flow to classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from jaxtyping import Float
from torch import Tensor

from interp import channels, class_summary, units
from interp import feature_visualization as fv
from interp.class_summary import (
    ChannelVertex,
    ClassGraph,
    ClassSummary,
    GraphSettings,
    InfluenceEdge,
    PhotographMarks,
)
from interp.figures.spotlight import spotlight
from interp.models import inputs
from interp.set_pass import evenly
from interp.types import Classifier, Images
from interp.units import ChannelMaps
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.class_summary import asking, counting, drawing, looks, vertices
from pages.parts.class_summary.graph_view import DrawnGraph, VertexGroup, draw_graph, height_of, sentence
from pages.parts.flows import drawing as flows
from pages.parts.kit import controls, export, pickers, predicted, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened

GROUPS: dict[VertexGroup, str] = {"path": "used here", "shared": "not here", "beside": "here, not in the graph"}
COLUMNS, GROUPS_OF_FLOW = 4, 4
PIN = "cs-photograph-pin"

READING = (
    "**One photograph.** The class's graph, with what of it this photograph uses: channels that stand out in it by the "
    "same rule as in the class's images, and influences whose two channels do and whose lower one is among the "
    "upper one's five strongest inputs here. Channels that stand out here and are not in the class's graph stand "
    r"beside it. What a channel brings is $\sum A \, \partial s / \partial A$, to first order, in logits of the "
    "class (*Channel attribution*). *Pitfalls:* to stand out is to be large, not to matter: the table says by layer "
    "how much of what speaks for the class the graph's channels hold, and that may be little. A photograph that uses "
    "few of the class's paths may be unusual, or be taken for the class for another reason.\n\n" + flows.READING
)


def view(selection: Selection, picture, side) -> None:
    """The graph with the photograph's paths, the numbers by layer, and the photograph as a flow."""
    classifier, scope = selection.classifier, selection.scope
    with side:
        position = pickers.image(selection.photos)
        place = st.container()
        layers = asking.choose_layers(selection, picture)
        if layers is None:
            return
        settings, share = asking.choose_settings(), asking.choose_share()
        by_predictions = counting.choose(selection)
        looks.choose_pictures()
    with picture:
        above, below = st.container(), st.container()
        with above:
            counted = counting.counted(selection, by_predictions)
            image = waiting.value(scope.read("image", inputs.read, classifier, selection.photos, (position,)))
            probabilities = waiting.value(scope.compute("classes", Classifier.probabilities, classifier, image))
            own = predicted.own(classifier, selection.photos, selection.labels, (position,), probabilities)
            left, told = st.columns([1, 4], vertical_alignment="center")
            with left:
                picturecards.draw(
                    (fv.bytes_of(image.pixels[0]),), (PictureCard(shortened(image.names[0], 16)),), side=120
                )
            with told:
                predicted.predictions(classifier, probabilities, own)
        if counted is None:
            return
        with below:
            summary, done = asking.summary(counted, layers, share)
        if summary is None or not done:
            return
        with place:
            number = _class(summary, int(probabilities[0].argmax()))
        given = (classifier, selection.photos, position, number, layers, share)
        job = scope.compute("photograph", class_summary.marks_of_photograph, *given)
        with above:
            found: PhotographMarks = waiting.value(job)
            _graph(counted.own, summary, number, settings, found, image, told)
        _flow(selection, image, probabilities, number, layers)


def _class(summary: ClassSummary, predicted_class: int) -> int:
    """Draw the choice of the class whose graph it is: of those with images, what is predicted where it is one."""
    seen = summary.seen.tolist()
    default = predicted_class if predicted_class in seen else seen[0]
    if default != predicted_class:
        st.caption(f"No image of the set is of the predicted class, *{plain(summary.labels[predicted_class])}*.")
    named = {str(one): summary.labels[one] for one in seen}
    return int(controls.listed("Graph of", "cs.of", list(named), default=str(default), named=named.__getitem__))


def _graph(
    selection: Selection, summary: ClassSummary, number: int, settings: GraphSettings, found: PhotographMarks,
    image: Images, told,
) -> None:  # fmt: skip
    graph = asking.graph(summary, number, settings)
    both = joint(graph, summary, number, found)
    place, large = st.container(), st.container()
    with told:
        st.markdown(said(summary, number, graph, found))
        if int(summary.images[number]) == 1 and selection.labels.indices[found.position] == number:
            st.caption("This photograph is the class's only image, so the graph is its own.")
    with large:
        seen = vertices.seen(selection, both, number)
    shown = grouped(drawing.drawn(both, seen=seen), graph, both, found)
    pinned = st.session_state.get(PIN)
    with place:
        about = f"Attribution graph of {summary.labels[number]} and {image.names[0]}. {sentence(shown)}"
        draw_graph(shown, key="cs-photograph", on_pinned=_pin, pinned=pinned, label=about, height=height_of(shown),
                   file_name="loupe-photograph-paths")  # fmt: skip
    with large:
        if pinned in {one.id for one in shown.vertices}:
            _lit(selection, image, pinned, found)
        _table(graph, found)


def joint(graph: ClassGraph, summary: ClassSummary, number: int, found: PhotographMarks) -> ClassGraph:
    """The class's graph, and beside it the channels that stand out in the photograph alone, with their influences."""
    beside = tuple(
        ChannelVertex(layer, channel, int(summary.counts[layer][number, channel]), 0.0)
        for layer, channel in found.beside(graph)
    )
    known = {(edge.lower, edge.upper) for edge in graph.edges}
    keys = [one.key for one in (*graph.vertices, *beside)]
    further = []
    for pair, of_class in summary.influences.items():
        own = of_class[number]
        for lower in (key for key in keys if key[0] == pair[0]):
            for upper in (key for key in keys if key[0] == pair[1]):
                edge = InfluenceEdge(lower, upper, int(own[lower[1], upper[1]]))
                if (lower, upper) not in known and found.uses(edge):
                    further.append(edge)
    return replace(graph, vertices=(*graph.vertices, *beside), edges=(*graph.edges, *further))


def grouped(shown: DrawnGraph, graph: ClassGraph, both: ClassGraph, found: PhotographMarks) -> DrawnGraph:
    """What is drawn, each vertex and edge by whether the photograph uses it."""
    own = {one.key for one in graph.vertices}
    drawn_vertices = []
    for vertex, one in zip(both.vertices, shown.vertices, strict=True):
        group: VertexGroup = "shared"
        if found.stands_out(vertex.key):
            group = "path" if vertex.key in own else "beside"
        lines = (*one.lines, f"brings {found.value(vertex.key):+.3g} logits here")
        drawn_vertices.append(replace(one, group=group, lines=lines))
    known = {(edge.lower, edge.upper) for edge in graph.edges}
    drawn_edges = []
    for edge, one in zip(both.edges, shown.edges, strict=True):
        group = "beside" if (edge.lower, edge.upper) not in known else "path" if found.uses(edge) else "shared"
        drawn_edges.append(replace(one, group=group))
    return replace(shown, vertices=tuple(drawn_vertices), edges=tuple(drawn_edges), groups=GROUPS)


def said(summary: ClassSummary, number: int, graph: ClassGraph, found: PhotographMarks) -> str:
    """How much of the class's graph the photograph uses, beside the mean of the class's images, and what it brings."""
    name = plain(summary.labels[number])
    used = sum(found.stands_out(one.key) for one in graph.vertices)
    usual = sum(one.count for one in graph.vertices) / max(1, int(summary.images[number]))
    edges = sum(found.uses(edge) for edge in graph.edges)
    told = (
        f"Of the {len(graph.vertices)} channels in the graph of **{name}** {used} stand out in this photograph, in "
        f"the mean image of the class {usual:.1f}; of {len(graph.edges)} influences it uses {edges}."
    )
    shares = {layer: _share(graph, found, layer) for layer in graph.layers}
    known = {layer: one for layer, one in shares.items() if one is not None}
    if known:
        most, least = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
        span = f"{known[most]:.0%} ({plain(most)})"
        if known[least] < known[most]:
            span = f"from {known[least]:.0%} ({plain(least)}) to {span}"
        told += f" By gradient times activation the graph's channels hold {span} of what speaks for {name} here."
    beside = found.beside(graph)
    if beside:
        layer, channel = beside[0]
        told += (
            f" {len(beside)} {'channel stands' if len(beside) == 1 else 'channels stand'} out here and not in the "
            f"graph; of these {plain(layer)} {channel} brings most, {found.value(beside[0]):+.3g} logits."
        )
    return told


def _share(graph: ClassGraph, found: PhotographMarks, layer: str) -> float | None:
    """How much of what speaks for the class the graph's channels of a layer hold; None where nothing does."""
    speaks = found.values[layer].clip(min=0)
    own = sorted(graph.channels(layer))
    return float(speaks[own].sum() / speaks.sum()) if speaks.sum() > 0 else None


def _pin(pinned: str | None) -> None:
    st.session_state[PIN] = pinned


def _lit(selection: Selection, image: Images, pinned: str, found: PhotographMarks) -> None:
    """The photograph, lit where the pinned channel fires."""
    layer, channel = key = vertices.key_of(pinned)
    job = selection.scope.compute("lit", units.channel_maps, selection.classifier, image, layer)
    if not waiting.settled(job):
        return
    maps: ChannelMaps = job.value
    st.markdown(f"**{plain(layer)}, channel {channel}**: where it fires here")
    lit = spotlight(fv.bytes_of(image.pixels[0]), maps.maps[channel])
    out = "stands out" if found.stands_out(key) else "does not stand out"
    card = PictureCard(out, f"brings {found.value(key):+.3g} logits")
    picturecards.draw((lit,), (card,), side=180)


def _table(graph: ClassGraph, found: PhotographMarks) -> None:
    with st.expander("The numbers by layer", key="cs-photograph-numbers", on_change="rerun") as opened:
        if not opened.open:
            return
        rows = []
        for layer in reversed(graph.layers):
            own = sorted(graph.channels(layer))
            marked = np.flatnonzero(found.counts.counts[layer])
            share = _share(graph, found, layer)
            rows.append(
                {
                    "layer": layer,
                    "in the graph": len(own),
                    "of them here": int(np.isin(own, marked).sum()),
                    "here beside them": int((~np.isin(marked, own)).sum()),
                    "they bring, logits": float(found.values[layer][own].sum()),
                    "all bring, logits": float(found.values[layer].sum()),
                    "of what speaks for it": float("nan") if share is None else share,
                }
            )
        config = {"of what speaks for it": st.column_config.NumberColumn(format="percent")}
        st.dataframe(export.shown(rows), hide_index=True, column_config=config, height="content")
        export.download("By layer as CSV", "loupe-photograph-paths.csv", lambda: rows)


def _flow(
    selection: Selection, image: Images, probabilities: Float[Tensor, "1 k"], number: int, layers: tuple[str, ...]
) -> None:
    """The same photograph as a flow through some of the graph's layers."""
    classifier = selection.classifier
    maps = [one.name for one in classifier.layers if one.name in layers and one.kind != "flat"]
    if len(maps) < 2:
        return
    names = tuple(maps[one] for one in evenly(len(maps), COLUMNS))
    narrow = min(min(one.channels, one.height * one.width) for one in classifier.layers if one.name in names)
    top = probabilities[0].topk(min(3, probabilities.shape[1])).indices.tolist()
    wanted = tuple(dict.fromkeys([*top, number]))
    [target] = classifier.targets(number, 1)
    given = (classifier, image, target, names, min(GROUPS_OF_FLOW, narrow), wanted)
    job = selection.scope.compute("flow", channels.flow, *given)
    st.markdown("#### The photograph as a flow")
    if waiting.settled(job):
        flows.draw(classifier, image, target, job.value, key="cs-flow")
        st.caption("More layers and groups: *Flow* on the page Channel attribution.")
