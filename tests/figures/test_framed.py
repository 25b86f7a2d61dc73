"""Pictures as a classifier sees them, whole and by their cells."""

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.embedding import Cells
from interp.figures.framed import as_seen, in_file, seen
from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage
from interp.images.subset import alone


@pytest.fixture
def photos(tmp_path):
    for name, colour in (("a.png", "red"), ("b.png", "navy")):
        Image.new("RGB", (32, 24), colour).save(tmp_path / name)
    found = images.load(str(tmp_path))
    (tmp_path / "b.png").unlink()
    return found


def test_what_is_gone_is_grey_and_all_are_of_one_size(tiny, photos) -> None:
    red, gone = seen(tiny, photos, (0, 1))
    assert red.shape == gone.shape == (*tiny.input_size, 3)
    assert (red == (255, 0, 0)).all() and (gone == 200).all()
    with pytest.raises(UnreadableImage, match="b.png"):
        in_file(photos, 1)
    with pytest.raises(UnreadableImage, match="b.png"):
        as_seen(tiny, photos, 1)


def test_a_cell_is_cut_out_and_framed_in_the_large_picture(tiny, photos) -> None:
    cells = Cells((8, 8), np.array([0]))
    [cut] = seen(tiny, photos, (0,), cells)
    assert cut.shape == (6, 6, 3) and (cut == (255, 0, 0)).all()
    framed = np.asarray(as_seen(tiny, photos, 0, cells))
    assert in_file(photos, 0).size == (32, 24) and (np.asarray(as_seen(tiny, photos, 0)) == (255, 0, 0)).all()
    assert framed.shape[:2] == tiny.input_size
    assert (framed[:6, :6] == (255, 0, 0)).all() and (framed[8, :6] == 255).all()


def test_an_image_alone_rests_on_its_own_file() -> None:
    def photos(*files: int) -> ImageSet:
        def read(position: int) -> DecodedImage:
            return DecodedImage(Image.new("RGB", (2, 2), (files[position], 0, 0)))

        whole = f"set of {files}"
        return ImageSet(
            name="two", description="", fingerprint=whole, names="ab", read=read, state=lambda i: (files[i],)
        )

    before, after = photos(1, 2), photos(1, 3)
    assert alone(before, 0).fingerprint == alone(after, 0).fingerprint != alone(before, 1).fingerprint
    assert alone(before, 1).fingerprint != alone(after, 1).fingerprint
    assert in_file(alone(after, 1), 0).getpixel((0, 0)) == (3, 0, 0)
