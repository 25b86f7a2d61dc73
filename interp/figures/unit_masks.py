"""An image with a unit's mask and a concept's drawn on it, in colours and lines that everyone can tell apart."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from interp.units import MaskOverlap

UNIT, CONCEPT = (213, 94, 0), (86, 180, 233)
"""Vermilion, filled, and sky blue, dashed (Okabe and Ito 2008): they stay apart under any common colour blindness."""
LEAST = 280
FILL = 0.35
LINE, DASH = 3, 9


def drawn(overlap: MaskOverlap) -> UInt8[np.ndarray, "h w 3"]:
    """The image, enlarged where it is small: the unit's mask filled and outlined, the concept's outlined in dashes."""
    times = max(1, -(-LEAST // min(overlap.picture.shape[:2])))
    height, width = (side * times for side in overlap.picture.shape[:2])
    image = Image.fromarray(overlap.picture).resize((width, height), Image.Resampling.BICUBIC)
    picture = np.asarray(image).astype(np.float32)
    unit, concept = (mask.repeat(times, axis=0).repeat(times, axis=1) for mask in (overlap.unit, overlap.concept))
    picture[unit] = (1 - FILL) * picture[unit] + FILL * np.array(UNIT)
    _outline(picture, unit, UNIT)
    rows, columns = np.indices(concept.shape)
    _outline(picture, concept, CONCEPT, (rows + columns) // DASH % 2 == 0)
    return picture.round().clip(0, 255).astype(np.uint8)


def _outline(
    picture: np.ndarray, mask: Bool[np.ndarray, "h w"], colour: tuple[int, int, int], where: np.ndarray | bool = True
) -> None:
    """Draw a mask's border inside it, with a dark rim within, so that it is seen on any ground."""
    inner, core = _shrunk(mask, LINE), _shrunk(mask, LINE + 1)
    picture[inner & ~core] = 0
    picture[mask & ~inner & where] = colour
    picture[mask & ~inner & ~np.broadcast_to(where, mask.shape)] = 0


def _shrunk(mask: Bool[np.ndarray, "h w"], by: int) -> Bool[np.ndarray, "h w"]:
    """The pixels of a mask that are further than so many from its border; the picture's edge is a border, too."""
    for _ in range(by):
        padded = np.pad(mask, 1)
        mask = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask
