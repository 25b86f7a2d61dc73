"""Whatever fails in reading an image or in fitting it is that image's alone."""

from __future__ import annotations

import pytest
from PIL import Image

from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import Picture
from interp.models import inputs
from interp.types import Preprocessing


def read(position: int) -> Picture:
    errors = {1: OverflowError("signed integer is greater than maximum"), 2: UnreadableImage("b", "it is damaged.")}
    if position in errors:
        raise errors[position]
    return Picture(Image.new("RGB", (20, 30 if position else 17), "red"))


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
