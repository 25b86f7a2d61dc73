"""Whether neighbours in the features are of one class: what a layer keeps together, without any map in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Integer

from interp.embedding.neighbours import Metric, nearest
from interp.embedding.quality import K
from interp.embedding.representations import Features


@dataclass(frozen=True)
class ClassAgreement:
    """How often the `k` nearest neighbours of an image are of its own class, and how often by chance.

    Both are in [0, 1]; `count` is how many images have a class.
    """

    share: float
    chance: float
    k: int
    count: int


def agreement(
    features: Float[np.ndarray, "n d"],
    classes: Integer[np.ndarray, " m"],
    *,
    k: int = K,
    metric: Metric = "euclidean",
    device: torch.device | str = "cpu",
) -> ClassAgreement:
    """The share of neighbours of the same class, among the images that have one (negative: none).

    share = (1 / nk) Σᵢ |{j ∈ Nₖ(i) : cⱼ = cᵢ}|, the accuracy that each neighbour alone would have as a classifier;
    chance = Σ_c n_c (n_c − 1) / (n (n − 1)), what random neighbours share. k is lowered where there are fewer others.
    Raises `ValueError` where fewer than two images have a class, or the features are not finite.
    """
    if len(classes) != len(features):
        raise ValueError(f"There are {len(classes)} classes for {len(features)} images: give one for each image.")
    kept = np.flatnonzero(classes >= 0)
    if len(kept) < 2:
        raise ValueError(f"{len(kept)} of {len(classes)} images have a class: neighbours need at least two.")
    own = classes[kept]
    k = min(k, len(kept) - 1)
    found = nearest(features[kept], k, metric=metric, device=device)
    _, sizes = np.unique(own, return_counts=True)
    chance = float((sizes * (sizes - 1)).sum() / (len(own) * (len(own) - 1)))
    return ClassAgreement(float((own[found.indices] == own[:, None]).mean()), chance, k, len(own))


def agreements(
    sources: Sequence[Features], kinds: Sequence[str], classes: Sequence[Integer[np.ndarray, " m"]]
) -> dict[str, tuple[ClassAgreement, ...]]:
    """What neighbours share in each of some features, for each kind of class by its name.

    Raises `ValueError` as `agreement` does.
    """
    return {
        kind: tuple(agreement(source.values, one) for source in sources)
        for kind, one in zip(kinds, classes, strict=True)
    }
