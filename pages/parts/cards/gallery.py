"""Small pictures in rows, as one element.

They travel inside it: a picture that Streamlit serves from an address of its own stays broken where a rerun comes
between the element and the browser's request.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from jaxtyping import UInt8
from PIL import Image

SIDE = 88
STYLE = "display:flex;flex-wrap:wrap;gap:6px 8px;font-size:13px;line-height:1.3;text-align:center"


def draw(
    pictures: Sequence[UInt8[np.ndarray, "h w 3"]], names: Sequence[str], captions: Sequence[str] | None = None
) -> None:
    """Draw pictures side by side, their names to be read when pointed at, a short caption under each."""
    texts = [""] * len(pictures) if captions is None else captions
    figures = "".join(
        f'<figure style="margin:0;width:{SIDE}px" title="{escape(name)}">'
        f'<img src="{_address(picture)}" alt="{escape(name)}" style="width:{SIDE}px;border-radius:4px;display:block">'
        + (f"<figcaption>{escape(text)}</figcaption>" if text else "")
        + "</figure>"
        for picture, name, text in zip(pictures, names, texts, strict=True)
    )
    st.html(f'<div class="pictures" style="{STYLE}">{figures}</div>')


def _address(picture: UInt8[np.ndarray, "h w 3"]) -> str:
    image = Image.fromarray(picture)
    # Twice as fine as they are drawn, for screens that show it.
    image.thumbnail((2 * SIDE, 2 * SIDE), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
