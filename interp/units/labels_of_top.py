"""Which labels, and which kinds of labels, are over-represented among a unit's top images, and by how much that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from interp.types import Fingerprinted
from interp.units.rows import ImageRows, top_rows
from interp.units.truth import Names
from interp.units.wordnet import WordNet

TOP = 20
"""How many images count as a unit's top ones; of fewer than 100 images a fifth."""
LEVEL = 0.05
"""The share of false findings among all that is found in a layer (Benjamini and Hochberg 1995)."""
FEWEST = 3
"""In how many of the top images at least a label has to be."""


@dataclass(frozen=True)
class LabelGroup:
    """Classes with a name: one class, or all that are of a kind (`synset`)."""

    name: str
    classes: tuple[int, ...]
    synset: str | None = None


@dataclass(frozen=True, eq=False)
class TopLabels(Fingerprinted):
    """How often the images of each of g groups are among the top images of each of k units.

    Of `images` labelled ones `sizes` are of the group; of a unit's `tops` top images `counts` are. `p` is the
    probability of so many or more if the top images were drawn at random (hypergeometric), `adjusted` the same after
    Benjamini and Hochberg's correction for all groups and units.
    """

    groups: tuple[LabelGroup, ...]
    images: int
    sizes: Int[np.ndarray, " g"]
    tops: Int[np.ndarray, " k"]
    counts: Int[np.ndarray, "k g"]
    p: Float[np.ndarray, "k g"]
    adjusted: Float[np.ndarray, "k g"]

    def found(self) -> Bool[np.ndarray, "k g"]:
        """Which groups are over-represented: adjusted p under 0.05, in at least 3 of the top images."""
        return (self.adjusted < LEVEL) & (self.counts >= FEWEST)


def top_labels(
    labels: Int[np.ndarray, " n"], peaks: Float[np.ndarray, "n k"], groups: Sequence[LabelGroup], top: int = TOP
) -> TopLabels:
    """Test every group in every unit, over the images with a label (>= 0).

    The top images are the at most `top` with the largest activation (`rows.top_rows`); a unit that is nowhere active
    has none, and p is 1.
    """
    known = labels >= 0
    labels, peaks = labels[known], peaks[known]
    chosen = top_rows(peaks, min(top, len(labels) // 5))
    members = np.stack([np.isin(labels, one.classes) for one in groups]) if groups else np.zeros((0, len(labels)), bool)
    counts = chosen.T.astype(np.int64) @ members.T.astype(np.int64)
    sizes, tops = members.sum(axis=1), chosen.sum(axis=0)
    p = over_represented(counts, len(labels), sizes, tops)
    return TopLabels(tuple(groups), len(labels), sizes, tops, counts, p, adjusted(p))


@dataclass(frozen=True, eq=False)
class TopConcepts(Fingerprinted):
    """How often each of c concepts is in the top images of each of k units, of the images of which it is known.

    As `TopLabels`; `common` are those in more than half of the images, of which this tells little.
    """

    concepts: Names
    tops: Int[np.ndarray, "k c"]
    counts: Int[np.ndarray, "k c"]
    common: Bool[np.ndarray, " c"]
    adjusted: Float[np.ndarray, "k c"]

    def plausible(self) -> Bool[np.ndarray, "k c"]:
        """Which concepts are over-represented among the top images, or in most images anyway."""
        return (self.adjusted < LEVEL) | self.common


def top_concepts(rows: ImageRows, complete: bool, top: int = TOP) -> TopConcepts:
    """Test every concept in every unit, each over the images in which something of its category is known, or all."""
    shape = rows.peaks.shape[1], len(rows.concepts)
    tops, counts, p, common = (
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
        np.ones(shape),
        np.zeros(shape[1], bool),
    )
    for place, category in enumerate(rows.categories):
        own = [column for column, one in enumerate(rows.concepts) if one[0] == category]
        known = np.ones(len(rows), bool) if complete else rows.known[:, place]
        there = rows.areas[known][:, own] > 0
        chosen = top_rows(rows.peaks[known], min(top, int(known.sum()) // 5)).T.astype(np.int64)
        counts[:, own], tops[:, own] = chosen @ there.astype(np.int64), chosen.sum(axis=1)[:, None]
        p[:, own] = over_represented(counts[:, own], int(known.sum()), there.sum(axis=0), chosen.sum(axis=1))
        common[own] = there.mean(axis=0) > 0.5 if known.any() else False
    return TopConcepts(rows.concepts, tops, counts, common, adjusted(p))


def over_represented(
    counts: Int[np.ndarray, "k g"], images: int, sizes: Int[np.ndarray, " g"], tops: Int[np.ndarray, " k"]
) -> Float[np.ndarray, "k g"]:
    """P(X >= count), X hypergeometric: of `images`, `sizes` are of the group, and `tops` are drawn."""
    from scipy.stats import hypergeom

    each = np.stack([counts, *np.broadcast_arrays(sizes[None], tops[:, None])], axis=-1).reshape(-1, 3)
    if not len(each):
        return np.ones(counts.shape)
    # There are few different ones.
    different, which = np.unique(each, axis=0, return_inverse=True)
    found = hypergeom.sf(different[:, 0] - 1, images, different[:, 1], different[:, 2])
    return np.clip(found[which.reshape(-1)], 0, 1).reshape(counts.shape)


def adjusted(p: Float[np.ndarray, "k g"]) -> Float[np.ndarray, "k g"]:
    """The p-values after Benjamini and Hochberg's correction, all together."""
    from scipy.stats import false_discovery_control

    return false_discovery_control(p.reshape(-1)).reshape(p.shape) if p.size else p


def label_groups(
    names: Sequence[str], labels: Int[np.ndarray, " n"], ids: Sequence[str] | None, wordnet: WordNet | None
) -> tuple[LabelGroup, ...]:
    """Each class that has an image, and each kind that at least two and not all of these are of.

    A kind has all its classes, also those without an image here; of kinds that the same ones with images are of the
    deepest counts.
    """
    there = [int(one) for one in np.unique(labels[labels >= 0])]
    groups = [LabelGroup(names[one], (one,)) for one in there]
    if wordnet is None or ids is None:
        return tuple(groups)
    members: dict[str, list[int]] = {}
    for one in there:
        for kind in wordnet.ancestors(ids[one]):
            members.setdefault(kind, []).append(one)
    kinds: dict[tuple[int, ...], str] = {}
    for kind, classes in members.items():
        if 1 < len(classes) < len(there):
            key = tuple(classes)
            kinds[key] = _deeper(wordnet, kind, kinds.get(key, kind))
    below = {
        kind: tuple(one for one, own in enumerate(ids) if kind in wordnet.ancestors(own)) for kind in kinds.values()
    }
    return (*groups, *(LabelGroup(wordnet.names[kind], below[kind], kind) for _, kind in sorted(kinds.items())))


def _deeper(wordnet: WordNet, one: str, other: str) -> str:
    return min((one, other), key=lambda kind: (-wordnet.depth(kind), kind))
