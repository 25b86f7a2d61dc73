"""The scores of Shared Interest: how far a saliency and an annotation cover each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from interp.shared_interest.masks import MapArray, Masks, Scores, binary, matching, scaled, slices, tensor


def iou_coverage(annotation: Masks, saliency: Masks) -> Scores:
    """|G ∩ S| / |G ∪ S|, image by image, 0 to 1; 0 where both are empty.

    Raises `ValueError` for another number of images or pixels, and for numbers other than 0 and 1.
    """
    return overlap(annotation, saliency).iou


def ground_truth_coverage(annotation: Masks, saliency: Masks) -> Scores:
    """|G ∩ S| / |G|: how much of the annotation is salient, 0 to 1; 0 where the annotation is empty.

    Raises `ValueError` as `iou_coverage` does.
    """
    return overlap(annotation, saliency).ground_truth_coverage


def saliency_coverage(annotation: Masks, saliency: MapArray) -> Scores:
    """|G ∩ S| / |S|, and Σ G·|S| / Σ|S| where S is a map: how much of the saliency is annotated, 0 to 1.

    0 where the saliency is empty or zero. Raises `ValueError` for another number of images or pixels, for an annotation
    with numbers other than 0 and 1, and for saliency that is not finite.
    """
    inside, maps = matching(binary(annotation, "annotation"), tensor(saliency))

    def shares(part: slice) -> Tensor:
        magnitudes = scaled(maps[part].flatten(1))[0].abs_()
        shared = torch.linalg.vecdot(magnitudes, inside[part].flatten(1).double())
        return _ratio(shared, magnitudes.sum(dim=1))

    found = _in_parts(shares, inside)
    if not bool(found.isfinite().all()):
        raise ValueError("The saliency has values that are not finite: compute the map again.")
    return found.numpy()


@dataclass(frozen=True, eq=False)
class Counts:
    """The number of pixels in G, in S and in both, image by image, and the three scores that follow from them."""

    annotated: Int[np.ndarray, " n"]
    salient: Int[np.ndarray, " n"]
    shared: Int[np.ndarray, " n"]

    @property
    def iou(self) -> Scores:
        """|G ∩ S| / |G ∪ S|; 0 where both are empty."""
        return _share(self.shared, self.annotated + self.salient - self.shared)

    @property
    def ground_truth_coverage(self) -> Scores:
        """|G ∩ S| / |G|; 0 where nothing is annotated."""
        return _share(self.shared, self.annotated)

    @property
    def saliency_coverage(self) -> Scores:
        """|G ∩ S| / |S|; 0 where nothing is salient."""
        return _share(self.shared, self.salient)


def overlap(annotation: Masks, saliency: Masks) -> Counts:
    """Count once what all three scores need. Raises `ValueError` as `iou_coverage` does."""
    inside, marked = matching(binary(annotation, "annotation"), binary(saliency, "saliency"))

    # NumPy counts a row of booleans ten times as fast as torch sums it.
    def count(masks: Tensor) -> Int[np.ndarray, " n"]:
        return np.fromiter((np.count_nonzero(one) for one in masks.numpy()), dtype=np.int64, count=len(masks))

    both = np.fromiter(
        (np.count_nonzero(one & other) for one, other in zip(inside.numpy(), marked.numpy(), strict=True)),
        dtype=np.int64,
        count=len(inside),
    )
    return Counts(count(inside), count(marked), both)


def _in_parts(function: Callable[[slice], Tensor], images: Tensor) -> Tensor:
    """What the function gives for parts of some images, put together."""
    parts = [function(part) for part in slices(images)]
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64)


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return torch.where(whole > 0, part / whole.clamp(min=torch.finfo(torch.float64).tiny), whole)


def _share(part: Int[np.ndarray, " n"], whole: Int[np.ndarray, " n"]) -> Scores:
    return part / np.maximum(whole, 1)
