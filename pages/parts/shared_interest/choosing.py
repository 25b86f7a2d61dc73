"""Which images the gallery shows, and in which order: by case, class, right or wrong, and a score; in the address."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import Int

from interp import shared_interest
from interp.shared_interest.scoring import SCORES, ScoreName
from pages.parts.kit import address, controls
from pages.parts.shared_interest.scored_set import NAMES, ScoredSet

CASES_KEY, CLASSES_KEY = "interest.case", "interest.class"
ALL, RIGHT, WRONG = "All", "Right", "Wrong"
ORDER_KEY = "interest.order"
PROBABILITY, NAME, CLEAREST = "probability", "name", "clear"
SCORE_OF: dict[str, ScoreName] = {name: name for name in SCORES}
ORDERS = {**SCORES, PROBABILITY: "Probability of the prediction", CLEAREST: "How clear, case by case", NAME: "Name"}
LOWEST, HIGHEST = "Lowest first", "Highest first"
WHOLE = (0.0, 1.0)


@dataclass(frozen=True)
class Choice:
    """What is kept (cases and classes by number, empty for all), and the order."""

    cases: frozenset[int] = frozenset()
    classes: frozenset[int] = frozenset()
    outcome: str = ALL
    score: ScoreName = "iou"
    between: tuple[float, float] = WHOLE
    order: str = "iou"
    falling: bool = True


def chosen_cases() -> tuple[str, ...]:
    """The cases that are filtered by, before the filter is drawn: what a click or the address has set."""
    address.seed(CASES_KEY, [], valid=set(NAMES).issuperset, parse=lambda text: text.split(","))
    return tuple(st.session_state[CASES_KEY])


def toggle_case(value: str) -> None:
    """Filter by the case with this number in `NAMES` alone, or no longer where that is so already; for a callback."""
    if not value.isdecimal() or int(value) >= len(NAMES):
        return
    name = NAMES[int(value)]
    only = st.session_state.get(CASES_KEY) == [name]
    st.session_state[CASES_KEY] = [] if only else [name]


def choose(scored_set: ScoredSet) -> Choice:
    """Draw order and filters; gives what they say."""
    order = controls.listed("Sorted by", ORDER_KEY, list(ORDERS), named=ORDERS.__getitem__)
    falling = controls.one_of("Direction", "interest.direction", (HIGHEST, LOWEST)) == HIGHEST
    chosen_cases()
    cases = st.multiselect("Cases", NAMES, key=CASES_KEY, placeholder="All cases")
    address.publish(CASES_KEY, ",".join(cases) or None)
    labels = scored_set.classifier.labels
    # All of them, so that what the address says is not forgotten while the first images come.
    address.seed(CLASSES_KEY, [], valid=set(range(len(labels))).issuperset, parse=_indices)
    present = np.union1d(scored_set.scored.labels[scored_set.scored.labels >= 0], scored_set.scored.predicted).tolist()
    offered = sorted({*present, *st.session_state[CLASSES_KEY]})
    classes = st.multiselect(
        "Classes", offered, format_func=labels.__getitem__, key=CLASSES_KEY, placeholder="All, labelled or predicted"
    )
    address.publish(CLASSES_KEY, ",".join(map(str, classes)) or None)
    outcome = controls.one_of("Prediction", "interest.outcome", (ALL, RIGHT, WRONG))
    score = SCORE_OF.get(order, "iou")
    between = controls.between(f"{SCORES[score]} between", "interest.range", WHOLE, low=0.0, high=1.0, step=0.01)
    numbers = frozenset(NAMES.index(name) for name in cases)
    return Choice(numbers, frozenset(classes), outcome, score, between, order, falling)


def rows(scored_set: ScoredSet, choice: Choice) -> Int[np.ndarray, " m"]:
    """The rows that pass, in order; equal ones stay in the order of the set."""
    scored = scored_set.scored
    score = scored.score(choice.score)
    low, high = choice.between
    keep = (score >= low) & (score <= high)
    if choice.cases:
        keep &= np.isin(scored_set.cases, list(choice.cases))
    if choice.classes:
        classes = list(choice.classes)
        keep &= np.isin(scored.labels, classes) | np.isin(scored.predicted, classes)
    if choice.outcome != ALL:
        keep &= scored.correct if choice.outcome == RIGHT else scored.wrong
    kept = np.flatnonzero(keep)
    if choice.order == NAME:
        return np.array(sorted(kept.tolist(), key=scored_set.name, reverse=choice.falling), np.int64)
    if choice.order == CLEAREST:
        return _in_turns(scored_set, kept, falling=choice.falling)
    by = SCORE_OF.get(choice.order)
    values = (scored.probability if by is None else scored.score(by))[kept]
    return kept[np.lexsort((scored.positions[kept], -values if choice.falling else values))]


def _in_turns(scored_set: ScoredSet, kept: Int[np.ndarray, " m"], *, falling: bool) -> Int[np.ndarray, " m"]:
    """One row of each case after another, those that the thresholds can move farthest for first, or last."""
    scored, cases = scored_set.scored, scored_set.cases[kept]
    clear = shared_interest.stability(scored, scored_set.thresholds).distance[kept]
    by_case = np.lexsort((scored.positions[kept], -clear if falling else clear, cases))
    ordered = cases[by_case]
    turn = np.arange(len(kept)) - np.searchsorted(ordered, ordered)
    return kept[by_case[np.lexsort((ordered, turn))]]


def _indices(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]
