"""Outlines: polygons in a thing's own coordinates, x to the right and y down, about -1 to 1.

Only sums, products and Python's own `math` are used, so that the same seed gives the same bytes on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
from jaxtyping import Float

Outline = Float[np.ndarray, "_ 2"]
# Said in full because a runtime type checker does not take an int for a float.
Number = float | int
Points = Sequence[tuple[Number, Number]]


def polygon(points: Points) -> Outline:
    """Straight from corner to corner."""
    return np.array(points, dtype=np.float64)


def smooth(points: Points, steps: int = 6) -> Outline:
    """The closed Catmull-Rom curve through the points."""
    p1 = np.array(points, dtype=np.float64)
    p0, p2, p3 = np.roll(p1, 1, axis=0), np.roll(p1, -1, axis=0), np.roll(p1, -2, axis=0)
    pieces = []
    for step in range(steps):
        t = step / steps
        square, cube = t * t, t * t * t
        pieces.append(
            0.5
            * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * square + (3 * p1 - p0 - 3 * p2 + p3) * cube)
        )
    return np.stack(pieces, axis=1).reshape(-1, 2)


def ellipse(x: Number, y: Number, rx: Number, ry: Number | None = None, *, corners: int = 28) -> Outline:
    """An ellipse about (x, y); a circle where one radius is given."""
    ry = rx if ry is None else ry
    angles = [2 * math.pi * i / corners for i in range(corners)]
    return np.array([(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles])


def box(left: Number, top: Number, right: Number, bottom: Number) -> Outline:
    """An upright rectangle."""
    return polygon([(left, top), (right, top), (right, bottom), (left, bottom)])


def stroke(points: Points, width: Number, end: Number | None = None) -> Outline:
    """A line of some width through the points, narrowing to `end`."""
    line = np.array(points, dtype=np.float64)
    along = np.gradient(line, axis=0)
    along = along / np.maximum(np.sqrt(along[:, :1] * along[:, :1] + along[:, 1:] * along[:, 1:]), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    last = width if end is None else end
    half = np.array([width + (last - width) * i / (len(line) - 1) for i in range(len(line))])[:, None] / 2
    return np.concatenate([line + across * half, (line - across * half)[::-1]])


def arc(
    x: Number, y: Number, rx: Number, ry: Number, start: Number, stop: Number, corners: int = 16
) -> list[tuple[float, float]]:
    """Points on an ellipse from one angle to another, in degrees; 0 is to the right, 90 is down."""
    angles = [math.radians(start + (stop - start) * i / (corners - 1)) for i in range(corners)]
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


def star(x: Number, y: Number, outer: Number, inner: Number, rays: int) -> Outline:
    """A star with its first ray up."""
    corners = []
    for i in range(2 * rays):
        angle = math.pi * i / rays - math.pi / 2
        radius = outer if i % 2 == 0 else inner
        corners.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return polygon(corners)


def placed(outline: Outline, x: Number, y: Number, scale: Number, angle: Number, *, mirrored: bool = False) -> Outline:
    """The outline scaled, mirrored left to right, turned by `angle` degrees clockwise, and moved to (x, y)."""
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    across = outline[:, 0] * (-scale if mirrored else scale)
    down = outline[:, 1] * scale
    return np.stack([x + across * cosine - down * sine, y + across * sine + down * cosine], axis=1)


def between(rng: Random, low: Number, high: Number) -> float:
    """A number from `low` to `high`."""
    return low + (high - low) * rng.random()


def pick(rng: Random, options: Sequence[str]) -> str:
    """One of the options. `Random.choice` may draw differently in another version of Python; this will not."""
    return options[int(rng.random() * len(options))]
