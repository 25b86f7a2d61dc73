"""The decoder of scenes: whitened principal components of small pictures, and a network that paints the detail."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp.models.scenes.network import Convolution

SIZE = 112
SMALL = 28
COLOURS = 3
FLAT = COLOURS * SMALL * SMALL

Side = Literal[56, 112]


class Components(nn.Module):
    """Whitened principal components of pictures shrunk to 28 × 28: z = Λ^(-1/2) V (x - μ).

    Over the training scenes the components have mean 0 and variance 1, and are uncorrelated.
    """

    mean: Float[Tensor, " p"]
    basis: Float[Tensor, "d p"]
    deviations: Float[Tensor, " d"]

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FLAT))
        self.register_buffer("basis", torch.zeros(dimensions, FLAT))
        self.register_buffer("deviations", torch.ones(dimensions))

    def forward(self, pixels: Float[Tensor, "n 3 112 112"]) -> Float[Tensor, "n d"]:
        """Pixels in [0, 1] to codes."""
        small = nn.functional.avg_pool2d(pixels, SIZE // SMALL).flatten(1)
        return (small - self.mean) @ self.basis.T / self.deviations

    def picture(self, codes: Float[Tensor, "n d"]) -> Float[Tensor, "n 3 28 28"]:
        """Codes to the small pictures that they stand for, about in [0, 1]."""
        return ((codes * self.deviations) @ self.basis + self.mean).unflatten(1, (COLOURS, SMALL, SMALL))


class Residual(nn.Module):
    """Two convolutions whose result is added to what came in (He et al. 2016); at first it is zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = Convolution(channels, channels, 3)
        self.outer = _silent(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, below: Float[Tensor, "n k u v"]) -> Float[Tensor, "n k u v"]:
        """Maps of the same size."""
        return below + self.outer(self.inner(below))


class Painter(nn.Module):
    """A small picture to one of 56 or 112 pixels a side: edges, patterns and paper, which the small one lacks."""

    def __init__(self, width: int = 80) -> None:
        super().__init__()
        half, quarter = width // 2, width // 4
        self.first = nn.Sequential(nn.PixelUnshuffle(2), Convolution(4 * COLOURS, width, 3))
        self.whole = nn.Sequential(
            Convolution(width, width, 3, stride=2), Residual(width), Residual(width), nn.Upsample(scale_factor=2)
        )
        self.grow28 = nn.Sequential(Residual(width), Convolution(width, 4 * half, 3), nn.PixelShuffle(2))
        self.body28 = Residual(half)
        self.grow56 = nn.Sequential(
            Convolution(half, 4 * quarter, 3), nn.PixelShuffle(2), Convolution(quarter, quarter, 3)
        )
        self.pixels56 = nn.Sequential(_silent(nn.Conv2d(half, 4 * COLOURS, 3, padding=1)), nn.PixelShuffle(2))
        self.pixels112 = nn.Sequential(_silent(nn.Conv2d(quarter, 4 * COLOURS, 3, padding=1)), nn.PixelShuffle(2))

    def forward(self, small: Float[Tensor, "n 3 28 28"], side: Side = SIZE) -> Float[Tensor, "n 3 h w"]:
        """Pixels in [0, 1], `side` a side."""
        # Four times the distance from grey: the slope of the sigmoid at grey is a quarter.
        scaled = 4 * (small - 0.5)
        hidden = self.first(scaled)
        hidden = self.body28(self.grow28(hidden + self.whole(hidden)))
        large = nn.functional.interpolate(scaled, (side, side), mode="bilinear")
        drawn = self.pixels56(hidden) if side == 56 else self.pixels112(self.grow56(hidden))
        return torch.sigmoid(large + drawn)


class Autoencoder(nn.Module):
    """The code and the painter: x = g(z), and the code of a picture."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.code = Components(dimensions)
        self.painter = Painter()

    def forward(self, codes: Float[Tensor, "n d"]) -> Float[Tensor, "n 3 112 112"]:
        """Codes to pixels in [0, 1]."""
        return self.painter(self.code.picture(codes))


def _silent(convolution: nn.Conv2d) -> nn.Conv2d:
    """A convolution that gives zero until it has learned."""
    nn.init.zeros_(convolution.weight)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution
