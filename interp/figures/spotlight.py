"""A photograph, bright where a map is large and dim elsewhere: where a channel fires, on what it fires."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch.nn.functional import interpolate

DIM = 0.3
"""How bright the photograph is where the map is zero."""


def spotlight(pixels: UInt8[np.ndarray, "h w 3"], grid: Float[np.ndarray, "u v"]) -> UInt8[np.ndarray, "h w 3"]:
    """The photograph lit by a map of any size, enlarged bilinearly: the map's largest value in full light.

    What is below zero counts as zero. A map that is nowhere above zero leaves all of it dim.
    """
    positive = np.maximum(grid, 0).astype(np.float32)
    # The square root, as screens and eyes tell dark greys apart less well than light ones.
    light = np.sqrt(positive / (positive.max() or 1.0))
    size = (pixels.shape[0], pixels.shape[1])
    enlarged = interpolate(torch.from_numpy(light)[None, None], size=size, mode="bilinear", align_corners=False)
    share = DIM + (1 - DIM) * enlarged[0, 0, :, :, None].numpy()
    # Towards grey as well as dark, so that bright but unlit places do not draw the eye.
    plain = pixels.mean(axis=2, keepdims=True)
    return ((plain + (pixels - plain) * enlarged[0, 0, :, :, None].numpy()) * share).round().astype(np.uint8)
