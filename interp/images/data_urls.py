"""Pictures as data URLs: addresses that hold the picture, so that it travels inside a page or a figure."""

from __future__ import annotations

import base64
import io
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image


def data_url(
    picture: Image.Image | UInt8[np.ndarray, "h w channels"] | UInt8[np.ndarray, "h w"],
    form: Literal["webp", "jpeg", "png"] = "webp",
    **options: Any,
) -> str:
    """A picture as its file's data URL; `options` are those of Pillow's `Image.save` for the form."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return _url(f"image/{form}", stream.getvalue())


def svg_url(drawing: str) -> str:
    """A drawing in SVG as a data URL."""
    return _url("image/svg+xml", drawing.encode())


def _url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
