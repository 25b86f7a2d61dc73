"""Patterned paper: what texture a thing has, in coordinates that turn with it."""

from __future__ import annotations

import math
from functools import partial
from random import Random

import numpy as np

from interp.images.scenes.canvas import Colour, ColourPlane, Plane, Shader, mixed
from interp.images.scenes.scene import Thing

# Pixels over which one colour of a pattern turns into the other.
EDGE = np.float32(1.0)


def paper(thing: Thing, ground: Colour, second: Colour, texture: str, side: int) -> Shader:
    """Paper in two colours with a texture that is fixed to the thing."""
    rng = Random(f"paper/{thing.variation}")
    period = np.float32((0.085 + 0.035 * rng.random()) * side)
    turn = math.radians(thing.angle + (45 if texture in ("stripes", "zigzag") and rng.random() < 0.5 else 0))
    middle = np.float32(thing.x * side), np.float32(thing.y * side)
    return partial(_patterned, ground, second, texture, middle, turn, period)


def _patterned(
    ground: Colour,
    second: Colour,
    texture: str,
    middle: tuple[np.float32, np.float32],
    turn: float,
    period: np.float32,
    across: Plane,
    down: Plane,
) -> ColourPlane:
    cosine, sine = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    right, below = across - middle[0], down - middle[1]
    u = (right * cosine + below * sine) / period
    v = (below * cosine - right * sine) / period
    return mixed(ground, second, _share(texture, u, v, period))


def _share(texture: str, u: Plane, v: Plane, period: np.float32) -> Plane:
    """Where the second colour shows, in [0, 1]; `u` and `v` count periods."""
    if texture == "stripes":
        return _step(_wave(u) - np.float32(0.5), period)
    if texture == "dots":
        # Every second row is shifted by half a period.
        row = np.floor(v / np.float32(0.87))
        across = _centred(u + np.float32(0.5) * (row - 2 * np.floor(row / 2)))
        down = (v / np.float32(0.87) - row - np.float32(0.5)) * np.float32(0.87)
        return _step(np.float32(0.3) - np.sqrt(across * across + down * down), period)
    if texture == "checks":
        return _step((_wave(u) - np.float32(0.5)) * (_wave(v) - np.float32(0.5)) * 2, period)
    if texture == "zigzag":
        return _step(_wave(v + np.float32(0.6) * _wave(u)) - np.float32(0.5), period)
    if texture == "speckles":
        # Speckles sit where three waves that never meet in step are all high.
        sum_ = _wave(u * np.float32(1.7) + v * np.float32(0.6)) + _wave(v * np.float32(1.9) - u * np.float32(0.8))
        return _step(sum_ + _wave(u * np.float32(0.9) + v * np.float32(1.3)) - np.float32(1.95), period)
    return np.zeros_like(u)


def _wave(u: Plane) -> Plane:
    """A triangle from 0 to 1 and back in each period."""
    return np.abs(2 * (u - np.floor(u)) - 1)


def _centred(u: Plane) -> Plane:
    return u - np.floor(u) - np.float32(0.5)


def _step(height: Plane, period: np.float32) -> Plane:
    return np.clip(height * period / EDGE + np.float32(0.5), 0, 1)
