from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from interp import progress
from interp.figures import thumbnails
from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage


def image_set(count: int, draw, unreadable: frozenset[int] = frozenset()) -> ImageSet:
    def read(i: int) -> DecodedImage:
        if i in unreadable:
            raise UnreadableImage(f"{i}.png", "damaged.")
        return DecodedImage(draw(i))

    return ImageSet(
        name="set", description="", fingerprint=f"{count}", names=[f"{i}.png" for i in range(count)], read=read
    )


def plain(i: int) -> Image.Image:
    return Image.new("RGB", (90, 60), ((i * 37) % 256, (i * 91) % 256, (i * 13) % 256))


def noise(i: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(i).integers(0, 256, (40, 40, 3), np.uint8))


def tile(sheets: thumbnails.Sheets, place: int) -> np.ndarray:
    """The thumbnail at a place, found as the browser finds it."""
    sheet = np.asarray(Image.open(io.BytesIO(sheets.files[place // sheets.each])))
    row, column = divmod(place % sheets.each, sheets.columns)
    return sheet[row * sheets.size : (row + 1) * sheets.size, column * sheets.size : (column + 1) * sheets.size]


def test_every_image_lies_where_it_is_said_to_lie() -> None:
    sheets = thumbnails.sheets(image_set(1100, plain), size=16)
    assert sheets.shown.tolist() == list(range(1100)) and len(sheets.files) == 2 and sheets.total == 1100
    for place in (0, 31, 32, 1023, 1024, 1099):
        expected = np.array(plain(place).getpixel((0, 0)))
        # Neighbours of other colours would show at the edges, if JPEG's blocks mixed them.
        assert np.abs(tile(sheets, place).astype(int) - expected).max() <= 8


def test_the_central_square_is_shown() -> None:
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste("blue", (100, 0, 200, 100))
    assert (thumbnails.square(picture, 32)[:, 1:-1] == [0, 0, 255]).all()


def test_tiny_pictures_are_enlarged_as_they_are() -> None:
    pixels = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    enlarged = thumbnails.square(Image.fromarray(pixels), 64)
    assert np.array_equal(enlarged[4::8, 4::8], pixels)


def test_where_not_all_have_room_some_are_shown_evenly_spread() -> None:
    said: list[str] = []

    class Listener:
        def step(self, done: int, total: int, what: str) -> None: ...

        def remark(self, text: str) -> None:
            said.append(text)

    with progress.listening(Listener()):
        sheets = thumbnails.sheets(image_set(600, noise), size=32, most=60_000)
    assert sum(map(len, sheets.files)) <= 60_000
    gaps = np.diff(sheets.shown)
    assert 20 < len(sheets.shown) < 600 and gaps.max() <= gaps.min() + 2
    assert said == [f"{len(sheets.shown)} of 600 images have a thumbnail."]


def test_the_size_follows_the_room() -> None:
    photos = image_set(40, noise)
    assert thumbnails.sheets(photos).size == 64
    coarse = thumbnails.sheets(photos, most=60_000)
    assert coarse.size == 32 and len(coarse.shown) == 40


def test_unreadable_pictures_have_none_and_an_empty_set_has_no_sheet() -> None:
    sheets = thumbnails.sheets(image_set(5, plain, unreadable=frozenset({1, 3})), size=32)
    assert sheets.shown.tolist() == [0, 2, 4]
    assert np.abs(tile(sheets, 1).astype(int) - np.array(plain(2).getpixel((0, 0)))).max() <= 8
    assert thumbnails.sheets(image_set(0, plain)).files == ()
    assert thumbnails.sheets(image_set(2, plain, unreadable=frozenset({0, 1}))).files == ()


@pytest.mark.parametrize("size", [0, 8, 40, 144])
def test_a_size_that_would_mix_neighbours_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} pixels"):
        thumbnails.sheets(image_set(1, plain), size=size)
