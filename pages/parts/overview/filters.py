"""Filters of the Overview: they apply to its squares, its table and its confusion matrix alike."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from interp.images import ImageSet
from interp.models.performance import Filter, Outcome, per_class
from interp.models.predictions import Predictions
from interp.types import Classifier
from pages.parts.kit import address, controls, screens

OUTCOMES: dict[str, Outcome] = {"All": "all", "Right": "right", "Wrong": "wrong"}
ORDERS = ("Class order", "Lowest accuracy first", "Most images first")
ROWS = 40


def choose(classifier: Classifier, photos: ImageSet, predictions: Predictions) -> Filter:
    """Draw the filters in one row; gives what they say."""
    with screens.filters():
        outcome = controls.one_of("Show", "outcome", list(OUTCOMES))
        present = np.union1d(predictions.labels[predictions.labels >= 0], predictions.predicted).tolist()
        address.seed("classes", [], valid=set(present).issuperset, parse=_indices)
        classes = st.multiselect(
            "Classes", present, format_func=classifier.labels.__getitem__, key="classes", placeholder="All classes"
        )
        address.publish("classes", ",".join(map(str, classes)) or None)

        low, high = controls.between("Confidence, %", "confidence", (0, 100), low=0, high=100, step=1, width=220)
        picked = groups(photos)
    return Filter(
        outcome=OUTCOMES[outcome],
        classes=frozenset(classes) or None,
        confidence=(low / 100, high / 100),
        groups=picked,
    )


def groups(photos: ImageSet) -> frozenset[str] | None:
    """Draw the picker of groups, where the set has several; gives those chosen, None for all."""
    named = cache.lookup(_groups, photos)
    if len(named) <= 1:
        return None
    address.seed("groups", [], valid=set(named).issuperset, parse=lambda text: text.split(","))
    chosen = st.multiselect("Groups", named, key="groups", placeholder="All groups")
    address.publish("groups", ",".join(chosen) or None)
    return frozenset(chosen) or None


def classes_shown(classifier: Classifier, predictions: Predictions, kept: np.ndarray) -> list[int]:
    """Draw the order of the rows and, where there are many classes, the pages; gives the classes of this page."""
    table = cache.lookup(per_class, predictions, kept)
    table = table[table["count"] > 0]
    if len(table) <= 1:
        return table["class"].tolist()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        address.seed("order", ORDERS[0], valid=ORDERS.__contains__, parse=str)
        order = st.selectbox("Rows", ORDERS, key="order", width=240)
        address.publish("order", None if order == ORDERS[0] else order)
        if order != ORDERS[0]:
            by, ascending = ("accuracy", True) if order == ORDERS[1] else ("count", False)
            table = table.sort_values(by, ascending=ascending, kind="stable", na_position="last")
        pages = -(-len(table) // ROWS)
        page = st.pagination(pages, key=f"page-{pages}") if pages > 1 else 1
    return table["class"].tolist()[(page - 1) * ROWS : page * ROWS]


def _groups(photos: ImageSet) -> list[str]:
    return sorted({group for group in photos.groups if group is not None})


def _indices(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]
