"""From one image to those most like it: an image of the set, or a photograph from outside and its place on maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from interp.embedding.method import Projection
from interp.embedding.neighbours import Metric, Neighbours, nearest, nearest_to
from interp.embedding.placing import place
from interp.embedding.representations import Features


@dataclass(frozen=True, eq=False)
class Lookup:
    """The nearest images of a photograph, how near the set's own usually are, and its place on each map, if any."""

    neighbours: Neighbours
    typical: float
    places: tuple[Float[np.ndarray, "1 m"], ...]


def nearest_images(features: Features, row: int, most: int, metric: Metric) -> Neighbours | None:
    """The rows of other images that are nearest to one row, at most so many; None where there are no others."""
    own = features.indices == features.indices[row]
    count = min(most, int((~own).sum()))
    if count < 1:
        return None
    found = nearest_to(features.values[row : row + 1], features.values, count + int(own.sum()), metric=metric)
    # The image itself is among them, unless more than `count` others are equal to it.
    others = np.flatnonzero(~own[found.indices[0]])[:count]
    return Neighbours(found.indices[:, others], found.distances[:, others], found.metric)


def look_up(
    new: Float[np.ndarray, "1 d"], features: Features, projections: Sequence[Projection], most: int, metric: Metric
) -> Lookup:
    """The nearest images of one new row of features, at most so many, and its place on each map.

    `typical` is the median distance of the set's own images to their nearest. Raises `ValueError` as `place` does.
    """
    near = nearest_to(new, features.values, min(most, len(features)), metric=metric)
    own = nearest(features.values, 1, metric=metric).distances if len(features) > 1 else np.full(1, np.nan)
    places = tuple(place(new, features.values, one) for one in projections)
    return Lookup(near, float(np.median(own)), places)


def ranks(
    points: Float[np.ndarray, "n m"], row: int, others: Sequence[int], positions: Integer[np.ndarray, " n"]
) -> list[int]:
    """Which nearest point of another image on a map each of some rows is, 1 for the nearest.

    `positions` says which image each point is of.
    """
    distances = np.linalg.norm(points - points[row], axis=1)
    distances[positions == positions[row]] = np.inf
    return [int((distances < distances[one]).sum()) + 1 for one in others]
