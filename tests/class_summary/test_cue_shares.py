"""What follows a cue, by counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from interp.class_summary.cue_shares import CueShares

IMAGES = np.array([10, 20, 30])


def shares(own: list[int], others: list[int], moved: list[int]) -> CueShares:
    """Of class 1 with 20 images; counts of others are those of class 2 with 30, and of class 0 with 10 none."""
    none = [0] * len(own)
    return CueShares.of(1, np.array([none, own, others]), IMAGES, np.array([none, none, moved]), IMAGES)


def test_half_of_what_sets_the_class_apart_is_enough_and_little_that_does_is_nothing() -> None:
    found = shares(own=[20, 20, 20, 7, 20], others=[0, 0, 0, 0, 40], moved=[40, 20, 19, 40, 40])
    np.testing.assert_allclose(found.own, [1, 1, 1, 0.35, 1])
    np.testing.assert_allclose(found.others, [0, 0, 0, 0, 1])
    np.testing.assert_allclose(found.moved, [1, 0.5, 0.475, 1, 1])
    # Wholly, by half, by less than half; of 35 points apart; of nothing apart.
    assert found.follows.tolist() == [True, True, False, True, False]
    assert shares([4], [1], [40]).follows.tolist() == [False]


def test_it_takes_images_of_the_class_and_of_others() -> None:
    counts = np.zeros((2, 3), np.int64)
    for images in ([0, 4], [4, 0]):
        with pytest.raises(ValueError, match="takes images of the class, and of others"):
            CueShares.of(0, counts, np.array(images), counts, np.array(images))
