"""Made-up counts: of a network whose graph is known, and drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interp.class_summary import ClassCounts

LAYERS = ("low", "middle", "high")


def counted(images: int, counts: Sequence[Sequence[int]], influences: Sequence[Sequence[Sequence[int]]]) -> ClassCounts:
    """Counts of layers named after their place, as plain lists say them."""
    layers = LAYERS[: len(counts)]
    return ClassCounts(
        images,
        layers,
        {layer: np.array(own) for layer, own in zip(layers, counts, strict=True)},
        {pair: np.array(own) for pair, own in zip(zip(layers, layers[1:], strict=False), influences, strict=True)},
    )


def planted() -> ClassCounts:
    """A class that low 1 and low 2, by way of middle 0, bring to high 2; everything else is the odd image."""
    return counted(
        100,
        [[5, 90, 80, 3], [95, 4, 6], [2, 3, 97, 1]],
        [
            [[2, 40, 3], [95, 3, 2], [90, 2, 0], [1, 50, 4]],
            [[0, 2, 99, 3], [60, 1, 2, 0], [0, 55, 1, 40]],
        ],
    )


def drawn(seed: int, sizes: Sequence[int] = (12, 20, 9), images: int = 60, rare: float = 0.6) -> ClassCounts:
    """Random counts, of which this share of influences is 0."""
    random = np.random.default_rng(seed)
    counts = [np.minimum(random.geometric(0.1, size) - 1, images).tolist() for size in sizes]
    pairs = zip(sizes, sizes[1:], strict=False)
    influences = [(random.integers(0, images + 1, pair) * (random.random(pair) > rare)).tolist() for pair in pairs]
    return counted(images, counts, influences)
