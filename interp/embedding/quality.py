"""How far a map can be trusted: whether its neighbours are neighbours in the features, and the other way round.

Venna and Kaski, "Neighborhood preservation in nonlinear projection methods" (2001). For each point asked about it is
exact, computed from blocks of distances so that memory grows with the number of points and not with its square. Up to
10,000 points all are asked about; of more, fewer, so that the time stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.embedding.checks import usable
from interp.embedding.neighbours import Metric, Space

K = 10
"""How many neighbours count."""

PAIRS = 10**8
"""So many distances are looked at, a few seconds' work: all of them up to 10,000 points."""

FEWEST = 1000
"""So many points are asked about however many there are: enough to know a mean to a few thousandths."""


@dataclass(frozen=True, eq=False)
class Quality:
    """How well a map keeps the neighbours of the features, whole (the mean) and for each point; 1 is perfect.

    `trustworthiness` falls where the map shows neighbours that the features do not have, the more the further apart
    they are there; `continuity` where it tears true neighbours apart; `preservation` is the share of the map's k
    neighbours that are among the k in the features. They compare with maps of the same features, `k` and `metric`.
    With `k` 0 there were too few points to ask, and the three are 1. Above 10,000 points the means are those of `asked`
    points, spread evenly over the rows, each compared with all; by point the others are nan. `explained` is, for PCA,
    the share of the variance that each axis carries, of the axes drawn and those after them; `divergence` is t-SNE's
    KL(P‖Q) in nats.
    """

    k: int
    metric: Metric
    trustworthiness_by_point: Float[np.ndarray, " n"]
    continuity_by_point: Float[np.ndarray, " n"]
    preservation_by_point: Float[np.ndarray, " n"]
    explained: Float[np.ndarray, " a"] | None = None
    divergence: float | None = None

    @property
    def asked(self) -> int:
        """How many points the means are taken over: all of up to 10,000."""
        return int(np.isfinite(self.trustworthiness_by_point).sum())

    @property
    def trustworthiness(self) -> float:
        """1 − 2 / (n k (2n − 3k − 1)) Σᵢ Σ_j max(0, r(i, j) − k), over the map's k neighbours j of i.

        r(i, j) is j's rank among the neighbours of i in the features.
        """
        return float(np.nanmean(self.trustworthiness_by_point))

    @property
    def continuity(self) -> float:
        """The same with map and features exchanged."""
        return float(np.nanmean(self.continuity_by_point))

    @property
    def preservation(self) -> float:
        """The mean share of k neighbours that map and features have in common, 0 to 1."""
        return float(np.nanmean(self.preservation_by_point))


def quality(
    features: Float[np.ndarray, "n d"],
    points: Float[np.ndarray, "p m"],
    *,
    k: int = K,
    metric: Metric = "euclidean",
    explained: Float[np.ndarray, " a"] | None = None,
    divergence: float | None = None,
    device: torch.device | str = "cpu",
) -> Quality:
    """How well the map keeps the k nearest neighbours of the features (by `metric`; in the map always Euclidean).

    k is lowered where there are fewer than 2k + 1 points, since the measures are defined below n / 2 only. Equal
    distances share the best of their ranks, so identical images count as each other's first neighbours. Raises
    `ValueError` for values that are not finite, or a map of another number of points. Above 10,000 points a part of
    them is asked about (`Quality.asked`), the same each time.
    """
    given, drawn = usable(features), usable(points)
    count = len(given)
    if len(drawn) != count:
        raise ValueError(f"The map has {len(drawn)} points for {count} images: give one point for each image.")
    if k < 1:
        raise ValueError(f"Quality at {k} neighbours is not defined: take at least 1.")
    k = min(k, (count - 1) // 2)
    if k == 0:
        ones = np.ones(count, dtype=np.float32)
        return Quality(0, metric, ones, ones, ones, explained, divergence)
    high = Space.of(given, metric, device)
    # Differences are taken directly, as the map has few dimensions: single precision loses nothing then.
    middle = drawn - drawn.mean(axis=0, dtype=np.float64)
    low = torch.from_numpy(middle / (np.abs(middle).max() or 1.0)).float().to(device)
    trust, continuity, kept = (torch.full((count,), torch.nan, dtype=torch.float64) for _ in range(3))
    for rows, far in high.own_blocks("quality of the map", _asked(count).to(device)):
        near = sum((low[rows, axis, None] - low[:, axis]).square_() for axis in range(low.shape[1]))
        assert isinstance(near, Tensor)
        near[torch.arange(len(rows), device=near.device), rows] = torch.inf
        ranks = _ranks(far, near.topk(k, dim=1, largest=False).indices)
        trust[rows.cpu()] = (ranks - k).clamp(min=0).sum(dim=1).double().cpu()
        kept[rows.cpu()] = (ranks <= k).double().mean(dim=1).cpu()
        ranks = _ranks(near, far.topk(k, dim=1, largest=False).indices)
        continuity[rows.cpu()] = (ranks - k).clamp(min=0).sum(dim=1).double().cpu()
    worst = k * (2 * count - 3 * k - 1) / 2
    by_point = ((1 - trust / worst).numpy(), (1 - continuity / worst).numpy(), kept.numpy())
    return Quality(k, metric, by_point[0], by_point[1], by_point[2], explained, divergence)


def _asked(count: int) -> Int[Tensor, " m"]:
    rows = min(count, max(FEWEST, PAIRS // count))
    return torch.linspace(0, count - 1, rows, dtype=torch.float64).round().long()


def _ranks(distances: Float[Tensor, "m n"], chosen: Int[Tensor, "m k"]) -> Int[Tensor, "m k"]:
    """The rank of the chosen ones in each row: 1 for the nearest. A comparison for each costs less than sorting."""
    thresholds = distances.gather(1, chosen)
    smaller, ones = torch.empty_like(distances), torch.ones_like(distances[0])
    # Written as numbers and summed by a product, which is ten times faster than counting truth values.
    columns = [torch.lt(distances, column[:, None], out=smaller).mv(ones) for column in thresholds.T]
    return torch.stack(columns, dim=1).round().long() + 1
