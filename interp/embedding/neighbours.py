"""Exact nearest neighbours: all distances, a block of rows at a time, as matrix products.

20,000 images of 512 features take some seconds here; for many more see `interp.embedding.approximate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp import progress
from interp.embedding.checks import usable
from interp.types import Fingerprinted

Metric = Literal["euclidean", "cosine"]

BLOCK = 2**22
"""How many distances are held at once: small enough to stay near the processor."""

NEAR = 1e-4
"""Squared distances below this share of the squared lengths lose their digits in the product, and are taken anew."""


@dataclass(frozen=True, eq=False)
class Neighbours(Fingerprinted):
    """The nearest others of each image, nearest first, without the image itself."""

    indices: Int[np.ndarray, "n k"]
    distances: Float[np.ndarray, "n k"]
    metric: Metric

    @property
    def count(self) -> int:
        """How many neighbours each image has here."""
        return self.indices.shape[1]

    def first(self, count: int) -> Neighbours:
        """The nearest `count` of them. Raises `ValueError` where there are fewer."""
        if count > self.count:
            raise ValueError(f"{count} neighbours were asked for, and {self.count} were searched.")
        return Neighbours(self.indices[:, :count], self.distances[:, :count], self.metric)


@dataclass(frozen=True, eq=False)
class Space:
    """Points prepared so that a block of distances is one matrix product.

    `points` are centred and divided by `scale` (euclidean), or of length 1 (cosine; zero vectors stay zero).
    Blocks hold what orders like the distance: its square in units of `scale`, or 1 − cos.
    """

    points: Float[Tensor, "n d"]
    squares: Float[Tensor, " n"]
    centre: Float[Tensor, " d"]
    scale: float
    metric: Metric

    @classmethod
    def of(cls, points: Float[np.ndarray, "n d"], metric: Metric, device: torch.device | str = "cpu") -> Space:
        """The points of a map, or images by their features."""
        given = torch.from_numpy(np.ascontiguousarray(points)).to(device)
        if metric == "cosine":
            empty = Space(given, given[:, 0], torch.zeros_like(given[0]), 1.0, metric)
            ready = empty.prepare(given)
            return Space(ready, (ready * ready).sum(dim=1), empty.centre, 1.0, metric)
        # A sum of large numbers leaves single precision, and not every device has double.
        centre = torch.from_numpy(points.mean(axis=0, dtype=np.float64)).to(given)
        scale = float((given - centre).abs().max()) or 1.0
        ready = (given - centre) / scale
        return Space(ready, (ready * ready).sum(dim=1), centre, scale, metric)

    def prepare(self, points: Float[Tensor, "m d"]) -> Float[Tensor, "m d"]:
        """Other points, as this space's own are."""
        if self.metric == "euclidean":
            return (points - self.centre) / self.scale
        # Divided by the largest value first, since squares of small numbers vanish.
        largest = points.abs().amax(dim=1, keepdim=True)
        scaled = points / torch.where(largest > 0, largest, 1.0)
        return scaled / scaled.norm(dim=1, keepdim=True).clamp(min=1e-12)

    def block(self, points: Float[Tensor, "m d"]) -> Float[Tensor, "m n"]:
        """What orders like the distance, from each of some prepared points to each point of the space."""
        if self.metric == "cosine":
            return 1 - points @ self.points.T
        block = torch.addmm(self.squares, points, self.points.T, alpha=-2)
        return block.add_((points * points).sum(dim=1, keepdim=True))

    def own_blocks(
        self, what: str, asked: Int[Tensor, " r"] | None = None
    ) -> Iterator[tuple[Int[Tensor, " m"], Float[Tensor, "m n"]]]:
        """All rows of the space's own distances, or some, block by block, a point infinitely far from itself."""
        rows = torch.arange(len(self.points), device=self.points.device) if asked is None else asked
        for part in progress.steps(rows.split(max(1, BLOCK // len(self.points))), what):
            block = self.block(self.points[part])
            block[torch.arange(len(part), device=part.device), part] = torch.inf
            yield part, block

    def nearest(
        self, points: Float[Tensor, "m d"], block: Float[Tensor, "m n"], count: int
    ) -> tuple[Int[Tensor, "m k"], Float[Tensor, "m k"]]:
        """Indices and distances of each row's nearest, nearest first; equally near ones in their own order."""
        return self.ordered(points, *block.topk(count, dim=1, largest=False))

    def ordered(
        self, points: Float[Tensor, "m d"], values: Float[Tensor, "m k"], indices: Int[Tensor, "m k"]
    ) -> tuple[Int[Tensor, "m k"], Float[Tensor, "m k"]]:
        """Indices and distances of some of each row's values, sorted as `nearest` does."""
        lengths = (points * points).sum(dim=1, keepdim=True) + self.squares[indices]
        rows, columns = torch.nonzero(values < NEAR * lengths, as_tuple=True)
        if len(rows):
            apart = (points[rows] - self.points[indices[rows, columns]]).square().sum(dim=1)
            values[rows, columns] = apart if self.metric == "euclidean" else apart / 2
        indices, order = indices.sort(dim=1)
        values, order = values.gather(1, order).sort(dim=1, stable=True)
        return indices.gather(1, order), self.distances(values)

    def distances(self, values: Tensor) -> Tensor:
        """Values of a block as distances."""
        return values.clamp(min=0).sqrt() * self.scale if self.metric == "euclidean" else values.clamp(min=0)


def nearest(
    features: Float[np.ndarray, "n d"],
    count: int,
    *,
    metric: Metric = "euclidean",
    device: torch.device | str = "cpu",
) -> Neighbours:
    """The `count` nearest others of each image, exactly.

    Euclidean distance, or cosine distance 1 − cos, at which a zero vector is 1 from everything. Raises `ValueError`
    where there are not so many others, and for features that are not finite.
    """
    given = usable(features)
    _check_count(count, len(given) - 1, "other images")
    space = Space.of(given, metric, device)
    blocks = space.own_blocks("nearest neighbours")
    found = [space.nearest(space.points[rows], block, count) for rows, block in blocks]
    return _joined(found, metric)


def nearest_to(
    queries: Float[np.ndarray, "q e"],
    features: Float[np.ndarray, "n d"],
    count: int,
    *,
    metric: Metric = "euclidean",
    device: torch.device | str = "cpu",
) -> Neighbours:
    """For each of some new images, its `count` nearest among those with `features`; an equal image comes at 0.

    Raises `ValueError` as `nearest` does, and for new images with another number of features.
    """
    new, known = usable(queries), usable(features)
    if new.shape[1] != known.shape[1]:
        raise ValueError(
            f"The new images have {new.shape[1]} features and the others {known.shape[1]}: take both from one layer."
        )
    _check_count(count, len(known), "images")
    space = Space.of(known, metric, device)
    asked = space.prepare(torch.from_numpy(new.astype(known.dtype)).to(device))
    parts = asked.split(max(1, BLOCK // len(known)))
    return _joined([space.nearest(part, space.block(part), count) for part in parts], metric)


def _check_count(count: int, largest: int, what: str) -> None:
    if not 1 <= count <= largest:
        raise ValueError(f"{count} nearest neighbours cannot be found among {largest} {what}: take 1 to {largest}.")


def _joined(found: list[tuple[Tensor, Tensor]], metric: Metric) -> Neighbours:
    indices = torch.cat([indices for indices, _ in found]).cpu().numpy().astype(np.int32)
    return Neighbours(indices, torch.cat([distances for _, distances in found]).cpu().numpy(), metric)
