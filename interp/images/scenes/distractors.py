"""The shapes of what is no class: the distractors, the hand, and the blot.

A part is drawn over the parts before it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from interp.images.scenes.outlines import arc, between, box, ellipse, polygon, smooth, star, stroke
from interp.images.scenes.part import Part


def _hand(rng: Random) -> list[Part]:
    curl = between(rng, -0.06, 0.06)
    roots = [
        (-0.36, -0.2, -0.48, -0.78),
        (-0.1, -0.3, -0.14, -1.0),
        (0.14, -0.28, 0.2, -0.96),
        (0.36, -0.16, 0.5, -0.74),
    ]
    fingers = [stroke([(x0, y0), (x1 + curl, y1)], 0.25, 0.22) for x0, y0, x1, y1 in roots]
    tips = [ellipse(x1 + curl, y1, 0.112, corners=16) for _, _, x1, y1 in roots]
    palm = [(-0.48, -0.3), (0.0, -0.4), (0.48, -0.26), (0.5, 0.26), (0.3, 0.6), (-0.3, 0.6), (-0.5, 0.2)]
    thumb = [stroke([(0.36, 0.2), (0.76, -0.12)], 0.28, 0.22), ellipse(0.76, -0.12, 0.112, corners=16)]
    return [
        Part("sleeve", [box(-0.44, 0.62, 0.44, 1.1)], "accent"),
        Part("fingers", [*fingers, *tips, *thumb], "skin"),
        Part("palm", [smooth(palm)], "skin"),
    ]


def _ball(rng: Random) -> list[Part]:
    return [Part("ball", [ellipse(0, 0, 0.85)], "main"), Part("button", [ellipse(0, 0, 0.26, corners=18)], "accent")]


def _star(rng: Random) -> list[Part]:
    return [Part("star", [star(0, 0.05, 1.0, between(rng, 0.4, 0.5), 5)], "main")]


def _heart(rng: Random) -> list[Part]:
    half = [(0.0, -0.44), (0.3, -0.82), (0.78, -0.74), (0.92, -0.3), (0.62, 0.26), (0.0, 0.86)]
    return [Part("heart", [smooth(half + [(-x, y) for x, y in half[-2:0:-1]])], "main")]


def _flower(rng: Random) -> list[Part]:
    petals = [ellipse(x, y, 0.36, corners=18) for x, y in arc(0, 0, 0.54, 0.54, 0, 288, 5)]
    return [Part("petals", petals, "main"), Part("centre", [ellipse(0, 0, 0.32, corners=18)], "accent")]


def _ring(rng: Random) -> list[Part]:
    return [Part("ring", [stroke(arc(0, 0, 0.66, 0.66, 0, 360, 30), 0.36)], "main")]


def _kite(rng: Random) -> list[Part]:
    return [
        Part("kite", [polygon([(0, -1.0), (0.66, -0.2), (0, 0.9), (-0.66, -0.2)])], "main"),
        Part("cross", [stroke([(0, -0.96), (0, 0.86)], 0.09), stroke([(-0.62, -0.2), (0.62, -0.2)], 0.09)], "accent"),
    ]


def _patch(rng: Random) -> list[Part]:
    """A blot of no shape that could tell a class: what is left of an object when only its paint stays."""
    rim = [(r * x, r * y) for x, y in arc(0, 0, 0.8, 0.8, 0, 320, 9) for r in (between(rng, 0.8, 1.05),)]
    return [Part("patch", [smooth(rim)], "main")]


DISTRACTORS: dict[str, Callable[[Random], list[Part]]] = {
    "hand": _hand,
    "ball": _ball,
    "star": _star,
    "heart": _heart,
    "flower": _flower,
    "ring": _ring,
    "kite": _kite,
    "patch": _patch,
}
