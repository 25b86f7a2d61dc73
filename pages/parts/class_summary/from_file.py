"""A graph out of a file that somebody has, in the place of the chosen class's."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

import cache
from interp import class_summary
from interp.class_summary import ClassGraph, ClassSummary, files
from pages.parts.class_summary import drawing
from pages.parts.class_summary.graph_view import draw_graph, height_of, sentence
from pages.parts.kit import export
from pages.parts.kit.text import plain


@dataclass(frozen=True, eq=False)
class OpenedFile:
    """A file that somebody opened: its name, and the graph or the summary in it (None: it has none, which is said)."""

    name: str
    content: ClassGraph | ClassSummary | None


def opened() -> OpenedFile | None:
    """Draw where a file is opened; None where none is."""
    with st.expander("Open a graph or a summary", icon=":material/folder_open:"):
        given = st.file_uploader(
            "A graph as JSON, as the button above it saves it, or as Summit publishes it; or a summary as NPZ, as this "
            "page or `python -m interp.class_summary run` saves it",
            type=["json", "npz"],
            key="cs-file",
        )
    if given is None:
        return None
    read = files.unpacked if given.name.lower().endswith(".npz") else class_summary.parsed
    try:
        return OpenedFile(given.name, cache.lookup(read, given.getvalue(), given.name))
    except ValueError as error:
        st.error(plain(str(error), limit=600), icon=":material/error:")
        return OpenedFile(given.name, None)


def summary(file: OpenedFile | None) -> tuple[ClassSummary | None, bool] | None:
    """The summary of the file, and that it is whole; None where no file is opened.

    Draws what it is, or, where there is no summary in it, where to see what there is.
    """
    if file is None:
        return None
    if isinstance(file.content, ClassSummary):
        told(file.name, file.content)
        return file.content, True
    if file.content is not None:
        st.info(f"The file **{plain(file.name)}** holds one graph: *Class graph* shows it.")
    return None, True


def told(name: str, summary: ClassSummary) -> None:
    """Say that a summary of a file is shown, and of what."""
    by = "" if summary.by == "labels" else " Each image counts for the class that the classifier took it for."
    st.info(
        f"This is the summary of the file **{plain(name)}**, of {plain(summary.classifier)} over "
        f"{int(summary.images.sum()):,} images, whatever classifier and images are chosen.{by} It has no pictures, and "
        "cannot say how firmly a graph stands. Take the file away to see the chosen classifier again."
    )


def draw(name: str, graph: ClassGraph) -> None:
    """The graph of a file, and its channels as numbers: of images and support a file says nothing."""
    st.info(
        f"This is the graph of the file **{plain(name)}**, whatever classifier and images are chosen: "
        f"{len(graph.vertices):,} channels of {len(graph.layers)} layers and {len(graph.edges):,} influences. "
        "Take the file away to see the graph of the class again."
    )
    shown = drawing.drawn(graph)
    about = f"Attribution graph of the file {name}. {sentence(shown)}"
    draw_graph(shown, key="cs-file-graph", on_pinned=_pin, pinned=st.session_state.get("cs-file-pin"), label=about,
               height=height_of(shown), file_name="loupe-file")  # fmt: skip
    rows = [
        {"layer": one.layer, "channel": one.channel, "images": one.count, "PageRank": one.pagerank}
        for one in graph.vertices
    ]
    st.dataframe(export.shown(rows), hide_index=True, height=320)


def _pin(pinned: str | None) -> None:
    st.session_state["cs-file-pin"] = pinned
