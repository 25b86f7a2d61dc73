"""Superpixels: a picture cut into segments, and which of them the perturbed copies of the picture show."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

COMPACTNESS = 20.0
"""How much nearness in the picture counts against nearness in colour. With 10, the usual one, a third of the segments
that were asked for were lost on photographs, since scattered parts are merged away; with 20 a tenth."""

SMOOTHED = 1 / 200
"""The width of the Gaussian that smooths the picture before it is cut, as a share of its shorter side: grainy pictures
fall into scattered parts otherwise, and those are merged into one segment."""

MIDDLE = 0.7
"""The share of coalitions whose sizes are spread as coin flips spread them, which LIME needs; the rest are spread
evenly over all sizes, which Kernel SHAP needs (Musco and Witter 2024). Measured at 200 coalitions: of about 45 segments
LIME is then nearer to its limit than with 200 coin flips; Kernel SHAP has 1.4 times the error that it has with 0, and
0.7 of the error of coalitions drawn by Shapley's weights one by one. Of 8 to 10 segments both err far less than that.
"""

CANDIDATES = 10
"""From how many random coalitions each one is chosen, so that no two segments come and go together by chance."""

LISTED = 4096
"""Up to so many coalitions of one size are listed rather than drawn, so that none comes twice."""


def segments(pixels: Float[Tensor, "c h w"], count: int) -> Int[Tensor, "h w"]:
    """The number of each pixel's segment, from 0, by SLIC: about `count` of them, seldom more, sometimes far fewer.

    Parts that are scattered are merged into their neighbours, so pure noise may give a single segment; plain pictures
    are cut into squares, and grey ones by their lightness. Deterministic. Source: Achanta et al. 2012, SLIC
    superpixels, in scikit-image.
    """
    from skimage.segmentation import slic

    # Compactness is measured in lightness from 0 to 100, which scikit-image makes of RGB only.
    picture = pixels.detach().expand(3, -1, -1).permute(1, 2, 0).double().cpu().numpy()
    smoothing = SMOOTHED * min(picture.shape[:2])
    labels = slic(picture, n_segments=count, compactness=COMPACTNESS, sigma=smoothing, start_label=0)
    _, numbered = np.unique(labels, return_inverse=True)
    return torch.as_tensor(numbered.reshape(labels.shape), device=pixels.device)


def coalitions(parts: int, samples: int, seed: int) -> Bool[Tensor, "m parts"]:
    """Which segments each perturbed picture shows: first all, then none, then others, at most `samples` in all.

    Where there are no more than `samples` coalitions of `parts` segments, these are all. Otherwise they come as pairs
    of complements, as many of each size as `_pairs_by_size` says; among those of one size every coalition is equally
    likely, so that a weighted sum over all coalitions is estimated by giving the drawn ones of each size the weight of
    the whole size. Depends on the three arguments only.
    """
    if 2**parts <= samples:
        codes = torch.tensor([2**parts - 1, *range(2**parts - 1)])
        return (codes[:, None] >> torch.arange(parts) & 1).bool()
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.zeros(0, parts, dtype=torch.float64)
    for size, count in enumerate(_pairs_by_size(parts, (samples - 2) // 2), start=1):
        chosen = torch.cat([chosen, _balanced(_of_size(parts, size, count, generator), count, chosen)])
    present = chosen > 0
    pairs = torch.stack([present, ~present], dim=1).flatten(0, 1)
    return torch.cat([torch.ones(1, parts, dtype=torch.bool), torch.zeros(1, parts, dtype=torch.bool), pairs])


def _pairs_by_size(parts: int, pairs: int) -> list[int]:
    """How many pairs of complements to draw whose smaller half has 1, 2, ... segments."""
    sizes = range(1, parts // 2 + 1)
    available = [_pairs(parts, size) for size in sizes]
    everything = sum(available)
    shares = [MIDDLE * one / everything + (1 - MIDDLE) / len(available) for one in available]
    counts = [int(i < pairs) for i in range(len(available))]
    for _ in range(pairs - sum(counts)):
        # Sainte-Laguë's rule: the next seat goes to whoever has fewest for his share, here among those with room.
        free = [i for i, count in enumerate(counts) if count < available[i]]
        counts[min(free, key=lambda i: (counts[i] + 0.5) / shares[i])] += 1
    return counts


def _pairs(parts: int, size: int) -> int:
    """How many pairs of complements there are whose smaller half has that size."""
    return comb(parts, size) // (2 if 2 * size == parts else 1)


def _of_size(parts: int, size: int, count: int, generator: torch.Generator) -> Float[Tensor, "m parts"]:
    """Coalitions of one size to choose from, as whole numbers that sum to zero: positive for the present segments."""
    if _pairs(parts, size) <= LISTED:
        # Of the coalitions with half of the segments, those with the first: the others are their complements.
        fixed = (0,) if 2 * size == parts else ()
        rest = combinations(range(len(fixed), parts), size - len(fixed))
        members = torch.tensor([fixed + others for others in rest])
        members = members[torch.randperm(len(members), generator=generator)[: CANDIDATES * count]]
    else:
        members = torch.rand(CANDIDATES * count, parts, generator=generator).argsort(dim=1)[:, :size]
    return torch.zeros(len(members), parts, dtype=torch.float64).scatter(1, members, parts) - size


def _balanced(
    candidates: Float[Tensor, "m parts"], count: int, chosen: Float[Tensor, "others parts"]
) -> Float[Tensor, "count parts"]:
    """The candidates that are, one after the other, least like those chosen before.

    The choice looks at products only and not at which segment is which, so that every coalition remains equally
    likely. Products of whole numbers are exact: rounding would prefer some coalitions among equals.
    """
    likeness = (candidates @ chosen.T).square().sum(dim=1)
    best = []
    for _ in range(count):
        best.append(int(likeness.argmin()))
        likeness += (candidates @ candidates[best[-1]]).square()
        likeness[best[-1]] = torch.inf
    return candidates[best]
