"""A lesson on scenes: how the cases differ between the honest classifier and those that go by something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import cache
from interp import images, models, shared_interest
from interp.figures.interest import COLOURS
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.shared_interest import CASES, Question, Scored, Scoring
from interp.types import Classifier
from pages.parts.kit import replay, waiting
from pages.parts.shared_interest.known import Known
from pages.parts.shared_interest.rivals import fitting
from pages.parts.shared_interest.settings import NEARER

ABOUT = (
    "**Right, for whose reason?** For each of classifiers A to D one class's pictures had something else in common in "
    "training, too. Below are the pictures of that class from its own test set, where that is there again, under the "
    "honest classifier and under the one that was trained so. Both are nearly always right; where they look tells them "
    "apart."
)
READ = (
    "With Grad-CAM the honest classifier's maps lie on the object, and those of A, B and C more or less beside it: "
    "right, and not for the object's sake. D goes by how the object is painted. That is on the object, so that the "
    "difference is smaller: Shared Interest compares places, and an area says where, not what."
)


@dataclass(frozen=True)
class Pair:
    """The same pictures, those of the class with the planted reason, scored for the honest classifier and its rival."""

    reason: Reason
    honest: Scored
    rival: Scored


def offered(classifier: Classifier) -> bool:
    """Whether the lesson is about classifiers such as this one."""
    return bundled.of_scenes(classifier)


def draw(scope: cache.Scope, known: Known) -> None:
    """The shares of cases of honest and biased classifiers, as they are measured with the page's settings."""
    with st.expander("A lesson, which gives the planted reasons away", key="lesson", on_change="rerun") as place:
        if not place.open:
            return
        st.markdown(ABOUT)
        job = scope.gather("lesson", measured, known.classifier, known.scored.question, known.scored.scoring)
        waiting.settled(job)
        pairs = job.parts
        if pairs:
            replay.once(_shares, known, tuple(pairs))


def measured(classifier: Classifier, question: Question, scoring: Scoring) -> Iterator[Pair]:
    """Each planted reason with its pictures scored twice; on the classifier's device."""
    device = str(classifier.device)
    honest = models.load(bundled.HONEST, device=device)
    for name, reason in bundled.REASON_OF.items():
        if reason is None:
            continue
        rival, photos = models.load(name, device=device), images.load(name)
        label = REASONS[reason].label
        positions = np.flatnonzero([one == label for one in photos.labels])
        found = []
        for one in (honest, rival):
            asked = replace(question, method=fitting(question.method, classifier, one))
            found.append(shared_interest.score(one, photos, asked, scoring=scoring, positions=positions))
        yield Pair(reason, *found)


def rows(pairs: tuple[Pair, ...], thresholds: shared_interest.Thresholds) -> list[dict[str, Any]]:
    """A row for each classifier on each of the test sets: accuracy, mean IoU, and the share of each case."""
    found = []
    for pair in pairs:
        planted = REASONS[pair.reason]
        for scored in (pair.honest, pair.rival):
            counts = shared_interest.counts(scored.cases(thresholds))
            found.append(
                {
                    "pictures": f"{planted.label}, with {planted.cue}",
                    "classifier": bundled.TITLES[scored.classifier],
                    "images": len(scored),
                    "accuracy": float(scored.correct.mean()),
                    "mean IoU": float(scored.overlap.iou.mean()),
                    **{case: count / max(1, len(scored)) for case, count in counts.items()},
                }
            )
    return found


def _shares(known: Known, pairs: tuple[Pair, ...]) -> None:
    listed = rows(pairs, known.thresholds)
    st.plotly_chart(_figure(listed), config={"displayModeBar": False})
    shown = ("pictures", "classifier", "images", "accuracy", "mean IoU")
    st.dataframe(
        [{name: row[name] for name in shown} for row in listed],
        hide_index=True,
        column_config={
            "accuracy": st.column_config.NumberColumn(format="percent"),
            "mean IoU": st.column_config.NumberColumn(format="%.2f"),
        },
    )
    st.markdown(READ)
    if known.thresholds == shared_interest.AUTHORS:
        low, high = NEARER
        st.caption(
            "The thresholds are the authors' own. Maps of a coarse layer seldom reach 0.65 in IoU, "
            f"and many images are unclassified: with {low:.2f} and {high:.2f}, at the right, the cases differ more."
        )


def _figure(listed: list[dict[str, Any]]) -> go.Figure:
    """A bar for each classifier and set of pictures, made of the shares of its cases."""
    names = [f"{row['pictures'].partition(',')[0]}: {row['classifier'].replace(',', '')}" for row in listed]
    figure = go.Figure()
    for case in CASES:
        if any(row[case] for row in listed):
            figure.add_bar(
                x=[row[case] for row in listed],
                y=names,
                orientation="h",
                name=case,
                marker_color=COLOURS[case],
                hovertemplate=f"{case}: %{{x:.0%}}<extra></extra>",
            )
    figure.update_layout(
        barmode="stack",
        height=80 + 30 * len(names),
        margin={"l": 4, "r": 24, "t": 30, "b": 4},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        xaxis={"tickformat": ".0%", "range": [0, 1]},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    return figure
