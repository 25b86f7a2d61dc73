"""Whatever fails in reading an image or in fitting it is that image's alone."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from interp import images as image_sets
from interp import models
from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage
from interp.models import inputs
from interp.types import Preprocessing


def read(position: int) -> DecodedImage:
    errors = {1: OverflowError("signed integer is greater than maximum"), 2: UnreadableImage("b", "it is damaged.")}
    if position in errors:
        raise errors[position]
    return DecodedImage(Image.new("RGB", (20, 30 if position else 17), "red"))


@pytest.fixture
def photos() -> ImageSet:
    return ImageSet(name="mixed", description="", fingerprint="mixed", names=["a", "b", "c", "d"], read=read)


def test_the_others_go_on(tiny, photos: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = Preprocessing.pixels

    def pixels(self, image: Image.Image):
        if image.height == 30:
            raise MemoryError
        return fitted(self, image)

    monkeypatch.setattr(Preprocessing, "pixels", pixels)
    images, positions, problems = inputs.readable(tiny, [inputs.attempt(tiny, photos, i) for i in range(4)])
    assert positions == [0] and images is not None and images.names == ("a",)
    assert [problem.name for problem in problems] == ["b", "c", "d"]
    assert "signed integer is greater than maximum" in problems[0].reason
    assert problems[1].reason == "b: it is damaged."
    assert "20 × 30 pixels cannot be fitted to the classifier (the memory does not suffice)" in problems[2].reason
    for position in (1, 2, 3):
        with pytest.raises(UnreadableImage):
            inputs.read(tiny, photos, (0, position))
    assert inputs.read(tiny, photos, (0,)).names == ("a",)


def test_what_is_known_of_a_scene_lies_where_it_was_drawn() -> None:
    honest, photos = models.load("scenes-honest", device="cpu"), image_sets.load("scenes-a")
    position = next(i for i in range(20) if any(one.category == "cue" for one in photos[i].concepts))
    found = inputs.known_regions(honest, photos, position)
    assert list(found) == ["the object", "all but the object", "the planted cue"]
    height, width = honest.input_size
    masks = {name: one.draw(width, height) for name, one in found.items()}
    assert (masks["the object"] ^ masks["all but the object"]).all()
    marked = inputs.annotation(honest, photos, position)
    assert marked is not None and (torch.from_numpy(masks["the object"]) == marked).all()
