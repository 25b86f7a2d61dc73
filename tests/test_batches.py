"""Sizes of batches and groups, by hand."""

import pytest

from interp.batches import as_many, even


@pytest.mark.parametrize(
    ("photographs", "size", "most", "wanted"),
    [(8, (224, 224), 64, 8), (8, (112, 112), 64, 32), (8, (32, 32), 64, 64), (2.65, (128, 128), 256, 8),
     (8, (1000, 1000), 64, 1)],
)  # fmt: skip
def test_smaller_images_are_as_many_more(photographs: float, size: tuple[int, int], most: int, wanted: int) -> None:
    assert as_many(photographs, size, most) == wanted


@pytest.mark.parametrize(
    ("count", "most", "wanted"), [(8, 7, 4), (24, 7, 6), (7, 7, 7), (1, 7, 1), (0, 7, 0), (9, 4, 3)]
)
def test_groups_are_equal(count: int, most: int, wanted: int) -> None:
    assert even(count, most) == wanted
