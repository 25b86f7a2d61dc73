"""For which class an image counts: that of its label or, where it has none, the one that the classifier predicts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

import cache
from interp import class_summary, models
from interp.models.predictions import Predictions
from pages.parts.kit import address, controls, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

LABELS, PREDICTIONS = "Labels", "Predictions"
KEY = "cs.by"


@dataclass(frozen=True, eq=False)
class CountedSelection:
    """What is summed up: what is `chosen` on the page, and the predictions by which images count (None: by labels).

    `own` is the same with the class that each image counts for as its label.
    """

    chosen: Selection
    own: Selection
    predictions: Predictions | None = None

    @property
    def keywords(self) -> dict[str, Predictions]:
        """What the library's functions are told: nothing of labels, so that what was prepared of these is found."""
        return {} if self.predictions is None else {"predictions": self.predictions}


def choose(selection: Selection) -> bool:
    """Draw the choice; gives whether images count by predictions."""
    if selection.classifier.multi_label:
        # There is no summary, which is said in its place.
        return False
    default = LABELS if _labelled(selection) else PREDICTIONS
    address.follow(KEY, default)
    help = (
        "Labels: an image counts for the class that the set says it is of. Predictions: for the class that the "
        "classifier takes it for, which needs no labels."
    )
    return controls.one_of("Classes by", KEY, [LABELS, PREDICTIONS], default=default, help=help) == PREDICTIONS


def counted(selection: Selection, by_predictions: bool) -> CountedSelection | None:
    """The selection with what images count by; None while they are predicted, whose progress is drawn, or cannot be.

    By predictions that is said, and how to read it.
    """
    if not by_predictions:
        return CountedSelection(selection, selection)
    st.info(sentence(selection))
    job = predicting(selection)
    if not waiting.settled(job):
        return None
    classifier, predictions = selection.classifier, job.value
    photos = cache.lookup(class_summary.labelled_as_predicted, classifier, selection.photos, predictions)
    labels = cache.lookup(models.match_set, classifier, photos)
    return CountedSelection(selection, replace(selection, photos=photos, labels=labels), predictions)


def predicting(selection: Selection) -> cache.Job:
    """The job that has the classifier say what each image is, as on the Overview."""
    return selection.scope.shared.compute("predictions", models.predict, selection.classifier, selection.photos)


def sentence(selection: Selection) -> str:
    """That images count by predictions, why, and what it means."""
    name, photos = plain(selection.classifier.name), plain(selection.photos.name)
    if _labelled(selection):
        said = f"Images of {photos} are counted as what {name} takes them for, and not by their labels."
    else:
        said = (
            f"No image of {photos} has a label that is a class of {name}: images are counted as what {name} takes "
            "them for."
        )
    return f"{said} A class's graph then shows what makes {name} say so, also where it is wrong."


def _labelled(selection: Selection) -> bool:
    return any(one is not None for one in selection.labels.indices)
