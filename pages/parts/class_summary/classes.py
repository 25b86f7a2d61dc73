"""All classes: as points in each layer, and as a list with how alike they are to the chosen one."""

from __future__ import annotations

import functools
from collections.abc import Generator

import plotly.graph_objects as go
import streamlit as st

import cache
from interp import class_summary
from interp import embedding as embeddings
from interp.class_summary import ClassEmbedding, ClassSimilarity, ClassSummary
from interp.embedding import ProjectionMethod
from interp.figures import class_embedding as figures
from interp.models.predictions import Predictions
from pages.parts.class_summary import asking, class_list, counting, from_file, tree
from pages.parts.kit import charts, controls, export, replay, waiting
from pages.parts.kit.selection import Selection

METHODS = {"UMAP": class_summary.SUMMIT, "t-SNE": embeddings.TSNE(), "PCA": embeddings.PCA()}
KEY = "cs-map"

READING = (
    "**Classes.** Each point is a class, placed by the channels that stand out in its images: classes with the same "
    "channels in the same measure (cosine of $A_c$ and $A_d$) are near. The slider goes through the layers; each "
    "layer's map begins at that of the layer before and is laid on it, so that points move only where something "
    "changed. A click chooses a class, and the layer at which it was clicked; the lasso, one of the signs above "
    "the map, limits the list to what it holds. *Accuracy* is the share of the class's images whose most probable "
    "class it is, as on the Overview. "
    "*Pitfalls:* with ten classes a map is little more than a drawing of a table: the numbers in the list, "
    "cosines from 0 to 1, say it better; distances between far points of UMAP and t-SNE mean nothing, "
    "and each layer's map is drawn as large as there is room.\n\n" + tree.READING
)


def view(selection: Selection, picture, side) -> None:
    """The map of all classes with its layers, the list, the tree, and how well the chosen class is recognized."""
    with side:
        layers = asking.choose_layers(selection, picture)
        if layers is None:
            return
        place = st.container()
        method = controls.one_of("Map by", "cs.map", list(METHODS))
        share = asking.choose_share()
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
            number = asking.choose_class(summary)
            layer = controls.listed("Alike in", "cs.layer", summary.layers, default=summary.layers[-1])
            order = controls.one_of("Order", "cs.order", class_list.ORDERS, help=class_list.HELP)
            wanted = controls.text("Search", "cs.search", placeholder="all classes")
        if number is None or not done:
            return
        with above:
            held = _map(selection, summary, METHODS[method], number, layer)
        alike = selection.scope.draw("alike", similarity, summary)
        # Of images that count by predictions all are recognized.
        predictions = _predictions(selection) if file is None and summary.by == "labels" else None
        if waiting.settled(alike):
            rows = class_list.ClassRows.of(summary, alike.value, predictions, number, layer)
            class_list.draw(rows, alike.value, order, wanted, held)
            tree.section(selection.scope, summary, alike.value, number, layer)
        if predictions is not None:
            class_list.recognized(summary, predictions, number)


def similarity(summary: ClassSummary) -> ClassSimilarity:
    """How alike all classes are, in all layers."""
    return class_summary.similarity(summary.counts)


def embedded(summary: ClassSummary, method: ProjectionMethod) -> Generator[ClassEmbedding, None, ClassEmbedding]:
    """The maps of all layers, as far as they are made."""
    return (yield from class_summary.embed_classes(summary.counts, summary.images, method))


def _map(
    selection: Selection, summary: ClassSummary, method: ProjectionMethod, number: int, layer: str
) -> tuple[int, ...] | None:
    """Draw the map; gives the classes in the lasso, or None where there is no lasso."""
    call = cache.call(embedded, summary, method)
    job = selection.scope.ask("class-map", call, queue=cache.Queue.PROJECTIONS)
    waiting.settled(job)
    found: ClassEmbedding | None = job.latest(None)
    if found is None or not len(found.points):
        return None
    figure = cache.figure(_figure, found, summary.labels, number, layer)
    take = functools.partial(_take, summary.labels, summary.layers)
    charts.draw(figure, key=KEY, on_select=take, selection_mode=("points", "box", "lasso"), config=export.PLOT)
    return _held(summary.labels, summary.layers)


def _figure(found: ClassEmbedding, labels: tuple[str, ...], number: int, layer: str) -> go.Figure:
    return replay.Settled(figures.embedding(found, labels, number, layer))


def _take(labels: tuple[str, ...], layers: tuple[str, ...]) -> None:
    """Choose the class that was clicked, and the layer at which it was."""
    points = _selected(labels, layers)
    if len(points) == 1:
        [(number, layer)] = points
        st.session_state["cs.class"], st.session_state["cs.layer"] = str(number), layer


def _held(labels: tuple[str, ...], layers: tuple[str, ...]) -> tuple[int, ...] | None:
    selected = st.session_state[KEY].selection
    if not (selected.lasso or selected.box):
        return None
    return tuple(sorted({number for number, _ in _selected(labels, layers)}))


def _selected(labels: tuple[str, ...], layers: tuple[str, ...]) -> set[tuple[int, str]]:
    given = (one["customdata"] for one in st.session_state[KEY].selection.points)
    numbers = {int(one[0] if isinstance(one, list) else one) for one in given}
    return {figures.point(one, labels, layers) for one in numbers}


def _predictions(selection: Selection) -> Predictions | None:
    """What the Overview has the classifier say of the set, as far as it is known."""
    job = counting.predicting(selection)
    if not waiting.settled(job):
        return None
    return job.value
