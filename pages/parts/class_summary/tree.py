"""The classes of a layer as a tree, of many classes the part round the chosen one."""

from __future__ import annotations

import functools

import plotly.graph_objects as go
import streamlit as st

import cache
from interp.class_summary import ClassHierarchy, ClassSimilarity, ClassSummary
from interp.figures import class_tree as figures
from pages.parts.kit import charts, export, replay, waiting
from pages.parts.kit.text import plain

KEY = "cs-tree"
MOST, NEAREST = 40, 30
"""Of more classes than the first, the chosen one is drawn with so many nearest to it."""

READING = (
    "*The tree* joins the most alike classes first, then clusters of them, by the mean of $1 - \\cos(A_c, A_d)$ over "
    "all pairs of classes across (average linkage, Sokal and Michener 1958): two classes are as far apart as the place "
    "where their lines meet. Rows are turned so that neighbours are as alike as they can be (Bar-Joseph, Gifford and "
    f"Jaakkola 2001). Of more than {MOST} classes only the chosen one and its {NEAREST} nearest are drawn, joined "
    "where the tree of all joins them. A click on a class chooses it. *Pitfalls:* a tree joins everything in the end, "
    "alike or not: look how far to the right; a mean hides that some pairs across are much nearer than others."
)


def section(scope: cache.Scope, summary: ClassSummary, alike: ClassSimilarity, number: int, layer: str) -> None:
    """Draw the tree of a layer, the chosen class marked."""
    if len(summary.seen) < 2:
        return
    # Of 1,000 classes it takes two seconds, which no figure is to wait for.
    call = cache.call(hierarchy, alike, layer)
    job = scope.ask("tree", call, queue=cache.Queue.PROJECTIONS)
    if not waiting.settled(job):
        return
    classes = drawn_of(summary, alike, number, layer)
    if len(classes) < 2:
        st.caption(
            f"{plain(summary.labels[number])} shares no channel with any class at {plain(layer)}: it has no tree."
        )
        return
    some = ""
    if len(classes) < len(summary.seen):
        beside = len(classes) - 1
        them = f"the {beside} nearest to it" if beside == NEAREST else f"the {beside} that share anything with it"
        some = (
            f" Of {len(summary.seen):,} classes these are **{plain(summary.labels[number])}** and {them}, joined where "
            "the tree of all joins them."
        )
    st.markdown(f"**The classes as a tree**, at {plain(layer)}: what is alike is joined far to the left.{some}")
    figure = cache.figure(_figure, job.value, classes, summary.labels, number, layer)
    take = functools.partial(_take, set(classes))
    charts.draw(figure, key=KEY, on_select=take, selection_mode="points", config=export.PLOT)


def hierarchy(alike: ClassSimilarity, layer: str) -> ClassHierarchy:
    """The tree of all classes in a layer."""
    return alike.hierarchy(layer)


def drawn_of(summary: ClassSummary, alike: ClassSimilarity, number: int, layer: str) -> tuple[int, ...]:
    """The classes that are drawn: all that have images or, of many, the chosen one and those nearest to it."""
    seen = summary.seen
    if len(seen) <= MOST:
        return tuple(seen.tolist())
    return tuple(sorted([number, *alike.nearest(layer, number, NEAREST).tolist()]))


def _figure(
    whole: ClassHierarchy, classes: tuple[int, ...], labels: tuple[str, ...], number: int, layer: str
) -> go.Figure:
    return replay.Settled(figures.tree(whole, classes, labels, number, layer))


def _take(classes: set[int]) -> None:
    """Choose the class that was clicked."""
    given = [one.get("customdata") for one in st.session_state[KEY].selection.points]
    # Where lines meet there is a point, too, and no class.
    numbers = {int(one[0] if isinstance(one, list) else one) for one in given if one is not None}
    if len(numbers & classes) == 1:
        [number] = numbers & classes
        st.session_state["cs.class"] = str(number)
