"""The tree of classes: SciPy's own coordinates, the chosen class and its way, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram

from interp.class_summary import ClassHierarchy, similarity
from interp.figures import sentences
from interp.figures.class_tree import TreeShape, tree

LABELS = ("ant", "bee", "cat", "<dog>", "eel", "fox", "gnu")


@pytest.fixture
def whole() -> ClassHierarchy:
    return similarity({"a": np.random.default_rng(3).poisson(1.0, (7, 12))}).hierarchy("a")


def test_joins_are_where_scipy_draws_them(whole: ClassHierarchy) -> None:
    drawn = dendrogram(whole.joins, no_plot=True)
    assert drawn["leaves"] == whole.order.tolist()
    # SciPy puts leaves at 5, 15, 25 and so on.
    expected = {
        tuple(np.round([*distances, *(np.array(places) - 5) / 10], 9))
        for distances, places in zip(drawn["dcoord"], drawn["icoord"], strict=True)
    }
    shape = TreeShape.of(whole)
    assert {tuple(np.round([*x, *y], 9)) for x, y in map(shape.outline, range(6))} == expected
    lines = tree(whole, range(7), LABELS, 2, "high").data[0]
    assert len(lines.x) == 6 * 5 and [x for x in lines.x if x is not None][:4] == shape.outline(0)[0]


def test_the_chosen_class_is_marked_with_its_way_to_where_all_are_joined(whole: ClassHierarchy) -> None:
    some = [6, 0, 3, 5]
    figure = tree(whole, some, LABELS, 3, "high")
    _, way, joins, classes = figure.data
    rows = {int(number): row for number, row in zip(classes.customdata, classes.y, strict=True)}
    assert sorted(rows, key=rows.__getitem__) == [one for one in whole.order if one in some]
    assert (way.x[0], way.y[0]) == (0, rows[3]) and (way.x[-1], way.y[-1]) == (joins.x[-1], joins.y[-1])
    assert list(way.x) == sorted(way.x) and len(joins.x) == 3
    texts = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    assert texts[rows[3]] == "<b>&lt;dog&gt;</b>" and texts[rows[6]] == "gnu"
    assert [symbol for symbol, number in zip(classes.marker.symbol, some, strict=True) if number == 3] == ["diamond"]
    assert all(name in joins.text[-1] for name in ("ant", "&lt;dog&gt;", "fox", "gnu"))
    # All points are inside, where they hear of a click.
    low, high = figure.layout.xaxis.range
    assert low < 0 and high > joins.x[-1]


def test_a_tree_is_said_in_words() -> None:
    # Two pairs, (0, 2) at 0.1 and (1, 3) at 0.2, joined at 0.7.
    joins = np.array([[0, 2, 0.1, 2], [1, 3, 0.2, 2], [4, 5, 0.7, 4]])
    whole = ClassHierarchy(joins, np.array([0, 2, 1, 3]))
    said = sentences.told(tree(whole, range(4), LABELS, 3, "high"))
    assert (
        "1 − cosine at high" in said
        and "A tree of 4 classes: the most alike are ant and cat, at 1 − cosine 0.10" in said
    )
    assert "<dog> is first joined with bee, at 0.20" in said
    said = sentences.told(tree(whole, [0, 2, 3], LABELS, 3, "high"))
    assert "<dog> is first joined with ant, cat, at 0.70" in said
    assert "A tree of one class, cat" in sentences.told(tree(whole, [2], LABELS, 2, "high"))
    with pytest.raises(ValueError, match="Class 1 is not among the 2 classes"):
        tree(whole, [0, 2], LABELS, 1, "high")
