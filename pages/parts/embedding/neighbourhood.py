"""From a point to its image: the nearest images in the features, whether the map kept them close, and a selection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

import cache
from interp import embedding
from interp.embedding import Features, LabelledRows, Neighbours, Projection
from interp.embedding.neighbours import Metric
from interp.figures import embedding as figures
from interp.figures import framed
from interp.set_pass import evenly
from pages.parts.cards import gallery, pictured
from pages.parts.kit import charts, export, pickers, replay, waiting
from pages.parts.kit.pickers import BESIDE
from pages.parts.kit.text import plain, prediction, shortened

NEAREST = 8
GALLERY = 24


def nearest(features: Features, row: int, metric: Metric) -> Neighbours | None:
    """The nearest images of one image, in the features, or rows of other images; None where there are no others."""
    return cache.figure(embedding.nearest_images, features, row, NEAREST, metric)


def closeup(
    scope: cache.Scope,
    known: LabelledRows,
    row: int,
    found: Neighbours | None,
    layer: str,
    projection: tuple[str, Projection] | None,
) -> None:
    """One image, what is known of it, and its nearest images in a layer's features.

    `projection`, with its title, is the map of these features on which they are looked for; None where there is none.
    """
    image, others = st.columns([1, 3], gap="medium")
    position, cell = int(known.positions[row]), known.cells_of(np.array([row]))
    if cell is None:
        job = pictured.ask(scope, known.classifier, known.photos, position, seen=False)
    else:
        job = scope.read("closeup", framed.as_seen, known.classifier, known.photos, position, cell)
    with others:
        replay.once(_about, known, row, found)
        if found is not None:
            row_of_pictures(scope, "nearest-pictures", known, found, layer)
            if projection is not None:
                replay.once(_on_the_map, known, row, found, projection)
        st.page_link("pages/saliency.py", label="Why? Compare saliency", icon=":material/blur_on:")
    with image:
        pictured.large(job, known.photos.names[position])


def _about(known: LabelledRows, row: int, found: Neighbours | None) -> None:
    name = plain(shortened(known.photos.names[known.positions[row]], 60))
    st.markdown(f"**{name}**{known.cell(row)}. {_said(known, row)}")
    if found is None:
        st.caption("There are no other images to compare it with.")


def _on_the_map(known: LabelledRows, row: int, found: Neighbours, projection: tuple[str, Projection]) -> None:
    title, others = projection[0], found.indices[0].tolist()
    ranks = embedding.ranks(projection[1].points, row, others, known.positions)
    near = sum(rank <= len(others) for rank in ranks)
    far = f"; the one drawn farthest off is number {max(ranks):,} there" if near < len(others) else ""
    st.caption(
        f"On the map {plain(title)}, where lines lead to them, {near} of these {len(others)} are among its "
        f"{len(others)} nearest{far}."
    )


def row_of_pictures(scope: cache.Scope, slot: str, known: LabelledRows, found: Neighbours, layer: str) -> None:
    """The nearest images with their distances."""
    st.markdown(
        f"Nearest in the features of **{plain(layer)}**, by {found.metric.replace('euclidean', 'Euclidean')} distance:"
    )
    _pictures(scope, slot, known, found.indices[0], tuple(short(one) for one in found.distances[0]))


def _pictures(
    scope: cache.Scope, slot: str, known: LabelledRows, rows: np.ndarray, captions: tuple[str, ...] | None = None
) -> None:
    """The images of some rows side by side, once they are read."""
    positions = tuple(known.positions[rows].tolist())
    job = scope.read(slot, framed.seen, known.classifier, known.photos, positions, known.cells_of(rows))
    if waiting.settled(job):
        names = named(known, rows.tolist())
        replay.once(gallery.draw, job.value, names, captions, known_by=(job.key, names, captions))


def short(distance: float) -> str:
    """A distance in three digits; what is left by rounding is 0."""
    return "0" if distance < 1e-3 else f"{distance:.3g}"


def named(known: LabelledRows, rows: Sequence[int]) -> list[str]:
    """What is said of pictures that are pointed at: the name, and the label or else the prediction."""
    labels = known.classes
    best = np.where(known.labels[rows] >= 0, known.labels[rows], known.predicted[rows])
    names = [known.name(one) for one in rows]
    return [f"{name}, {labels[one]}" if one >= 0 else name for name, one in zip(names, best, strict=True)]


def _said(known: LabelledRows, row: int) -> str:
    labels = known.classes
    label, predicted = int(known.labels[row]), int(known.predicted[row])
    parts = [] if label < 0 else [f"labelled **{plain(labels[label])}**"]
    if predicted >= 0:
        several = known.classifier.multi_label
        parts.append(prediction(labels[predicted], known.confidence[row], several=several, digits=0))
    said = ", ".join(parts)
    return f"{said[:1].upper()}{said[1:]}." if parts else ""


def selection(scope: cache.Scope, known: LabelledRows, rows: np.ndarray, row: int) -> None:
    """What was selected: how many of each class, pictures, and where to go on with them."""
    replay.once(_outcome, known, rows)
    pictures, bars = st.columns([3, 2], gap="medium")
    with bars:
        replay.once(_bars, known, rows)
    shown = rows[evenly(len(rows), GALLERY)]
    with pictures:
        _pictures(scope, "selected", known, shown)
        if len(shown) < len(rows):
            st.caption(f"{len(shown)} of them, evenly spread.")
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
        if known.photos.annotated:
            onwards = (*kept, "pages/shared_interest.py")
            st.button("Their Shared Interest", icon=":material/join_inner:", on_click=pickers.keep, args=onwards)
        export.download("As CSV", "loupe-selection.csv", lambda: _rows(known, rows))


def _compare(positions: Sequence[int]) -> None:
    # In a callback: after the picker of the image is drawn, its value can no longer be set.
    chosen = [positions[i] for i in evenly(len(positions), BESIDE + 1)]
    st.session_state["image"], st.session_state["beside"] = chosen[0], chosen[1:]


def _outcome(known: LabelledRows, rows: np.ndarray) -> None:
    judged = (known.labels[rows] >= 0) & (known.predicted[rows] >= 0)
    right = int((known.predicted[rows] == known.labels[rows])[judged].sum())
    said = f"; of {judged.sum():,} with a label {right:,} are predicted as labelled" if judged.any() else ""
    st.markdown(f"**{len(rows):,} selected**{said}.")


def _bars(known: LabelledRows, rows: np.ndarray) -> None:
    kind, classes, names = _counted(known, rows)
    if (classes >= 0).any():
        heads = [shortened(name, 24) for name in names]
        figure = figures.class_counts(classes[classes >= 0], kind, names, heads)
        charts.draw(figure, config={"displayModeBar": False})


def _counted(known: LabelledRows, rows: np.ndarray) -> tuple[str, np.ndarray, Sequence[str]]:
    """What a selection is counted by: labels, where some repeat, else groups, else predictions."""
    labels, names = known.labels[rows], known.classes
    groups, titles = known.grouped
    if np.bincount(labels[labels >= 0], minlength=1).max() > 1 or (not titles and (labels >= 0).any()):
        return "label", labels, names
    return ("group", groups[rows], titles) if titles else ("prediction", known.predicted[rows], names)


def _rows(known: LabelledRows, rows: np.ndarray) -> list[dict[str, str]]:
    labels = known.classes
    return [
        {
            "image": known.name(row),
            "label": labels[known.labels[row]] if known.labels[row] >= 0 else "",
            "prediction": labels[known.predicted[row]] if known.predicted[row] >= 0 else "",
            "confidence": f"{known.confidence[row]:.6f}",
        }
        for row in rows.tolist()
    ]


def search(known: LabelledRows, wanted: str) -> list[int]:
    """The rows whose name, label or prediction contains the text, their number drawn; none for an empty text."""
    if not wanted:
        return []
    rows = known.containing(wanted)
    st.caption(f"{len(rows):,} found, with a ring on the map." if rows else "No name or class has that in it.")
    return rows
