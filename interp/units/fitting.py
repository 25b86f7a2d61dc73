"""Learning combinations of units at a layer's positions: a convex loss for each concept, all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch.nn.functional import softplus

from interp.units.gathered import GatheredPositions
from interp.units.truth import Names

UnitFeatures = Literal["thresholded", "raw"]
"""What is combined: 1 where a unit is over its threshold and else 0, as in Net2Vec, or the activations themselves."""

FEWEST = 3
"""A concept that is in fewer images of the first half is not learned."""
PENALTY = 1e-4
"""Of the sum of squared weights, beside the mean loss: small, so that what separates perfectly has one solution."""
STEPS = 40
MOST_PAIRS = 2**21
"""So many pairs of a position and a concept are learned from; of more, fewer positions of each image are taken."""
SHARES, CANDIDATES = (0.02, 0.1), 4


@dataclass(frozen=True, eq=False)
class FittedUnits:
    """Combinations as they were learned: weights, biases, and the levels that are best on the first half."""

    weights: Float[np.ndarray, "c k"]
    biases: Float[np.ndarray, " c"]
    levels: Float[np.ndarray, " c"]


@dataclass(frozen=True, eq=False)
class Learned:
    """What the first half of the images gives."""

    layer: str
    concepts: Names
    combination: FittedUnits
    exchanged: FittedUnits
    balance: Float[np.ndarray, " c"]
    units: Int[np.ndarray, " c"]
    fitted_units: Int[np.ndarray, " c"]
    fitted_levels: Float[np.ndarray, " c"]
    learned_from: Int[np.ndarray, " c"]


def learn(
    gathered: GatheredPositions,
    thresholds: Float[np.ndarray, " k"],
    features: UnitFeatures,
    *,
    complete: bool,
    seed: int = 0,
) -> Learned:
    """The combinations that fit concepts at gathered positions, true and with masks exchanged, and the best units."""
    there = (gathered.shares > 0).any(axis=1).sum(axis=0)
    some = np.flatnonzero(there >= FEWEST)
    if not len(some):
        raise ValueError(
            f"No concept is in {FEWEST} images of the first half, so no combination can be learned. Give more images, "
            "or concepts that are in more of them."
        )
    most = max(1, MOST_PAIRS // (len(some) * len(gathered.images)))
    taken = np.sort(np.random.default_rng(seed).permutation(len(gathered.places))[:most])
    flat = gathered.activations[:, taken].reshape(-1, len(thresholds)).astype(np.float32)
    known = gathered.known(complete=complete)[:, some]
    shares = gathered.shares[:, taken][:, :, some].astype(np.float32) * known[:, None]
    target, counts = shares.reshape(-1, len(some)), known.repeat(len(taken), axis=0)
    active = (flat > thresholds.astype(np.float16).astype(np.float32)).astype(np.float32)
    scales = np.ones(len(thresholds), np.float32)
    if features == "raw":
        scales = (1 / np.maximum(flat.std(axis=0), 1e-6)).astype(np.float32)
    rows = active if features == "thresholded" else flat * scales
    order = exchange(len(shares), seed)
    strangers = shares[order].reshape(-1, len(some)), known[order].repeat(len(taken), axis=0)
    fits = [_fitted(rows, scales, *one) for one in ((target, counts), strangers)]
    units = overlap(active, target, counts).argmax(axis=0)
    fitted = _fitted_units(flat, target, counts, units)
    balance = 1 - target.sum(axis=0) / np.maximum(1, counts.sum(axis=0))
    concepts = tuple(gathered.concepts[one] for one in some)
    learned_from = there[some].astype(np.int64)
    return Learned(gathered.layer, concepts, fits[0], fits[1], balance, units, *fitted, learned_from)


def _fitted(
    rows: Float[np.ndarray, "m k"],
    scales: Float[np.ndarray, " k"],
    target: Float[np.ndarray, "m c"],
    counts: Float[np.ndarray, "m c"],
) -> FittedUnits:
    weights, biases = fit(rows, target, counts)
    values = rows @ weights.T + biases
    levels = [best_level(values[:, one], target[:, one], counts[:, one])[0] for one in range(target.shape[1])]
    return FittedUnits(weights * scales, biases, np.array(levels, np.float32))


def fit(
    rows: Float[np.ndarray, "m k"],
    target: Float[np.ndarray, "m c"],
    counts: Float[np.ndarray, "m c"],
    *,
    penalty: float = PENALTY,
    steps: int = STEPS,
) -> tuple[Float[np.ndarray, "c k"], Float[np.ndarray, " c"]]:
    """Weights w and biases b for each concept that make the balanced cross-entropy smallest, by L-BFGS.

    Σ_p α y log σ(z) + (1 − α)(1 − y) log(1 − σ(z)) over the rows that count, negative, divided by the sum of its
    weights, + penalty · |w|² / 2, with z = w · row + b, α = 1 − the mean of y. Convex: there is one solution.
    """
    x, y, seen = (torch.from_numpy(np.ascontiguousarray(one)) for one in (rows, target, counts))
    mean = y.sum(dim=0) / seen.sum(dim=0).clamp(min=1)
    positive, negative = (1 - mean) * y, mean * (seen - y)
    whole = (positive.sum(dim=0) + negative.sum(dim=0)).clamp(min=1e-12)
    positive, both = positive / whole, (positive + negative) / whole
    weights = torch.zeros(y.shape[1], x.shape[1], requires_grad=True)
    biases = torch.zeros(y.shape[1], requires_grad=True)
    search = torch.optim.LBFGS(
        [weights, biases], max_iter=steps, history_size=20, tolerance_grad=1e-6, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        # By hand: a graph of tensors as large as these would double the time.
        z = x @ weights.T + biases
        pull = both * torch.sigmoid(z) - positive
        weights.grad, biases.grad = pull.T @ x + penalty * weights, pull.sum(dim=0)
        return (both * softplus(z)).sum() - (positive * z).sum() + penalty / 2 * weights.square().sum()

    with torch.no_grad():
        search.step(loss)
    return weights.detach().numpy(), biases.detach().numpy()


def best_level(
    values: Float[np.ndarray, " m"], target: Float[np.ndarray, " m"], counts: Float[np.ndarray, " m"]
) -> tuple[float, float]:
    """The level over which values overlap best with what they are to find, and the IoU there, positions as pixels."""
    order = np.argsort(-values, kind="stable")
    both, above = target[order].cumsum(dtype=np.float64), counts[order].cumsum(dtype=np.float64)
    iou = both / np.maximum(1e-12, above + both[-1] - both)
    descending = values[order]
    # Equal values are over a level together or not at all.
    iou[:-1][descending[:-1] == descending[1:]] = -1
    best = int(iou.argmax())
    after = descending[best + 1] if best + 1 < len(descending) else descending[best] - 2
    return float((descending[best] + after) / 2), float(iou[best])


def overlap(
    active: Float[np.ndarray, "m k"], target: Float[np.ndarray, "m c"], counts: Float[np.ndarray, "m c"]
) -> Float[np.ndarray, "k c"]:
    """IoU of units' masks with concepts, positions as pixels."""
    both = active.T @ target
    union = active.T @ counts + target.sum(axis=0) - both
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


def _fitted_units(
    flat: Float[np.ndarray, "m k"],
    target: Float[np.ndarray, "m c"],
    counts: Float[np.ndarray, "m c"],
    first: Int[np.ndarray, " c"],
) -> tuple[Int[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """For each concept the unit, and the level, that overlap best with it: of those best at some levels."""
    candidates = [first[None]]
    for share in SHARES:
        active = (flat > np.quantile(flat, 1 - share, axis=0).astype(np.float32)).astype(np.float32)
        candidates.append(np.argsort(-overlap(active, target, counts), axis=0, kind="stable")[:CANDIDATES])
    units, levels = [], []
    for concept, some in enumerate(np.concatenate(candidates).T):
        found = {int(one): best_level(flat[:, one], target[:, concept], counts[:, concept]) for one in some}
        best = max(found, key=lambda one: found[one][1])
        units.append(best)
        levels.append(found[best][0])
    return np.array(units, np.int64), np.array(levels, np.float32)


def exchange(images: int, seed: int) -> Int[np.ndarray, " n"]:
    """For each image another one, whose masks it gets: all in one seeded round, so that none keeps its own."""
    order = np.random.default_rng(seed).permutation(images)
    found = np.empty(images, np.int64)
    found[order] = np.roll(order, 1)
    return found
