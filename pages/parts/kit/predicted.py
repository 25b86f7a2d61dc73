"""What the classifier says of photographs, and what the set says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import Float
from torch import Tensor

import cache
from interp import models
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.models.multi_label import THRESHOLD
from interp.types import Classifier
from pages.parts.kit.text import plain

LISTED = 8
"""How many classes of a photograph are named where they do not exclude each other."""


@dataclass(frozen=True)
class Own:
    """What the set says of some images: each one's label, and all classes that are in it; None, or none, unknown."""

    labels: tuple[int | None, ...]
    classes: tuple[frozenset[int], ...]


def own(
    classifier: Classifier,
    photos: ImageSet,
    labels: LabelMatch,
    positions: Sequence[int],
    probabilities: Float[Tensor, "n k"],
) -> Own:
    """What the set says of the images at these positions; of several labels the most probable is the label."""
    if not classifier.multi_label:
        found = tuple(labels.indices[one] for one in positions)
        return Own(found, tuple(frozenset() if one is None else frozenset({one}) for one in found))
    truth = cache.lookup(models.match_several, classifier, photos)
    best = models.OwnLabels(None, truth.present).at(positions, probabilities.cpu().numpy())
    classes = tuple(frozenset(np.flatnonzero(truth.present[one]).tolist()) for one in positions)
    return Own(tuple(None if one < 0 else int(one) for one in best), classes)


def predictions(classifier: Classifier, probabilities: Float[Tensor, "n k"], own: Own) -> None:
    """What the classifier says: a line for one photograph, a count for several."""
    if len(own.labels) == 1:
        said = several if classifier.multi_label else prediction
        said(classifier, probabilities[0], own)
        return
    best = probabilities.argmax(dim=1).tolist()
    judged = [(label, one) for label, one in zip(own.labels, best, strict=True) if label is not None]
    right = sum(label == one for label, one in judged)
    how = "have one of their labels as the most probable class" if classifier.multi_label else "predicted as labelled"
    st.markdown(f"{len(best)} photographs, {right} of {len(judged)} with a label {how}")


def prediction(classifier: Classifier, probabilities: Float[Tensor, " k"], own: Own) -> None:
    """One line: what the classifier says of the photograph, and whether that is its label."""
    best, label = int(probabilities.argmax()), own.labels[0]
    said = f"Predicted **{plain(classifier.labels[best])}** with {probabilities[best]:.1%}"
    if label is None:
        verdict = "the image has no label among this classifier's classes"
    elif label == best:
        verdict = ":blue[:material/check_circle: as labelled]"
    else:
        verdict = (
            f":orange[:material/cancel: labelled **{plain(classifier.labels[label])}**] ({probabilities[label]:.1%})"
        )
    st.markdown(f"{said} — {verdict}")


def several(classifier: Classifier, probabilities: Float[Tensor, " k"], own: Own) -> None:
    """One line: the classes of the photograph that are at least as likely as not, and those that it is labelled with.

    Each class has a probability of its own, so that there may be several, or none.
    """
    (present,) = own.classes
    order = probabilities.argsort(descending=True).tolist()
    above = [one for one in order if probabilities[one] >= THRESHOLD]
    shown = above[:LISTED] or order[:1]
    listed = " · ".join(
        f"**{plain(classifier.labels[one])}** {probabilities[one]:.1%}"
        + " :blue[:material/check_circle:]" * (one in present)
        for one in shown
    )
    more = f" and {len(above) - LISTED} more" if len(above) > LISTED else ""
    said = f"{THRESHOLD:.0%} or more: {listed}{more}" if above else f"No class reaches {THRESHOLD:.0%}; first: {listed}"
    missed = [one for one in order if one in present and one not in shown]
    if missed:
        names = ", ".join(f"**{plain(classifier.labels[one])}** ({probabilities[one]:.1%})" for one in missed[:LISTED])
        said += f" — :orange[:material/cancel: labelled also] {names}"
    elif not present:
        said += " — no label of the image is among this classifier's classes"
    st.markdown(said)
