"""Drawing the Overview: the numbers on top, the squares, one image large, the classes, the confusions."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import cache
from interp import models
from interp.figures import confusion
from interp.figures import overview as figures
from interp.images import ImageSet
from interp.models import performance
from interp.models.predictions import TOP, Predictions
from interp.types import Classifier
from pages.parts.cards import pictured
from pages.parts.kit import charts, export, problems, replay
from pages.parts.kit.export import PLOT
from pages.parts.kit.text import plain

GROUPS = 6

READING = r"""
**The squares** (after ModelTracker, Amershi et al. 2015). Every image is one mark in the row of its labelled class,
ordered from left to right by its *score*: the probability that the classifier gives to that label (to its prediction,
where an image has no label). Blue squares are right, orange crosses wrong. Wrong images at the right end of a row are
near misses; those at the left end are seen as something else altogether, and are the ones to open first.

**Accuracy** is the share of labelled images whose most probable class is their label, with its 95% Wilson interval:
few images tell little, and the interval says how little. Images whose label is none of the classifier's classes do not
count. *Top five* asks only that the label is among the five most probable classes.

**Confidence** is the probability of the prediction, as the network itself gives it. It is no probability of being
right: networks are often too sure, so compare mean confidence with accuracy before you trust it.

**Known pitfalls.** Images that the classifier was trained on flatter it; where the set names groups such as *training*
and *held-out*, filter by them. A class's accuracy on a handful of images is noise. One label an image is too few for
photographs that show several things.
"""


def summary(classifier: Classifier, photos: ImageSet, predictions: Predictions) -> None:
    """The model and how well it does on the set, in one row of numbers; labels that match no class are said."""
    result = performance.accuracy(predictions)
    numbers = st.container(horizontal=True, key="numbers")
    if result.count:
        interval = f"{result.low:.1%} to {result.high:.1%}"
        metric(numbers, "Accuracy", f"{result.value:.1%}", interval, help="Top-1, with its 95% Wilson interval.")
        if len(classifier.labels) > TOP:
            metric(numbers, "Top five", f"{performance.top_accuracy(predictions).value:.1%}")
    else:
        metric(numbers, "Accuracy", "–", help="No image has a label among the classifier's classes.")
    metric(numbers, "Images", f"{len(predictions):,}")
    metric(numbers, "Classes", f"{len(classifier.labels):,}")
    architecture = re.sub(r"^interp\.models\.([a-z]+\.)*", "", classifier.architecture.rpartition("/")[2])
    built = f"{architecture}, {len(classifier.layers)} layers"
    metric(numbers, "Parameters", _short(classifier.parameters), built)
    labels = models.match_set(classifier, photos)
    if labels.unmatched:
        some = ", ".join(labels.unmatched[:5]) + (", …" if len(labels.unmatched) > 5 else ".")
        st.caption(
            f":material/info: {len(labels.unmatched)} labels of the set are none of the classifier's classes, "
            f"and their images count as unlabelled: {plain(some)}"
        )
    if any(one is not None and len(one) > 1 for one in photos.label_sets or ()):
        st.caption(":material/info: Of several labels of an image the first counts, or the one that is marked largest.")
    if labels.negation is not None:
        taken, stands = plain(labels.negation), plain(classifier.labels[0])
        st.caption(f":material/info: The set's label *{taken}* was taken for *{stands}*.")
    if labels.by == "index" and result.count:
        st.caption(":material/info: The set's labels were taken as class numbers.")
    _by_group(predictions, photos)
    for remark in labels.remarks:
        st.caption(f":material/info: {plain(remark)}")
    problems.read_otherwise(predictions.remarks)
    problems.left_out(predictions.problems)


def passing(predictions: Predictions, photos: ImageSet, chosen: performance.Filter) -> np.ndarray:
    """Which images pass the filters; an empty choice says so and ends the page."""
    mask = performance.keep(predictions, chosen, photos.groups)
    if not mask.any():
        st.info("No image passes these filters. Widen the confidence, or show all.")
        st.stop()
    return mask


def shown(predictions: Predictions, kept: np.ndarray) -> None:
    """How many images the filters leave, and how accurate the classifier is on them."""
    if kept.all():
        return
    result = performance.accuracy(predictions, kept)
    accuracy = f", {result.value:.1%} of the labelled ones right" if result.count else ""
    st.caption(f"The filters leave {kept.sum():,} of {len(predictions):,} images{accuracy}.")


def example(predictions: Predictions) -> int:
    """The image to open with: the most confident mistake or, where nothing is wrong, the least confident image."""
    confidence = predictions.confidence
    wrong = predictions.labelled & ~predictions.right
    best = np.where(wrong, confidence, -1).argmax() if wrong.any() else confidence.argmin()
    return int(predictions.indices[best])


def squares(
    classifier: Classifier, photos: ImageSet, predictions: Predictions, kept: np.ndarray, shown: list[int]
) -> None:
    """Every image a small square; a click chooses it."""
    figure = cache.figure(_squares, classifier, photos, predictions, kept, shown)
    charts.draw(figure, key="squares", on_select=take, selection_mode="points", config=PLOT)


def closeup(
    scope: cache.Scope, classifier: Classifier, photos: ImageSet, predictions: Predictions, position: int
) -> None:
    """One image large, its five most probable classes, and the way to its explanation."""
    if pictured.draw(scope, classifier, photos, position):
        for row in np.flatnonzero(predictions.indices == position).tolist():
            said = (predictions.classes[row], predictions.probabilities[row], predictions.labels[row])
            replay.once(_most_probable, classifier, *said)
    st.page_link("pages/saliency.py", label="Why? Compare saliency", icon=":material/blur_on:")


def classes(classifier: Classifier, predictions: Predictions, kept: np.ndarray) -> None:
    """The classes as a table to search and sort."""
    wanted = st.text_input("Find a class", key="find", placeholder="Part of its name", icon=":material/search:")
    replay.once(_classes, classifier, predictions, kept, wanted)


def confusions(classifier: Classifier, predictions: Predictions, kept: np.ndarray, shown: list[int]) -> None:
    """The confusion matrix of the classes shown above, and the pairs most often confused."""
    replay.once(_confusions, classifier, predictions, kept, shown)


def downloads(classifier: Classifier, photos: ImageSet, predictions: Predictions, kept: np.ndarray) -> None:
    """The predictions of the images kept, as CSV."""
    export.download("Predictions as CSV", "loupe-predictions.csv", lambda: rows(classifier, photos, predictions, kept))


def rows(classifier: Classifier, photos: ImageSet, predictions: Predictions, kept: np.ndarray) -> list[dict[str, Any]]:
    """One row an image: name, label, prediction, confidence, the label's probability."""
    return [
        {
            "image": photos.names[predictions.indices[row]],
            "label": classifier.labels[predictions.labels[row]] if predictions.labels[row] >= 0 else "",
            "prediction": classifier.labels[predictions.predicted[row]],
            "confidence": f"{predictions.confidence[row]:.6f}",
            "probability of label": f"{predictions.label_probability[row]:.6f}",
        }
        for row in np.flatnonzero(kept)
    ]


def layers(classifier: Classifier) -> None:
    """Every place where the classifier's activations can be read."""
    replay.once(_layers, classifier)


def _by_group(predictions: Predictions, photos: ImageSet) -> None:
    names = sorted({group for group in photos.groups if group is not None})
    if not 1 < len(names) <= GROUPS:
        return
    parts = []
    for name in names:
        mask = performance.keep(predictions, performance.Filter(groups=frozenset({name})), photos.groups)
        result = performance.accuracy(predictions, mask)
        parts.append(f"{plain(name)} {result.value:.1%} of {result.count:,}" if result.count else f"{plain(name)} –")
    st.caption("Accuracy by group: " + " · ".join(parts))


def metric(place, label: str, value: str, below: str | None = None, help: str | None = None) -> None:
    """Draw one number with its name; `below` stands under it, without an arrow or a colour."""
    place.metric(label, value, below, delta_color="off", delta_arrow="off", help=help)


def _share(title: str):
    return st.column_config.ProgressColumn(title, format="percent", min_value=0, max_value=1)


def _squares(
    classifier: Classifier, photos: ImageSet, predictions: Predictions, kept: np.ndarray, shown: list[int]
) -> go.Figure:
    return replay.Settled(
        figures.squares(predictions, kept, labels=classifier.labels, names=photos.names, classes_shown=shown)
    )


def _most_probable(
    classifier: Classifier, classes: np.ndarray, probabilities: np.ndarray, label: int | np.integer
) -> None:
    names, own = [classifier.labels[one] for one in classes], classifier.labels[label] if label >= 0 else None
    charts.draw(figures.top_classes(probabilities, names, own), config={"displayModeBar": False})


def _classes(classifier: Classifier, predictions: Predictions, kept: np.ndarray, wanted: str) -> None:
    table = performance.per_class(predictions, kept)
    table = table[table["count"] > 0].assign(
        name=lambda some: [classifier.labels[one] for one in some["class"]],
        mistake=lambda some: [classifier.labels[one] if one >= 0 else "" for one in some["mistake"]],
        # Of images without a label nobody knows.
        right=lambda some: some["right"].astype("Int64").where(some["accuracy"].notna()),
    )
    if wanted:
        table = table[table["name"].str.contains(wanted, case=False, regex=False)]
    st.dataframe(
        export.shown(table),
        hide_index=True,
        column_order=["name", "count", "right", "accuracy", "confidence", "mistake"],
        column_config={
            "name": "Class",
            "count": "Images",
            "right": "Right",
            "accuracy": _share("Accuracy"),
            "confidence": _share("Mean confidence"),
            "mistake": "Most often taken for",
        },
        placeholder="–",
    )


def _confusions(classifier: Classifier, predictions: Predictions, kept: np.ndarray, shown: list[int]) -> None:
    matrix, pairs = st.columns([2, 1], gap="medium")
    counts = performance.confusion(predictions, shown, kept)
    with matrix:
        charts.draw(confusion.confusion(counts, [*(classifier.labels[one] for one in shown), "other"]), config=PLOT)
    with pairs:
        st.markdown("**Most often confused**")
        found = performance.confused_pairs(predictions, kept).head(100)
        if found.empty:
            st.caption("No image is taken for another class.")
            return
        names = {side: [classifier.labels[one] for one in found[side]] for side in ("label", "prediction")}
        st.dataframe(
            export.shown(found.assign(**names)),
            hide_index=True,
            column_order=["label", "prediction", "count"],
            column_config={"label": "Labelled", "prediction": "Taken for", "count": "Images"},
        )


def _layers(classifier: Classifier) -> None:
    with st.expander(f"Layers of {plain(classifier.name)}", icon=":material/layers:"):
        default = classifier.last_spatial_layer.name if classifier.has_maps else None
        rows = [
            {
                "layer": layer.name,
                "kind": layer.kind,
                "channels": layer.channels,
                "map": f"{layer.height} × {layer.width}" if layer.kind != "flat" else "",
                "offered first": layer.block_end,
                "default": layer.name == default,
            }
            for layer in classifier.layers
        ]
        st.dataframe(export.shown(rows), hide_index=True)


def take() -> None:
    """Choose the image whose square was clicked."""
    points = st.session_state["squares"].selection.points
    if points:
        chosen = points[0]["customdata"]
        st.session_state["image"] = int(chosen[0] if isinstance(chosen, list) else chosen)


def _short(count: int) -> str:
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count:,}"
