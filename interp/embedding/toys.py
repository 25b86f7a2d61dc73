"""Made-up sets whose true shape is known, so that one can learn to misread a map, and then to read it.

After Wattenberg, Viégas and Johnson, "How to use t-SNE effectively" (2016), and Coenen and Pearce, "Understanding
UMAP" (2019); the shapes are made here from their descriptions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from interp.types import Fingerprinted

SMALLEST = 12


@dataclass(frozen=True, eq=False)
class Toy(Fingerprinted):
    """A made-up set: points, the part of the shape that each belongs to, and what to learn from it."""

    name: str
    title: str
    features: Float[np.ndarray, "n d"]
    labels: Int[np.ndarray, " n"]
    parts: tuple[str, ...]
    lesson: str
    setting: str


@dataclass(frozen=True)
class _Recipe:
    title: str
    parts: tuple[str, ...]
    lesson: str
    setting: str
    make: Callable[[np.random.Generator, Int[np.ndarray, " n"]], Float[np.ndarray, "n d"]]


def toy(name: str, *, points: int = 600, seed: int = 0) -> Toy:
    """The made-up set of that name, the same for the same seed; its points are shared out evenly between its parts.

    Raises `ValueError` for a name that is not in `TOYS`, or fewer than 12 points.
    """
    if name not in TOYS:
        raise ValueError(f"There is no made-up set {name!r}. Choose one of: {', '.join(TOYS)}.")
    if points < SMALLEST:
        raise ValueError(f"{points} points show no shape: take at least {SMALLEST}.")
    recipe = TOYS[name]
    labels = np.arange(points) * len(recipe.parts) // points
    features = recipe.make(np.random.default_rng(seed), labels).astype(np.float32)
    return Toy(name, recipe.title, features, labels, recipe.parts, recipe.lesson, recipe.setting)


def _sizes(random: np.random.Generator, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
    points = random.normal(size=(len(labels), 50))
    return np.where(labels[:, None] == 0, 10.0, 1.0) * points + 60.0 * (labels[:, None] == 1) * _axis(50, 0)


def _distances(random: np.random.Generator, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
    places = np.array([0.0, 10.0, 60.0])
    return random.normal(size=(len(labels), 10)) + places[labels][:, None] * _axis(10, 0)


def _noise(random: np.random.Generator, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
    return random.normal(size=(len(labels), 100))


def _lines(random: np.random.Generator, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
    along = random.uniform(-1, 1, len(labels))
    points = 0.02 * random.normal(size=(len(labels), 3))
    points[:, 0] += along
    points[:, 1] += 0.3 * (labels - 1)
    return points


def _rings(random: np.random.Generator, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
    angle = random.uniform(0, 2 * np.pi, len(labels))
    flat, zero = np.stack([np.cos(angle), np.sin(angle)]), np.zeros_like(angle)
    first = np.stack([flat[0], flat[1], zero], axis=1)
    second = np.stack([1 + flat[0], zero, flat[1]], axis=1)
    return np.where(labels[:, None] == 0, first, second) + 0.02 * random.normal(size=(len(labels), 3))


def _trefoil(random: np.random.Generator, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
    angle = (labels + random.uniform(0, 1, len(labels))) * 2 * np.pi / 3
    knot = [np.sin(angle) + 2 * np.sin(2 * angle), np.cos(angle) - 2 * np.cos(2 * angle), -np.sin(3 * angle)]
    return np.stack(knot, axis=1) + 0.03 * random.normal(size=(len(labels), 3))


# Each part of the animal is a capsule: all points within a radius of a bent line through some points (x forwards,
# y to its left, z up). Left and right are drawn by mirroring.
_ANIMAL: tuple[tuple[str, float, bool, tuple[tuple[float, float, float], ...]], ...] = (
    ("body", 0.75, False, ((-1.2, 0, 2.0), (0.0, 0, 2.2), (1.0, 0, 2.4))),
    ("head", 0.45, False, ((1.8, 0, 3.0), (2.2, 0, 3.1))),
    ("trunk", 0.14, False, ((2.6, 0, 2.7), (2.9, 0, 1.9), (2.9, 0, 1.1), (3.2, 0, 0.7))),
    ("tusks", 0.09, True, ((2.4, 0.35, 2.6), (3.0, 0.7, 1.9), (3.6, 0.6, 1.7), (4.1, 0.3, 2.2))),
    ("front legs", 0.22, True, ((0.9, 0.5, 1.8), (1.0, 0.5, 0.9), (0.9, 0.5, 0.0))),
    ("hind legs", 0.22, True, ((-1.3, 0.5, 1.6), (-1.4, 0.5, 0.8), (-1.3, 0.5, 0.0))),
    ("tail", 0.06, False, ((-1.9, 0, 2.2), (-2.2, 0, 1.6), (-2.3, 0, 1.1))),
)


def _mammoth(random: np.random.Generator, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
    points = np.zeros((len(labels), 3))
    for part, (_, radius, paired, line) in enumerate(_ANIMAL):
        mine = np.flatnonzero(labels == part)
        # One bend after another, so that the line is covered evenly.
        place = random.uniform(0, len(line) - 1, len(mine))
        centres = np.stack([np.interp(place, np.arange(len(line)), axis) for axis in zip(*line, strict=True)], axis=1)
        offset = random.normal(size=(len(mine), 3))
        offset *= radius * random.uniform(0, 1, (len(mine), 1)) ** (1 / 3) / np.linalg.norm(offset, axis=1)[:, None]
        points[mine] = centres + offset
        if paired:
            points[mine[::2], 1] *= -1
    return points


def _axis(width: int, which: int) -> Float[np.ndarray, " d"]:
    return np.eye(width)[which]


TOYS: dict[str, _Recipe] = {
    "sizes": _Recipe(
        "Two clusters, one ten times as wide",
        ("wide", "narrow"),
        "The map draws both clusters about equally large: how large a cluster looks says nothing about its spread.",
        "No perplexity and no number of neighbours brings the sizes back; PCA shows them.",
        _sizes,
    ),
    "distances": _Recipe(
        "Three clusters, one six times as far away",
        ("left", "near it", "far off"),
        "The map may put the three at equal distances: how far apart clusters are drawn says little.",
        "Perplexity: below the size of a cluster the distances are lost; close to it (190 of 200) some of them come "
        "back. UMAP loses them at any number of neighbours.",
        _distances,
    ),
    "noise": _Recipe(
        "Noise in 100 dimensions",
        ("noise",),
        "There is nothing to find, yet at low perplexity the map shows clumps: a clump is no proof of a cluster.",
        "Perplexity: compare 2 with 50; and compare seeds, for the clumps change places.",
        _noise,
    ),
    "lines": _Recipe(
        "Three parallel lines",
        ("one", "two", "three"),
        "Lines are bent and torn although they are straight, and gaps within a line are no gaps in the points.",
        "Perplexity or neighbours: the smaller, the more pieces.",
        _lines,
    ),
    "rings": _Recipe(
        "Two linked rings",
        ("first", "second"),
        "No flat map can keep both rings whole and linked: one is cut, or the two are drawn apart. Where the cut lies "
        "says nothing about the points.",
        "Dimensions: PCA in 3-D keeps them linked. Seed and initialization: the cut lies elsewhere.",
        _rings,
    ),
    "trefoil": _Recipe(
        "A knot",
        ("first third", "second third", "last third"),
        "Neighbours along the string stay neighbours and the knot is lost: the map may unroll it, or cut it. PCA keeps "
        "its crossings, and at each of them shows neighbours that are none.",
        "Method: PCA beside t-SNE and UMAP, coloured by how well each point's neighbours are kept.",
        _trefoil,
    ),
    "mammoth": _Recipe(
        "An animal like a mammoth, in 3-D",
        tuple(name for name, _, _, _ in _ANIMAL),
        "A shape that everybody knows: legs, trunk and tusks can be told, but where they meet the body and how long "
        "they are comes out differently with each setting.",
        "Neighbours and minimum distance, or perplexity: the fewer neighbours, the more pieces.",
        _mammoth,
    ),
}
"""All made-up sets, by name."""
