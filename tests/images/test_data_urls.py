"""Pictures that travel inside a page."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from interp.images.data_urls import data_url, svg_url


@pytest.mark.parametrize("form", ["webp", "jpeg", "png"])
def test_a_data_url_holds_the_picture(form) -> None:
    picture = np.full((6, 9, 3), (200, 30, 60), np.uint8)
    kind, _, content = data_url(picture, form, quality=95).partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(content, validate=True)))
    assert kind == f"data:image/{form};base64" and image.format == form.upper()
    assert np.abs(np.asarray(image.convert("RGB")).astype(int) - picture).max() < 8


def test_pictures_with_opacity_and_in_grey_are_kept_where_nothing_is_lost() -> None:
    for shape in ((4, 5), (4, 5, 4)):
        picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        content = data_url(Image.fromarray(picture), "png").partition(",")[2]
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))), picture)


def test_a_drawing_is_its_own_text() -> None:
    kind, _, content = svg_url("<svg>é</svg>").partition(",")
    assert kind == "data:image/svg+xml;base64" and base64.b64decode(content).decode() == "<svg>é</svg>"
