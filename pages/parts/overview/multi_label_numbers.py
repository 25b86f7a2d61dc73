"""The numbers of a classifier whose classes do not exclude each other: in one row, as a table, and as files."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

import cache
from interp.images import ImageSet
from interp.models import GroundTruth, multi_label
from interp.models.multi_label import Assessed, Ranking
from interp.models.predictions import Predictions
from interp.types import Classifier
from pages.parts.kit import export, problems, replay
from pages.parts.kit.text import plain
from pages.parts.overview import results

IN_TEXT = 2_000_000
"""So many probabilities are written as text."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What is judged: the predictions that are kept, what is in the images, and the threshold."""

    classifier: Classifier
    predictions: Predictions
    truth: GroundTruth
    kept: np.ndarray
    threshold: float

    @property
    def judged(self) -> Assessed:
        """The images with their probabilities, and what is in them."""
        return cache.lookup(multi_label.judged, self.predictions, self.truth, self.kept)

    @property
    def table(self) -> pd.DataFrame:
        """The numbers of each class."""
        return cache.lookup(_table, self.predictions, self.truth, self.kept, self.threshold)

    @property
    def ranking(self) -> Ranking:
        """The average precisions."""
        return cache.lookup(_ranking, self.predictions, self.truth, self.kept)


def _table(predictions: Predictions, truth: GroundTruth, kept: np.ndarray, threshold: float) -> pd.DataFrame:
    return multi_label.per_class(multi_label.judged(predictions, truth, kept), threshold)


def _ranking(predictions: Predictions, truth: GroundTruth, kept: np.ndarray) -> Ranking:
    return multi_label.ranking(multi_label.judged(predictions, truth, kept))


def summary(shown: Shown) -> None:
    """How good the classifier is in one row of numbers, and what they rest on."""
    macro, micro = (average(shown.table, shown.ranking) for average in (multi_label.macro, multi_label.micro))
    counts = multi_label.label_counts(shown.judged, shown.threshold)
    judged = int(np.sum(shown.table["judged"].to_numpy() > 0))
    numbers = st.container(horizontal=True, key="numbers")
    about = f"The mean over the {judged} classes that can be judged; below, over all pairs of image and class."
    for name, field in (
        ("Average precision", "average_precision"),
        ("Precision", "precision"),
        ("Recall", "recall"),
        ("F1", "f1"),
    ):
        over_classes, over_pairs = getattr(macro, field), getattr(micro, field)
        results.metric(numbers, name, _percent(over_classes), f"micro {_percent(over_pairs)}", help=about)
    gets = f"{_number(counts.present)} → {_number(counts.predicted)}" if counts.images else "–"
    results.metric(
        numbers,
        "Labels an image",
        gets,
        f"none for {counts.without:,}",
        help="How many classes an image has by its labels → how many are predicted, on average; and how many images "
        "get none.",
    )
    results.metric(numbers, "Images", f"{len(shown.predictions):,}", f"{len(shown.classifier.labels):,} classes")
    _remarks(shown, judged)
    problems.left_out(shown.predictions.problems)


def _remarks(shown: Shown, judged: int) -> None:
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
    unnamed = len(shown.classifier.labels) - judged
    if truth.by != "nothing" and unnamed:
        lines.append(f"{unnamed:,} of the classes are named by no image of the set, and are not judged.")
    if truth.unmatched:
        some = ", ".join(truth.unmatched[:5]) + (" …" if len(truth.unmatched) > 5 else "")
        count = len(truth.unmatched)
        are = "label of the set is" if count == 1 else "labels of the set are"
        lines.append(f"{count:,} {are} none of the classifier's classes: {plain(some)}.")
    if every is not None and every.step > 1:
        lines.append(
            f"Of every {every.step} images one counts here: the probabilities of all classes for all "
            f"{len(shown.predictions):,} would take too much memory."
        )
    for line in lines:
        st.caption(f":material/info: {line}")


_HOW = (
    "Labels come from a column 'labels' of a table (several between | or ;), from columns of 0 and 1 called as the "
    "classes are, or from what is marked."
)


def classes(shown: Shown) -> None:
    """All classes as a table to search and sort."""
    st.markdown("#### Classes")
    wanted = st.text_input("Find a class", key="find", placeholder="Part of its name", icon=":material/search:")
    replay.once(_draw_classes, shown.classifier, shown.predictions, shown.truth, shown.kept, shown.threshold, wanted)


def _draw_classes(
    classifier: Classifier,
    predictions: Predictions,
    truth: GroundTruth,
    kept: np.ndarray,
    threshold: float,
    wanted: str,
) -> None:
    shown = Shown(classifier, predictions, truth, kept, threshold)
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
        export.shown(table),
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


def rows_of_images(classifier: Classifier, photos: ImageSet, found: Assessed, threshold: float) -> list[dict[str, Any]]:
    """A row for each image: its labels, its predicted classes, and the probability of every class.

    Probabilities are left out where they are more than `IN_TEXT`.
    """
    labels = classifier.labels
    written = labels if found.probabilities.size <= IN_TEXT else ()
    return [
        {
            "image": photos.names[index],
            "labels": "|".join(labels[one] for one in np.flatnonzero(present & known)),
            "predicted": "|".join(labels[one] for one in np.flatnonzero(shares >= threshold)),
            **{f"probability of {label}": f"{share:.6f}" for label, share in zip(written, shares, strict=False)},
        }
        for index, shares, present, known in zip(
            found.indices, found.probabilities, found.present, found.known, strict=True
        )
    ]


def downloads(shown: Shown, photos: ImageSet) -> None:
    """The classes and the images' predictions as CSV; where these would be too large, the probabilities as NPZ."""
    found = shown.judged
    with st.container(horizontal=True):
        export.download(
            "Classes as CSV",
            "loupe-classes.csv",
            lambda: rows_of_classes(shown.classifier, shown.table, shown.ranking).to_dict("records"),
        )
        export.download(
            "Predictions as CSV",
            "loupe-predictions.csv",
            lambda: rows_of_images(shown.classifier, photos, found, shown.threshold),
        )
        if found.probabilities.size > IN_TEXT:
            export.download(
                "Probabilities as NPZ",
                "loupe-probabilities.npz",
                lambda: {"images": found.indices, "probabilities": found.probabilities},
                help="Of every class for every image, in the set's order; as text they would be too large.",
            )


def _percent(value: float) -> str:
    return "–" if isnan(value) else f"{value:.1%}"


def _number(value: float) -> str:
    return "–" if isnan(value) else f"{value:.1f}"
