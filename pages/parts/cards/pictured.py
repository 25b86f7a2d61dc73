"""One image large: as it is in the file, or as the network sees it."""

from __future__ import annotations

import streamlit as st
from PIL import Image

from interp.images.picture_bytes import bytes_of
from interp.types import Classifier
from pages.parts.kit import controls
from pages.parts.kit.text import plain

SHOWN = ("File", "Network input")
SEEN_HELP = "Scaled, cropped and, for a network of grey pictures, without colours: each pixel before mean and std."


def as_seen() -> bool:
    """Draw the choice between an image as it is in the file and as the network sees it."""
    return controls.one_of("Shown", "overview.shown", SHOWN, help=SEEN_HELP) == SHOWN[1]


def image(classifier: Classifier, given: Image.Image, *, seen: bool) -> None:
    """Draw an image as it is in the file or, pixel by pixel, as the network sees it before normalization."""
    if not seen:
        st.image(enlarged(given), width="stretch")
        return
    pixels = classifier.preprocessing.pixels(given)
    st.image(enlarged(Image.fromarray(bytes_of(pixels))), width="stretch")
    st.caption(f"What the network sees: {plain(classifier.preprocessing.description)}.")


def enlarged(image: Image.Image, smallest: int = 256) -> Image.Image:
    """A picture at least that wide, each of its pixels a square block, so that tiny ones are seen as they are."""
    factor = -(-smallest // image.width)
    return image if factor <= 1 else image.resize((image.width * factor, image.height * factor), resample=0)
