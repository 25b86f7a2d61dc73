"""What the scores of a set say together: how they are spread, class by class, which classes are taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from interp import shared_interest
from interp.figures import interest as figures
from interp.shared_interest import SCORES, ScoreName
from pages.parts.kit import charts, controls, export, replay
from pages.parts.kit.export import PLOT
from pages.parts.kit.text import plain, shortened
from pages.parts.shared_interest.scored_set import SHORT, ScoredSet

FEW = 5
"""Of fewer images than this a class's mean says too little to be pointed out."""


def scores(scored_set: ScoredSet) -> None:
    """How each score is spread, and its mean, images predicted right and wrong apart."""
    replay.once(_scores, scored_set)


def _scores(scored_set: ScoredSet) -> None:
    scored = scored_set.scored
    rows = [
        {
            "score": title,
            "mean": _mean(scored.score(name), np.ones(len(scored), bool)),
            "mean, right": _mean(scored.score(name), scored.correct),
            "mean, wrong": _mean(scored.score(name), scored.wrong),
        }
        for name, title in SCORES.items()
    ]
    number = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(rows, hide_index=True, column_config={name: number for name in rows[0] if name != "score"})
    columns = st.columns(2)
    for place, name in enumerate(SCORES):
        with columns[place % 2]:
            charts.draw(figures.histogram(scored, name), config=PLOT)


def _mean(values: np.ndarray, part: np.ndarray) -> float | None:
    return float(values[part].mean()) if part.any() else None


def classes(scored_set: ScoredSet) -> None:
    """Accuracy against mean scores class by class, and the confusion matrix coloured by a mean score."""
    replay.once(_classes, scored_set)
    titles = {title: name for name, title in SCORES.items()}
    chosen = controls.one_of("Coloured by the mean", "interest.matrix", list(titles))
    replay.once(_confusion, scored_set, titles[chosen])


def _classes(scored_set: ScoredSet) -> None:
    table = shared_interest.by_class(scored_set.scored)
    named = table.assign(name=[scored_set.classifier.labels[one] for one in table["class"]])
    share = {"format": "percent", "min_value": 0, "max_value": 1}
    st.dataframe(
        export.shown(named),
        hide_index=True,
        column_order=["name", "images", "right", "accuracy", *SCORES],
        column_config={
            "name": "Class",
            "images": "Images",
            "right": "Right",
            "accuracy": st.column_config.ProgressColumn("Accuracy", **share),
            **{
                name: st.column_config.NumberColumn(SHORT.get(name, "SC, continuous"), format="%.3f", help=title)
                for name, title in SCORES.items()
            },
        },
    )
    several = named.query("labelled >= @FEW")
    if len(several) > 1:
        _said(scored_set, several)
        heads = [shortened(name, 20) for name in several["name"]]
        charts.draw(figures.class_spread(several, heads), config=PLOT)


def _said(scored_set: ScoredSet, several: pd.DataFrame) -> None:
    """Point out the class with the least overlap."""
    lowest = several.loc[several["iou"].idxmin()]
    mean = float(scored_set.scored.overlap.iou.mean())
    st.caption(
        f"Least overlap: **{plain(lowest['name'])}**, mean IoU {lowest['iou']:.2f} at an accuracy of "
        f"{lowest['accuracy']:.0%}; over all images {mean:.2f}. A class that is right with little overlap is worth a "
        "look in the gallery: something other than what people marked may give it away."
    )


def _confusion(scored_set: ScoredSet, name: ScoreName) -> None:
    pairs = shared_interest.confusion(scored_set.scored, name)
    if not len(pairs):
        st.info("No scored image has a label among the classifier's classes, so none is right or wrong.")
        return
    charts.draw(figures.confusion_map(pairs, scored_set.classifier.labels, name), config=PLOT)


def download(scored_set: ScoredSet) -> None:
    """Everything about every scored image, as CSV."""
    export.download("Everything as CSV", "loupe-shared-interest.csv", lambda: _rows(scored_set))


def _rows(scored_set: ScoredSet) -> list[dict[Any, Any]]:
    ordered = scored_set.scored.of(np.argsort(scored_set.scored.positions))
    table = shared_interest.table(ordered, scored_set.photos, scored_set.classifier.labels, scored_set.thresholds)
    return table.to_dict("records")
