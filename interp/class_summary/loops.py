"""The inner loop of PageRank, as machine code that is kept on disk.

A module of its own, as its import loads Numba: only what runs the loop imports it.
"""

from __future__ import annotations

from typing import no_type_check

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
@no_type_check
def power_iteration(starts, ends, weights, inverse_strengths, restart, alpha, tolerance, iterations):
    """The ranks after so many iterations, or as soon as one changes them by no more than the tolerance; their number.

    Each edge stands once, by its first vertex, and passes rank both ways. Unsigned indices spare the test for negative
    ones, which takes half of the time.
    """
    count = len(restart)
    ranks = np.full(count, 1 / count)
    scaled, passed = np.empty(count), np.empty(count)
    for step in range(iterations):
        dangling = 0.0
        for vertex in range(count):
            scaled[vertex] = ranks[vertex] * inverse_strengths[vertex]
            passed[vertex] = 0
            if inverse_strengths[vertex] == 0:
                dangling += ranks[vertex]
        for vertex in range(count):
            own, gathered = scaled[vertex], 0.0
            for edge in range(starts[vertex], starts[vertex + 1]):
                other, weight = ends[edge], weights[edge]
                gathered += weight * scaled[other]
                passed[other] += weight * own
            passed[vertex] += gathered
        change = 0.0
        for vertex in range(count):
            rank = alpha * passed[vertex] + (alpha * dangling + 1 - alpha) * restart[vertex]
            change += abs(rank - ranks[vertex])
            ranks[vertex] = rank
        if change < tolerance:
            return ranks, step + 1
    return ranks, iterations
