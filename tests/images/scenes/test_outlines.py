import math
from random import Random

import numpy as np
import pytest

from interp.images.scenes import outlines


def test_a_smooth_curve_goes_through_its_points() -> None:
    points = [(0.0, 0.0), (2.0, 0.5), (1.5, 2.0), (-0.5, 1.0)]
    curve = outlines.smooth(points, steps=5)
    assert curve.shape == (20, 2)
    assert np.allclose(curve[::5], points)


def test_an_ellipse_has_its_radii() -> None:
    circle = outlines.ellipse(3.0, 4.0, 2.0)
    assert np.allclose(np.hypot(*(circle - (3.0, 4.0)).T), 2.0)
    assert np.ptp(outlines.ellipse(0.0, 0.0, 2.0, 1.0), axis=0) == pytest.approx((4.0, 2.0), rel=1e-6)


def test_a_stroke_has_its_width() -> None:
    line = outlines.stroke([(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)], 0.5)
    assert np.allclose(sorted(set(line[:, 1].round(9))), [-0.25, 0.25])
    narrowing = outlines.stroke([(0.0, 0.0), (1.0, 0.0)], 0.5, 0.1)
    assert np.allclose(np.abs(narrowing[:, 1]), [0.25, 0.05, 0.05, 0.25])


def test_placing_turns_clockwise_and_mirrors() -> None:
    right = np.array([[1.0, 0.0]])
    assert np.allclose(outlines.placed(right, 10.0, 20.0, 2.0, 90.0), [[10.0, 22.0]])
    assert np.allclose(outlines.placed(right, 10.0, 20.0, 2.0, 0.0, mirrored=True), [[8.0, 20.0]])


def test_an_arc_ends_where_it_says() -> None:
    points = outlines.arc(1.0, 1.0, 2.0, 1.0, 0, 90, corners=3)
    assert np.allclose(points[0], (3.0, 1.0))
    assert np.allclose(points[1], (1 + math.sqrt(2), 1 + math.sqrt(0.5)))
    assert np.allclose(points[2], (1.0, 2.0))


def test_picking_reaches_all_options_and_stays_in_bounds() -> None:
    rng = Random(0)
    assert {outlines.pick(rng, "abc") for _ in range(100)} == set("abc")
    values = [outlines.between(rng, -2, 3) for _ in range(1000)]
    assert -2 <= min(values) < -1.9
    assert 2.9 < max(values) < 3
