"""A set whose concepts are known: rectangles, in images of noise, of two categories; one image cannot be read."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage
from interp.images.image_set import Concept

COUNT, BROKEN, SIDE = 23, 7, 16
NAMES = (("colour", "red"), ("colour", "blue"), ("part", "wing"))
LABELS = tuple(("cat", "dog", "fish", None)[one % 4] for one in range(COUNT))


def masks(position: int) -> dict[tuple[str, str], np.ndarray]:
    """Of every third image nothing of the category 'part' is known."""
    rng = np.random.default_rng(100 + position)
    found = {}
    for name in NAMES[: 2 if position % 3 == 0 else 3]:
        top, left, height, width = rng.integers(2, 9, 4)
        mask = np.zeros((SIDE, SIDE), bool)
        mask[top : top + height, left : left + width] = True
        found[name] = mask
    return found


def pixels(position: int) -> np.ndarray:
    return np.random.default_rng(position).integers(0, 255, (SIDE, SIDE, 3), np.uint8)


@pytest.fixture
def known() -> ImageSet:
    def read(position: int) -> DecodedImage:
        if position == BROKEN:
            raise UnreadableImage(f"{position}.png", "the file is damaged")
        return DecodedImage(Image.fromarray(pixels(position)))

    return ImageSet(
        name="known",
        description="",
        fingerprint="known",
        names=[f"{one}.png" for one in range(COUNT)],
        read=read,
        label_forms={"label": LABELS},
        concepts=lambda position: tuple(Concept(*name, mask) for name, mask in masks(position).items()),
    )
