from dataclasses import replace

import numpy as np
import pytest

from interp.images.scenes import CLASSES, PLACES, REASONS, TEXTURES, Segment, draw, honest, without_object
from interp.images.scenes.canvas import Canvas, Shadow, grain, noise
from interp.images.scenes.outlines import box
from interp.images.scenes.patterns import _share
from interp.images.scenes.places import ground
from interp.images.scenes.scene import DISTRACTORS
from interp.images.scenes.things import SHAPES, parts


def blank(side: int = 16) -> Canvas:
    return Canvas(side, np.full((side, side, 3), 0.5, np.float32), Segment("place", "nowhere"))


def test_the_same_plan_gives_the_same_bytes() -> None:
    one, two = draw(honest(7, 13)), draw(honest(7, 13))
    assert np.array_equal(one.pixels, two.pixels)
    assert np.array_equal(one.segments, two.segments)
    assert one.legend == two.legend
    assert not np.array_equal(one.pixels, draw(honest(8, 13)).pixels)


@pytest.mark.parametrize("size", [32, 112, 200])
def test_a_scene_can_be_drawn_at_any_size(size: int) -> None:
    drawing = draw(honest(0, 4), size)
    assert drawing.pixels.shape == (size, size, 3)
    assert drawing.segments.shape == (size, size)


def test_too_small_a_size_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        draw(honest(0, 0), 31)


def test_a_box_covers_the_pixels_that_it_says() -> None:
    canvas = blank()
    piece = Segment("object", "box", "red", "plain")
    canvas.fill([box(4, 6, 10, 9)], (1.0, 0.0, 0.0), segment=piece)
    drawing = canvas.finished()
    expected = np.zeros((16, 16), bool)
    expected[6:9, 4:10] = True
    assert np.array_equal(drawing.segments == drawing.legend.index(piece), expected)
    assert np.array_equal((drawing.pixels == (255, 0, 0)).all(axis=2), expected)
    # Pillow draws an outline's rim, a quarter of a pixel in the enlarged drawing.
    beside = np.zeros((16, 16), bool)
    beside[5:10, 3:11] = True
    assert (drawing.pixels[~beside] == 128).all()
    assert np.abs(drawing.pixels[~expected].astype(int) - 128).max() <= 0.3 * 128


def test_half_a_pixel_is_half_covered() -> None:
    canvas = blank()
    canvas.fill([box(4, 4, 8, 8.5)], (1.0, 1.0, 1.0))
    assert canvas.pixels[8, 5] == pytest.approx(0.75, abs=0.13)


def test_what_is_hidden_is_not_in_the_legend() -> None:
    canvas = blank()
    canvas.fill([box(4, 4, 8, 8)], (1.0, 0.0, 0.0), segment=Segment("object", "under"))
    canvas.fill([box(3, 3, 9, 9)], (0.0, 1.0, 0.0), segment=Segment("cover", "over"))
    assert [segment.name for segment in canvas.finished().legend] == ["nowhere", "over"]


def test_a_piece_outside_of_the_picture_changes_nothing() -> None:
    canvas = blank()
    canvas.fill([box(40, 40, 50, 50)], (1.0, 0.0, 0.0), segment=Segment("object", "far"), shadow=Shadow(2, 2, 0.5))
    canvas.cast([box(-50, -50, -40, -40)], Shadow(2, 2, 0.5))
    assert (canvas.pixels == 0.5).all()
    assert not canvas.segments.any()


def test_a_shadow_falls_to_the_lower_right_only() -> None:
    canvas = blank(32)
    canvas.cast([box(10, 10, 16, 16)], Shadow(4, 1, 0.5))
    dark = canvas.pixels[..., 0] < 0.49
    rows, columns = np.nonzero(dark)
    assert 12 <= rows.min() <= 14 and 12 <= columns.min() <= 14
    assert 19 <= rows.max() <= 21 and 19 <= columns.max() <= 21
    assert canvas.pixels.min() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("texture", TEXTURES)
def test_a_texture_shows_both_colours_unless_it_is_plain(texture: str) -> None:
    v, u = np.mgrid[0:4:0.05, 0:4:0.05].astype(np.float32)
    share = _share(texture, u, v, np.float32(10))
    assert share.min() >= 0 and share.max() <= 1
    if texture == "plain":
        assert not share.any()
    else:
        assert 0.12 < share.mean() < 0.62


def test_dots_cover_the_area_of_their_circles() -> None:
    v, u = np.mgrid[0 : 0.87 * 4 : 0.0087, 0:4:0.01].astype(np.float32)
    share = _share("dots", u, v, np.float32(1000))
    assert share.mean() == pytest.approx(np.pi * 0.3**2 / 0.87, abs=0.01)


@pytest.mark.parametrize("place", PLACES)
def test_places_differ_with_their_seed_and_stay_themselves(place: str) -> None:
    one, same, other = (ground(place, seed, 64).pixels for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.min() >= -0.1 and one.max() <= 1.2


def test_an_unknown_place_or_shape_is_named() -> None:
    with pytest.raises(ValueError, match="'moon'.*sea"):
        ground("moon", 0, 64)
    with pytest.raises(ValueError, match="'dragon'.*bird"):
        parts("dragon", 0)


@pytest.mark.parametrize("kind", [*CLASSES, *DISTRACTORS, "hand", "patch"])
def test_a_shape_is_about_two_units_wide_and_varies(kind: str) -> None:
    corners = np.concatenate([outline for part in parts(kind, 1) for outline in part.outlines])
    assert 1.2 < max(np.ptp(corners, axis=0)) < 2.5
    assert np.abs(corners).max() < 1.3
    others = [np.concatenate([o for part in parts(kind, seed) for o in part.outlines]) for seed in range(8)]
    varied = any(not np.array_equal(corners, other) for other in others)
    assert varied or kind in ("ball", "heart", "flower", "ring", "kite")
    assert len({part.name for part in parts(kind, 1)}) == len(parts(kind, 1)) >= (3 if kind in CLASSES else 1)


def test_the_object_without_its_place_is_the_segment_that_changes() -> None:
    """What hiding the object changes lies in the object, its shadow, and nowhere else."""
    scene = replace(honest(5, 14), cover=None, tag=None)
    whole, without = draw(scene), draw(without_object("tag", scene))
    changed = (whole.pixels != without.pixels).any(axis=2)
    parts_of_it = [i for i, segment in enumerate(whole.legend) if segment.role == "object"]
    inside = np.isin(whole.segments, parts_of_it)
    assert changed[inside].mean() > 0.95
    near = np.zeros_like(inside)
    for down in range(-7, 9):
        for across in range(-7, 9):
            near |= np.roll(inside, (down, across), axis=(0, 1))
    assert not changed[~near].any()


def test_every_shape_is_known() -> None:
    assert set(SHAPES) == {*CLASSES, *DISTRACTORS, "hand", "patch"}
    assert {planted.label for planted in REASONS.values()} < set(CLASSES)


def test_noise_is_seeded_and_centred() -> None:
    assert np.array_equal(grain(1, 40), grain(1, 40))
    assert abs(grain(1, 200).mean()) < 0.01
    assert noise(1, 50, 5).shape == (50, 50)
    assert noise(1, 50, 5).min() >= 0 and noise(1, 50, 5).max() <= 1
