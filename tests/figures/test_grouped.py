"""Groups painted on a photograph: the strongest prevails, and what is not active leaves the photograph as it is."""

from __future__ import annotations

import numpy as np

from interp.figures import grouped


def test_each_place_has_the_colour_of_its_strongest_group() -> None:
    photograph = np.full((40, 60, 3), 100, np.uint8)
    maps = np.zeros((3, 4, 6))
    maps[0, :, :2], maps[1, :, 4:] = 5.0, 0.5
    drawn, places = grouped.overlay(photograph, maps, maps.max(axis=(1, 2)))
    left, middle, right = drawn[20, 5], drawn[20, 30], drawn[20, 55]
    for group, found in ((0, left), (1, right)):
        wanted = [int(grouped.colour(group)[i : i + 2], 16) for i in (1, 3, 5)]
        expected = (1 - grouped.OPACITY) * 100 + grouped.OPACITY * np.array(wanted)
        np.testing.assert_allclose(found, expected, atol=1)
    assert middle.tolist() == [100, 100, 100]
    assert places[0] is not None and places[0][1] < 1 / 3 and places[1] is not None and places[1][1] > 2 / 3
    assert places[2] is None


def test_a_photograph_in_which_nothing_is_active_is_grey() -> None:
    photograph = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    drawn, places = grouped.overlay(photograph, np.zeros((2, 2, 2)), np.array([0.0, 1.0]))
    assert np.ptp(drawn, axis=2).max() == 0 and places == [None, None]


def test_twelve_groups_have_twelve_colours() -> None:
    assert len({grouped.colour(group) for group in range(12)}) == 12
    assert grouped.colour(12) == grouped.colour(0)
