import numpy as np
import pytest

from interp import embedding
from interp.embedding import Cells, Features, Representation
from interp.types import Classifier, Images


def test_a_window_is_the_cell_with_its_neighbours_and_stays_inside() -> None:
    cells = Cells((4, 6), np.array([0, 8, 23]))
    # Four rows of 10 pixels and six columns of 10; place 8 is row 1, column 2.
    assert cells.window(1, (40, 60)) == (slice(0, 30), slice(10, 40))
    assert cells.window(0, (40, 60)) == (slice(0, 30), slice(0, 30))
    assert cells.window(2, (40, 60)) == (slice(10, 40), slice(30, 60))


def test_a_map_of_one_cell_is_the_whole_picture_and_small_pictures_give_a_pixel() -> None:
    assert Cells((1, 1), np.array([0])).window(0, (7, 9)) == (slice(0, 7), slice(0, 9))
    rows, columns = Cells((50, 50), np.array([2499])).window(0, (3, 3))
    assert rows.stop - rows.start == columns.stop - columns.start == 1 and rows.stop <= 3


def test_rows_are_thinned_evenly_and_keep_their_cells(tiny: Classifier, noise_images: Images) -> None:
    layer = tiny.layer("conv2")
    each = layer.height * layer.width
    values = np.arange(3 * each * layer.channels, dtype=np.float32).reshape(3 * each, layer.channels)
    features = Features(Representation("conv2", "positions"), values, np.repeat(np.array([5, 2, 9]), each))
    kept, cells = embedding.cells(features, tiny, 10_000)
    assert np.array_equal(kept.values, values) and cells.grid == (layer.height, layer.width)
    assert cells.places.tolist() == 3 * list(range(each))
    kept, cells = embedding.cells(features, tiny, 7)
    rows = [int(value) // layer.channels for value in kept.values[:, 0]]
    assert len(rows) == 7 and rows[0] == 0 and rows[-1] == 3 * each - 1 and np.ptp(np.diff(rows)) <= 1
    assert kept.indices.tolist() == [(5, 2, 9)[row // each] for row in rows]
    assert cells.places.tolist() == [row % each for row in rows]


def test_other_poolings_have_no_cells(tiny: Classifier) -> None:
    features = Features(Representation("conv2", "mean"), np.zeros((2, 6), np.float32), np.arange(2))
    with pytest.raises(ValueError, match="'mean': only"):
        embedding.cells(features, tiny, 10)
