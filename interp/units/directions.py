"""Directions of a layer's channels at right angles, drawn at random: what is in them, too, is no more of a unit."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def rotated(maps: Float[Tensor, "n k u v"], seed: int) -> Float[Tensor, "n k u v"]:
    """The maps of as many directions at right angles as there are channels, drawn at random from the seed."""
    return torch.einsum("jk,nkuv->njuv", basis(maps.shape[1], seed).to(maps), maps)


def basis(channels: int, seed: int) -> Float[Tensor, "k k"]:
    """Directions at right angles, one in each row, uniformly drawn from the seed (Stewart 1980)."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    directions, triangle = torch.linalg.qr(drawn)
    # Without this the signs of a QR decomposition would prefer some rotations.
    return (directions * triangle.diagonal().sign()).T.float()
