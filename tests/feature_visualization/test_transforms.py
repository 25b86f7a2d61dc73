"""Warps against slices, hand-made matrices, and finite differences."""

import math

import pytest
import torch

from interp.feature_visualization import STANDARD, Jitter, Pad, Rotate, Scale, Sometimes, Warp, drawn

PIXELS = torch.rand(2, 3, 12, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_pad_and_a_jitter_cut_a_window() -> None:
    seen = set()
    for seed in range(40):
        warp = drawn([Pad(2), Jitter(3)], (12, 10), seeded(seed))
        moved = warp(PIXELS)
        padded = torch.nn.functional.pad(PIXELS, (2, 2, 2, 2), value=0.5)
        windows = {(y, x): padded[:, :, y : y + 13, x : x + 11] for y in range(4) for x in range(4)}
        (found,) = [place for place, window in windows.items() if torch.equal(window, moved)]
        seen.add(found)
    assert len(seen) > 10


def test_resampling_a_whole_shift_is_the_window() -> None:
    warp = Warp((12, 10), shift=(2.0, -3.0))
    turned = Warp((12, 10), linear=(1.0, 1e-12, 0.0, 1.0), shift=(2.0, -3.0))
    assert torch.allclose(warp(PIXELS), turned(PIXELS), atol=1e-8)


def test_a_quarter_turn_is_a_rotation_of_the_array() -> None:
    square = PIXELS[:, :, :10]
    warp = Warp((10, 10), linear=(0.0, 1.0, -1.0, 0.0))
    assert torch.allclose(warp(square), torch.rot90(square, 1, (2, 3)), atol=1e-6)


def test_enlarging_a_ramp_makes_it_flatter() -> None:
    ramp = torch.linspace(0, 1, 21, dtype=torch.float64).expand(1, 3, 21, 21)
    enlarged = drawn([Scale(2.0, 2.0)], (21, 21), seeded())(ramp)
    assert torch.allclose(enlarged[0, 0, 10], 0.5 + (torch.arange(21.0).double() - 10) * 0.025, atol=1e-6)


def test_a_rotation_keeps_the_centre_and_moves_by_its_angle() -> None:
    warp = drawn([Rotate(30)], (21, 21), seeded())
    a, b, c, d = warp.linear
    assert (a, b) == (d, -c) and math.hypot(a, b) == pytest.approx(1)
    assert abs(math.degrees(math.asin(b))) <= 30
    point = torch.zeros(1, 3, 21, 21)
    point[:, :, 10, 10] = 1
    assert warp(point)[0, 0, 10, 10] == pytest.approx(1, abs=1e-5)


def test_transforms_one_after_another_are_one_warp() -> None:
    shift = Warp((21, 21), shift=(3.0, 0.0))
    turned = Rotate(0).after(shift, seeded())
    assert turned.shift == (3.0, 0.0) and turned.linear == (1.0, 0.0, 0.0, 1.0)
    doubled = Scale(2, 2).after(shift, seeded())
    assert doubled.linear == (0.5, 0.0, 0.0, 0.5)
    then = Jitter(0).after(Pad(1).after(doubled, seeded()), seeded())
    assert then.size == (23, 23) and then.shift == (3.0, 0.0)


def test_the_standard_keeps_the_size_and_is_differentiable() -> None:
    for seed in range(4):
        warp = drawn(STANDARD, (24, 20), seeded(seed))
        pixels = torch.rand(1, 3, 24, 20, dtype=torch.float64, generator=seeded(seed))
        assert warp(pixels).shape == pixels.shape
        direction = torch.randn(1, 3, 24, 20, dtype=torch.float64, generator=seeded(seed + 9))
        leaf = pixels.requires_grad_()
        (slope,) = torch.autograd.grad(warp(leaf).square().sum(), leaf)
        step = 1e-6
        rise = (warp(pixels + step * direction).square().sum() - warp(pixels - step * direction).square().sum()) / (
            2 * step
        )
        assert float((slope * direction).sum()) == pytest.approx(float(rise.detach()), rel=1e-6)


def test_beyond_the_edge_it_is_grey() -> None:
    turned = drawn([Pad(6), Rotate(45)], (12, 10), seeded(1))(PIXELS)
    assert torch.allclose(turned[:, :, 0, 0], torch.full((2, 3), 0.5, dtype=torch.float64))


def test_sometimes_is_a_share_of_the_steps() -> None:
    generator = seeded()
    turned = [drawn([Sometimes((Rotate(),), 0.25)], (8, 8), generator) != Warp((8, 8)) for _ in range(400)]
    assert 0.15 < sum(turned) / 400 < 0.35
    assert drawn([Sometimes((Rotate(),), 0.0)], (8, 8), generator) == Warp((8, 8))


def test_the_same_seed_draws_the_same() -> None:
    first, second = seeded(3), seeded(3)
    draws = [(drawn(STANDARD, (64, 64), first), drawn(STANDARD, (64, 64), second)) for _ in range(5)]
    assert all(one == other for one, other in draws) and len({one for one, _ in draws}) == 5


def test_what_is_not_possible_is_said() -> None:
    with pytest.raises(ValueError, match="border of -1"):
        Pad(-1)
    with pytest.raises(ValueError, match="leaves nothing"):
        drawn([Jitter(10)], (12, 10), seeded())
    with pytest.raises(ValueError, match="least ≤ most"):
        Scale(1.2, 0.9)
    with pytest.raises(ValueError, match="0 to 180"):
        Rotate(-5)
    with pytest.raises(ValueError, match="share of 2"):
        Sometimes((Rotate(),), 2.0)
