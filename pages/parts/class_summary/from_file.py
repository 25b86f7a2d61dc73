"""A graph out of a file that somebody has, in the place of the chosen class's."""

from __future__ import annotations

import streamlit as st

import cache
from interp import class_summary
from interp.class_summary import ClassGraph
from pages.parts.class_summary import vertices
from pages.parts.class_summary.graph_view import (
    DrawnEdge,
    DrawnGraph,
    DrawnRow,
    DrawnVertex,
    draw_graph,
    height_of,
    sentence,
)
from pages.parts.kit import export
from pages.parts.kit.text import plain


def opened() -> tuple[str, ClassGraph | None] | None:
    """Draw where a file is opened; gives its name and graph (None: it has none, which is said), or None without one."""
    with st.expander("Open a graph from a file", icon=":material/folder_open:"):
        given = st.file_uploader(
            "JSON, as the button above the graph saves it, or as Summit publishes it", type="json", key="cs-file"
        )
    if given is None:
        return None
    try:
        return given.name, cache.lookup(class_summary.parsed, given.getvalue(), given.name)
    except ValueError as error:
        st.error(plain(str(error), limit=600), icon=":material/error:")
        return given.name, None


def draw(name: str, graph: ClassGraph) -> None:
    """The graph of a file, and its channels as numbers: of images and support a file says nothing."""
    st.info(
        f"This is the graph of the file **{plain(name)}**, whatever classifier and images are chosen: "
        f"{len(graph.vertices):,} channels of {len(graph.layers)} layers and {len(graph.edges):,} influences. "
        "Take the file away to see the graph of the class again."
    )
    shown = drawn(graph)
    about = f"Attribution graph of the file {name}. {sentence(shown)}"
    draw_graph(shown, key="cs-file-graph", on_pinned=_pin, pinned=st.session_state.get("cs-file-pin"), label=about,
               height=height_of(shown), file_name="loupe-file")  # fmt: skip
    rows = [
        {"layer": one.layer, "channel": one.channel, "images": one.count, "PageRank": one.pagerank}
        for one in graph.vertices
    ]
    st.dataframe(export.shown(rows), hide_index=True, height=320)


def drawn(graph: ClassGraph) -> DrawnGraph:
    """The graph to draw: a channel's size is in how many images it stands out, beside the most of all channels."""
    most = max((one.count for one in graph.vertices), default=1) or 1
    strongest = max((edge.weight for edge in graph.edges), default=1) or 1
    return DrawnGraph(
        tuple(DrawnRow(layer, layer) for layer in reversed(graph.layers)),
        tuple(
            DrawnVertex(
                vertices.name_of(one.key),
                one.layer,
                one.channel,
                one.count / most,
                lines=(f"{one.layer}, channel {one.channel}", f"stands out in {one.count:,} images"),
            )
            for one in graph.vertices
        ),
        tuple(
            DrawnEdge(vertices.name_of(edge.lower), vertices.name_of(edge.upper), edge.weight / strongest)
            for edge in graph.edges
        ),
    )


def _pin(pinned: str | None) -> None:
    st.session_state["cs-file-pin"] = pinned
