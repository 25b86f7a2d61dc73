"""How strong the unit is in each image of the set, with the threshold of its masks, by class where labels are known."""

from __future__ import annotations

import numpy as np
import streamlit as st

from interp.embedding import FeaturePass, Features, Representation
from interp.figures import unit_histogram
from pages.parts.kit import charts, export, over_set, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units.asking import UnitResults

READING = (
    "**Histogram.** The largest activation of the unit over all positions, in every image. The dashed line is the "
    "threshold of its masks, which 0.5% of its activations over all positions and images exceed; an image to the right "
    "of it has a mask. The class shown apart is the one in whose images the unit's mean activation is largest. A "
    "detector of one thing has two heaps; most units have one, with a long tail."
)


def section(selection: Selection, asked: UnitResults, number: int) -> None:
    """Draw the histogram where it is opened: it takes a pass over the set, once for all units of the layer."""
    with st.expander("Histogram: how strong it is in every image", key="un-histogram", on_change="rerun") as opened:
        if not opened.open or asked.tally is None:
            return
        asked_for = (Representation(asked.layer.name, "max").resolved(selection.classifier),)
        work = FeaturePass()
        job = over_set.ask(selection.scope, "histogram", work, selection.classifier, selection.photos, asked_for)
        if waiting.settled(job):
            [features] = job.value
            _draw(selection, asked, features, number)


def _draw(selection: Selection, asked: UnitResults, features: Features, number: int) -> None:
    assert asked.tally is not None
    values = features.values[:, number]
    if not len(values):
        st.caption("None of these images could be opened.")
        return
    threshold = None if asked.dissection is None else float(asked.dissection.thresholds[0][number])
    best = int(asked.tally.selectivity[1][number])
    of_class, name = None, ""
    if best >= 0:
        labels = selection.labels.indices
        of_class = np.array([labels[position] == best for position in features.indices.tolist()])
        name = selection.classifier.labels[best]
    if threshold is not None:
        over = values > threshold
        said = f"It is over its threshold somewhere in {int(over.sum()):,} of {len(values):,} images"
        if of_class is not None and of_class.any():
            said += f", and in {int((over & of_class).sum()):,} of the {int(of_class.sum()):,} of *{plain(name)}*"
        st.caption(f"{said}.")
    replay.once(_chart, values, threshold, of_class, name)


def _chart(values: np.ndarray, threshold: float | None, of_class: np.ndarray | None, name: str) -> None:
    charts.draw(unit_histogram.by_image(values, threshold, of_class, name), config=export.PLOT)
