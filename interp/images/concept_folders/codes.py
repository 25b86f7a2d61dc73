"""How a mask's pixels say the number of a concept.

Sources: Bau 2017, Network Dissection, whose Broden codes labels as red + 256·green; Zhou 2017, 'Scene parsing through
ADE20K', whose full masks code classes as red/10·256 + green, and whose blue tells things of a class apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8
from PIL import Image

from interp.images import masks
from interp.images.stamps import Stamp


class Coding(NamedTuple):
    """A way to write numbers into a picture: what it is called in a definition, and how it is read."""

    name: str
    read: Callable[[Image.Image], Int[np.ndarray, "rows columns"]]


def numbers(path: str, stamp: Stamp | None, coding: Coding) -> Int[np.ndarray, "rows columns"]:
    """The numbers of concepts in a mask, 32 bits each.

    Raises `ValueError` that names the file: it cannot be read, or its colours are none of this coding.
    """
    return masks.decoded(path, stamp, coding.read)


def _index(image: Image.Image) -> Int[np.ndarray, "rows columns"]:
    """A grey level of 8 or 16 bits, or the number of a palette's colour: the colours of a palette do not count."""
    array = np.asarray(image)
    if array.ndim == 3:
        colour = array[..., : array.shape[2] - (array.shape[2] in (2, 4))]
        if (colour != colour[..., :1]).any():
            raise ValueError(
                "it is in colour, where numbers in grey or of a palette are expected. Say coding = 'red-green' (red + "
                "256 · green), 'ade20k' or 'colour', or save it with one number a pixel."
            )
        array = colour[..., 0]
    if array.dtype.kind == "f":
        raise ValueError("its values are fractions, where whole numbers are expected. Save it as PNG in grey.")
    return array.astype(np.int32)


def _red_green(image: Image.Image) -> Int[np.ndarray, "rows columns"]:
    colours = _colours(image)
    return colours[..., 0] + 256 * colours[..., 1].astype(np.int32)


def _ade20k(image: Image.Image) -> Int[np.ndarray, "rows columns"]:
    colours = _colours(image)
    return colours[..., 0] // 10 * np.int32(256) + colours[..., 1]


def _colour(image: Image.Image) -> Int[np.ndarray, "rows columns"]:
    colours = _colours(image).astype(np.int32)
    return 65536 * colours[..., 0] + 256 * colours[..., 1] + colours[..., 2]


def _colours(image: Image.Image) -> UInt8[np.ndarray, "rows columns 3"]:
    if image.mode in ("1", "L", "I", "I;16", "F") and np.asarray(image).any():
        raise ValueError(
            "it is in grey, where colours are expected that code numbers. Say coding = 'index', or supply the mask "
            "in colour."
        )
    return np.asarray(image.convert("RGB"))


INDEX, RED_GREEN = Coding("index", _index), Coding("red-green", _red_green)
ADE20K, COLOUR = Coding("ade20k", _ade20k), Coding("colour", _colour)
CODINGS = {one.name: one for one in (INDEX, RED_GREEN, ADE20K, COLOUR)}
