"""The maps of many units side by side in one picture, so that a wall of them is sent as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch.nn.functional import interpolate

from interp.figures import style
from interp.images.data_urls import data_url

CELL = 64
"""A map's side in the sprite is at most so many pixels; larger maps are averaged down."""


@dataclass(frozen=True)
class Sprite:
    """A picture of maps in rows of `columns`, as a data URL, each `height` × `width` pixels."""

    url: str
    columns: int
    rows: int
    height: int
    width: int


def sprite(maps: Float[np.ndarray, "k u v"], ends: Float[np.ndarray, " k"], *, signed: bool) -> Sprite:
    """Maps in their order, row by row, each coloured from zero to its end; beyond it the end's colour.

    Signed maps are blue below zero and red above, with white for zero; others go from black through red to yellow. A
    map whose end is 0 is all zero.
    """
    count, height, width = maps.shape
    shrink = min(1.0, CELL / max(height, width))
    size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
    if size != (height, width):
        maps = interpolate(torch.from_numpy(maps)[None], size=size, mode="area")[0].numpy()
    columns = max(1, int(np.ceil(np.sqrt(count))))
    rows = -(-count // columns)
    share = np.divide(maps, ends[:, None, None], out=np.zeros(maps.shape, np.float32), where=ends[:, None, None] > 0)
    codes = ((share + 1) * 127.5 if signed else share * 255).round().clip(0, 255).astype(np.uint8)
    whole = np.zeros((rows * columns, *size), np.uint8)
    whole[:count] = codes
    picture = whole.reshape(rows, columns, *size).transpose(0, 2, 1, 3).reshape(rows * size[0], columns * size[1])
    image = Image.fromarray(picture, "P")
    image.putpalette(_palette(signed).tobytes())
    return Sprite(data_url(image, "png", compress_level=4), columns, rows, *size)


def scale_css(*, signed: bool) -> str:
    """The colour scale from its lower end to its upper one, as a CSS gradient."""
    stops = style.colours(_scale(signed), np.linspace(0, 1, 11))
    colours = ",".join(f"rgb({red},{green},{blue})" for red, green, blue, _ in stops.tolist())
    return f"linear-gradient(to right,{colours})"


def _scale(signed: bool) -> style.Colorscale:
    return style.signed() if signed else style.unsigned()


def _palette(signed: bool) -> np.ndarray:
    return style.colours(_scale(signed), np.linspace(0, 1, 256))[:, :3]
