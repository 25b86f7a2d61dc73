"""The classifier's first module: pixels in [0, 1] become what the network was trained on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Normalize(nn.Module):
    """(x - mean) / std, for each colour, or for grey."""

    mean: Tensor
    std: Tensor
    plain = False
    """Whether the network is handed pixels in plain order of memory, in whatever order they come.

    Batches come with the colours of a pixel side by side, and a convolution gives what it was given: a network that
    counts on plain order, as by `view`, would fail at its first activation.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if len(mean) not in (1, 3) or len(std) != len(mean) or min(std) <= 0:
            raise ValueError(
                f"mean {list(mean)} and std {list(std)} do not fit: give three numbers each, one for each of red, "
                "green and blue, or one each for grey, with every std above 0."
            )
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Pixels in [0, 1], normalized."""
        normalized = (pixels - self.mean) / self.std
        return normalized.contiguous() if self.plain else normalized


def assemble(network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> nn.Sequential:
    """Pixels to what the network gives: `.normalize`, then `.network`, in eval mode, without parameter gradients."""
    module = nn.Sequential(OrderedDict(normalize=Normalize(mean, std), network=network))
    return module.eval().requires_grad_(False)
