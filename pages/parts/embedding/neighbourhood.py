"""From a point to its image: the nearest images in the features, whether the map kept them close, and a selection."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import cast

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import cache
from interp import embedding
from interp.embedding import Cells, Features, Neighbours, Projection
from interp.embedding.neighbours import Metric
from interp.figures.framed import framed
from interp.figures.style import RIGHT
from interp.images import UnreadableImage, bytes_of
from interp.models import inputs
from pages.parts.cards import gallery
from pages.parts.cards.pictured import enlarged
from pages.parts.embedding.mapped import Known, cell_of
from pages.parts.kit import export, pickers, replay
from pages.parts.kit.pickers import BESIDE
from pages.parts.kit.text import plain, prediction, shortened

NEAREST = 8
GALLERY = 24
BARS = 12


def nearest(features: Features, row: int, metric: Metric) -> Neighbours | None:
    """The nearest images of one image, in the features, or rows of other images; None where there are no others."""
    count = min(NEAREST, int((features.indices != features.indices[row]).sum()))
    if count < 1:
        return None
    return cache.figure(_nearest, features, row, count, metric)


def _nearest(features: Features, row: int, count: int, metric: Metric) -> Neighbours:
    own = features.indices == features.indices[row]
    found = embedding.nearest_to(features.values[row : row + 1], features.values, count + int(own.sum()), metric=metric)
    # The image itself is among them, unless more than `count` others are equal to it.
    others = np.flatnonzero(~own[found.indices[0]])[:count]
    return Neighbours(found.indices[:, others], found.distances[:, others], found.metric)


def closeup(
    known: Known, row: int, found: Neighbours | None, layer: str, projection: tuple[str, Projection] | None
) -> None:
    """One image, what is known of it, and its nearest images in a layer's features.

    `projection`, with its title, is the map of these features on which they are looked for; None where there is none.
    """
    image, others = st.columns([1, 3], gap="medium")
    with image:
        replay.once(_image, known, row)
    with others:
        replay.once(_others, known, row, found, layer, projection)
        st.page_link("pages/saliency.py", label="Why? Compare saliency", icon=":material/blur_on:")


def _image(known: Known, row: int) -> None:
    try:
        if known.cells is None:
            st.image(enlarged(known.photos[int(known.positions[row])].image), width="stretch")
        else:
            st.image(_marked(known, row), width="stretch")
    except UnreadableImage as error:
        st.error(plain(str(error)), icon=":material/broken_image:")


def _marked(known: Known, row: int) -> np.ndarray:
    """What the model sees, with a frame around the row's cell."""
    seen = _seen(known, row)
    return framed(seen, cast(Cells, known.cells).window(row, seen.shape[:2]))


def _others(
    known: Known, row: int, found: Neighbours | None, layer: str, projection: tuple[str, Projection] | None
) -> None:
    name = plain(shortened(known.photos.names[known.positions[row]], 60))
    st.markdown(f"**{name}**{cell_of(known, row)}. {_said(known, row)}")
    if found is None:
        st.caption("There are no other images to compare it with.")
        return
    row_of_pictures(known, found, layer)
    if projection is None:
        return
    title, others = projection[0], found.indices[0].tolist()
    ranks = _ranks(projection[1].points, row, others, known.positions)
    near = sum(rank <= len(others) for rank in ranks)
    far = f"; the one drawn farthest off is number {max(ranks):,} there" if near < len(others) else ""
    st.caption(
        f"On the map {plain(title)}, where lines lead to them, {near} of these {len(others)} are among its "
        f"{len(others)} nearest{far}."
    )


def row_of_pictures(known: Known, found: Neighbours, layer: str) -> None:
    """The nearest images with their distances."""
    st.markdown(
        f"Nearest in the features of **{plain(layer)}**, by {found.metric.replace('euclidean', 'Euclidean')} distance:"
    )
    rows = found.indices[0].tolist()
    gallery.draw([small(known, one) for one in rows], named(known, rows), [short(one) for one in found.distances[0]])


def short(distance: float) -> str:
    """A distance in three digits; what is left by rounding is 0."""
    return "0" if distance < 1e-3 else f"{distance:.3g}"


def named(known: Known, rows: Sequence[int]) -> list[str]:
    """What is said of pictures that are pointed at: the name, and the label or else the prediction."""
    labels = known.classes
    best = np.where(known.labels[rows] >= 0, known.labels[rows], known.predicted[rows])
    names = [f"{known.photos.names[known.positions[one]]}{cell_of(known, one)}" for one in rows]
    return [f"{name}, {labels[one]}" if one >= 0 else name for name, one in zip(names, best, strict=True)]


def _ranks(points: np.ndarray, row: int, others: Sequence[int], positions: np.ndarray) -> list[int]:
    """Which nearest point of another image on the map each of some rows is, 1 for the nearest."""
    distances = np.linalg.norm(points - points[row], axis=1)
    distances[positions == positions[row]] = np.inf
    return [int((distances < distances[one]).sum()) + 1 for one in others]


def _said(known: Known, row: int) -> str:
    labels = known.classes
    label, predicted = int(known.labels[row]), int(known.predicted[row])
    parts = [] if label < 0 else [f"labelled **{plain(labels[label])}**"]
    if predicted >= 0:
        several = known.classifier.multi_label
        parts.append(prediction(labels[predicted], known.confidence[row], several=several, digits=0))
    said = ", ".join(parts)
    return f"{said[:1].upper()}{said[1:]}." if parts else ""


def small(known: Known, row: int) -> np.ndarray:
    """A picture, or its cell, as the classifier sees it, so that all are of one size; grey where the file is gone."""
    try:
        seen = _seen(known, row)
    except UnreadableImage:
        return np.full((*known.classifier.input_size, 3), 200, np.uint8)
    return seen if known.cells is None else seen[known.cells.window(row, seen.shape[:2])]


def _seen(known: Known, row: int) -> np.ndarray:
    pixels = inputs.read(known.classifier, known.photos, (int(known.positions[row]),)).pixels[0]
    return bytes_of(pixels)


def selection(known: Known, rows: np.ndarray, row: int) -> None:
    """What was selected: how many of each class, pictures, and where to go on with them."""
    replay.once(_selection, known, rows)
    positions = list(dict.fromkeys(known.positions[rows].tolist()))
    with st.container(horizontal=True):
        if st.button("Compare their saliency", icon=":material/blur_on:", on_click=_compare, args=(positions,)):
            st.switch_page("pages/saliency.py")
        kept = (known.photos, positions, int(known.positions[row]))
        st.button(
            "Make them an image set",
            icon=":material/photo_library:",
            on_click=pickers.keep,
            args=kept,
            help="In the sidebar, under Images, for all pages, as long as this browser tab is open.",
        )
        if known.photos.annotated and st.button(
            "Their Shared Interest", icon=":material/join_inner:", on_click=pickers.keep, args=kept
        ):
            st.switch_page("pages/shared_interest.py")
        st.download_button(
            "As CSV",
            lambda: export.table(_rows(known, rows)),
            "loupe-selection.csv",
            icon=":material/download:",
            on_click="ignore",
        )


def _compare(positions: Sequence[int]) -> None:
    # In a callback: after the picker of the image is drawn, its value can no longer be set.
    chosen = [positions[i] for i in _spread(len(positions), BESIDE + 1)]
    st.session_state["image"], st.session_state["beside"] = chosen[0], chosen[1:]


def _spread(count: int, room: int) -> list[int]:
    """At most `room` places out of so many, evenly spread."""
    return np.linspace(0, count - 1, min(count, room)).round().astype(int).tolist()


def _selection(known: Known, rows: np.ndarray) -> None:
    judged = (known.labels[rows] >= 0) & (known.predicted[rows] >= 0)
    right = int((known.predicted[rows] == known.labels[rows])[judged].sum())
    said = f"; of {judged.sum():,} with a label {right:,} are predicted as labelled" if judged.any() else ""
    st.markdown(f"**{len(rows):,} selected**{said}.")
    pictures, bars = st.columns([3, 2], gap="medium")
    shown = rows[_spread(len(rows), GALLERY)]
    with pictures:
        gallery.draw([small(known, int(one)) for one in shown], named(known, shown.tolist()))
    if len(shown) < len(rows):
        pictures.caption(f"{len(shown)} of them, evenly spread.")
    kind, classes, names = _counted(known, rows)
    if (classes >= 0).any():
        bars.plotly_chart(_histogram(classes[classes >= 0], kind, names), config={"displayModeBar": False})


def _counted(known: Known, rows: np.ndarray) -> tuple[str, np.ndarray, Sequence[str]]:
    """What a selection is counted by: labels, where some repeat, else groups, else predictions."""
    labels, names = known.labels[rows], known.classes
    groups, titles = known.grouped
    if np.bincount(labels[labels >= 0], minlength=1).max() > 1 or (not titles and (labels >= 0).any()):
        return "label", labels, names
    return ("group", groups[rows], titles) if titles else ("prediction", known.predicted[rows], names)


def _histogram(classes: np.ndarray, kind: str, names: Sequence[str]) -> go.Figure:
    indices, counts = np.unique(classes, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:BARS][::-1]
    shown = [names[one] for one in indices[order]]
    figure = go.Figure(
        go.Bar(
            x=counts[order],
            # By number, as two classes may have one name.
            y=list(range(len(order))),
            customdata=[escape(name) for name in shown],
            orientation="h",
            marker_color=RIGHT.colour,
            hovertemplate="%{customdata}: %{x}<extra></extra>",
        )
    )
    cut = f", the {BARS} largest of {len(indices):,}" if len(indices) > BARS else ""
    figure.update_layout(
        height=80 + 24 * len(order),
        margin={"l": 4, "r": 4, "t": 30, "b": 4},
        title={"text": f"By {kind}{cut}", "font": {"size": 13}},
    )
    texts = [escape(shortened(name, 24)) for name in shown]
    figure.update_yaxes(automargin=True, tickvals=list(range(len(order))), ticktext=texts)
    figure.update_xaxes(dtick=1 if counts.max() < 6 else None, rangemode="tozero")
    return figure


def _rows(known: Known, rows: np.ndarray) -> list[dict[str, str]]:
    labels = known.classes
    return [
        {
            "image": f"{known.photos.names[known.positions[row]]}{cell_of(known, row)}",
            "label": labels[known.labels[row]] if known.labels[row] >= 0 else "",
            "prediction": labels[known.predicted[row]] if known.predicted[row] >= 0 else "",
            "confidence": f"{known.confidence[row]:.6f}",
        }
        for row in rows.tolist()
    ]


def found(known: Known, wanted: str) -> list[int]:
    """The rows whose name, label or prediction contains the text, their number drawn; none for an empty text."""
    if not wanted:
        return []
    rows = searched(known, wanted)
    st.caption(f"{len(rows):,} found, with a ring on the map." if rows else "No name or class has that in it.")
    return rows


def searched(known: Known, wanted: str) -> list[int]:
    """The rows whose name, label or prediction contains the text."""
    text, labels = wanted.casefold(), known.classes
    classes = [i for i, label in enumerate(labels) if text in label.casefold()]
    named = [text in known.photos.names[one].casefold() for one in known.positions]
    hit = np.array(named) | np.isin(known.labels, classes) | np.isin(known.predicted, classes)
    return np.flatnonzero(hit).tolist()
