"""Regions painted on a picture, each in its colour with an edge that is seen on any ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from interp.figures import style

# Of Okabe and Ito 2008, without black: they stay apart under any common colour blindness.
COLOURS = ("#E69F00", "#56B4E9", "#F0E442", "#CC79A7", "#009E73", "#D55E00", "#0072B2")
FIRST, SECOND = COLOURS[0], COLOURS[1]
SALIENCY = "#FFFFFF"


@dataclass(frozen=True, eq=False)
class Painted:
    """A region of a picture, its colour, how much of it is filled (0 to 1), and what is written on it."""

    mask: Bool[np.ndarray, "h w"]
    colour: str
    filled: float = 0.0
    text: str = ""


def paint(picture: UInt8[np.ndarray, "h w 3"], regions: Sequence[Painted]) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with the regions on it, later ones above earlier ones; edges lie inside their regions."""
    canvas = picture.astype(np.float32)
    # An edge of 2 pixels where a picture is shown about as large as it is.
    width = max(1, round(min(picture.shape[:2]) / 220))
    for region in regions:
        ink = _rgb(region.colour)
        if region.filled:
            canvas[region.mask] = (1 - region.filled) * canvas[region.mask] + region.filled * ink
        canvas[edge(region.mask, 2 * width)] *= 0.3
        canvas[edge(region.mask, width)] = ink
    painted = Image.fromarray(canvas.round().astype(np.uint8))
    for region in regions:
        if region.text:
            _write(painted, region)
    return np.asarray(painted)


def glazed(picture: UInt8[np.ndarray, "h w 3"], heatmap: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """A map that is never negative over its picture in grey: clear at zero, bright and opaque at its largest value."""
    grey = (picture @ np.array([0.299, 0.587, 0.114], np.float32))[:, :, None]
    end = float(heatmap.max())
    steps = style.colours(style.unsigned_glaze(), np.linspace(0, 1, 256)).astype(np.float32)
    coloured = steps[(heatmap / (end or 1.0) * 255).clip(0, 255).astype(np.uint8)]
    opacity = coloured[:, :, 3:] / 255
    return ((1 - opacity) * grey + opacity * coloured[:, :, :3]).round().astype(np.uint8)


def edge(inside: Bool[np.ndarray, "h w"], width: int) -> Bool[np.ndarray, "h w"]:
    """The pixels inside that are at most so far from the outside; the picture's border counts as outside."""
    core = inside
    for _ in range(width):
        padded = np.pad(core, 1)
        core = core & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~core


def _write(picture: Image.Image, region: Painted) -> None:
    """Write a region's text at its uppermost pixel, on its colour."""
    if not region.mask.any():
        return
    rows = region.mask.any(axis=1)
    row = int(rows.argmax())
    column = int(region.mask[row].argmax())
    pen = ImageDraw.Draw(picture)
    size = max(9.0, min(picture.size) / 26)
    font = ImageFont.load_default(size)
    left, top, right, bottom = pen.textbbox((0, 0), region.text, font=font)
    width, height = right - left + size / 2, bottom - top + size / 2
    x, y = min(column, picture.width - width), min(row, picture.height - height)
    pen.rectangle((x, y, x + width, y + height), fill=region.colour)
    pen.text((x + size / 4 - left, y + size / 4 - top), region.text, fill="black", font=font)


def _rgb(colour: str) -> Float[np.ndarray, " 3"]:
    return np.array(list(bytes.fromhex(colour[1:])), np.float32)
