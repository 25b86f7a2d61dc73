"""The geometry of a layer's maps: channels with a grid of positions, and that grid at the size of the input."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from interp.types import Layer


def on_grid(tensor: Tensor, layer: Layer) -> Float[Tensor, "n k u v"]:
    """Activations, or what is like them, such as their gradients, with channels and a grid of positions.

    A spatial layer has that form already; one with its channels last is turned round. Of tokens (n, t, k) the last u·v
    are the grid, row by row; what comes before them (the class token) has no place in the picture. A flat layer has
    one position.
    """
    match layer.kind:
        case "spatial":
            return tensor
        case "channels_last":
            return tensor.permute(0, 3, 1, 2)
        case "flat":
            return tensor[:, :, None, None]
    tokens = tensor[:, -layer.height * layer.width :]
    return tokens.transpose(1, 2).unflatten(2, (layer.height, layer.width))


def enlarged(coarse: Float[Tensor, "n u v"], size: tuple[int, int]) -> Float[Tensor, "n h w"]:
    """A coarse map at the input's size, bilinearly."""
    return interpolate(coarse[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]


def off_grid(grids: Float[Tensor, "m k u v"], like: Tensor, layer: Layer) -> Tensor:
    """A grid of positions in the shape in which the layer gives it: zero where it has no place (the class token)."""
    if layer.kind == "spatial":
        return grids
    if layer.kind == "channels_last":
        return grids.permute(0, 2, 3, 1)
    if layer.kind == "flat":
        return grids[:, :, 0, 0]
    shaped = torch.zeros_like(like)
    shaped[:, -layer.height * layer.width :] = grids.flatten(2).transpose(1, 2)
    return shaped
