"""The shapes of things: ten classes of objects with their parts, and what is no class (`distractors`).

A part is drawn over the parts before it. Its tone says which of the thing's colours it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from interp.images.scenes.distractors import DISTRACTORS
from interp.images.scenes.outlines import arc, between, box, ellipse, polygon, smooth, stroke
from interp.images.scenes.part import Part


def parts(kind: str, variation: int) -> list[Part]:
    """The parts of a thing, its proportions varied by a seed. Raises `ValueError` for a kind that does not exist."""
    if kind not in SHAPES:
        raise ValueError(f"There is no shape {kind!r}: give one of {', '.join(SHAPES)}.")
    return SHAPES[kind](Random(f"{kind}/{variation}"))


def _bird(rng: Random) -> list[Part]:
    lift, tail = between(rng, -0.3, 0.12), between(rng, -0.15, 0.2)
    body = [(0.58, -0.76), (0.84, -0.6), (0.84, -0.36), (0.66, 0.1), (0.28, 0.46), (-0.25, 0.48)]
    body += [(-0.66, 0.24), (-0.6, 0.02), (-0.1, -0.16), (0.32, -0.5)]
    feet = [stroke([(x, 0.4), (x + 0.02, 0.8), (x + 0.16, 0.86)], 0.07) for x in (-0.08, 0.16)]
    feathers = [(-0.45, 0.02), (-1.12, tail - 0.16), (-1.02, tail + 0.06), (-1.1, tail + 0.28), (-0.5, 0.32)]
    return [
        Part("legs", feet, "ink"),
        Part("tail", [polygon(feathers)], "accent"),
        Part("beak", [polygon([(0.76, -0.64), (1.14, -0.46), (0.76, -0.34)])], "accent"),
        Part("body", [smooth(body)], "main"),
        Part(
            "wing",
            [smooth([(0.3, 0.0), (0.2, 0.28), (-0.2, 0.34), (-0.72, lift), (-0.3, -0.06), (0.1, -0.12)])],
            "accent",
        ),
        Part("eye", [ellipse(0.6, -0.52, 0.075)], "ink"),
    ]


def _boat(rng: Random) -> list[Part]:
    width, height = between(rng, 0.62, 0.88), between(rng, -0.98, -0.8)
    hull = [(-0.98, 0.32), (1.0, 0.28), (0.84, 0.58), (0.6, 0.8), (-0.6, 0.8), (-0.82, 0.62)]
    main = [(0.1, height), (0.3 * width + 0.2, -0.4), (width, 0.16), (0.1, 0.2)]
    jib = [(-0.08, height + 0.14), (-0.3, -0.2), (-0.7, 0.18), (-0.08, 0.2)]
    return [
        Part("mast", [box(-0.045, -1.02, 0.045, 0.34)], "ink"),
        Part("sail", [smooth(main, 3), smooth(jib, 3)], "main"),
        Part("flag", [polygon([(0.04, -1.04), (0.34, -0.95), (0.04, -0.84)])], "accent"),
        Part("hull", [polygon(hull)], "accent"),
        Part("rail", [stroke([(-0.94, 0.4), (0.96, 0.36)], 0.07)], "cream"),
    ]


def _butterfly(rng: Random) -> list[Part]:
    tip, drop = between(rng, -0.95, -0.75), between(rng, 0.75, 0.95)
    upper = [(0.05, -0.12), (0.36, -0.66), (0.82, tip), (1.04, -0.62), (0.88, -0.18), (0.4, 0.06), (0.05, 0.08)]
    lower = [(0.05, 0.04), (0.5, 0.1), (0.82, 0.36), (0.68, drop - 0.1), (0.42, drop), (0.14, 0.5)]
    spots = [(0.74, -0.55, 0.12), (0.5, 0.5, 0.11)]
    mirror = (1, -1)
    feelers = [stroke([(0.03 * s, -0.4), (0.14 * s, -0.72), (0.34 * s, -0.96)], 0.06, 0.04) for s in mirror]
    return [
        Part("feelers", feelers, "ink"),
        Part("lower wings", [smooth([(x * s, y) for x, y in lower]) for s in mirror], "main"),
        Part("upper wings", [smooth([(x * s, y) for x, y in upper]) for s in mirror], "main"),
        Part("spots", [ellipse(x * s, y, r, corners=16) for x, y, r in spots for s in mirror], "accent"),
        Part("body", [ellipse(0, 0.05, 0.085, 0.52)], "ink"),
    ]


def _car(rng: Random) -> list[Part]:
    roof, front = between(rng, -0.62, -0.5), between(rng, 0.5, 0.64)
    body = [(-1.02, 0.34), (-1.02, 0.02), (-0.92, -0.12), (-0.66, -0.16), (-0.42, roof), (0.24, roof), (front, -0.12)]
    body += [(0.92, -0.02), (1.04, 0.14), (1.02, 0.36)]
    panes = [
        polygon([(-0.52, -0.14), (-0.35, roof + 0.1), (-0.1, roof + 0.1), (-0.1, -0.14)]),
        polygon([(0.0, -0.14), (0.0, roof + 0.1), (0.2, roof + 0.1), (front - 0.12, -0.14)]),
    ]
    wheels = [(-0.56, 0.38), (0.56, 0.38)]
    return [
        Part("body", [polygon(body)], "main"),
        Part("windows", panes, "glass"),
        Part("lights", [ellipse(0.94, 0.12, 0.09, corners=16)], "cream"),
        Part("wheels", [ellipse(x, y, 0.27) for x, y in wheels], "ink"),
        Part("hubs", [ellipse(x, y, 0.12, corners=18) for x, y in wheels], "accent"),
    ]


def _fish(rng: Random) -> list[Part]:
    belly, spread = between(rng, 0.4, 0.54), between(rng, 0.4, 0.55)
    body = [(0.98, 0.02), (0.62, -0.32), (0.1, -belly), (-0.4, -0.26), (-0.66, -0.08), (-0.66, 0.1), (-0.4, 0.28)]
    body += [(0.1, belly), (0.62, 0.32)]
    fins = [
        smooth([(0.36, -0.34), (0.1, -belly - 0.34), (-0.26, -belly - 0.18), (-0.28, -0.28)]),
        smooth([(0.16, 0.36), (-0.1, belly + 0.26), (-0.3, belly + 0.1), (-0.26, 0.28)]),
    ]
    tail = [(-0.52, 0.0), (-1.04, -spread), (-0.84, 0.0), (-1.04, spread)]
    return [
        Part("fins", fins, "accent"),
        Part("tail", [smooth(tail, 3)], "accent"),
        Part("body", [smooth(body)], "main"),
        Part("gill", [stroke(arc(0.22, 0.0, 0.2, 0.3, -65, 65), 0.06)], "ink"),
        Part("eye", [ellipse(0.62, -0.1, 0.11, corners=18)], "cream"),
        Part("pupil", [ellipse(0.645, -0.1, 0.055, corners=14)], "ink"),
    ]


def _house(rng: Random) -> list[Part]:
    top, eaves = between(rng, -0.96, -0.78), between(rng, 0.8, 0.94)
    window = 0.28 + 0.08 * rng.random()
    panes = [box(window - 0.16, 0.12, window + 0.16, 0.44), ellipse(0, -0.34, 0.12, corners=18)]
    return [
        Part("chimney", [box(0.34, -0.86, 0.54, -0.3)], "accent"),
        Part("wall", [box(-0.68, -0.14, 0.68, 0.84)], "main"),
        Part("roof", [polygon([(-eaves, -0.06), (0.0, top), (eaves, -0.06)])], "accent"),
        Part("door", [box(-0.44, 0.22, -0.1, 0.84)], "ink"),
        Part("windows", panes, "glass"),
    ]


def _mushroom(rng: Random) -> list[Part]:
    width, crown = between(rng, 0.82, 1.0), between(rng, -0.92, -0.74)
    cap = [(-width, 0.02), (-0.8 * width, -0.42), (-0.36, crown + 0.08), (0.0, crown), (0.36, crown + 0.08)]
    cap += [(0.8 * width, -0.42), (width, 0.02), (0.5 * width, 0.12), (0, 0.15), (-0.5 * width, 0.12)]
    stem = [(-0.22, 0.0), (0.22, 0.0), (0.25, 0.5), (0.36, 0.82), (0.0, 0.92), (-0.36, 0.82), (-0.25, 0.5)]
    return [
        Part("stem", [smooth(stem)], "cream"),
        Part(
            "skirt",
            [smooth([(-0.3, 0.26), (0.0, 0.2), (0.3, 0.26), (0.38, 0.42), (0.0, 0.4), (-0.38, 0.42)])],
            "accent",
        ),
        Part("cap", [smooth(cap)], "main"),
    ]


def _teapot(rng: Random) -> list[Part]:
    belly, reach = between(rng, 0.56, 0.66), between(rng, 0.98, 1.1)
    spout = [
        (0.36, 0.34),
        (0.68, 0.1),
        (0.82, -0.26),
        (reach + 0.04, -0.36),
        (reach - 0.04, -0.12),
        (0.84, 0.36),
        (0.44, 0.6),
    ]
    return [
        Part("handle", [stroke(arc(-0.56, 0.08, 0.46, 0.4, 70, 290), 0.14)], "accent"),
        Part("spout", [smooth(spout)], "accent"),
        Part("foot", [box(-0.34, 0.6, 0.34, 0.76)], "accent"),
        Part("body", [ellipse(0.0, 0.16, belly + 0.06, 0.54)], "main"),
        Part(
            "lid",
            [smooth([(-0.4, -0.28), (-0.24, -0.5), (0.0, -0.56), (0.24, -0.5), (0.4, -0.28), (0.0, -0.22)])],
            "accent",
        ),
        Part("knob", [ellipse(0.0, -0.64, 0.11, corners=18)], "ink"),
    ]


def _turtle(rng: Random) -> list[Part]:
    dome, neck = between(rng, -0.66, -0.5), between(rng, -0.22, 0.02)
    shell = [
        (-0.82, 0.26),
        (-0.7, -0.14),
        (-0.36, dome + 0.1),
        (0.0, dome),
        (0.36, dome + 0.1),
        (0.66, -0.14),
        (0.76, 0.26),
    ]
    legs = [smooth([(x - 0.16, 0.2), (x + 0.16, 0.2), (x + 0.2, 0.66), (x - 0.14, 0.68)]) for x in (-0.46, 0.4)]
    head = [
        (0.6, 0.2),
        (0.76, neck),
        (0.92, neck - 0.2),
        (1.14, neck - 0.14),
        (1.16, neck + 0.08),
        (0.96, neck + 0.2),
        (0.8, 0.34),
    ]
    return [
        Part("tail", [polygon([(-0.7, 0.14), (-1.06, 0.38), (-0.66, 0.34)])], "accent"),
        Part("legs", legs, "accent"),
        Part("head", [smooth(head)], "accent"),
        Part("shell", [smooth(shell)], "main"),
        Part("rim", [stroke([(-0.84, 0.3), (-0.4, 0.36), (0.34, 0.36), (0.8, 0.28)], 0.16)], "cream"),
        Part("eye", [ellipse(1.0, neck - 0.04, 0.06, corners=14)], "ink"),
    ]


def _umbrella(rng: Random) -> list[Part]:
    width, crown = between(rng, 0.9, 1.02), between(rng, -0.84, -0.7)
    dome = arc(0, 0.0, width, -crown, 180, 360)
    scallops = []
    for i in range(4):
        middle, reach = width * (0.75 - 0.5 * i), width * 0.25
        scallops += arc(middle, 0.0, reach, 0.16, 0, -180, 8)[1:]
    hook = [(0.0, -0.1), (0.0, 0.4), (0.0, 0.7), *arc(-0.16, 0.74, 0.16, 0.2, 0, 180, 9)]
    panel = [
        (0.0, crown),
        *arc(0.0, 0.0, 0.5 * width, -crown, 270, 360, 8),
        *arc(0.25 * width, 0.0, 0.25 * width, 0.16, 0, -180, 8),
    ]
    mirrored = [(-x, y) for x, y in panel]
    return [
        Part("stick", [stroke(hook, 0.09)], "ink"),
        Part("tip", [box(-0.04, crown - 0.16, 0.04, crown + 0.04)], "ink"),
        Part("canopy", [polygon(dome + scallops)], "main"),
        Part("panels", [polygon(panel), polygon(mirrored)], "accent"),
    ]


SHAPES: dict[str, Callable[[Random], list[Part]]] = {
    "bird": _bird,
    "boat": _boat,
    "butterfly": _butterfly,
    "car": _car,
    "fish": _fish,
    "house": _house,
    "mushroom": _mushroom,
    "teapot": _teapot,
    "turtle": _turtle,
    "umbrella": _umbrella,
    **DISTRACTORS,
}
