"""Places to put a scene in, cut from paper: sea, leaves, bricks, sand, snow, night, meadow, planks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

import numpy as np
from jaxtyping import Float

from interp.images.scenes.canvas import Canvas, Colour, ColourPlane, Plane, Shadow, mixed, noise
from interp.images.scenes.outlines import Outline, arc, between, box, ellipse, placed, polygon, smooth, star, stroke
from interp.images.scenes.scene import Segment


def ground(place: str, seed: int, side: int) -> Canvas:
    """An empty scene at a place. Raises `ValueError` for a place that does not exist."""
    if place not in _PLACES:
        raise ValueError(f"There is no place {place!r}: give one of {', '.join(_PLACES)}.")
    return _PLACES[place](Random(f"{place}/{seed}"), side, Segment("place", place))


def _rgb(red: int, green: int, blue: int, shade: float = 1.0) -> Colour:
    return red / 255 * shade, green / 255 * shade, blue / 255 * shade


def _slope(side: int, top: Colour, bottom: Colour, until: float = 1.0) -> ColourPlane:
    """A ground that changes its colour downwards."""
    down = np.minimum(np.arange(side, dtype=np.float32)[:, None] / np.float32(side * until), 1)
    return mixed(top, bottom, np.broadcast_to(down, (side, side)))


def _hill(rng: Random, side: int, height: float, swing: float, bumps: int = 4) -> Outline:
    """Everything below a rolling line at about `height` (a share of the side from the top)."""
    step = 1.4 / bumps
    line = [(-0.2 + step * i, height + between(rng, -swing, swing)) for i in range(bumps + 1)]
    return smooth([*line, (1.25, 1.6), (-0.25, 1.6)], 10) * side


def _sea(rng: Random, side: int, segment: Segment) -> Canvas:
    horizon, hue = between(rng, 0.3, 0.5), rng.random()
    top = mixed(_rgb(250, 205, 150), _rgb(140, 200, 232), hue)
    bottom = mixed(_rgb(252, 232, 190), _rgb(218, 238, 244), hue)
    canvas = Canvas(side, _slope(side, tuple(top.tolist()), tuple(bottom.tolist()), horizon), segment)
    sun = ellipse(between(rng, 0.12, 0.88), between(rng, 0.1, horizon - 0.06), between(rng, 0.06, 0.1)) * side
    canvas.fill([sun], _rgb(255, 244, 206))
    bands = 5
    for i in range(bands):
        y = horizon + (1 - horizon) * i / bands
        length, phase = between(rng, 0.15, 0.24), rng.random()
        crests: list[tuple[float, float]] = []
        x = -length * (1 + phase)
        while x < 1.1:
            # A wave is a shallow bowl between two crests.
            crests += arc(x + length / 2, y, length / 2, 0.035, 180, 0, 7)[:-1]
            x += length
        shade = between(rng, 0.95, 1.05)
        water = mixed(_rgb(108, 184, 204, shade), _rgb(24, 84, 140, shade), i / (bands - 1))
        canvas.fill(
            [polygon([*crests, (1.3, 1.2), (-0.6, 1.2)]) * side], tuple(water.tolist()), shadow=Shadow(-2, 2, 0.18)
        )
    return canvas


def _leaves(rng: Random, side: int, segment: Segment) -> Canvas:
    canvas = Canvas(side, _slope(side, _rgb(38, 74, 48), _rgb(24, 52, 40)), segment)
    leaf = [(0, -1.0), (0.34, -0.4), (0.36, 0.2), (0.0, 1.0), (-0.36, 0.2), (-0.34, -0.4)]
    for i in range(46):
        x, y = between(rng, -0.05, 1.05) * side, between(rng, -0.05, 1.05) * side
        angle, length = between(rng, 0, 360), between(rng, 0.1, 0.17) * side
        depth = 0.55 + 0.45 * i / 45
        green = mixed(_rgb(52, 118, 62, depth), _rgb(148, 178, 74, depth), rng.random())
        canvas.fill(
            [placed(smooth(leaf), x, y, length, angle)], tuple(green.tolist()), relief=0.3, shadow=Shadow(2, 2, 0.4)
        )
        vein = stroke([(0, -0.8), (0, 0.85)], 0.09, 0.03)
        canvas.fill([placed(vein, x, y, length, angle)], tuple((green * np.float32(0.72)).tolist()))
    return canvas


def _bricks(rng: Random, side: int, segment: Segment) -> Canvas:
    canvas = Canvas(side, _slope(side, _rgb(206, 196, 182), _rgb(190, 180, 166)), segment)
    rows = int(between(rng, 7, 9.99))
    height = 1 / rows
    length = height * between(rng, 2.0, 2.6)
    hue, joint = rng.random(), 0.013
    for row in range(rows):
        x = -length * (rng.random() * 0.2 + 0.5 * (row % 2)) - 0.1
        while x < 1:
            shade = between(rng, 0.82, 1.1)
            clay = mixed(_rgb(182, 92, 70, shade), _rgb(196, 140, 100, shade), hue)
            brick = box(x + joint, row * height + joint, x + length - joint, (row + 1) * height - joint)
            canvas.fill([brick * side], tuple(clay.tolist()), relief=0.28)
            x += length
    return canvas


def _sand(rng: Random, side: int, segment: Segment) -> Canvas:
    canvas = Canvas(side, _slope(side, _rgb(246, 226, 182), _rgb(240, 208, 154)), segment)
    for i in range(7):
        shade = 1.0 - 0.035 * i + between(rng, -0.02, 0.02)
        dune = _hill(rng, side, 0.08 + 0.14 * i, 0.05, 3)
        canvas.fill([dune], _rgb(240, 206, 148, shade), relief=0.12, shadow=Shadow(-2, 3, 0.16))
    for _ in range(9):
        x, y = between(rng, 0, 1), between(rng, 0.1, 1)
        pebble = ellipse(x, y, between(rng, 0.012, 0.026), between(rng, 0.009, 0.016), corners=14) * side
        canvas.fill([pebble], _rgb(170, 140, 108, between(rng, 0.85, 1.2)), relief=0.3, shadow=Shadow(1, 1, 0.3))
    return canvas


def _snow(rng: Random, side: int, segment: Segment) -> Canvas:
    canvas = Canvas(side, _slope(side, _rgb(150, 184, 214), _rgb(222, 234, 242), 0.6), segment)
    for i in range(3):
        drift = _hill(rng, side, 0.42 + 0.2 * i, 0.06, 3)
        white = mixed(_rgb(214, 226, 238), _rgb(252, 253, 255), i / 2)
        canvas.fill([drift], tuple(white.tolist()), relief=0.1, shadow=Shadow(-2, 3, 0.2))
        for _ in range(2 if i < 2 else 0):
            x, y, size = between(rng, 0.02, 0.98), 0.44 + 0.2 * i, between(rng, 0.07, 0.1)
            fir = [
                polygon(
                    [
                        (x, y - size * (2.1 - k)),
                        (x + size * w, y - size * (1.0 - k)),
                        (x - size * w, y - size * (1.0 - k)),
                    ]
                )
                * side
                for k, w in ((0.0, 0.42), (0.5, 0.58), (1.0, 0.74))
            ]
            canvas.fill(fir, _rgb(58, 96, 92), relief=0.2, shadow=Shadow(1, 2, 0.25))
    for _ in range(34):
        flake = ellipse(rng.random(), rng.random(), between(rng, 0.006, 0.014), corners=10) * side
        canvas.fill([flake], _rgb(255, 255, 255))
    return canvas


def _night(rng: Random, side: int, segment: Segment) -> Canvas:
    canvas = Canvas(side, _slope(side, _rgb(20, 24, 58), _rgb(66, 62, 118)), segment)
    for _ in range(30):
        x, y, size = rng.random(), rng.random() * 0.8, between(rng, 0.008, 0.02)
        canvas.fill([star(x, y, size, size * 0.4, 4) * side], _rgb(250, 238, 190))
    x, y, size = between(rng, 0.12, 0.88), between(rng, 0.1, 0.3), between(rng, 0.07, 0.1)
    canvas.fill([ellipse(x, y, size) * side], _rgb(248, 236, 192), shadow=Shadow(0, 4, 0.0))
    canvas.fill([ellipse(x + size * 0.5, y - size * 0.25, size * 0.85) * side], _rgb(32, 34, 74))
    for i in range(2):
        hill = _hill(rng, side, 0.74 + 0.13 * i, 0.06)
        canvas.fill([hill], _rgb(30, 30, 66, 1.0 - 0.3 * i), relief=0.2, shadow=Shadow(-2, 3, 0.3))
    return canvas


def _meadow(rng: Random, side: int, segment: Segment) -> Canvas:
    canvas = Canvas(side, _slope(side, _rgb(164, 212, 236), _rgb(232, 244, 240), 0.5), segment)
    for _ in range(2):
        x, y, size = between(rng, 0.1, 0.9), between(rng, 0.06, 0.26), between(rng, 0.05, 0.08)
        puffs = [
            ellipse(x + size * k, y - size * 0.2 * (k == 0), size * (1 - 0.3 * abs(k)), corners=18) * side
            for k in (-1, 0, 1)
        ]
        canvas.fill(puffs, _rgb(255, 255, 255), shadow=Shadow(1, 2, 0.12))
    for i in range(4):
        hill = _hill(rng, side, 0.36 + 0.17 * i, 0.06)
        green = mixed(_rgb(170, 204, 110), _rgb(78, 142, 72), i / 3)
        canvas.fill([hill], tuple(green.tolist()), relief=0.15, shadow=Shadow(-2, 3, 0.2))
    for _ in range(14):
        x, y, size = rng.random(), between(rng, 0.55, 1.0), between(rng, 0.008, 0.016)
        petals = [ellipse(px, py, size, corners=10) * side for px, py in arc(x, y, size * 1.3, size * 1.3, 0, 270, 4)]
        canvas.fill(petals, _rgb(250, 246, 236) if rng.random() < 0.6 else _rgb(246, 210, 96))
    return canvas


def _planks(rng: Random, side: int, segment: Segment) -> Canvas:
    canvas = Canvas(side, _slope(side, _rgb(70, 48, 36), _rgb(60, 40, 30)), segment)
    count = int(between(rng, 5, 7.99))
    width, hue = 1 / count, rng.random()
    streaks = noise(int(rng.random() * 1e9), side, 5)
    for i in range(count):
        shade, shift = between(rng, 0.88, 1.1), between(rng, 0, 9)
        wood = mixed(_rgb(186, 138, 92, shade), _rgb(150, 124, 108, shade), hue)
        plank = box(i * width + 0.006, -0.1, (i + 1) * width - 0.006, 1.1)
        canvas.fill([plank * side], partial(_grained, streaks, wood, np.float32(shift)), relief=0.25)
    return canvas


def _grained(
    streaks: Float[np.ndarray, "side side"],
    wood: Float[np.ndarray, " 3"],
    shift: np.float32,
    across: Plane,
    down: Plane,
) -> ColourPlane:
    """Wood with growth rings: lines along the plank that noise bends."""
    last = len(streaks) - 1
    bend = streaks[np.minimum(down, last).astype(np.int64), np.minimum(across, last).astype(np.int64)]
    ring = across * np.float32(0.22) + bend * 5 + shift
    line = np.abs(2 * (ring - np.floor(ring)) - 1)
    return wood * (np.float32(0.93) + np.float32(0.09) * line)[..., None]


_PLACES: dict[str, Callable[[Random, int, Segment], Canvas]] = {
    "sea": _sea,
    "leaves": _leaves,
    "bricks": _bricks,
    "sand": _sand,
    "snow": _snow,
    "night": _night,
    "meadow": _meadow,
    "planks": _planks,
}
