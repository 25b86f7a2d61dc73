"""A class's graph as it is drawn: rows of layers, channels sized by the images that they stand out in, influences."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from interp.class_summary import ChannelKey, ClassGraph, GraphSupport
from pages.parts.class_summary import vertices
from pages.parts.class_summary.graph_view import DrawnEdge, DrawnGraph, DrawnRow, DrawnVertex, VertexGroup
from pages.parts.class_summary.looks import DetectedConcept
from pages.parts.class_summary.vertices import SeenVertices

EVERYBODY = 0.5
"""A vertex that is in the graph in so many draws of other classes' images is called everybody's."""
GROUPS: Mapping[VertexGroup, str] = {"own": "its own", "shared": "everybody's"}


def drawn(
    graph: ClassGraph,
    *,
    seen: SeenVertices | None = None,
    support: GraphSupport | None = None,
    groups: Mapping[VertexGroup, str] | None = None,
    group: Callable[[ChannelKey], VertexGroup] | None = None,
    concepts: Mapping[ChannelKey, DetectedConcept] | None = None,
) -> DrawnGraph:
    """The graph to draw, with pictures and support as far as they are known.

    Vertices are of the group that `group` says, edges of the group 'shared' then; else their support tells whose they
    are. Of a file that does not say how many images the class has, sizes are beside the largest count.
    """
    of = graph.images or max((one.count for one in graph.vertices), default=0) or 1
    strongest = max((edge.weight for edge in graph.edges), default=0) or 1
    chosen: list[VertexGroup] = _owners(graph, support) if group is None else [group(one.key) for one in graph.vertices]
    joining: VertexGroup = "own" if group is None else "shared"
    return DrawnGraph(
        rows(graph.layers),
        tuple(
            DrawnVertex(
                vertices.name_of(one.key),
                one.layer,
                one.channel,
                min(1.0, one.count / of),
                vertices.picture_of(seen, one.key),
                _lines(graph, place, support, concepts),
                chosen[place],
                None if support is None else float(support.vertices[place]),
            )
            for place, one in enumerate(graph.vertices)
        ),
        tuple(
            DrawnEdge(
                vertices.name_of(edge.lower),
                vertices.name_of(edge.upper),
                edge.weight / strongest,
                None if support is None else float(support.edges[place]),
                joining,
            )
            for place, edge in enumerate(graph.edges)
        ),
        groups if groups is not None else GROUPS if support is not None else {},
    )


def rows(layers: tuple[str, ...]) -> tuple[DrawnRow, ...]:
    """A row for each layer, the last at the top."""
    return tuple(DrawnRow(layer, layer) for layer in reversed(layers))


def _owners(graph: ClassGraph, support: GraphSupport | None) -> list[VertexGroup]:
    if support is None:
        return ["own" for _ in graph.vertices]
    return ["shared" if share >= EVERYBODY else "own" for share in support.vertices_of_others.tolist()]


def _lines(
    graph: ClassGraph,
    place: int,
    support: GraphSupport | None,
    concepts: Mapping[ChannelKey, DetectedConcept] | None,
) -> tuple[str, ...]:
    one = graph.vertices[place]
    images = "" if graph.images is None else f" of {graph.images:,}"
    lines = [f"{one.layer}, channel {one.channel}", f"stands out in {one.count:,}{images} images"]
    if support is not None:
        others = support.vertices_of_others[place]
        beside = "" if np.isnan(others) else f"; {others:.0%} of draws of other classes' images"
        lines.append(f"in {support.vertices[place]:.0%} of draws{beside}")
    if concepts is not None:
        lines.append(str(concepts.get(one.key, "detects no concept of the set")))
    return tuple(lines)
