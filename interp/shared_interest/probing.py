"""Probing (Boggust et al. 2022): which classes does the model see in a region? All are ranked by shared interest.

The person marks a region of one picture; each class's saliency is held against it. The saliency of all classes is
kept, a bit for each pixel, so that a further region costs no pass and no map: milliseconds for a thousand classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8

from interp.attribution import ClassMaps
from interp.batches import batched
from interp.passes.grids import enlarged
from interp.shared_interest.binarization import Area, Rule, binarize
from interp.shared_interest.scores import Counts

Score = Literal["iou", "ground_truth_coverage", "saliency_coverage", "evidence"]
SCORES: tuple[Score, ...] = get_args(Score)

AT_ONCE = 16
"""How many classes' maps are enlarged at once: they stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class ClassSaliency:
    """The binary saliency of each class for one picture, by one rule: eight pixels to a byte, row by row."""

    rule: Rule
    shape: tuple[int, int]
    packed: UInt8[np.ndarray, "k bytes"]
    salient: Int[np.ndarray, " k"]

    def mask(self, index: int) -> Bool[np.ndarray, "h w"]:
        """The saliency of one class."""
        pixels = self.shape[0] * self.shape[1]
        return np.unpackbits(self.packed[index], count=pixels).astype(bool).reshape(self.shape)


def saliency(maps: ClassMaps, rule: Rule, region: Bool[np.ndarray, "h w"] | None = None) -> ClassSaliency:
    """Binarize every class's map, enlarged to the model's input. `Area()` makes each as large as the region.

    Raises `ValueError` as `binarize` does, and for `Area()` without a region.
    """
    if not follows_region(rule):
        region = None

    def run(part: slice) -> tuple[np.ndarray, np.ndarray]:
        large = maps.enlarged(part)
        annotation = None if region is None else np.broadcast_to(region, tuple(large.shape))
        found = binarize(large, rule, annotation=annotation).reshape(len(large), -1)
        return np.packbits(found, axis=1), np.count_nonzero(found, axis=1)

    parts = list(batched(run, len(maps.coarse), size=AT_ONCE, what="the saliency of all classes"))
    packed, salient = (np.concatenate(some) for some in zip(*parts, strict=True))
    return ClassSaliency(rule, maps.size, packed, salient.astype(np.int64))


def follows_region(rule: Rule) -> bool:
    """Whether the rule makes the saliency as large as the region, so that it changes with it."""
    return isinstance(rule, Area) and rule.share is None


@dataclass(frozen=True, eq=False)
class Probe:
    """How one region lies to all classes, in the classes' order.

    `overlap` holds the paper's scores. `evidence` is ours: the sum of the class's map in the region, as a sum over the
    layer's positions (Σ_G map · uv / hw). The paper's scores compare shapes only, and are blind to how much of a map
    there is; with Grad-CAM and a head of pooling and a linear layer, evidence is what the region adds to the class's
    logit. `probabilities` are the model's for the whole picture.
    """

    overlap: Counts
    evidence: Float[np.ndarray, " k"]
    probabilities: Float[np.ndarray, " k"]

    def values(self, score: Score) -> Float[np.ndarray, " k"]:
        """One score of each class: a share from 0 to 1, or evidence. Raises `ValueError` for an unknown score."""
        if score == "evidence":
            return self.evidence
        if score not in SCORES:
            raise ValueError(f"There is no score {score!r}; choose one of {', '.join(SCORES)}.")
        return getattr(self.overlap, score)

    def ranked(self, score: Score, among: int | None = None) -> Int[np.ndarray, " m"]:
        """The classes from the best score to the least; equal ones by intersection over union, then by probability.

        Classes without any saliency (nothing in the layer speaks for them) come last. With `among` only that many
        classes are ranked: the most probable. Raises `ValueError` where that is less than one.
        """
        if among is not None and among < 1:
            raise ValueError(f"{among} classes cannot be ranked: take at least 1.")
        order = np.lexsort(
            (-self.probabilities, -self.overlap.iou, -self.values(score), self.overlap.salient == 0)
        ).astype(np.int64)
        if among is None or among >= len(order):
            return order
        probable = np.argsort(-self.probabilities, kind="stable")[:among]
        return order[np.isin(order, probable)]


def probe(maps: ClassMaps, classes: ClassSaliency, region: Bool[np.ndarray, "h w"]) -> Probe:
    """Hold the region against the maps of all classes and their saliency.

    Raises `ValueError` for a region of another size than the maps, or an empty one.
    """
    if region.shape != classes.shape:
        given, right = (" × ".join(map(str, shape)) for shape in (region.shape, classes.shape))
        raise ValueError(f"The region is of {given} pixels, and the maps are of {right}: mark what the model sees.")
    size = int(np.count_nonzero(region))
    if not size:
        raise ValueError("The region is empty: mark at least one pixel that the model sees.")
    shared = np.bitwise_count(classes.packed & np.packbits(region.reshape(-1))).sum(axis=1, dtype=np.int64)
    found = Counts(np.full(len(shared), size, np.int64), classes.salient, shared)
    return Probe(found, _evidence(maps, region), maps.probabilities.double().numpy())


def _evidence(maps: ClassMaps, region: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, " k"]:
    """Σ_G map · uv / hw, by one product: enlarging is linear, so each position has a weight for the region."""
    with torch.inference_mode(False), torch.enable_grad():
        grid = torch.zeros(1, *maps.coarse.shape[1:], requires_grad=True)
        total = (enlarged(grid, maps.size) * torch.from_numpy(region)).sum()
        (weights,) = torch.autograd.grad(total, grid)
    share = weights.numel() / region.size
    return (maps.coarse.flatten(1) @ weights.flatten() * share).double().numpy()


def places(order: Int[np.ndarray, " m"], count: int) -> Int[np.ndarray, " k"]:
    """The rank of each of `count` classes in an order, from 1 on; 0 where it is not ranked."""
    ranks = np.zeros(count, np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks


def movers(first: Int[np.ndarray, " m"], second: Int[np.ndarray, " m"], count: int) -> Int[np.ndarray, " j"]:
    """The classes whose rank differs most between two orders of the same classes, the largest difference first.

    Ranks are compared by their ratio, as from 20 to 1 is more than from 900 to 700.
    """
    classes = int(max(first.max(initial=-1), second.max(initial=-1))) + 1
    before, after = places(first, classes)[first], places(second, classes)[first]
    change = np.abs(np.log(before / after))
    found = np.lexsort((before, -change))[:count]
    return first[found[change[found] > 0]]
