"""Pixels as classifiers see them, in colour or in grey, as bytes to show; and back."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""What red, green and blue each add to grey (ITU-R 601), as in `Preprocessing`."""


def bytes_of(pixels: Float[Tensor, "c h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """A picture in [0, 1] as bytes, red, green and blue; a grey one has all three alike."""
    coloured = pixels.detach().expand(3, -1, -1).permute(1, 2, 0)
    return (coloured.clamp(0, 1) * 255).round().byte().cpu().numpy()


def pixels_of(picture: UInt8[np.ndarray, "h w 3"], channels: int = 3) -> Float[Tensor, "c h w"]:
    """A picture from bytes, in [0, 1]: in colour, or with one channel in grey."""
    if channels == 1:
        return torch.from_numpy(np.array(Image.fromarray(picture).convert("L")))[None].float() / 255
    return torch.from_numpy(picture).permute(2, 0, 1).float() / 255
