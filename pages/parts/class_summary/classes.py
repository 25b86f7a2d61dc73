"""All classes: as points in each layer, and as a list with how alike they are to the chosen one."""

from __future__ import annotations

import numpy as np
import streamlit as st

from interp import class_summary
from interp import embedding as embeddings
from interp.class_summary import ClassEmbedding, ClassSimilarity, ClassSummary
from interp.figures import class_embedding as figures
from pages.parts.class_summary import asking
from pages.parts.kit import charts, controls, export, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

METHODS = {"UMAP": class_summary.SUMMIT, "t-SNE": embeddings.TSNE(), "PCA": embeddings.PCA()}
ORDERS = ("Name", "Alike", "Images")

READING = (
    "**Classes.** Each point is a class, placed by the channels that stand out in its images: classes with the same "
    "channels in the same measure (cosine of $A_c$ and $A_d$) are near. The slider goes through the layers; each "
    "layer's map begins at that of the layer before and is laid on it, so that points move only where something "
    "changed. *Pitfalls:* with ten classes a map is little more than a drawing of a table: the numbers in the list, "
    "cosines from 0 to 1, say it better; distances between far points of UMAP and t-SNE mean nothing."
)


def view(selection: Selection, picture, side) -> None:
    """The map of all classes with its layers, and the list."""
    with side:
        layers = asking.choose_layers(selection)
        if layers is None:
            return
        place = st.container()
        method = controls.one_of("Map by", "cs.map", list(METHODS))
        share = asking.choose_share()
    with picture:
        above, below = st.container(), st.container()
        with below:
            summary, done = asking.summary(selection, layers, share)
        if summary is None:
            return
        with place:
            number = asking.choose_class(summary)
            layer = controls.listed("Alike in", "cs.layer", layers, default=layers[-1])
            order = controls.one_of("Order", "cs.order", ORDERS)
            wanted = controls.text("Search", "cs.search", placeholder="all classes")
        if number is None or not done:
            return
        counts = dict(summary.counts)
        job = selection.scope.draw("class-map", class_summary.embed_classes, counts, summary.images, METHODS[method])
        with above:
            waiting.settled(job)
        found: ClassEmbedding | None = job.latest(None)
        with above:
            if found is not None and len(found.points):
                replay.once(_map, found, summary.labels, number)
        alike = selection.scope.draw("alike", class_summary.similarity, counts)
        if waiting.settled(alike):
            _list(summary, alike.value, number, layer, order, wanted)


def _map(found: ClassEmbedding, labels: tuple[str, ...], number: int) -> None:
    charts.draw(figures.embedding(found, labels, number), config=export.PLOT)


def _list(summary: ClassSummary, alike: ClassSimilarity, number: int, layer: str, order: str, wanted: str) -> None:
    cosines = alike.cosines[layer][number]
    seen = summary.seen
    if wanted:
        seen = seen[[wanted.casefold() in summary.labels[one].casefold() for one in seen.tolist()]]
    keys = {"Name": seen, "Alike": -cosines[seen], "Images": -summary.images[seen]}
    rows = [
        {
            "class": summary.labels[one],
            "images": int(summary.images[one]),
            f"alike {summary.labels[number]}": float(cosines[one]),
        }
        for one in seen[np.argsort(keys[order], kind="stable")].tolist()
    ]
    near = alike.nearest(layer, number, 3).tolist()
    said = ", ".join(f"{plain(summary.labels[one])} {cosines[one]:.2f}" for one in near)
    st.markdown(f"Nearest to **{plain(summary.labels[number])}** at {plain(layer)}: {said or 'none'}.")
    config = {
        f"alike {summary.labels[number]}": st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.2f")
    }
    st.dataframe(export.shown(rows), hide_index=True, height=320, column_config=config)
    export.download("Classes as CSV", "loupe-classes.csv", lambda: rows)
