"""A photograph under the groups of channels found in it, each in a colour of its own."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch.nn.functional import interpolate

# Okabe and Ito 2008 without black, then five of Krzywinski's twelve for colour blindness; groups are numbered, too.
COLOURS = (
    *("#E69F00", "#0072B2", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#56B4E9"),
    *("#8400CD", "#00FCCF", "#A40122", "#FFB2FD", "#7F7F7F"),
)
"""One for each group, in their order; they repeat where there are more groups."""

OPACITY = 0.75
SHARPNESS = 4
"""The power that lets the strongest group at a place outshine the others."""


def colour(group: int) -> str:
    """The colour of a group."""
    return COLOURS[group % len(COLOURS)]


def overlay(
    pixels: UInt8[np.ndarray, "h w 3"],
    maps: Float[np.ndarray, "g u v"],
    tops: Float[np.ndarray, " g"],
) -> tuple[UInt8[np.ndarray, "h w 3"], list[tuple[float, float] | None]]:
    """The photograph in grey under all groups, and where each is strongest, in shares of height and width.

    Each map counts in shares of its own largest value, `tops` (over all photographs that share the groups), enlarged
    bilinearly; colours are mixed so that the strongest group prevails, and are clear where none is active. The place is
    None for a group that is not active in this photograph.
    """
    shares = torch.from_numpy(maps / np.where(tops > 0, tops, 1)[:, None, None]).float()
    size = (pixels.shape[0], pixels.shape[1])
    large = interpolate(shares[None], size=size, mode="bilinear", align_corners=False)[0].clamp(0, 1).numpy()
    weights = large**SHARPNESS + 1e-9
    mixed = np.einsum("ghw,gc->hwc", weights / weights.sum(axis=0), _rgb(len(maps)))
    opacity = OPACITY * large.max(axis=0)[..., None]
    grey = pixels.mean(axis=2, keepdims=True)
    drawn = (grey * (1 - opacity) + mixed * opacity).round().clip(0, 255).astype(np.uint8)
    return drawn, [_place(one) for one in large]


def _rgb(count: int) -> Float[np.ndarray, "g 3"]:
    names = [colour(group) for group in range(count)]
    return np.array([[int(name[i : i + 2], 16) for i in (1, 3, 5)] for name in names], float)


def _place(large: Float[np.ndarray, "h w"]) -> tuple[float, float] | None:
    if not large.any():
        return None
    row, column = np.unravel_index(int(large.argmax()), large.shape)
    return (float(row) + 0.5) / large.shape[0], (float(column) + 0.5) / large.shape[1]
