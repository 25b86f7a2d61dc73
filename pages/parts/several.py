"""The Overview of a classifier whose classes do not exclude each other: each class by itself, at a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

import cache
from interp import models
from interp.figures import several as figures
from interp.images import ImageSet, UnreadableImage
from interp.models import Truth, multi_label, performance
from interp.models.multi_label import Judged, Ranking
from interp.models.predictions import Predictions
from interp.types import Classifier
from pages.parts import controls, drawn, export, filters, layout, overview, pickers
from pages.parts.explained import PLOT
from pages.parts.text import plain

HALF = 50

READING = r"""
**Classes do not exclude each other.** Each class has a probability of its own, the sigmoid of its score; they do not
sum to 1, and an image may have several classes, or none. A class counts as *predicted* where its probability reaches
the threshold, which is yours to choose.

**The squares.** Every image is one mark, ordered from left to right by the probability of the chosen class, in rows of
what the set says: labelled with it, not labelled with it, or not known. Blue squares are right at the threshold, orange
crosses wrong.

**Precision** is the share of predicted images that have the class, **recall** the share of images with the class that
are predicted, and **F1** $= 2 \cdot \text{hits} / (\text{predicted} + \text{labelled})$. **Average precision**
$= \sum_i (R_i - R_{i-1}) P_i$ goes through all thresholds: it says how well the class's images are ranked before the
others, and 1 is perfect; a classifier that guesses gets about the share of images that have the class. The *macro*
average lets every class count alike, *micro* every pair of image and class, so that frequent classes weigh more.

**Known pitfalls.** One number for all classes hides the rare ones: sort the table. A set that names one label an image,
or only some of what is there, makes right answers look wrong. Images that the classifier was trained on flatter it. A
threshold that was chosen on the same images flatters it, too.
"""


@dataclass(frozen=True, eq=False)
class _Shown:
    """What is judged: the predictions that are kept, what is in the images, and the threshold."""

    classifier: Classifier
    predictions: Predictions
    truth: Truth
    kept: np.ndarray
    threshold: float

    @property
    def judged(self) -> Judged:
        asked = cache.call(multi_label.judged, self.predictions, self.truth, self.kept)
        return cache.get(asked, disk=False, device="lists")

    @property
    def table(self) -> pd.DataFrame:
        asked = cache.call(_table, self.predictions, self.truth, self.kept, self.threshold)
        return cache.get(asked, disk=False, device="lists")

    @property
    def ranking(self) -> Ranking:
        return cache.get(cache.call(_ranking, self.predictions, self.truth, self.kept), disk=False, device="lists")


def page(selection: layout.Selection, predictions: Predictions, summary, *, done: bool) -> None:
    """Draw the Overview of predictions that have the probabilities of every class."""
    classifier, photos = selection.classifier, selection.photos
    if predictions.every is None:
        layout.left_out(predictions.problems)
        st.stop()
    truth = cache.get(cache.call(models.match_several, classifier, photos), disk=False, device="lists")
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        with st.container(width=260):
            percent = controls.slid("Threshold, %", "threshold", HALF, low=1, high=99, step=1, help=_THRESHOLD)
        with st.container(width=320):
            chosen = _class(classifier, predictions, truth)
        groups = filters.groups(photos)
    kept = performance.keep(predictions, performance.Filter(groups=groups), photos.groups)
    if not kept.any():
        st.info("No image is of these groups. Choose others.")
        st.stop()
    shown = _Shown(classifier, predictions, truth, kept, percent / 100)
    with summary:
        _summary(shown)
    picture, closeup = st.columns([3, 1], gap="medium")
    with picture:
        _draw_squares(shown, photos, chosen)
    with closeup:
        if not done:
            # Which image makes the best example is known only when all have been seen.
            st.caption("The first example comes with the last prediction.")
            st.stop()
        position = pickers.image(photos, default=_example(shown, chosen))
        drawn.once(_closeup, classifier, photos, predictions, truth, position, shown.threshold)
        st.page_link("pages/saliency.py", label="Why? Compare saliency", icon=":material/blur_on:")
    _classes(shown)
    _downloads(shown, photos)
    overview.layers(classifier)
    layout.how_to_read(READING)


_THRESHOLD = "A class is predicted where its probability reaches this."


def _class(classifier: Classifier, predictions: Predictions, truth: Truth) -> int:
    """Draw the picker of the class that the squares are about: at first the one with the most images."""
    positives = truth.present.sum(axis=0)
    if not positives.any() and predictions.every is not None:
        positives = (predictions.every.probabilities >= HALF / 100).sum(axis=0)
    default = str(int(positives.argmax()))
    labels = {str(one): label for one, label in enumerate(classifier.labels)}
    return int(controls.listed("Class", "class", list(labels), default=default, named=labels.__getitem__))


def _table(predictions: Predictions, truth: Truth, kept: np.ndarray, threshold: float) -> pd.DataFrame:
    return multi_label.per_class(multi_label.judged(predictions, truth, kept), threshold)


def _ranking(predictions: Predictions, truth: Truth, kept: np.ndarray) -> Ranking:
    return multi_label.ranking(multi_label.judged(predictions, truth, kept))


def _summary(shown: _Shown) -> None:
    """How good the classifier is in one row of numbers, and what they rest on."""
    macro, micro = (average(shown.table, shown.ranking) for average in (multi_label.macro, multi_label.micro))
    counts = multi_label.label_counts(shown.judged, shown.threshold)
    classes = int((shown.table["judged"] > 0).sum())
    numbers = st.container(horizontal=True, gap="large")
    about = f"The mean over the {classes} classes that can be judged; below, over all pairs of image and class."
    for name, field in (
        ("Average precision", "average_precision"),
        ("Precision", "precision"),
        ("Recall", "recall"),
        ("F1", "f1"),
    ):
        over_classes, over_pairs = getattr(macro, field), getattr(micro, field)
        overview.metric(numbers, name, _percent(over_classes), f"micro {_percent(over_pairs)}", help=about)
    gets = f"{_number(counts.present)} → {_number(counts.predicted)}" if counts.images else "–"
    overview.metric(
        numbers,
        "Labels an image",
        gets,
        f"none for {counts.without:,}",
        help="How many classes an image has by its labels → how many are predicted, on average; and how many images "
        "get none.",
    )
    overview.metric(numbers, "Images", f"{len(shown.predictions):,}")
    overview.metric(numbers, "Classes", f"{len(shown.classifier.labels):,}")
    _remarks(shown, classes)
    layout.left_out(shown.predictions.problems)


def _remarks(shown: _Shown, classes: int) -> None:
    truth, every = shown.truth, shown.predictions.every
    said = {
        "label sets": "",
        "columns": "What is in an image is read from the set's columns of 0 and 1 that are called as classes are; "
        "gaps and −1 do not count.",
        "one label": "The set gives one label an image, which is taken for all that is in it.",
        "nothing": "The set does not say which of the classifier's classes are in its images: predictions are shown, "
        "and nothing is judged. " + _HOW,
    }[truth.by]
    lines = [said] if said else []
    unnamed = len(shown.classifier.labels) - classes
    if truth.by != "nothing" and unnamed:
        lines.append(f"{unnamed:,} of the classes are named by no image of the set, and are not judged.")
    if truth.unmatched:
        some = ", ".join(truth.unmatched[:5]) + (" …" if len(truth.unmatched) > 5 else "")
        lines.append(f"{len(truth.unmatched):,} labels of the set are none of the classifier's classes: {plain(some)}.")
    if every is not None and every.step > 1:
        lines.append(
            f"Of every {every.step} images one counts here: the probabilities of all classes for all "
            f"{len(shown.predictions):,} would take too much memory."
        )
    for line in lines:
        st.caption(f":material/info: {line}")


_HOW = (
    "Labels come from a column 'labels' of index.csv (several between | or ;), from columns of 0 and 1 called as the "
    "classes are, or from a COCO file."
)


def _draw_squares(shown: _Shown, photos: ImageSet, chosen: int) -> None:
    question = cache.call(_squares, photos, shown.predictions, shown.truth, shown.kept, chosen, shown.threshold)
    figure = cache.get(question, disk=False, device="figures")
    st.plotly_chart(figure, key="squares", on_select=overview.take, selection_mode="points", config=PLOT)


def _squares(
    photos: ImageSet, predictions: Predictions, truth: Truth, kept: np.ndarray, chosen: int, threshold: float
) -> go.Figure:
    found = multi_label.judged(predictions, truth, kept)
    shares, present, known = (one[:, chosen] for one in (found.probabilities, found.present, found.known))
    figure = figures.squares(found.indices, shares, present, known, threshold=threshold, names=photos.names)
    return drawn.Settled(figure)


def _example(shown: _Shown, chosen: int) -> int:
    """The image to open with: the worst mistake about the class or, where nothing is known, its most probable one."""
    found = shown.judged
    shares, known = found.probabilities[:, chosen], found.known[:, chosen]
    if not len(shares):
        return int(shown.predictions.indices[0])
    error = np.where(known, np.abs(shares - found.present[:, chosen]), -1)
    return int(found.indices[error.argmax() if known.any() else shares.argmax()])


def _closeup(
    classifier: Classifier, photos: ImageSet, predictions: Predictions, truth: Truth, position: int, threshold: float
) -> None:
    try:
        sample = photos[position]
    except UnreadableImage as error:
        st.error(plain(str(error)), icon=":material/broken_image:")
        return
    st.image(overview.enlarged(sample.image), width="stretch")
    every = predictions.every
    where = [] if every is None else np.flatnonzero(every.indices == position)
    if every is None or not len(where):
        st.caption(":material/info: The probabilities of all its classes were not kept.")
        return
    shares, present, known = every.probabilities[where[0]], truth.present[position], truth.known[position]
    wanted = figures.chosen_classes(shares, present, threshold)
    above = int((shares >= threshold).sum())
    names = [classifier.labels[one] for one in wanted]
    st.caption(
        f"{above:,} of {len(shares):,} classes at or above {threshold:.0%}; ✓ is what the set says is in it."
        if known.any()
        else f"{above:,} of {len(shares):,} classes at or above {threshold:.0%}; the set does not say what is in it."
    )
    figure = figures.classes_of_image(shares[wanted], names, present[wanted], known[wanted], threshold)
    st.plotly_chart(figure, config={"displayModeBar": False})


def _classes(shown: _Shown) -> None:
    st.markdown("#### Classes")
    wanted = st.text_input("Find a class", key="find", placeholder="Part of its name", icon=":material/search:")
    drawn.once(_draw_classes, shown.classifier, shown.predictions, shown.truth, shown.kept, shown.threshold, wanted)


def _draw_classes(
    classifier: Classifier, predictions: Predictions, truth: Truth, kept: np.ndarray, threshold: float, wanted: str
) -> None:
    shown = _Shown(classifier, predictions, truth, kept, threshold)
    table = rows_of_classes(classifier, shown.table, shown.ranking)
    if wanted:
        table = table[table["class"].str.contains(wanted, case=False, regex=False)]
    shares = {
        name: st.column_config.ProgressColumn(title, format="percent", min_value=0, max_value=1)
        for name, title in (
            ("precision", "Precision"),
            ("recall", "Recall"),
            ("f1", "F1"),
            ("average precision", "Average precision"),
        )
    }
    st.dataframe(
        table,
        hide_index=True,
        column_order=["class", "labelled", "predicted", *shares],
        column_config={
            "class": "Class",
            "labelled": st.column_config.NumberColumn("Labelled", help="Images that have it by the set's labels."),
            "predicted": st.column_config.NumberColumn("Predicted", help="Images where it reaches the threshold."),
            **shares,
        },
    )


def rows_of_classes(classifier: Classifier, table: pd.DataFrame, ranked: Ranking) -> pd.DataFrame:
    """A row for each class, by its name, as it is shown and downloaded."""
    return pd.DataFrame(
        {
            "class": list(classifier.labels),
            "judged images": table["judged"],
            "labelled": table["positives"],
            "predicted": table["above"],
            "precision": table["precision"],
            "recall": table["recall"],
            "f1": table["f1"],
            "average precision": ranked.by_class,
        }
    )


def rows_of_images(classifier: Classifier, photos: ImageSet, found: Judged, threshold: float) -> list[dict[str, Any]]:
    """A row for each image: its labels, its predicted classes, and the probability of every class."""
    labels = classifier.labels
    return [
        {
            "image": photos.names[index],
            "labels": "|".join(labels[one] for one in np.flatnonzero(present & known)),
            "predicted": "|".join(labels[one] for one in np.flatnonzero(shares >= threshold)),
            **{f"probability of {label}": f"{share:.6f}" for label, share in zip(labels, shares, strict=True)},
        }
        for index, shares, present, known in zip(
            found.indices, found.probabilities, found.present, found.known, strict=True
        )
    ]


def _downloads(shown: _Shown, photos: ImageSet) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Classes as CSV",
            lambda: export.table(rows_of_classes(shown.classifier, shown.table, shown.ranking).to_dict("records")),
            "loupe-classes.csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Predictions as CSV",
            lambda: export.table(rows_of_images(shown.classifier, photos, shown.judged, shown.threshold)),
            "loupe-predictions.csv",
            icon=":material/download:",
            on_click="ignore",
        )


def _percent(value: float) -> str:
    return "–" if isnan(value) else f"{value:.1%}"


def _number(value: float) -> str:
    return "–" if isnan(value) else f"{value:.1f}"
