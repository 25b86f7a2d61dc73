"""The list of classes with how alike they are to the chosen one and how often they are recognized."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Float, Int

import cache
from interp.class_summary import ClassSimilarity, ClassSummary
from interp.figures import class_probabilities as figures
from interp.models import performance
from interp.models.predictions import Predictions
from interp.types import Fingerprinted
from pages.parts.kit import charts, export, replay
from pages.parts.kit.text import plain

ORDERS = ("Name", "Alike", "Images", "Accuracy")
HELP = "Alike: the most alike first. Images: the most first. Accuracy: the lowest first."
ROWS = 10


@dataclass(frozen=True, eq=False)
class ClassRows(Fingerprinted):
    """What the list is made of, of all classes: how alike to the chosen one, and the accuracy (nan: not known)."""

    summary: ClassSummary
    number: int
    layer: str
    cosines: Float[np.ndarray, " c"]
    accuracy: Float[np.ndarray, " c"]

    @classmethod
    def of(
        cls, summary: ClassSummary, alike: ClassSimilarity, predictions: Predictions | None, number: int, layer: str
    ) -> ClassRows:
        """Those of a chosen class at a layer."""
        accuracy = np.full(len(summary.labels), np.nan)
        if predictions is not None and len(predictions):
            found = cache.lookup(performance.per_class, predictions)
            accuracy[found["class"]] = found["accuracy"]
        return cls(summary, number, layer, alike.cosines[layer][number], accuracy)

    def shown(self, order: str, wanted: str, held: Collection[int] | None) -> Int[np.ndarray, " m"]:
        """The classes with images in this order, whose names have this in them, and that are `held` (None: all)."""
        seen = self.summary.seen
        if wanted:
            seen = seen[[wanted.casefold() in self.summary.labels[one].casefold() for one in seen.tolist()]]
        if held is not None:
            seen = seen[np.isin(seen, sorted(held))]
        if order == "Name":
            names = [self.summary.labels[one].casefold() for one in seen.tolist()]
            return seen[sorted(range(len(seen)), key=names.__getitem__)]
        keys = {"Alike": -self.cosines, "Images": -self.summary.images, "Accuracy": self.accuracy}
        return seen[np.argsort(keys[order][seen], kind="stable")]

    def table(self, classes: Int[np.ndarray, " m"]) -> pd.DataFrame:
        """The rows of these classes."""
        return pd.DataFrame(
            {
                "class": [self.summary.labels[one] for one in classes.tolist()],
                "images": self.summary.images[classes],
                "accuracy": self.accuracy[classes],
                "alike": self.cosines[classes],
            }
        )


def draw(rows: ClassRows, alike: ClassSimilarity, order: str, wanted: str, held: tuple[int, ...] | None) -> None:
    """The list, as far as it is searched for and held in the lasso, and the classes that are nearest."""
    summary, name = rows.summary, plain(rows.summary.labels[rows.number])
    near = alike.nearest(rows.layer, rows.number, 3).tolist()
    said = ", ".join(f"{plain(summary.labels[one])} {rows.cosines[one]:.2f}" for one in near)
    st.markdown(f"Nearest to **{name}** at {plain(rows.layer)}: {said or 'none'}.")
    if held is not None:
        st.caption(f"The list has the {len(held)} classes in the lasso. A double click on the map lets go of them.")
    classes = rows.shown(order, wanted, held)
    if not len(classes):
        st.info("No class is called so. Search for another part of a name.")
        return
    replay.once(_table, rows, classes)
    export.download("Classes as CSV", "loupe-classes.csv", lambda: rows.table(classes).to_dict("records"))


def recognized(summary: ClassSummary, predictions: Predictions, number: int) -> None:
    """How probable the classifier holds the class in its own images."""
    own = predictions.labels == number
    if not own.any():
        return
    right = performance.accuracy(predictions, own)
    st.markdown(
        f"**{plain(summary.labels[number])}** is recognized in {right.hits:,} of {right.count:,} images "
        f"({right.value:.0%}; 95% interval {right.low:.0%} to {right.high:.0%})."
    )
    replay.once(_probabilities, predictions, number)


def _table(rows: ClassRows, classes: Int[np.ndarray, " m"]) -> None:
    config = {
        "class": st.column_config.TextColumn("class"),
        "accuracy": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
        "alike": st.column_config.ProgressColumn(
            f"alike {rows.summary.labels[rows.number]}", format="%.2f", min_value=0, max_value=1
        ),
    }
    table = export.shown(rows.table(classes))
    height = 35 * (min(len(classes), ROWS) + 1) + 3
    st.dataframe(table, hide_index=True, height=height, column_config=config, placeholder="–")


def _probabilities(predictions: Predictions, number: int) -> None:
    charts.draw(figures.probabilities(predictions, number), config=export.PLOT)
