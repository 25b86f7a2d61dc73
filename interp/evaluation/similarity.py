"""How alike two maps of the same picture are: in the order of their pixels, in their look, in what stands out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SHARE = 0.05
"""The share of pixels that counts as the top of a map."""

# The constants of Wang et al. 2004; maps are scaled to −1 to 1, a range of 2.
SIGMA, SIDE = 1.5, 11
LUMINANCE, CONTRAST = (0.01 * 2) ** 2, (0.03 * 2) ** 2
CLIP = 0.99


def spearman(first: Float[Tensor, "n h w"], second: Float[Tensor, "n h w"]) -> Float[Tensor, " n"]:
    """The rank correlation of two maps' pixels, image by image, −1 to 1; equal values share their mean rank.

    A constant map has no order: with any other it correlates 0, and two constant maps 1, as nothing differs between
    them. Raises `ValueError` for values that are not finite.
    """
    correlation = (standardized_ranks(first) * standardized_ranks(second)).sum(dim=1).clamp(-1, 1)
    return torch.where(constant(first) & constant(second), 1.0, correlation).float()


def ssim(first: Float[Tensor, "n h w"], second: Float[Tensor, "n h w"]) -> Float[Tensor, " n"]:
    """The structural similarity of two maps as they would be drawn, image by image: 1 for equal ones, down to −1.

    Wang et al. 2004, with a Gaussian of σ = 1.5 in windows of 11 × 11 that lie wholly inside. Each map is first
    divided by the 99th percentile of its own |S| and cut off at ±1: divided by the largest value, a map with a few
    bright pixels would be all but flat, and alike to any other such map. A map that is zero stays zero.
    Raises `ValueError` for values that are not finite.
    """
    return local_moments(first).ssim(local_moments(second))


def top(maps: Float[Tensor, "n h w"], share: float = SHARE) -> Bool[Tensor, "n h w"]:
    """The pixels with the largest values, that share of all: those above the largest value left out.

    Pixels that are equal across the border are all left out, since nothing says which of them belong: so there are
    fewer where values repeat, and none in a constant map. Raises `ValueError` for a share that is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"A share of {share} is not possible: the top of a map is between 0 and 1 of its pixels.")
    flat = _finite(maps).flatten(1)
    count = min(max(1, round(share * flat.shape[1])), flat.shape[1] - 1)
    first_left_out = flat.topk(count + 1, dim=1).values[:, -1]
    return _finite(maps) > first_left_out[:, None, None]


def iou(first: Bool[Tensor, "n h w"], second: Bool[Tensor, "n h w"]) -> Float[Tensor, " n"]:
    """|A ∩ B| / |A ∪ B| of two sets of pixels, image by image; two empty sets give 1."""
    union = (first | second).sum(dim=(1, 2))
    shared = (first & second).sum(dim=(1, 2))
    return torch.where(union == 0, 1.0, shared / union.clamp(min=1))


def constant(maps: Float[Tensor, "n h w"]) -> Bool[Tensor, " n"]:
    """Whether all pixels of a map have the same value."""
    flat = maps.detach().cpu().flatten(1)
    return flat.min(dim=1).values == flat.max(dim=1).values


def standardized_ranks(maps: Float[Tensor, "n h w"]) -> Float[Tensor, "n p"]:
    """The ranks of each map's pixels, centred and of length 1: their inner products are rank correlations.

    A constant map gives zeros. On the processor and in double precision: squares of 50,000 ranks add up to 1e13.
    """
    flat = _finite(maps).flatten(1).contiguous()
    ordered = flat.sort(dim=1).values
    # Twice the mean rank of equal values, up to a constant.
    ranks = (torch.searchsorted(ordered, flat) + torch.searchsorted(ordered, flat, right=True)).double()
    centred = ranks - ranks.mean(dim=1, keepdim=True)
    return centred / centred.norm(dim=1, keepdim=True).clamp(min=1e-12)


@dataclass(frozen=True, eq=False)
class LocalMoments:
    """Maps scaled as drawn, with the mean and the variance around each window, from which SSIM is made."""

    scaled: Float[Tensor, "n h w"]
    mean: Float[Tensor, "n u v"]
    variance: Float[Tensor, "n u v"]

    def ssim(self, other: LocalMoments) -> Float[Tensor, " n"]:
        """The structural similarity to other maps of the same pictures."""
        covariance = _windowed(self.scaled * other.scaled) - self.mean * other.mean
        brightness = (2 * self.mean * other.mean + LUMINANCE) / (self.mean**2 + other.mean**2 + LUMINANCE)
        structure = (2 * covariance + CONTRAST) / (self.variance + other.variance + CONTRAST)
        return (brightness * structure).mean(dim=(1, 2)).float()


def local_moments(maps: Float[Tensor, "n h w"]) -> LocalMoments:
    """What SSIM needs of each map, so that many pairs can share it."""
    scaled = as_drawn(maps).double()
    mean = _windowed(scaled)
    return LocalMoments(scaled, mean, _windowed(scaled**2) - mean**2)


def as_drawn(maps: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
    """Maps divided by the 99th percentile of their own magnitude and cut off at ±1; a zero map stays zero."""
    plain = _finite(maps)
    magnitude = plain.abs().flatten(1)
    percentile = magnitude.kthvalue(max(1, round(CLIP * magnitude.shape[1])), dim=1).values
    largest = magnitude.max(dim=1).values
    # A sparse map's percentile is zero, though the map is not.
    scale = torch.where(percentile > 0, percentile, largest)
    return (plain / torch.where(scale > 0, scale, 1.0)[:, None, None]).clamp(-1, 1)


def _finite(maps: Tensor) -> Tensor:
    plain = maps.detach().cpu()
    if not bool(plain.isfinite().all()):
        raise ValueError("A map has values that are not finite, so it cannot be compared with another.")
    return plain


def _windowed(maps: Float[Tensor, "n h w"]) -> Float[Tensor, "n u v"]:
    """The weighted mean in each window that lies wholly inside."""
    rows, columns = (_windows(size, min(SIDE, *maps.shape[1:])) for size in maps.shape[1:])
    return rows @ maps @ columns.T


def _windows(size: int, side: int) -> Float[Tensor, "windows size"]:
    distance = torch.arange(size)[None, :] - torch.arange(size - side + 1)[:, None] - (side - 1) / 2
    weights = torch.exp(-0.5 * (distance.double() / SIGMA) ** 2) * (distance.abs() <= (side - 1) / 2)
    return weights / weights.sum(dim=1, keepdim=True)
