"""How much the case depends on where a map is cut and on the thresholds: for one image, and for the set."""

from __future__ import annotations

from typing import Literal

import numpy as np
import streamlit as st

import cache
from interp import shared_interest
from interp.figures import interest as figures
from interp.shared_interest import CASES, Ladder, Scored, Sweep
from interp.shared_interest.few import sweep_at
from interp.shared_interest.thresholds import MARGIN
from pages.parts.kit import charts, controls, pickers, replay, waiting
from pages.parts.kit.export import PLOT
from pages.parts.shared_interest import asking, gallery
from pages.parts.shared_interest.scored_set import ScoredSet

ONE, SET = "One image", "The whole set"
STRIP = 12


def draw(scope: cache.Scope, scored_set: ScoredSet) -> None:
    """The view: a sweep for one image, or how the cases of the set move, with the images that are on the edge."""
    if controls.one_of("Of", "interest.sweep", (SET, ONE)) == ONE:
        position = pickers.image(scored_set.photos, default=_example(scored_set))
        row = scored_set.where(position)
        if row is None:
            st.info("This image is not scored: nobody has marked anything in it, or it could not be read.")
            return
        picture, chart = st.columns([1, 2], gap="medium")
        with picture:
            gallery.strip(scope, "sweep-picture", scored_set, np.array([row]))
        with chart:
            of_image(scope, "sweep", scored_set, row)
        return
    _moving(scope, scored_set)
    _edge(scope, scored_set)


def of_image(scope: cache.Scope, slot: str, scored_set: ScoredSet, row: int) -> None:
    """The scores of one image along the settings of the rule, its case below, and where that changes, in words."""
    scored = scored_set.scored
    asked = (
        scored.explanation,
        scored.scoring,
        scored_set.thresholds,
        int(scored.positions[row]),
        bool(scored.correct[row]),
    )
    job = scope.gather(slot, sweep_at, scored_set.classifier, scored_set.photos, *asked, cache.CachedItems())
    if waiting.settled(job):
        replay.once(_sweep, scored_set, row, job.value)


def _sweep(scored_set: ScoredSet, row: int, sweep: Sweep | None) -> None:
    if sweep is None:
        st.info("This image could not be explained, so there is no map to cut.")
        return
    chosen = shared_interest.setting(scored_set.scored.scoring.rule)
    charts.draw(figures.sweep_chart(sweep, thresholds=scored_set.thresholds, chosen=chosen), config=PLOT)
    unknown = (
        "" if scored_set.scored.known[row] else "It has no label that the classifier knows, and counts as wrong here. "
    )
    number = shared_interest.setting_title(sweep.rules[0])
    if not sweep.changes:
        st.caption(f"{unknown}**{CASES[sweep.cases[0]].capitalize()}** at every setting.")
        return
    until = ", ".join(
        f"**{CASES[one.case_before]}** up to {shared_interest.setting(one.before):g}" for one in sweep.changes
    )
    st.caption(f"{unknown}Along the {number}: {until}, then **{CASES[sweep.changes[-1].case_after]}**.")


def _example(scored_set: ScoredSet) -> int:
    """The image that is nearest to another case."""
    distance = shared_interest.stability(scored_set.scored, scored_set.thresholds).distance
    return int(scored_set.scored.positions[int(np.argmin(distance))])


def _moving(scope: cache.Scope, scored_set: ScoredSet) -> None:
    """How many images have each case as a threshold, or the rule's number, moves."""
    st.markdown("**How the cases move** as one of the thresholds moves and the other stays; a line marks where it is.")
    replay.once(_by_threshold, scored_set)
    scored = scored_set.scored
    rules = shared_interest.ladder(scored.scoring.rule)
    st.markdown(f"**And with the rule**, along the {shared_interest.setting_title(rules[0])}:")
    ladder = Ladder(rules, scored.scoring.evidence)
    job = asking.ask(scope, "ladder", scored_set.classifier, scored_set.photos, (scored.explanation,), ladder)
    done = waiting.settled(job)
    [by_rule] = asking.latest(job, scored_set.classifier, (scored.explanation,), ladder)
    replay.once(_by_rule, scored_set, by_rule)
    if done and len(by_rule[0]) == len(scored):
        replay.once(_steady, scored_set, by_rule)


def _by_threshold(scored_set: ScoredSet) -> None:
    limits: dict[Literal["low", "high"], float] = {"low": scored_set.thresholds.low, "high": scored_set.thresholds.high}
    for which, now in limits.items():
        counts = shared_interest.counts_by_threshold(scored_set.scored, which, scored_set.thresholds)
        charts.draw(figures.count_chart(counts, chosen=now).update_layout(height=240), config=PLOT)


def _by_rule(scored_set: ScoredSet, by_rule: tuple[Scored, ...]) -> None:
    counts = shared_interest.counts_by_setting(by_rule, scored_set.thresholds)
    charts.draw(
        figures.count_chart(counts, chosen=shared_interest.setting(scored_set.scored.scoring.rule)), config=PLOT
    )


def _steady(scored_set: ScoredSet, by_rule: tuple[Scored, ...]) -> None:
    shares = shared_interest.steadiness(by_rule, scored_set.scored, scored_set.thresholds)
    always = int((shares == 1).sum())
    st.caption(
        f"{always:,} of {len(shares):,} images have the case that they have now at every one of these settings; on "
        f"average an image keeps it at {shares.mean():.0%} of them."
    )


def _edge(scope: cache.Scope, scored_set: ScoredSet) -> None:
    """Images that a slightly other threshold would put into another case, and those that are safe."""
    found = shared_interest.stability(scored_set.scored, scored_set.thresholds)
    edge = found.edge()
    st.markdown(
        f"**On the edge**: {edge.sum():,} of {len(scored_set):,} images change their case where a threshold moves by "
        f"less than {MARGIN:g}. The nearest first."
    )
    nearest = np.argsort(found.distance, kind="stable")
    if edge.any():
        gallery.strip(scope, "edge", scored_set, nearest[: min(STRIP, int(edge.sum()))])
    stable = nearest[~edge[nearest]][::-1]
    if len(stable):
        st.markdown(f"**Stable**: {len(stable):,} images. Those that the thresholds can move farthest for first.")
        gallery.strip(scope, "stable", scored_set, stable[: STRIP // 2])
