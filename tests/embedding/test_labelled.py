"""What is known of images stands in the rows of their features."""

import numpy as np

from interp import embedding
from interp.embedding import Cells, Features, Representation
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.models.predictions import Predictions


def some(values: np.ndarray, indices: list[int]) -> Features:
    return Features(Representation("logits"), values.astype(np.float32), np.array(indices, np.int32))


def test_what_is_known_stands_in_the_rows_of_the_features(tiny) -> None:
    # The third image cannot be read; the second was predicted last, the fifth not at all.
    photos = ImageSet(name="five", description="", fingerprint="five", names=list("abcde"), read=lambda i: None)
    predictions = Predictions(
        indices=np.array([3, 0, 1], np.int32),
        classes=np.array([[2], [0], [1]], np.int32),
        probabilities=np.array([[0.9], [0.8], [0.7]], np.float32),
        labels=np.array([-1, 0, 2], np.int32),
        label_probability=np.array([np.nan, 0.8, 0.1], np.float32),
    )
    labels = LabelMatch((0, 2, 1, None, 1), (), "name")
    known = embedding.labelled(tiny, photos, some(np.eye(4), [0, 1, 3, 4]), None, labels, predictions, True)
    assert known.positions.tolist() == [0, 1, 3, 4] and known.labels.tolist() == [0, 2, -1, 1]
    assert known.predicted.tolist() == [0, 1, 2, -1]
    np.testing.assert_allclose(known.confidence, [0.8, 0.7, 0.9, np.nan], rtol=1e-6)
    assert known.containing("FISH") == [1, 2] and known.containing("e") == [3]
    assert known.name(3) == "e" and known.cells_of(np.array([0])) is None


def test_a_row_of_cells_says_which_one_it_is(tiny) -> None:
    photos = ImageSet(name="two", description="", fingerprint="two", names="ab", read=lambda i: None)
    nothing = np.full(2, -1)
    cells = Cells((2, 3), np.array([0, 5]))
    known = embedding.LabelledRows(photos, tiny, np.array([0, 1]), nothing, nothing, np.full(2, np.nan), True, cells)
    assert [known.name(row) for row in (0, 1)] == ["a, row 1, column 1", "b, row 2, column 3"]
    assert known.cells_of(np.array([1])).places.tolist() == [5]
