"""Pictures as a classifier sees them, whole and by their cells."""

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.embedding import Cells
from interp.figures.seen import large, seen
from interp.images import UnreadableImage


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
        large(tiny, photos, 1)


def test_a_cell_is_cut_out_and_framed_in_the_large_picture(tiny, photos) -> None:
    cells = Cells((8, 8), np.array([0]))
    [cut] = seen(tiny, photos, (0,), cells)
    assert cut.shape == (6, 6, 3) and (cut == (255, 0, 0)).all()
    whole, framed = large(tiny, photos, 0), np.asarray(large(tiny, photos, 0, cells))
    assert whole.size == (32, 24) and framed.shape == (*tiny.input_size, 3)
    assert (framed[:6, :6] == (255, 0, 0)).all() and (framed[8, :6] == 255).all()
