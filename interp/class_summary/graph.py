"""The attribution graph of a class: the channels that carry it, and which of them influence which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from interp.class_summary.counted import ClassCounts
from interp.class_summary.pagerank import ALPHA, ITERATIONS, TOLERANCE, pagerank
from interp.types import Fingerprinted

if TYPE_CHECKING:
    import networkx

STRONGEST = 3
"""How many inputs of each vertex are kept beside the graph's edges."""

ChannelKey = tuple[str, int]
"""A layer and a channel of it."""


@dataclass(frozen=True)
class ChannelVertex:
    """A channel of the graph: in how many of the class's images it stands out, and its rank.

    `inputs` are its strongest inputs, as (channel of the layer below, influence), in the graph or not. In Summit's
    published files a channel of a 3×3 or 5×5 branch has those of the branch's own bottleneck there.
    """

    layer: str
    channel: int
    count: int
    pagerank: float
    inputs: tuple[tuple[int, int], ...] = ()

    @property
    def key(self) -> ChannelKey:
        """Its layer and channel."""
        return self.layer, self.channel


@dataclass(frozen=True)
class InfluenceEdge:
    """In how many of the class's images the lower channel is among the strongest inputs of the upper one."""

    lower: ChannelKey
    upper: ChannelKey
    weight: int


@dataclass(frozen=True, eq=False)
class ClassGraph(Fingerprinted):
    """A class's attribution graph (Hohman et al. 2019, Summit).

    `layers` and vertices stand in the network's order, the vertices of a layer by PageRank, largest first. `share` is
    the share of each layer's PageRank mass that was kept in the end, `images` the number of the class's images; both
    are None where a published file does not say. A vertex may have no edge.
    """

    images: int | None
    layers: tuple[str, ...]
    vertices: tuple[ChannelVertex, ...]
    edges: tuple[InfluenceEdge, ...]
    share: float | None

    def of_layer(self, layer: str) -> tuple[ChannelVertex, ...]:
        """A layer's vertices. Raises `ValueError` for a layer that was not summed up."""
        if layer not in self.layers:
            raise ValueError(f"The graph has no layer {layer!r}: it has {', '.join(self.layers)}.")
        return tuple(vertex for vertex in self.vertices if vertex.layer == layer)

    def channels(self, layer: str) -> frozenset[int]:
        """The channels of a layer that are vertices. Raises `ValueError` as `of_layer` does."""
        return frozenset(vertex.channel for vertex in self.of_layer(layer))

    def to_networkx(self) -> networkx.Graph:
        """The same as an undirected graph of networkx: vertices are (layer, channel), with `count` and `pagerank`."""
        import networkx

        graph = networkx.Graph(images=self.images, share=self.share)
        for vertex in self.vertices:
            graph.add_node(vertex.key, count=vertex.count, pagerank=vertex.pagerank)
        graph.add_weighted_edges_from((edge.lower, edge.upper, edge.weight) for edge in self.edges)
        return graph


@dataclass(frozen=True)
class GraphSettings:
    """How a graph is extracted; the defaults are those that Summit's published graphs were made with.

    `share` is how much of each layer's PageRank mass is kept at least, `step` by how much it is raised while a layer
    has no edge from the one below. `personalization` "counts" restarts the walk at a channel in proportion to its
    count over the largest of its layer, "uniform" at all channels alike, so that only influences rank them.
    """

    alpha: float | int = ALPHA
    iterations: int = ITERATIONS
    tolerance: float | int = TOLERANCE
    share: float | int = 0.075
    step: float | int = 0.005
    personalization: Literal["counts", "uniform"] = "counts"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"A share of {self.share} is not possible: take more than 0, up to 1; 0.075 is usual.")
        if not self.step > 0:
            raise ValueError(f"A step of {self.step} never raises the share: take more than 0; 0.005 is usual.")


def extract(counts: ClassCounts, settings: GraphSettings | None = None) -> ClassGraph:
    """The class's attribution graph, as Summit (Hohman et al. 2019) extracts it from the counts A and influences I.

    On the undirected graph of all channels, with the influences between consecutive layers as weights, personalized
    PageRank restarts at channel j of a layer in proportion to A_cj / max_j A_cj. Of each layer the vertices with the
    largest ranks are kept until their sum reaches the share of the layer's sum, the one that crosses it included.
    The share is raised step by step, for all layers at once, until every layer above the first keeps an edge from the
    layer below. Edges stay whose two ends are kept.

    The paper leaves open, and we decide: of equal ranks the lower channel comes first. A layer whose counts are all 0
    gets no restart, and its vertices what edges bring them; vertices of rank 0 are never kept. Two layers between
    which no edge joins vertices of positive rank cannot keep one, so they do not raise the share. (Of the published
    graphs one, of class 937, has a layer without an edge from below.) The notebook cuts over all layers at once, and
    the published files by layer, which we follow.

    Raises `ValueError` for a class without images or without any count, and for counts whose shapes or values do not
    fit together.
    """
    settings = settings or GraphSettings()
    check_counts(counts)
    if counts.images == 0 or not any(counts.counts[layer].any() for layer in counts.layers):
        raise ValueError(
            f"Nothing was counted of this class in {counts.images} images, so it has no graph: give it images."
        )
    ranks = _ranks(counts, settings)
    before = [_mass_before(of_layer) for of_layer in ranks]
    share = _share_in_effect(counts, before, settings)
    kept = [_kept(of_layer, mass, share) for of_layer, mass in zip(ranks, before, strict=True)]
    vertices = []
    for at, layer in enumerate(counts.layers):
        inputs = counts.influences[counts.layers[at - 1], layer] if at else np.zeros((0, len(ranks[at])), np.int64)
        for channel in kept[at]:
            vertices.append(
                ChannelVertex(
                    layer,
                    int(channel),
                    int(counts.counts[layer][channel]),
                    float(ranks[at][channel]),
                    _strongest(inputs[:, channel]),
                )
            )
    return ClassGraph(counts.images, counts.layers, tuple(vertices), tuple(_edges(counts, kept)), share)


def check_counts(counts: ClassCounts) -> None:
    """Raise `ValueError` where counts or influences are missing, negative, or of shapes that do not fit together."""
    if not counts.layers or len(set(counts.layers)) < len(counts.layers):
        raise ValueError(f"Counts of {len(counts.layers)} layers make no graph: give one or more, each once.")
    for layer in counts.layers:
        if layer not in counts.counts or not len(counts.counts[layer]):
            raise ValueError(f"There are no counts of layer {layer!r}: give one for each of its channels.")
        if not 0 <= counts.counts[layer].min() <= counts.counts[layer].max() <= counts.images:
            raise ValueError(f"Counts of layer {layer!r} must be from 0 to the {counts.images} images of the class.")
    for pair in counts.pairs:
        shape = tuple(len(counts.counts[layer]) for layer in pair)
        found = counts.influences.get(pair)
        if found is None or found.shape != shape:
            raise ValueError(
                f"The influences of {pair[0]!r} on {pair[1]!r} must be of shape {shape}, and "
                f"{'there are none' if found is None else f'are of shape {found.shape}'}."
            )
        if not 0 <= found.min() <= found.max() <= counts.images:
            raise ValueError(
                f"Influences of {pair[0]!r} on {pair[1]!r} must be from 0 to the {counts.images} images of the class."
            )


def _ranks(counts: ClassCounts, settings: GraphSettings) -> list[Float[np.ndarray, " _"]]:
    sizes = [len(counts.counts[layer]) for layer in counts.layers]
    begins = np.cumsum([0, *sizes])
    first, second, weights, restart = [], [], [], []
    for at, pair in enumerate(counts.pairs):
        influences = counts.influences[pair]
        lower, upper = np.nonzero(influences)
        first.append(lower + begins[at])
        second.append(upper + begins[at + 1])
        weights.append(influences[lower, upper])
    for layer in counts.layers:
        own = counts.counts[layer]
        largest = max(int(own.max()), 1)
        restart.append(own / largest if settings.personalization == "counts" else np.ones(len(own)))
    nothing = np.zeros(0, np.int64)
    ranks = pagerank(
        np.concatenate([nothing, *first]),
        np.concatenate([nothing, *second]),
        np.concatenate([nothing, *weights]),
        np.concatenate(restart),
        alpha=settings.alpha,
        iterations=settings.iterations,
        tolerance=settings.tolerance,
    )
    return np.split(ranks, begins[1:-1])


def _mass_before(ranks: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """The share of a layer's mass that vertices of larger rank have: a vertex is kept where this is below the share."""
    order = np.argsort(-ranks, kind="stable")
    sums = np.cumsum(ranks[order])
    before = np.empty(len(ranks))
    before[order] = np.concatenate([[0.0], sums[:-1]]) / (sums[-1] or 1.0)
    return np.where(ranks > 0, before, np.inf)


def _share_in_effect(counts: ClassCounts, before: Sequence[Float[np.ndarray, " _"]], settings: GraphSettings) -> float:
    needed = 0.0
    for at, pair in enumerate(counts.pairs):
        lower, upper = np.nonzero(counts.influences[pair])
        latest = np.maximum(before[at][lower], before[at + 1][upper]).min(initial=np.inf)
        if np.isfinite(latest):
            needed = max(needed, float(latest))
    steps = 0
    while settings.share + steps * settings.step <= needed and settings.share + steps * settings.step < 1:
        steps += 1
    # In decimals, so that 0.075 + 0.005 is 0.08.
    return min(1.0, round(settings.share + steps * settings.step, 12))


def _kept(ranks: Float[np.ndarray, " k"], before: Float[np.ndarray, " k"], share: float) -> Int[np.ndarray, " kept"]:
    chosen: Bool[np.ndarray, " k"] = (ranks > 0) & ((before < share) | (share >= 1))
    order = np.argsort(-ranks, kind="stable")
    return order[chosen[order]]


def _edges(counts: ClassCounts, kept: Sequence[Int[np.ndarray, " _"]]) -> list[InfluenceEdge]:
    found = []
    for at, pair in enumerate(counts.pairs):
        among = counts.influences[pair][np.ix_(kept[at], kept[at + 1])]
        for upper, lower in zip(*np.nonzero(among.T), strict=True):
            ends = (pair[0], int(kept[at][lower])), (pair[1], int(kept[at + 1][upper]))
            found.append(InfluenceEdge(*ends, int(among[lower, upper])))
    return found


def _strongest(influences: Int[np.ndarray, " i"]) -> tuple[tuple[int, int], ...]:
    order = np.argsort(-influences.astype(np.int64), kind="stable")[:STRONGEST]
    return tuple((int(one), int(influences[one])) for one in order if influences[one] > 0)
