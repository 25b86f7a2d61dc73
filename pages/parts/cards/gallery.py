"""Small pictures in rows, as one element.

They travel inside it: a picture that Streamlit serves from an address of its own stays broken where a rerun comes
between the element and the browser's request.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from pages.parts.kit import markup

SIDE = 88


def draw(
    pictures: Sequence[UInt8[np.ndarray, "h w 3"]], names: Sequence[str], captions: Sequence[str] | None = None
) -> None:
    """Draw pictures side by side, their names to be read when pointed at, a short caption under each."""
    texts = [""] * len(pictures) if captions is None else captions
    markup.draw("row.html", pictures=list(zip(pictures, names, texts, strict=True)), side=SIDE)
