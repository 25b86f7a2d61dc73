"""What stands for 'nothing to see': the image that a method compares with, or fills a removed part with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Baseline = Literal["black", "white", "mean", "blur", "noise"]


def images(pixels: Float[Tensor, "n c h w"], baseline: Baseline, seed: int) -> Float[Tensor, "n c h w"]:
    """The baseline of each image, in [0, 1].

    `black` and `white` are plain, `mean` is the image's own mean colour, `blur` is the image under a Gaussian of an
    eighth of the shorter side, `noise` is uniform in [0, 1] and depends on `seed` and the image's pixels only
    (Sturmfels, Lundberg and Lee 2020, Visualizing the impact of feature attribution baselines, compares them).
    """
    return _BASELINES[baseline](pixels, seed)


def check(baseline: str) -> None:
    """Raise `ValueError` for a baseline that does not exist."""
    if baseline not in _BASELINES:
        raise ValueError(f"There is no baseline {baseline!r}; choose one of {', '.join(_BASELINES)}.")


def generator(pixels: Float[Tensor, "c h w"], seed: int) -> torch.Generator:
    """Random numbers that depend on the seed and the picture only: not on its name, its batch, or its device."""
    content = pixels.detach().cpu().contiguous().numpy().tobytes()
    digest = hashlib.blake2b(content, digest_size=7, salt=seed.to_bytes(8, "little", signed=True))
    return torch.Generator().manual_seed(int.from_bytes(digest.digest(), "little"))


def _black(pixels: Tensor, seed: int) -> Tensor:
    return torch.zeros_like(pixels)


def _white(pixels: Tensor, seed: int) -> Tensor:
    return torch.ones_like(pixels)


def _mean(pixels: Tensor, seed: int) -> Tensor:
    return pixels.mean(dim=(2, 3), keepdim=True).expand_as(pixels).contiguous()


def _blur(pixels: Tensor, seed: int) -> Tensor:
    sigma = min(pixels.shape[2:]) / 8
    rows, columns = (_blurring(size, sigma).to(pixels) for size in pixels.shape[2:])
    return rows @ pixels @ columns.T


def _blurring(size: int, sigma: float) -> Float[Tensor, "size size"]:
    """A Gaussian as a matrix; its rows sum to 1, so that at the border only what lies inside is averaged."""
    distance = torch.arange(size)[:, None] - torch.arange(size)
    weights = torch.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum(dim=1, keepdim=True)


def _noise(pixels: Tensor, seed: int) -> Tensor:
    noise = [torch.rand(image.shape, generator=generator(image, seed)) for image in pixels]
    return torch.stack(noise).to(pixels)


_BASELINES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "black": _black,
    "white": _white,
    "mean": _mean,
    "blur": _blur,
    "noise": _noise,
}
