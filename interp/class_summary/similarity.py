"""How alike classes are in what stands out in their images: cosines, nearest classes, and their hierarchy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Num

from interp.types import Fingerprinted


@dataclass(frozen=True, eq=False)
class ClassHierarchy(Fingerprinted):
    """A tree of classes, joined pair by pair, the most alike first.

    `joins` is SciPy's linkage matrix: each row has the two clusters that are joined (below c a class, else c plus a
    row before it), their distance 1 − cosine, and the number of classes. `order` puts classes that are joined early
    side by side.
    """

    joins: Float[np.ndarray, "j 4"]
    order: Int[np.ndarray, " c"]

    def part(self, classes: Sequence[int]) -> ClassHierarchy:
        """The tree of some of the classes alone, which are joined where the whole tree joins them.

        Its classes are numbered as they are given. Raises `ValueError` for one that there is not, or given twice.
        """
        count = len(self.order)
        if len(set(classes)) < len(classes) or not all(0 <= one < count for one in classes):
            raise ValueError(f"Give each class once, from 0 to {count - 1}, and not {', '.join(map(str, classes))}.")
        place = {one: at for at, one in enumerate(classes)}
        # What each cluster of the whole tree is in the part: None where it has nothing there.
        inside = [place.get(one) for one in range(count)]
        sizes, joins = [1] * len(classes), []
        for one, other, distance, _ in self.joins:
            first, second = inside[int(one)], inside[int(other)]
            if first is None or second is None:
                inside.append(second if first is None else first)
                continue
            inside.append(len(sizes))
            sizes.append(sizes[first] + sizes[second])
            joins.append((first, second, distance, sizes[-1]))
        order = [place[one] for one in self.order.tolist() if one in place]
        return ClassHierarchy(np.array(joins, float).reshape(-1, 4), np.array(order, np.int64))


@dataclass(frozen=True, eq=False)
class ClassSimilarity(Fingerprinted):
    """The cosines between classes' counts, by layer, 0 to 1: 1 where the same channels stand out in the same measure.

    A class of which nothing was counted in a layer has 0 with all, and with itself.
    """

    cosines: Mapping[str, Float[np.ndarray, "c c"]]

    def nearest(self, layer: str, which: int, count: int) -> Int[np.ndarray, " m"]:
        """The classes most alike one class in a layer, the first the most, at most so many, and those with more than 0.

        Raises `ValueError` for a layer or class that is not there.
        """
        cosines = self._of_layer(layer)
        if not 0 <= which < len(cosines):
            raise ValueError(f"There is no class {which}: there are {len(cosines)}, numbered from 0.")
        order = np.argsort(-cosines[which], kind="stable")
        return order[(order != which) & (cosines[which][order] > 0)][: max(count, 0)]

    def hierarchy(self, layer: str) -> ClassHierarchy:
        """The classes' hierarchy in a layer, by average linkage (Sokal and Michener 1958) of 1 − cosine.

        Raises `ValueError` for a layer that is not there.
        """
        from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
        from scipy.spatial.distance import squareform

        cosines = self._of_layer(layer)
        if len(cosines) < 2:
            return ClassHierarchy(np.zeros((0, 4)), np.arange(len(cosines)))
        apart = np.clip(1 - (cosines + cosines.T) / 2, 0, 1)
        np.fill_diagonal(apart, 0)
        distances = squareform(apart, checks=False)
        joins = optimal_leaf_ordering(linkage(distances, "average"), distances)
        return ClassHierarchy(joins, leaves_list(joins).astype(np.int64))

    def _of_layer(self, layer: str) -> Float[np.ndarray, "c c"]:
        if layer not in self.cosines:
            raise ValueError(f"There is no layer {layer!r}: there are {', '.join(self.cosines)}.")
        return self.cosines[layer]


def similarity(counts: Mapping[str, Num[np.ndarray, "c _"]]) -> ClassSimilarity:
    """The cosines Σ_j A_cj A_dj / (|A_c| |A_d|) between classes c and d, from the counts A of each layer.

    Raises `ValueError` for no layers, negative counts, or layers with different numbers of classes.
    """
    check_layers(counts)
    cosines = {}
    for layer, own in counts.items():
        rows = unit_rows(own)
        cosines[layer] = np.clip(rows @ rows.T, 0, 1)
    return ClassSimilarity(cosines)


def unit_rows(counts: Num[np.ndarray, "c k"]) -> Float[np.ndarray, "c k"]:
    """The counts of each class divided by their length, rows of zeros left as they are."""
    given = counts.astype(np.float64)
    lengths = np.linalg.norm(given, axis=1, keepdims=True)
    return given / np.where(lengths > 0, lengths, 1.0)


def check_layers(counts: Mapping[str, Num[np.ndarray, "c _"]]) -> None:
    """Raise `ValueError` where counts by layer are missing, negative, or of different numbers of classes."""
    if not counts:
        raise ValueError("There are no layers: give the counts of one or more.")
    classes = {len(own) for own in counts.values()}
    if len(classes) > 1 or 0 in classes:
        raise ValueError(f"All layers need the same classes, one or more, and have {', '.join(map(str, classes))}.")
    for layer, own in counts.items():
        if not own.shape[1] or own.min() < 0:
            raise ValueError(f"Counts of layer {layer!r} must be 0 and more, one for each class and channel.")
