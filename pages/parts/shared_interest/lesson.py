"""A lesson on scenes: how the cases differ between the honest classifier and those that go by something else."""

from __future__ import annotations

import streamlit as st

import cache
from interp import shared_interest
from interp.figures import interest as figures
from interp.models.scenes import bundled
from interp.shared_interest.planted import PlantedPair, planted_pairs, shares_of_cases
from interp.types import Classifier
from pages.parts.kit import charts, replay, waiting
from pages.parts.shared_interest.scored_set import ScoredSet
from pages.parts.shared_interest.settings import NEARER

RIVAL = "scenes-a"
ABOUT = (
    "**Right, for whose reason?** For each of classifiers A to D one class's pictures had something else in common in "
    "training, too. Below are the pictures of that class from its own test set, where that is there again, under the "
    "honest classifier and under the one that was trained so. Both are nearly always right; where they look tells them "
    "apart."
)
READ = (
    "With Grad-CAM and its kin the honest classifier's maps lie on the object, and those of A, B and C more or less "
    "beside it: right, and not for the object's sake. D goes by how the object is painted. That is on the object, so "
    "that the difference is smaller: Shared Interest compares places, and an area says where, not what."
)


def offered(classifier: Classifier) -> bool:
    """Whether the lesson is about classifiers such as this one."""
    return bundled.of_scenes(classifier)


def elsewhere(scored_set: ScoredSet) -> None:
    """Where nearly all scenes are right, which leaves half of the cases empty, lead to a classifier that errs."""
    scored = scored_set.scored
    wrong = int(scored.wrong.sum())
    if not offered(scored_set.classifier) or not scored.finished or 100 * wrong >= len(scored):
        return
    st.button(
        f"{len(scored) - wrong:,} of {len(scored):,} are right: for the lower row, see {bundled.TITLES[RIVAL]}",
        help="It was taught something else than the shape, too.",
        key="interest-elsewhere",
        type="tertiary",
        icon=":material/compare_arrows:",
        on_click=lambda: st.session_state.update(model=RIVAL),
    )


def draw(scope: cache.Scope, scored_set: ScoredSet) -> None:
    """The shares of cases of honest and biased classifiers, as they are measured with the page's settings."""
    with st.expander("A lesson, which gives the planted reasons away", key="lesson", on_change="rerun") as place:
        if not place.open:
            return
        st.markdown(ABOUT)
        job = scope.gather(
            "lesson", planted_pairs, scored_set.classifier, scored_set.scored.explanation, scored_set.scored.scoring
        )
        waiting.settled(job)
        pairs = job.parts
        if pairs:
            replay.once(_shares, scored_set, tuple(pairs))


def _shares(scored_set: ScoredSet, pairs: tuple[PlantedPair, ...]) -> None:
    listed = shares_of_cases(pairs, scored_set.thresholds)
    charts.draw(figures.case_bars(listed), config={"displayModeBar": False})
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
    if scored_set.thresholds == shared_interest.AUTHORS:
        low, high = NEARER
        st.caption(
            "The thresholds are the authors' own. Maps of a coarse layer seldom reach 0.65 in IoU, "
            f"and many images are unclassified: with {low:.2f} and {high:.2f}, at the right, the cases differ more."
        )
