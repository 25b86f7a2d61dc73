"""A page with nothing but a graph, for the tests that look at it in a browser."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from interp.images.data_urls import data_url
from pages.parts.class_summary.graph_view import DrawnEdge, DrawnGraph, DrawnRow, DrawnVertex, draw_graph

WEIGHTS = {"fc": 0.9, "gc": 0.2, "gd": 0.5, "ca": 0.8, "db": 0.6, "eb": 0.1}
RED = data_url(np.full((8, 8, 3), (255, 0, 0), np.uint8), "png")


def small(pictures: bool) -> DrawnGraph:
    """Three rows: a and b, c to e, f and g; all but the first two edges were found again in 4 of 5 draws."""
    rows = {"high": "ab", "mid": "cde", "low": "fg"}
    vertices = tuple(
        DrawnVertex(one, layer, ord(one), 0.5, RED if pictures else "", (f"<b>{one}</b>", "in 3 images"))
        for layer, ids in rows.items()
        for one in ids
    )
    edges = tuple(DrawnEdge(*ends, w, 0.3 if ends in ("fc", "gc") else 0.8) for ends, w in WEIGHTS.items())
    return DrawnGraph(tuple(DrawnRow(layer, layer.title()) for layer in rows), vertices, edges)


def crowd() -> DrawnGraph:
    """150 vertices with pictures in nine rows with long names, and 600 edges."""
    rng = np.random.default_rng(0)
    ids = np.array_split(np.arange(150), 9)
    vertices = tuple(
        DrawnVertex(str(i), f"l{row}", int(i), rng.random(), RED) for row, line in enumerate(ids) for i in line
    )
    pairs = [(str(i), str(j)) for low, high in zip(ids[1:], ids, strict=False) for i in low for j in high]
    chosen = rng.choice(len(pairs), 600, replace=False)
    edges = tuple(DrawnEdge(*pairs[one], rng.random() ** 3) for one in chosen)
    rows = tuple(DrawnRow(f"l{row}", f"features.denseblock{row}.denselayer12.conv2") for row in range(9))
    return DrawnGraph(rows, vertices, edges)


def signed() -> DrawnGraph:
    """The small graph with edges of two signs, of which the one from d to b is below 0, and each says its number."""
    graph = small(False)
    edges = tuple(
        replace(one, support=None, negative=one.source == "d", said=f"{one.source} to {one.target}: {one.weight}")
        for one in graph.edges
    )
    return replace(graph, edges=edges, signs=("drives it", "holds it down"), standing=graph.edges)


def hear(vertex: str | None) -> None:
    st.session_state["told"] = [*st.session_state.get("told", []), vertex]


st.set_page_config(layout="wide")
st.button("Again")
told = st.session_state.get("told", [])
case = st.query_params.get("case")
draw_graph(
    crowd() if case == "crowd" else signed() if case == "signed" else small(st.toggle("Pictures")),
    key="graph",
    on_pinned=hear,
    label="Tench",
    pinned=told[-1] if told else None,
    height=600,
    json_text=json.dumps(WEIGHTS),
    file_name="tench",
)
st.text(json.dumps(told))
