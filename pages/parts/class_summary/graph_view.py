"""A layered graph of channels to look at and move about in: what is hovered over shows its paths, a click pins them.

Zoom, filters and export are the browser's alone; Python hears which vertex is pinned.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit.components.v2 import component

from pages.parts.class_summary.graph_order import ordered

_HERE = Path(__file__).parent
# They share one scope, in this order.
_SCRIPTS = ("elements", "layout", "export", "tools", "moves", "view")
_GRAPH = component(
    "loupe_graph",
    css=(_HERE / "graph_view.css").read_text("utf-8"),
    js="\n".join((_HERE / f"graph_{name}.js").read_text("utf-8") for name in _SCRIPTS),
)
# Apart, as a component's scripts are sent with each of its elements: of ten rows the graph's would be 400 kB.
_PICTURES = component("loupe_graph_pictures", js=(_HERE / "graph_pictures.js").read_text("utf-8"))
_LARGEST_SERIAL = 2**53
ROW = 92
"""So many pixels a row has where there is room."""

VertexGroup = Literal["own", "shared", "first", "second", "path", "beside"]


@dataclass(frozen=True)
class GroupLook:
    """How a group is told: a colour, and a sign in it for who does not tell colours, with the sign's own colour."""

    colour: str
    sign: str
    ink: str


# Of `interp.figures.style.SERIES`, which stay apart under any common colour blindness and are seen on either ground.
LOOKS: Mapping[VertexGroup, GroupLook] = {
    "own": GroupLook("#0072B2", "•", "#FFFFFF"),
    "shared": GroupLook("#8A8A8A", "=", "#000000"),
    "first": GroupLook("#7540EC", "1", "#FFFFFF"),
    "second": GroupLook("#D55E00", "2", "#000000"),
    "path": GroupLook("#CB73C4", "↑", "#000000"),
    "beside": GroupLook("#4B8EFE", "+", "#000000"),
}


@dataclass(frozen=True)
class DrawnRow:
    """A layer: its name, and what is written beside its row."""

    layer: str
    title: str


@dataclass(frozen=True)
class DrawnVertex:
    """A channel of a layer.

    `size` in [0, 1] makes it large; `picture` is a data URL, or empty while there is none, and then the channel's
    number stands in its place. `lines` are shown and read out when it is pointed at, the first one as a title; without
    any, its layer and number are. `support` in [0, 1] is how often it was found again when the images were drawn anew;
    None where that was not asked.
    """

    id: str
    layer: str
    channel: int
    size: float
    picture: str = ""
    lines: tuple[str, ...] = ()
    group: VertexGroup = "own"
    support: float | None = None


@dataclass(frozen=True)
class DrawnEdge:
    """What `source`, a vertex nearer the image, gives to `target`; `weight` and `support` in [0, 1].

    One that is `negative` is dashed. `said` is shown when it is pointed at.
    """

    source: str
    target: str
    weight: float
    support: float | None = None
    group: VertexGroup = "own"
    negative: bool = False
    said: str = ""


@dataclass(frozen=True)
class DrawnGraph:
    """Rows from the one nearest the classes down to the lowest, vertices, and edges that lead up from row to row.

    `groups` says what each group is called in the legend, which is drawn where there are several; `signs` what edges
    are called that are not negative, and that are, where these are told apart. Vertices stand as few of `standing`
    cross as possible, or, where that is None, of the edges: so they stay where they are while the edges change.
    Raises `ValueError` for what cannot be drawn: a name that does not exist, or twice; a number outside [0, 1]; an edge
    that does not lead up; a picture that is not in a data URL, which the browser would have to ask somebody for.
    """

    rows: tuple[DrawnRow, ...]
    vertices: tuple[DrawnVertex, ...]
    edges: tuple[DrawnEdge, ...]
    groups: Mapping[VertexGroup, str] = field(default_factory=dict)
    signs: tuple[str, str] | None = None
    standing: tuple[DrawnEdge, ...] | None = None

    def __post_init__(self) -> None:
        depth = _distinct("layer", [row.layer for row in self.rows])
        _distinct("vertex", [one.id for one in self.vertices])
        for one in self.vertices:
            if one.layer not in depth:
                raise ValueError(f"Vertex {one.id} is of layer {one.layer}, which no row shows.")
            if one.picture and not one.picture.startswith("data:image/"):
                raise ValueError(f"The picture of vertex {one.id} is no data URL: {one.picture[:40]!r}.")
            _within(f"vertex {one.id}", one.size, one.support)
        layers = {one.id: one.layer for one in self.vertices}
        _distinct("edge", [f"{edge.source} → {edge.target}" for edge in self.edges])
        for edge in (*self.edges, *(self.standing or ())):
            for end in (edge.source, edge.target):
                if end not in layers:
                    raise ValueError(f"An edge leads from {edge.source} to {edge.target}: there is no vertex {end}.")
            if depth[layers[edge.source]] <= depth[layers[edge.target]]:
                raise ValueError(f"The edge from {edge.source} to {edge.target} does not lead up to a higher row.")
            _within(f"edge {edge.source} → {edge.target}", edge.weight, edge.support)


def draw_graph(
    graph: DrawnGraph,
    *,
    key: str,
    on_pinned: Callable[[str | None], None],
    label: str,
    pinned: str | None = None,
    height: int = 680,
    json_text: str | None = None,
    file_name: str = "graph",
) -> None:
    """Draw a graph. `on_pinned` hears once, before the page is drawn again, which vertex is pinned, or that none is.

    `pinned` is the one that is, None or an id that the graph lacks: none; the page keeps it. `height` is the drawing's
    in pixels, at most. `label` says to screen readers what is drawn. `json_text` is what the button 'JSON' saves, None
    leaves it out; files are named by `file_name` without its ending. Zoom, filters and what is highlighted outlive a
    redraw with other vertices, edges or pictures, as long as the rows are the same.
    """
    ids = {one.id for one in graph.vertices}
    hear = functools.partial(_hear, key, ids, on_pinned)
    shown = {
        **_drawn(graph),
        "key": key,
        "pinned": pinned if pinned in ids else None,
        "seen": st.session_state.get(_seen(key), 0),
        "height": height,
        "label": label,
        "sentence": sentence(graph),
        "json": json_text,
        "file": file_name,
    }
    with st.container(gap=None):
        # By row, since Streamlit sends an element that is as before by its hash: one more picture is no reason to send
        # all of them again.
        for i, row in enumerate(graph.rows):
            pictures = {one.id: one.picture for one in graph.vertices if one.layer == row.layer and one.picture}
            _PICTURES(key=f"{key}-pictures-{i}", data={"key": key, "row": i, "pictures": pictures}, height=0)
        _GRAPH(key=key, data=shown, default={"pinned": None}, on_pinned_change=hear)


def height_of(graph: DrawnGraph) -> int:
    """How high a drawing of so many rows is, in pixels, that its pictures can be told apart."""
    return max(480, min(1100, ROW * len(graph.rows) + 40))


def sentence(graph: DrawnGraph) -> str:
    """What is drawn, for who does not see it."""
    vertices, edges = len(graph.vertices), len(graph.edges)
    if not vertices:
        return "There is no channel to show."
    titles = [row.title for row in graph.rows]
    span = f"{titles[0]} at the top to {titles[-1]} at the bottom" if len(titles) > 1 else titles[0]
    said = f"{vertices} channels in {len(titles)} layers, {span}, and {edges} edges between them."
    if graph.signs is not None:
        return f"{said} {sum(edge.negative for edge in graph.edges)} of these are dashed: {graph.signs[1]}."
    if not edges:
        return said
    title = {row.layer: row.title for row in graph.rows}
    names = {one.id: f"{title[one.layer]} {one.channel}" for one in graph.vertices}
    strongest = max(graph.edges, key=lambda edge: edge.weight)
    return f"{said} The strongest leads from {names[strongest.source]} to {names[strongest.target]}."


def heard(message: Any) -> tuple[int, str | None] | None:
    """A message's number, and the vertex that it pins or None for none; None for one that no browser of ours writes."""
    if not isinstance(message, dict) or "vertex" not in message:
        return None
    number, vertex = message.get("id"), message.get("vertex")
    if type(number) is not int or not 0 < number < _LARGEST_SERIAL or not isinstance(vertex, str | None):
        return None
    return number, vertex


def _hear(key: str, ids: Collection[str], on_pinned: Callable[[str | None], None]) -> None:
    said = heard(st.session_state[key].get("pinned"))
    if said is None or said[0] <= st.session_state.get(_seen(key), 0):
        return
    number, vertex = said
    st.session_state[_seen(key)] = number
    # A click may be on its way while another class is drawn.
    if vertex is None or vertex in ids:
        on_pinned(vertex)


def _seen(key: str) -> str:
    return f"{key}-seen"


def _drawn(graph: DrawnGraph) -> dict[str, Any]:
    """The graph as the browser takes it: vertices in the order in which they stand, edges by their numbers."""
    place = {one.id: i for i, one in enumerate(graph.vertices)}
    rows = tuple(tuple(i for i, one in enumerate(graph.vertices) if one.layer == row.layer) for row in graph.rows)
    by = graph.edges if graph.standing is None else graph.standing
    links = tuple((place[edge.source], place[edge.target], edge.weight) for edge in by)
    standing = [(row, i) for row, line in enumerate(ordered(rows, links)) for i in line]
    number = {graph.vertices[i].id: at for at, (_, i) in enumerate(standing)}
    used = {one.group for one in (*graph.vertices, *graph.edges)}
    return {
        "rows": [{"layer": row.layer, "title": row.title} for row in graph.rows],
        "vertices": [_vertex(graph.vertices[i], row) for row, i in standing],
        "edges": [
            [number[one.source], number[one.target], one.weight, one.support, one.group, one.negative, one.said]
            for one in graph.edges
        ],
        "signs": graph.signs,
        "groups": [
            {
                "name": name,
                "title": graph.groups.get(name, name),
                "colour": look.colour,
                "sign": look.sign,
                "ink": look.ink,
            }
            for name, look in LOOKS.items()
            if name in used
        ],
    }


def _vertex(one: DrawnVertex, row: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "row": row,
        "channel": one.channel,
        "size": one.size,
        "lines": list(one.lines),
        "group": one.group,
        "support": one.support,
    }


def _distinct(what: str, names: list[str]) -> dict[str, int]:
    """The place of each name; one that comes twice raises `ValueError`."""
    places = {name: i for i, name in enumerate(names)}
    if len(places) < len(names):
        twice = next(name for i, name in enumerate(names) if places[name] != i)
        raise ValueError(f"The {what} {twice} is in the graph twice.")
    return places


def _within(what: str, *numbers: float | None) -> None:
    for number in numbers:
        if number is not None and not (math.isfinite(number) and 0 <= number <= 1):
            raise ValueError(f"Of {what} a number is {number}, which is not from 0 to 1.")
