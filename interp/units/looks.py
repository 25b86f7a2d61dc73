"""How much of a colour, of light and dark, and of stripes is in pictures: what probes are made of, and looked for."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d

HUES = (
    "red", "orange", "yellow", "lime", "green", "spring green", "cyan", "azure", "blue", "violet", "magenta", "rose",
)  # fmt: skip
"""Every 30 degrees around the axis of greys."""
LIGHTNESS = ("dark", "light")
ORIENTATIONS = tuple(22.5 * step for step in range(8))
"""Directions in which stripes run, in degrees: 0 is horizontal, 90 vertical; they turn as the clock does not."""
WAVELENGTHS = (4, 8, 16, 32)
"""From stripe to stripe, in pixels of what the classifier sees."""
BLOCKS = 16
_KERNEL, _PERIOD, _WIDTH = 7, 4, 1.5

HUE, LIGHT = 0, len(HUES)
STRIPES = LIGHT + len(LIGHTNESS)
SPACING = STRIPES + len(WAVELENGTHS) * len(ORIENTATIONS)
COUNT = SPACING + len(WAVELENGTHS)
"""The columns of `looks`: hues from `HUE`, dark and light from `LIGHT`, stripes from `STRIPES`, any of a spacing."""


def hue_directions() -> Float[Tensor, "hues 3"]:
    """Unit vectors at right angles to the axis of greys, red the first: all of a hue have the same mean of RGB."""
    angles = torch.arange(len(HUES)) * (2 * math.pi / len(HUES))
    first = torch.tensor([2.0, -1.0, -1.0]) / math.sqrt(6)
    second = torch.tensor([0.0, 1.0, -1.0]) / math.sqrt(2)
    return angles.cos()[:, None] * first + angles.sin()[:, None] * second


def wavelengths(size: tuple[int, int]) -> tuple[int, ...]:
    """Those of `WAVELENGTHS` that a picture of this height and width can hold."""
    return tuple(one for one in WAVELENGTHS if min(size) // (one // _PERIOD) >= _KERNEL)


def looks(pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n looks"]:
    """How much of each look is in each picture, at its strongest place; 0 for what it cannot have.

    Hues: the largest share along the hue's direction, of 16 × 16 blocks of the picture; dark and light: the darkest and
    the lightest block; stripes: the largest energy of a pair of Gabor filters (7 × 7, 4 pixels from stripe to stripe,
    on the grey picture made smaller so that these are as many of its own), at every second position.
    """
    rows, columns = pixels.shape[2:]
    found = pixels.new_zeros(len(pixels), COUNT)
    blocks = adaptive_avg_pool2d(pixels, (min(BLOCKS, rows), min(BLOCKS, columns))).flatten(2)
    if pixels.shape[1] == 3:
        along = torch.einsum("ncp,ac->nap", blocks, hue_directions().to(pixels))
        found[:, HUE : HUE + len(HUES)] = along.amax(dim=2).clamp(min=0)
    lightness = blocks.mean(dim=1)
    found[:, LIGHT], found[:, LIGHT + 1] = 1 - lightness.amin(dim=1), lightness.amax(dim=1)
    grey = pixels.mean(dim=1, keepdim=True)
    for place, spacing in enumerate(WAVELENGTHS):
        if spacing not in wavelengths((rows, columns)):
            continue
        filtered = conv2d(avg_pool2d(grey, spacing // _PERIOD), _gabors().to(pixels), stride=2)
        energy = filtered.unflatten(1, (len(ORIENTATIONS), 2)).square().sum(dim=2).sqrt().amax(dim=(2, 3))
        first = STRIPES + place * len(ORIENTATIONS)
        found[:, first : first + len(ORIENTATIONS)] = energy
        found[:, SPACING + place] = energy.amax(dim=1)
    return found


def across(orientation: float, rows: Tensor, columns: Tensor) -> Tensor:
    """How far places, rows counted downwards, are along the direction at right angles to stripes, in pixels."""
    angle = math.radians(orientation)
    return columns * math.sin(angle) + rows * math.cos(angle)


@lru_cache(maxsize=1)
def _gabors() -> Float[Tensor, "filters 1 k k"]:
    """For each orientation a cosine and a sine under a Gaussian, with sum 0 and norm 1."""
    along = torch.arange(_KERNEL) - (_KERNEL - 1) / 2
    rows, columns = torch.meshgrid(along, along, indexing="ij")
    window = (-(rows**2 + columns**2) / (2 * _WIDTH**2)).exp()
    filters = []
    for orientation in ORIENTATIONS:
        phase = across(orientation, rows, columns) * (2 * math.pi / _PERIOD)
        for wave in (phase.cos(), phase.sin()):
            one = window * wave
            one = one - window * (one.sum() / window.sum())
            filters.append(one / one.norm())
    return torch.stack(filters)[:, None]
