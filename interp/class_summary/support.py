"""How firmly a graph stands: what of it stays when other images of the class, or of all classes, are drawn."""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from interp import progress
from interp.class_summary.counted import ClassCounts
from interp.class_summary.graph import ChannelKey, ClassGraph, GraphSettings, extract
from interp.types import Fingerprinted

DRAWS = 100

AT_ONCE = 5
"""After so many draws what there is so far is handed out."""


@runtime_checkable
class Draws(Protocol):
    """Whoever remembers of each image what is counted of it, and can count again with other images."""

    def draw(self, weights: Int[np.ndarray, " n"]) -> ClassCounts:
        """The counts over all images of the set together, where image i counts weights[i] times (0: not at all).

        `ClassCounts.images` is the sum of the weights.
        """
        ...


@dataclass(frozen=True, eq=False)
class GraphSupport(Fingerprinted):
    """In which share of the draws each vertex and each edge of a graph stays.

    In the order of the graph's vertices and edges: `vertices` and `edges` are shares of the draws of the class's own
    images, `vertices_of_others` and `edges_of_others` of as many images of other classes, nan where
    there are none. A vertex with a large share in both is everybody's; one with a large share only in the first is the
    class's own. `draws` is the number of draws of either kind; a share p is uncertain by √(p (1 − p) / draws).
    """

    vertices: Float[np.ndarray, " v"]
    edges: Float[np.ndarray, " e"]
    vertices_of_others: Float[np.ndarray, " v"]
    edges_of_others: Float[np.ndarray, " e"]
    draws: int


def support(
    graph: ClassGraph,
    draws: Draws,
    own: Int[np.ndarray, " m"],
    images: int,
    settings: GraphSettings | None = None,
    *,
    count: int = DRAWS,
    seed: int = 0,
) -> Generator[GraphSupport, None, GraphSupport]:
    """How firmly the class's graph stands, from so many draws of either kind; yields it every 5 draws.

    Bootstrap (Efron 1979): as many images as the class has are drawn from these with replacement, and the graph is
    extracted anew. The null: as many images of other classes, none twice, or each as often as needed where there are
    fewer. (With labels shuffled among all images, a strong channel of the class would come back by the class's own
    images: of ten classes one image in ten drawn.) `own` are the places of the class's images among the
    `images` of the set. Each draw has its own random numbers, so that the first of many draws are those of few. A draw
    in which nothing was counted has an empty graph.

    Raises `ValueError` for a class without images, or places that are not among those of the set.
    """
    if not len(own) or len(np.unique(own)) < len(own) or not 0 <= own.min() <= own.max() < images:
        raise ValueError(
            f"The {len(own)} images of the class must be at least one of the {images} of the set, each once."
        )
    if count < 1:
        raise ValueError(f"{count} draws support nothing: take 1 or more; 100 is usual.")
    of_class, of_others = _Stays(graph), _Stays(graph)
    others = np.setdiff1d(np.arange(images), own)
    for at, state in enumerate(np.random.SeedSequence(seed).spawn(count)):
        progress.report(at, count, "draws of images")
        random = np.random.default_rng(state)
        of_class.add(draws, np.bincount(random.choice(own, len(own)), minlength=images), settings)
        if len(others):
            drawn = random.choice(others, len(own), replace=len(others) < len(own))
            of_others.add(draws, np.bincount(drawn, minlength=images), settings)
        if (at + 1) % AT_ONCE == 0 and at + 1 < count:
            yield _found(of_class, of_others)
    progress.report(count, count, "draws of images")
    whole = _found(of_class, of_others)
    yield whole
    return whole


class _Stays:
    """How often each vertex and edge of a graph was in the graph of a draw."""

    def __init__(self, graph: ClassGraph) -> None:
        self._vertices: dict[ChannelKey, int] = {vertex.key: 0 for vertex in graph.vertices}
        self._edges: dict[tuple[ChannelKey, ChannelKey], int] = {(edge.lower, edge.upper): 0 for edge in graph.edges}
        self.draws = 0

    def add(self, draws: Draws, weights: Int[np.ndarray, " n"], settings: GraphSettings | None) -> None:
        counts = draws.draw(weights)
        self.draws += 1
        if not any(own.any() for own in counts.counts.values()):
            return
        drawn = extract(counts, settings)
        for vertex in drawn.vertices:
            if vertex.key in self._vertices:
                self._vertices[vertex.key] += 1
        for edge in drawn.edges:
            if (edge.lower, edge.upper) in self._edges:
                self._edges[edge.lower, edge.upper] += 1

    @property
    def vertices(self) -> Float[np.ndarray, " v"]:
        return self._share(self._vertices.values())

    @property
    def edges(self) -> Float[np.ndarray, " e"]:
        return self._share(self._edges.values())

    def _share(self, counts: Collection[int]) -> Float[np.ndarray, " _"]:
        return np.array(list(counts), float) / (self.draws or float("nan"))


def _found(of_class: _Stays, of_others: _Stays) -> GraphSupport:
    return GraphSupport(of_class.vertices, of_class.edges, of_others.vertices, of_others.edges, of_class.draws)
