"""Graphs of classes beside each other: what they share, what is whose own, and how much random pairs share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, Shaped

from interp.class_summary.graph import ClassGraph
from interp.types import Fingerprinted

PAIRS = 100


@dataclass(frozen=True)
class GraphOverlap:
    """The channels of one layer in several graphs.

    `shared` are vertices of all graphs, `either` of at least one, and `own` of each graph and no other, in the order
    of the graphs. `jaccard` is |shared| / |either|, 0 to 1; nan where no graph has a vertex.
    """

    layer: str
    shared: frozenset[int]
    either: frozenset[int]
    own: tuple[frozenset[int], ...]

    @property
    def jaccard(self) -> float:
        """|shared| / |either|."""
        return len(self.shared) / len(self.either) if self.either else float("nan")


def overlaps(graphs: Sequence[ClassGraph]) -> tuple[GraphOverlap, ...]:
    """What two or more graphs share, by layer, the lowest first.

    Raises `ValueError` for fewer than two graphs, or for graphs of different layers.
    """
    _check(graphs)
    found = []
    for layer in graphs[0].layers:
        channels = [graph.channels(layer) for graph in graphs]
        own = tuple(one.difference(*channels[:at], *channels[at + 1 :]) for at, one in enumerate(channels))
        found.append(GraphOverlap(layer, channels[0].intersection(*channels), channels[0].union(*channels), own))
    return tuple(found)


def jaccard(first: ClassGraph, second: ClassGraph) -> Float[np.ndarray, " l"]:
    """|V ∩ W| / |V ∪ W| of two graphs' vertices by layer, nan where both have none. Raises as `overlaps` does."""
    return np.array([one.jaccard for one in overlaps([first, second])])


@dataclass(frozen=True, eq=False)
class PairOverlaps(Fingerprinted):
    """The overlaps of pairs of classes: what two classes share that have nothing to do with each other.

    `values` has the Jaccard overlap of each pair at each layer, 0 to 1 or nan. `all_pairs` says whether these are all
    pairs that there are, and not a random choice.
    """

    layers: tuple[str, ...]
    values: Float[np.ndarray, "p l"]
    all_pairs: bool

    def __len__(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> Float[np.ndarray, " l"]:
        """The mean overlap by layer; nan where no pair has one."""
        there = ~np.isnan(self.values)
        sums, counts = np.where(there, self.values, 0).sum(axis=0), there.sum(axis=0)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    def share_below(self, overlap: Float[np.ndarray, " l"]) -> Float[np.ndarray, " l"]:
        """The share of pairs that overlap less at each layer, half of those that overlap as much; nan without pairs."""
        return self._share((self.values < overlap) + 0.5 * (self.values == overlap), overlap)

    def share_tied(self, overlap: Float[np.ndarray, " l"]) -> Float[np.ndarray, " l"]:
        """The share of pairs that overlap as much at each layer; nan without pairs."""
        return self._share(self.values == overlap, overlap)

    def _share(self, holds: Shaped[np.ndarray, "p l"], overlap: Float[np.ndarray, " l"]) -> Float[np.ndarray, " l"]:
        there = ~np.isnan(self.values) & ~np.isnan(overlap)
        counts = there.sum(axis=0)
        return np.where(counts > 0, np.where(there, holds, 0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def random_pairs(
    graphs: Mapping[str, ClassGraph],
    *,
    pairs: int = PAIRS,
    seed: int = 0,
    without: tuple[str, str] | None = None,
) -> PairOverlaps:
    """The overlaps of random pairs of different classes; of all pairs where there are not more.

    `without` is a pair that is not to be drawn, since it is to be held against the others. No pair is drawn twice.
    Raises `ValueError` as `overlaps` does.
    """
    _check(list(graphs.values()))
    if pairs < 1:
        raise ValueError(f"{pairs} pairs say nothing: take 1 or more; 100 is usual.")
    every = [pair for pair in combinations(graphs, 2) if without is None or set(pair) != set(without)]
    chosen = every
    if len(every) > pairs:
        drawn = np.random.default_rng(seed).choice(len(every), pairs, replace=False)
        chosen = [every[at] for at in np.sort(drawn)]
    layers = next(iter(graphs.values())).layers
    channels = {name: [graph.channels(layer) for layer in layers] for name, graph in graphs.items()}
    values = np.empty((len(chosen), len(layers)))
    for row, (one, other) in enumerate(chosen):
        for at, (own, others) in enumerate(zip(channels[one], channels[other], strict=True)):
            either = len(own | others)
            values[row, at] = len(own & others) / either if either else np.nan
    return PairOverlaps(layers, values, len(every) <= pairs)


def _check(graphs: Sequence[ClassGraph]) -> None:
    if len(graphs) < 2:
        raise ValueError(f"{len(graphs)} graph cannot be compared: give two or more.")
    for graph in graphs:
        if graph.layers != graphs[0].layers:
            raise ValueError(
                f"Graphs of different layers cannot be compared: one has {', '.join(graphs[0].layers)}, another "
                f"{', '.join(graph.layers)}."
            )
