"""Colours as they occur together: the mean and the correlation of red, green and blue in photographs, or in a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from interp import progress
from interp.images import ImageSet, UnreadableImage
from interp.images.picture_bytes import LUMA

Triple = tuple[float, float, float]

SIDE = 64
ENOUGH = 500
LEAST_DEVIATION = 1e-3
"""Sets in grey have no spread along two axes; with this much their pictures can be in colour a little."""


@dataclass(frozen=True)
class Colours:
    """The mean colour, RGB in [0, 1], and a root C of the covariance of colours, C Cᵀ = Σ.

    The columns of C are the axes along which colours vary without correlation, by their standard deviation, largest
    first: for photographs brightness, then blue against orange, then green against violet.
    """

    mean: Triple
    root: tuple[Triple, Triple, Triple]

    def correlated(self, device: torch.device, channels: int = 3) -> Float[Tensor, "c c"]:
        """C, scaled so that its first axis has length 1: uncorrelated numbers to colours.

        Grey (`channels` 1) has one axis.
        """
        if channels == 1:
            return torch.ones(1, 1, device=device)
        root = torch.tensor(self.root, dtype=torch.float64)
        return (root / root.norm(dim=0).max()).float().to(device)

    def offset(self, device: torch.device, channels: int = 3) -> Float[Tensor, "c 1"]:
        """What gives the mean colour after the sigmoid, or its grey."""
        mean = torch.tensor(self.mean)
        mean = (torch.tensor(LUMA) @ mean)[None] if channels == 1 else mean
        return mean.clamp(0.05, 0.95).logit()[:, None].to(device)


IMAGENET = Colours(
    mean=(0.4789, 0.4514, 0.4014),
    root=((0.2385, 0.0857, 0.0237), (0.2468, 0.0009, -0.0473), (0.2504, -0.0825, 0.0241)),
)
"""Of the 200 photographs of shared/imagenet (one of every fifth class), as `measured` gives it."""

INDEPENDENT = Colours(mean=(0.5, 0.5, 0.5), root=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
"""Red, green and blue each for itself, about grey."""


def measured(photos: ImageSet, positions: Sequence[int] | None = None) -> Colours:
    """The colours of an image set: of the images at these positions, or of at most 500 spread over it.

    Each image counts the same, shrunk to 64 × 64. Raises `ValueError` where no image can be read.
    """
    chosen = list(range(len(photos))) if positions is None else list(positions)
    chosen = chosen[:: max(1, -(-len(chosen) // ENOUGH))] if positions is None else chosen
    count, total, squares = 0, np.zeros(3), np.zeros((3, 3))
    for position in progress.steps(chosen, "Reading colours"):
        try:
            picture = photos[position].image.convert("RGB")
        except UnreadableImage:
            continue
        small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
        values = np.asarray(small, np.float64).reshape(-1, 3) / 255
        count, total, squares = count + len(values), total + values.sum(axis=0), squares + values.T @ values
    if not count:
        raise ValueError(f"None of the {len(chosen)} images of {photos.name} could be read, so it has no colours.")
    mean = total / count
    return Colours(_row(mean), rooted(squares / count - np.outer(mean, mean)))


def rooted(covariance: Float[np.ndarray, "3 3"]) -> tuple[Triple, Triple, Triple]:
    """The root of a covariance whose columns are its axes, largest first, each with a positive sum."""
    variances, axes = np.linalg.eigh(covariance)
    root = (axes * np.sqrt(variances.clip(min=LEAST_DEVIATION**2)))[:, ::-1]
    root = root * np.where(root.sum(axis=0) < 0, -1, 1)
    return _row(root[0]), _row(root[1]), _row(root[2])


def _row(values: Float[np.ndarray, " 3"]) -> Triple:
    return float(values[0]), float(values[1]), float(values[2])
