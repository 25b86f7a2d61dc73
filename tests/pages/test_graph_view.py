"""The drawn graph's Python side: what is drawn, in which order, and what is heard of the browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interp.figures.style import GROUNDS, SERIES
from pages.parts.class_summary import graph_view
from pages.parts.class_summary.graph_view import DrawnEdge, DrawnGraph, DrawnRow, DrawnVertex, draw_graph, heard
from tests.figures.test_colours import GRAPHICS, LETTERS, contrast

ROWS = (DrawnRow("high", "High"), DrawnRow("low", "Low"))
VERTICES = (
    DrawnVertex("a", "high", 4, 1.0),
    DrawnVertex("c", "low", 7, 0.2, "data:image/png;base64,AAAA", ("Seven", "in 3 images"), "shared", 0.5),
    DrawnVertex("b", "high", 5, 0.5),
    DrawnVertex("d", "low", 8, 0.0),
)
# In the order in which the vertices are given, these two cross.
EDGES = (DrawnEdge("c", "b", 0.25, 0.75), DrawnEdge("d", "a", 1.0))
GRAPH = DrawnGraph(ROWS, VERTICES, EDGES, {"own": "Tench"})


class Browser:
    """In the place of the component: keeps what it is given, and says what it is told to say."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.told: list[str | None] = []
        self.pictures: dict[str, dict] = {}

    def __call__(self, *, key: str, data: dict, on_pinned_change: Callable[[], None] | None = None, **_: Any) -> None:
        json.dumps(data, allow_nan=False)
        if on_pinned_change is None:
            self.pictures[key] = data
        else:
            self.given, self.change = data, on_pinned_change

    def draw(self, graph: DrawnGraph = GRAPH, pinned: str | None = None) -> dict:
        draw_graph(graph, key="graph", on_pinned=self.told.append, label="Tench", pinned=pinned)
        return self.given

    def say(self, message: object) -> None:
        self.state["graph"] = {"pinned": message}
        self.change()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    state: dict[str, Any] = {}
    browser = Browser(state)
    monkeypatch.setattr(graph_view, "_GRAPH", browser)
    monkeypatch.setattr(graph_view, "_PICTURES", browser)
    monkeypatch.setattr(graph_view.st, "session_state", state)
    return browser


def test_vertices_are_sent_as_they_stand_and_edges_by_their_numbers(browser: Browser) -> None:
    given = browser.draw()
    standing = [one["id"] for one in given["vertices"]]
    assert standing in (["a", "b", "d", "c"], ["b", "a", "c", "d"])
    ends = {(standing[source], standing[target]): rest for source, target, *rest in given["edges"]}
    assert ends == {("c", "b"): [0.25, 0.75, "own", False, ""], ("d", "a"): [1.0, None, "own", False, ""]}
    seventh = given["vertices"][standing.index("c")]
    assert seventh["row"] == 1 and seventh["channel"] == 7 and seventh["lines"] == ["Seven", "in 3 images"]
    assert seventh["support"] == 0.5 and seventh["size"] == 0.2
    assert [(one["name"], one["title"]) for one in given["groups"]] == [("own", "Tench"), ("shared", "shared")]


def test_a_picture_that_comes_later_moves_nothing_and_only_its_row_is_sent_again(browser: Browser) -> None:
    before, pictures = browser.draw(), browser.pictures.copy()
    assert [one["pictures"] for one in pictures.values()] == [{}, {"c": VERTICES[1].picture}]
    later = (*VERTICES[:3], replace(VERTICES[3], picture="data:image/webp;base64,BBBB"))
    assert browser.draw(replace(GRAPH, vertices=later)) == before
    assert [browser.pictures[key] == one for key, one in pictures.items()] == [True, False]


def test_a_pin_is_heard_once_and_only_of_vertices_that_are_drawn(browser: Browser) -> None:
    assert browser.draw(pinned="nobody")["pinned"] is None and browser.draw(pinned="c")["pinned"] == "c"
    for message in ({"id": 5, "vertex": "a"}, {"id": 5, "vertex": "a"}, {"id": 4, "vertex": "b"}):
        browser.say(message)
    assert browser.told == ["a"] and browser.draw()["seen"] == 5
    browser.say({"id": 6, "vertex": "of another class"})
    # It is answered all the same, so that the browser takes what Python says.
    assert browser.told == ["a"] and browser.draw()["seen"] == 6
    browser.say({"id": 7, "vertex": None})
    assert browser.told == ["a", None]


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        "a",
        [],
        {},
        {"vertex": "a"},
        {"id": 3},
        {"id": 3.5, "vertex": "a"},
        {"id": True, "vertex": "a"},
        {"id": 0, "vertex": "a"},
        {"id": -3, "vertex": "a"},
        {"id": 2**53, "vertex": "a"},
        {"id": "3", "vertex": "a"},
        {"id": 3, "vertex": 4},
        {"id": 3, "vertex": ["a"]},
    ],
)
def test_what_no_graph_says_is_not_taken(message: object, browser: Browser) -> None:
    assert heard(message) is None
    browser.draw()
    browser.say(message)
    assert browser.told == [] and browser.draw()["seen"] == 0


def test_who_does_not_see_it_is_told_what_is_drawn(browser: Browser) -> None:
    assert browser.draw()["sentence"] == (
        "4 channels in 2 layers, High at the top to Low at the bottom, and 2 edges between them. "
        "The strongest leads from Low 8 to High 4."
    )
    assert browser.draw(DrawnGraph(ROWS, (), ()))["sentence"] == "There is no channel to show."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": ROWS[:1]}, "Vertex c is of layer low, which no row shows"),
        ({"rows": (*ROWS, ROWS[0])}, "The layer high is in the graph twice"),
        ({"vertices": (*VERTICES, VERTICES[0])}, "The vertex a is in the graph twice"),
        ({"edges": (*EDGES, EDGES[0])}, "The edge c → b is in the graph twice"),
        ({"edges": (DrawnEdge("c", "z", 1.0),)}, "there is no vertex z"),
        ({"edges": (DrawnEdge("a", "c", 1.0),)}, "does not lead up"),
        ({"edges": (DrawnEdge("a", "b", 1.0),)}, "does not lead up"),
        ({"edges": (DrawnEdge("c", "b", 1.5),)}, "edge c → b a number is 1.5"),
        ({"edges": (DrawnEdge("c", "b", 0.5, float("nan")),)}, "a number is nan"),
        ({"vertices": (DrawnVertex("a", "high", 4, -0.1),), "edges": ()}, "vertex a a number is -0.1"),
        ({"vertices": (DrawnVertex("a", "high", 4, 1, "https://example.org/a.png"),), "edges": ()}, "no data URL"),
    ],
)
def test_what_cannot_be_drawn_is_said(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(GRAPH, **change)


def test_groups_have_colours_of_the_series_and_signs_that_can_be_read() -> None:
    looks = list(graph_view.LOOKS.values())
    # Those of the series are seen on either ground and told apart: tests/figures/test_colours.py.
    assert {look.colour for look in looks} <= set(SERIES)
    assert all(contrast(look.ink, look.colour) >= LETTERS for look in looks)
    assert len({look.colour for look in looks}) == len({look.sign for look in looks}) == len(looks)


def test_what_is_drawn_can_be_seen_on_the_page_and_on_a_band_light_or_dark() -> None:
    css = Path(graph_view.__file__).with_suffix(".css").read_text("utf-8")
    found = re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", css)
    pairs = {name: both for name, *both in found}
    assert pairs.keys() == {"quiet", "edge", "accent", "line", "band"}
    for mode, page in enumerate(GROUNDS):
        for ground in (page, pairs["band"][mode]):
            assert contrast(pairs["quiet"][mode], ground) >= LETTERS
            assert all(contrast(pairs[mark][mode], ground) >= GRAPHICS for mark in ("edge", "accent", "line"))
