"""What keeps a picture from being only what the objective asks: smoothness, little contrast, likelihood.

Each gives a penalty for every picture, which is taken from its objective; weights are in the objective's units.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from interp.models.scenes_prior import Prior


class Regularizer(ABC):
    """A penalty on pictures, seen as they are, before any transform."""

    @abstractmethod
    def penalty(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """What is taken from each picture's objective."""


@dataclass(frozen=True)
class TotalVariation(Regularizer):
    """`weight` times the mean difference of neighbouring pixels, |x_right - x| + |x_below - x| (Rudin et al. 1992)."""

    weight: float | int

    def __post_init__(self) -> None:
        _check(self.weight)

    def penalty(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """In units of brightness, which goes from 0 to 1."""
        across, down = pixels.diff(dim=3).abs(), pixels.diff(dim=2).abs()
        return self.weight * (across.mean(dim=(1, 2, 3)) + down.mean(dim=(1, 2, 3)))


@dataclass(frozen=True)
class L2(Regularizer):
    """`weight` times the mean square of what a pixel differs from grey (Simonyan et al. 2013)."""

    weight: float | int

    def __post_init__(self) -> None:
        _check(self.weight)

    def penalty(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """From 0 (grey) to a quarter of the weight (black and white)."""
        return self.weight * (pixels - 0.5).square().mean(dim=(1, 2, 3))


@dataclass(frozen=True, eq=False)
class Density(Regularizer):
    """`weight` times -log p(x), as a density expert knows pictures (Montavon et al. 2017).

    The expert looks at every `stride`-th patch in each direction, which costs 1/stride² as much.
    """

    prior: Prior
    weight: float | int
    stride: int = 2

    def __post_init__(self) -> None:
        _check(self.weight)

    def penalty(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """In nats for a patch; may be below 0, as densities are not bounded."""
        return -self.weight * self.prior.log_density(pixels, stride=self.stride)


def _check(weight: float | int) -> None:
    if not weight >= 0:
        raise ValueError(f"A weight of {weight} would reward what the regularizer is to hold back: take 0 or more.")
