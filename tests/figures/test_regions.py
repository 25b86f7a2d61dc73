"""Regions painted on pictures."""

import numpy as np
import pytest

from interp.figures.regions import FIRST, SALIENCY, Painted, edge, glazed, paint

GREY = np.full((40, 60, 3), 120, np.uint8)


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((40, 60), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_an_edge_lies_inside_and_counts_the_border_as_outside() -> None:
    assert (edge(box(5, 15, 10, 30), 2) == box(5, 15, 10, 30) & ~box(7, 13, 12, 28)).all()
    assert (edge(box(0, 40, 0, 60), 1) == ~box(1, 39, 1, 59)).all()
    assert not edge(box(0, 0, 0, 0), 3).any()


def test_a_region_changes_only_its_own_pixels() -> None:
    mask = box(5, 15, 10, 30)
    outlined = paint(GREY, [Painted(mask, FIRST)])
    assert (outlined[~mask] == 120).all() and (outlined[8:12, 13:27] == 120).all()
    assert outlined[5, 10].tolist() == [0xE6, 0x9F, 0x00] and outlined[6, 20].tolist() == [36, 36, 36]
    filled = paint(GREY, [Painted(mask, FIRST, 0.5)])
    assert filled[10, 20].tolist() == [(120 + 0xE6) // 2, (120 + 0x9F + 1) // 2, 60]


def test_later_regions_lie_above_and_a_text_stands_on_its_colour() -> None:
    first, second = box(5, 25, 10, 40), box(5, 25, 10, 40)
    both = paint(GREY, [Painted(first, FIRST), Painted(second, SALIENCY)])
    assert both[5, 30].tolist() == [255, 255, 255]
    named = paint(GREY, [Painted(first, FIRST, text="1")])
    assert (named != paint(GREY, [Painted(first, FIRST)])).any()
    assert (paint(GREY, [Painted(box(0, 0, 0, 0), FIRST, 1.0, "9")]) == GREY).all()


@pytest.mark.parametrize("value", [0.0, 1e-7, 3e5])
def test_a_map_is_clear_at_zero_and_bright_at_its_largest_value(value: float) -> None:
    heatmap = np.zeros((40, 60), np.float32)
    heatmap[3, 4] = value
    shown = glazed(GREY, heatmap)
    assert (shown[10:] == 120).all()
    assert (shown[3, 4].tolist() == [120, 120, 120]) == (value == 0)
