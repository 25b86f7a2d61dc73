"""The Overview of a classifier whose classes do not exclude each other: each class by itself, at a threshold."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import cache
from interp import models
from interp.figures import several as figures
from interp.images import ImageSet
from interp.models import GroundTruth, multi_label, performance
from interp.models.predictions import Predictions
from interp.types import Classifier
from pages.parts.cards import pictured
from pages.parts.kit import charts, controls, pickers, problems, replay, screens
from pages.parts.kit.export import PLOT
from pages.parts.kit.selection import Selection
from pages.parts.overview import filters, results
from pages.parts.overview import multi_label_numbers as numbers
from pages.parts.overview.multi_label_numbers import Shown

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


def page(selection: Selection, predictions: Predictions, summary, *, done: bool) -> None:
    """Draw the Overview of predictions that have the probabilities of every class."""
    classifier, photos = selection.classifier, selection.photos
    if predictions.every is None:
        problems.left_out(predictions.problems)
        st.stop()
    truth = cache.lookup(models.match_several, classifier, photos)
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
    shown = Shown(classifier, predictions, truth, kept, percent / 100)
    with summary:
        numbers.summary(shown)
    picture, closeup = screens.beside(drawer=False)
    with picture:
        _draw_squares(shown, photos, chosen)
    with closeup:
        if not done:
            # Which image makes the best example is known only when all have been seen.
            st.caption("The first example comes with the last prediction.")
            st.stop()
        position = pickers.image(photos, default=_example(shown, chosen))
        if pictured.draw(selection.scope, classifier, photos, position):
            replay.once(_most_probable, classifier, predictions, truth, position, shown.threshold)
        st.page_link("pages/saliency.py", label="Why? Compare saliency", icon=":material/blur_on:")
    numbers.classes(shown)
    numbers.downloads(shown, photos)
    results.layers(classifier)


_THRESHOLD = "A class is predicted where its probability reaches this."


def _class(classifier: Classifier, predictions: Predictions, truth: GroundTruth) -> int:
    """Draw the picker of the class that the squares are about: at first the one with the most images."""
    positives = truth.present.sum(axis=0)
    if not positives.any() and predictions.every is not None:
        positives = (predictions.every.probabilities >= HALF / 100).sum(axis=0)
    default = str(int(positives.argmax()))
    labels = {str(one): label for one, label in enumerate(classifier.labels)}
    return int(controls.listed("Class", "class", list(labels), default=default, named=labels.__getitem__))


def _draw_squares(shown: Shown, photos: ImageSet, chosen: int) -> None:
    figure = cache.figure(_squares, photos, shown.predictions, shown.truth, shown.kept, chosen, shown.threshold)
    charts.draw(figure, key="squares", on_select=results.take, selection_mode="points", config=PLOT)


def _squares(
    photos: ImageSet, predictions: Predictions, truth: GroundTruth, kept: np.ndarray, chosen: int, threshold: float
) -> go.Figure:
    found = multi_label.judged(predictions, truth, kept)
    shares, present, known = (one[:, chosen] for one in (found.probabilities, found.present, found.known))
    figure = figures.squares(found.indices, shares, present, known, threshold=threshold, names=photos.names)
    return replay.Settled(figure)


def _example(shown: Shown, chosen: int) -> int:
    """The image to open with: the worst mistake about the class or, where nothing is known, its most probable one."""
    found = shown.judged
    shares, known = found.probabilities[:, chosen], found.known[:, chosen]
    if not len(shares):
        return int(shown.predictions.indices[0])
    error = np.where(known, np.abs(shares - found.present[:, chosen]), -1)
    return int(found.indices[error.argmax() if known.any() else shares.argmax()])


def _most_probable(
    classifier: Classifier, predictions: Predictions, truth: GroundTruth, position: int, threshold: float
) -> None:
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
    charts.draw(figure, config={"displayModeBar": False})
