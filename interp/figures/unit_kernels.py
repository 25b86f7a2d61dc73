"""A unit's kernels as small pictures: in colour where they read the picture, else by sign."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from interp.figures import style

INSET = 36
"""The side of a kernel that is drawn into the corner of another picture, in pixels."""


def colour_filter(weights: Float[np.ndarray, "c a b"]) -> UInt8[np.ndarray, "a b 3"]:
    """A filter of the first layer as a picture: grey is zero, the largest weight of any colour is full.

    In the colours that the network reads: after its normalization, and in grey where it reads one number a pixel.
    """
    end = float(np.abs(weights).max()) or 1.0
    shades = np.moveaxis(0.5 + 0.5 * weights / end, 0, 2)
    if shades.shape[2] != 3:
        shades = shades[:, :, :1].repeat(3, axis=2)
    return (255 * shades).round().astype(np.uint8)


def kernel_map(weights: Float[np.ndarray, "a b"], end: float) -> UInt8[np.ndarray, "a b 3"]:
    """A kernel over one input, from blue (minus the end) through white (zero) to red."""
    share = weights / end if end > 0 else np.zeros_like(weights)
    places = ((np.clip(share, -1, 1) + 1) / 2).reshape(-1)
    return style.colours(style.signed(), places)[:, :3].reshape(*weights.shape, 3)


def with_inset(
    picture: UInt8[np.ndarray, "h w 3"], inset: UInt8[np.ndarray, "a b 3"], side: int = INSET
) -> UInt8[np.ndarray, "h w 3"]:
    """A picture with another one in its lower right corner, in whole blocks and a frame."""
    times = max(1, side // max(inset.shape[:2]))
    blocks = inset.repeat(times, axis=0).repeat(times, axis=1)[: picture.shape[0] - 2, : picture.shape[1] - 2]
    drawn, (height, width) = picture.copy(), blocks.shape[:2]
    drawn[-height - 2 :, -width - 2 :] = 0
    drawn[-height - 1 : -1, -width - 1 : -1] = blocks
    return drawn
