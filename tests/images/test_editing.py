"""Changing a picture by hand: tiny pictures whose result is written down, limits, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import cache
from interp.images import editing
from interp.images.editing import Blur, Erase, Paint, Paste, Restore, Stroke
from interp.images.shapes import Box, Polygon
from interp.types import Images

LEFT = Box(0.0, 0.0, 2.0, 3.0)
RED = (1.0, 0.0, 0.0)


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.rand(3, 3, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def large() -> torch.Tensor:
    return torch.rand(3, 20, 24, generator=torch.Generator().manual_seed(1))


def drawn(region, width: int, height: int) -> list[str]:
    return ["".join("#" if inside else "." for inside in row) for row in region.draw(width, height)]


def test_a_dab_is_a_disc_of_pixel_centres() -> None:
    assert drawn(Stroke(((2.5, 1.5),), 1.0), 5, 3) == ["..#..", ".###.", "..#.."]
    # The corners' centres are √2 away.
    assert drawn(Stroke(((2.5, 1.5),), 1.42), 5, 3) == [".###.", ".###.", ".###."]


def test_a_stroke_covers_what_lies_between_its_points() -> None:
    assert drawn(Stroke(((1.5, 1.5), (4.5, 1.5)), 0.6), 6, 3) == ["......", ".####.", "......"]
    assert drawn(Stroke(((0.5, 0.5), (3.5, 0.5), (3.5, 2.5)), 0.2), 5, 3) == ["####.", "...#.", "...#."]


def test_a_stroke_is_all_that_is_near_to_some_place_on_its_line() -> None:
    """Against the slow way: the line as very many dabs."""
    points = ((-3.0, 4.2), (9.1, 2.0), (9.1, 2.0), (30.0, 25.0))
    found = Stroke(points, 3.3).draw(25, 20)
    y, x = np.mgrid[:20, :25] + 0.5
    slow = np.zeros_like(found)
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        for t in np.linspace(0, 1, 5000):
            slow |= (x - x0 - t * (x1 - x0)) ** 2 + (y - y0 - t * (y1 - y0)) ** 2 <= 3.3**2
    assert np.array_equal(found, slow)
    assert found.any() and not found.all()


def test_a_stroke_beside_the_picture_covers_nothing() -> None:
    assert not Stroke(((-50.0, -50.0), (-40.0, 90.0)), 5.0).draw(6, 3).any()


def test_paint_changes_the_region_and_nothing_else(pixels: torch.Tensor) -> None:
    before = pixels.clone()
    edited = editing.apply(pixels, [Paint(LEFT, RED)])
    assert torch.equal(edited[:, :, :2], torch.tensor(RED)[:, None, None].expand(3, 3, 2))
    assert torch.equal(edited[:, :, 2:], pixels[:, :, 2:])
    assert torch.equal(pixels, before)


@pytest.mark.parametrize(("fill", "value"), [("grey", 0.5), ("black", 0.0), ("white", 1.0)])
def test_erasing_fills_with_a_plain_colour(pixels: torch.Tensor, fill: editing.Fill, value: float) -> None:
    edited = editing.apply(pixels, [Erase(LEFT, fill)])
    assert (edited[:, :, :2] == value).all()
    assert torch.equal(edited[:, :, 2:], pixels[:, :, 2:])


def test_the_mean_colour_is_that_of_the_original_however_it_was_changed_since(pixels: torch.Tensor) -> None:
    whole = Box(0.0, 0.0, 4.0, 3.0)
    edited = editing.apply(pixels, [Paint(whole, RED), Erase(LEFT, "mean")])
    assert torch.allclose(edited[:, 0, 0], pixels.mean(dim=(1, 2)))
    assert torch.equal(edited[:, 0, 3], torch.tensor(RED))


def test_blur_by_hand() -> None:
    """One white column of three: weights exp(-d²/2) at distance d, divided by their sum over what is inside."""
    pixels = torch.zeros(3, 1, 3)
    pixels[:, :, 0] = 1.0
    near, far = math.exp(-0.5), math.exp(-2.0)
    expected = [1 / (1 + near + far), near / (1 + 2 * near), far / (1 + near + far)]
    blurred = editing.apply(pixels, [Blur(Box(0.0, 0.0, 3.0, 1.0), 1.0)])
    assert torch.allclose(blurred[0, 0], torch.tensor(expected))
    partly = editing.apply(pixels, [Blur(Box(1.0, 0.0, 2.0, 1.0), 1.0)])
    assert torch.allclose(partly[0, 0], torch.tensor([1.0, expected[1], 0.0]))


def test_blur_reaches_its_limits(large: torch.Tensor) -> None:
    whole = Box(0.0, 0.0, 24.0, 20.0)
    assert torch.allclose(editing.apply(large, [Blur(whole, 0.05)]), large)
    mean = large.mean(dim=(1, 2), keepdim=True).expand_as(large)
    assert torch.allclose(editing.apply(large, [Blur(whole, 1000.0)]), mean, atol=1e-3)
    plain = torch.ones(3, 20, 24)
    assert torch.allclose(editing.apply(plain, [Blur(whole, 3.0)]), plain)


def test_a_crop_is_pasted_with_its_middle_where_it_was_put(large: torch.Tensor) -> None:
    source = Images(torch.rand(1, 3, 8, 8), ("other",))
    edited = editing.apply(large, [Paste(source, Box(1.0, 2.0, 5.0, 4.0), (10.0, 6.0))])
    assert torch.equal(edited[:, 5:7, 8:12], source.pixels[0][:, 2:4, 1:5])
    edited[:, 5:7, 8:12] = large[:, 5:7, 8:12]
    assert torch.equal(edited, large)


def test_a_crop_may_reach_beyond_every_edge(large: torch.Tensor) -> None:
    source = Images(torch.rand(1, 3, 8, 8), ("other",))
    whole = Box(0.0, 0.0, 8.0, 8.0)
    corner = editing.apply(large, [Paste(source, whole, (0.0, 0.0))])
    assert torch.equal(corner[:, :4, :4], source.pixels[0][:, 4:, 4:])
    opposite = editing.apply(large, [Paste(source, whole, (24.0, 20.0))])
    assert torch.equal(opposite[:, 16:, 20:], source.pixels[0][:, :4, :4])
    for outside in ((-50.0, 5.0), (5.0, -50.0), (90.0, 5.0), (5.0, 90.0)):
        assert torch.equal(editing.apply(large, [Paste(source, whole, outside)]), large)


def test_a_crop_is_enlarged_and_reduced(large: torch.Tensor) -> None:
    half = torch.zeros(1, 3, 4, 4)
    half[:, :, :, 2:] = 1.0
    source = Images(half, ("other",))
    twice = editing.apply(large, [Paste(source, Box(0.0, 0.0, 4.0, 4.0), (8.0, 8.0), 2.0)])[:, 4:12, 4:12]
    assert (twice[:, :, :2] == 0).all() and (twice[:, :, 6:] == 1).all()
    tiny = editing.apply(large, [Paste(source, Box(0.0, 0.0, 4.0, 4.0), (8.0, 8.0), 0.01)])
    assert (tiny != large).any(dim=0).sum() == 1


def test_restoring_brings_back_the_original(large: torch.Tensor) -> None:
    whole = Box(0.0, 0.0, 24.0, 20.0)
    lasso = Polygon(((3.0, 3.0), (15.0, 4.0), (9.0, 15.0)))
    changes = [Paint(whole, RED), Blur(whole, 2.0), Restore(lasso)]
    edited = editing.apply(large, changes)
    inside = torch.from_numpy(lasso.draw(24, 20))
    assert torch.equal(edited[:, inside], large[:, inside])
    assert (edited[:, ~inside] != large[:, ~inside]).any()
    assert torch.equal(editing.apply(large, [*changes, Restore(whole)]), large)


def test_undo_is_a_shorter_list_and_the_order_counts(pixels: torch.Tensor) -> None:
    first, second = Paint(LEFT, RED), Erase(Box(1.0, 0.0, 3.0, 3.0), "black")
    both = editing.apply(pixels, [first, second])
    assert torch.equal(editing.apply(editing.apply(pixels, [first]), [second]), both)
    assert not torch.equal(editing.apply(pixels, [second, first]), both)
    assert torch.equal(editing.apply(pixels, []), pixels)


def test_edits_are_told_apart_by_their_numbers(large: torch.Tensor) -> None:
    def one(radius: float):
        return (Erase(Stroke(((1.0, 2.0), (3.0, 4.0)), radius)), Blur(Box(0.0, 0.0, 5.0, 5.0), 2.0))

    assert one(2.0) == one(2.0) and hash(one(2.0)) == hash(one(2.0))
    assert cache.key(one(2.0)) == cache.key(one(2.0)) != cache.key(one(2.5))
    assert cache.key(Erase(LEFT)) != cache.key(Restore(LEFT)) != cache.key(Erase(LEFT, "black"))


def test_only_the_first_of_a_batch_is_edited_and_says_so(large: torch.Tensor) -> None:
    batch = Images(torch.stack([large, large]), ("a.png", "b.png"))
    edited = editing.first_edited(batch, [Erase(LEFT)])
    assert edited.names == ("a.png (edited)", "b.png")
    assert torch.equal(edited.pixels[0], editing.apply(large, [Erase(LEFT)]))
    assert torch.equal(edited.pixels[1], large)
    assert editing.first_edited(batch, []) is batch


@pytest.mark.parametrize("seed", range(5))
def test_a_mask_becomes_the_region_of_its_pixels(seed: int) -> None:
    mask = np.random.default_rng(seed).random((7, 5)) < 0.5
    mask[0, 0] = seed % 2
    assert np.array_equal(editing.marked(mask).draw(5, 7), mask)


@pytest.mark.parametrize("value", [True, False])
def test_a_plain_mask_becomes_a_region(value: bool) -> None:
    mask = np.full((4, 3), value)
    assert np.array_equal(editing.marked(mask).draw(3, 4), mask)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Stroke((), 2.0), "0 points"),
        (lambda: Stroke(((0.0, 0.0),) * 10_001, 2.0), "10,001 points"),
        (lambda: Stroke(((0.0, math.nan),), 2.0), "nan"),
        (lambda: Stroke(((0.0, math.inf),), 2.0), "inf"),
        (lambda: Stroke(((0.0, 0.0),), 0.0), "radius is 0.0"),
        (lambda: Stroke(((0.0, 0.0),), math.nan), "radius is nan"),
        (lambda: Paint(LEFT, (0.0, 1.5, 0.0)), "1.5"),
        (lambda: Blur(LEFT, -1.0), "radius is -1.0"),
        (lambda: Paste(Images(torch.zeros(1, 3, 4, 4), ("a",)), LEFT, (0.0, 0.0), 100.0), "scale of a crop is 100.0"),
        (lambda: Paste(Images(torch.zeros(1, 3, 4, 4), ("a",)), LEFT, (0.0, math.nan)), "nan"),
        (lambda: Paste(Images(torch.zeros(2, 3, 4, 4), ("a", "b")), LEFT, (0.0, 0.0)), "2 were given"),
        (lambda: Paste(Images(torch.zeros(1, 3, 4, 4), ("a",)), Box(9.0, 9.0, 12.0, 12.0), (0.0, 0.0)), "no pixel"),
    ],
)
def test_bad_input_is_named(make, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
