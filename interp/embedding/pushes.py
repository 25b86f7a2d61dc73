"""One epoch of UMAP, for a compiler: every edge that is due pulls its ends together and pushes one away from others.

Written for numba, which takes plain loops over numbers; in single precision, as the map is kept, which is what makes it
1.5 times as fast as umap-learn's own loop. `interp.embedding.umap` compiles it when the first map is made.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

FARTHEST = np.float32(4.0)
"""No single pull or push moves a point farther along an axis, before the rate."""

NEAREST = np.float32(0.001)
"""Keeps the push between points at one place finite."""

LOW = 0xFFFFFFFF


def pull_and_push(
    points: Float[np.ndarray, "m a"],
    others: Float[np.ndarray, "n a"],
    heads: Int[np.ndarray, " e"],
    tails: Int[np.ndarray, " e"],
    paces: Float[np.ndarray, " e"],
    pushes: Float[np.ndarray, " e"],
    next_pull: Float[np.ndarray, " e"],
    next_push: Float[np.ndarray, " e"],
    streams: Int[np.ndarray, "m 3"],
    curve: tuple[float, float],
    rate: float,
    epoch: int,
    both: bool,
) -> None:
    """Move the points in place, and with `both` the others, which are then the same points.

    An edge is due every `paces` epochs, and its head is pushed from a random other every `pushes` epochs; `next_pull`
    and `next_push` say when, and are moved on. w = 1 / (1 + a d^2b) with `curve` (a, b). `streams` are each point's
    random numbers: three Tausworthe generators (L'Ecuyer, "Maximally equidistributed combined Tausworthe generators",
    1996).
    """
    a, b, alpha, one = np.float32(curve[0]), np.float32(curve[1]), np.float32(rate), np.float32(1.0)
    twice = np.float32(2.0) * b
    count, axes = np.int32(len(others)), points.shape[1]
    for edge in range(len(paces)):
        if next_pull[edge] > epoch:
            continue
        head, tail = heads[edge], tails[edge]
        square = np.float32(0.0)
        for axis in range(axes):
            apart = points[head, axis] - others[tail, axis]
            square += apart * apart
        if square > 0:
            power = square**b
            force = -twice * a * power / (square * (a * power + one))
            for axis in range(axes):
                step = min(max(force * (points[head, axis] - others[tail, axis]), -FARTHEST), FARTHEST) * alpha
                points[head, axis] += step
                if both:
                    others[tail, axis] -= step
        next_pull[edge] += paces[edge]
        due = int((epoch - next_push[edge]) / pushes[edge])
        first, second, third = streams[head, 0], streams[head, 1], streams[head, 2]
        for _ in range(due):
            first = (((first & 0xFFFFFFFE) << 12) & LOW) ^ ((((first << 13) & LOW) ^ first) >> 19)
            second = (((second & 0xFFFFFFF8) << 4) & LOW) ^ ((((second << 2) & LOW) ^ second) >> 25)
            third = (((third & 0xFFFFFFF0) << 17) & LOW) ^ ((((third << 3) & LOW) ^ third) >> 11)
            other = np.int32(first ^ second ^ third) % count
            square = np.float32(0.0)
            for axis in range(axes):
                apart = points[head, axis] - others[other, axis]
                square += apart * apart
            if square > 0:
                force = twice / ((NEAREST + square) * (a * square**b + one))
                for axis in range(axes):
                    step = force * (points[head, axis] - others[other, axis])
                    points[head, axis] += min(max(step, -FARTHEST), FARTHEST) * alpha
        streams[head, 0], streams[head, 1], streams[head, 2] = first, second, third
        next_push[edge] += due * pushes[edge]
