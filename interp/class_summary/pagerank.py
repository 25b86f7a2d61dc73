"""Personalized PageRank: how often a walk along the edges of a graph is at each vertex, if it restarts now and then."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, Num

ALPHA = 0.85
ITERATIONS = 100
TOLERANCE = 1e-9


def pagerank(
    first: Integer[np.ndarray, " e"],
    second: Integer[np.ndarray, " e"],
    weights: Num[np.ndarray, " e"],
    personalization: Num[np.ndarray, " v"],
    *,
    alpha: float | int = ALPHA,
    iterations: int = ITERATIONS,
    tolerance: float | int = TOLERANCE,
) -> Float[np.ndarray, " v"]:
    """The rank of each vertex of an undirected graph, 0 to 1, which sum to 1.

    x = α A D⁻¹ x + (α d + 1 − α) p (Brin and Page 1998; personalized: Jeh and Widom 2003), where A holds the weights
    of the edges, D their sum at each vertex, d the rank of all vertices without an edge, and p the personalization,
    divided by its sum. Edge e joins the vertices first[e] and second[e]; of parallel edges the weights add up, and a
    weight of 0 is no edge. Power iteration begins with equal ranks and ends when one step changes the ranks by less
    than v times `tolerance` in all, as networkx has it, or after so many iterations: unlike networkx, which raises
    then, we take what there is, off by at most 2 α^iterations in all.

    Raises `ValueError` for a personalization or weights that are negative, not finite, or for a personalization
    that is 0 everywhere.
    """
    from interp.class_summary.loops import power_iteration

    count = len(personalization)
    _check(first, second, weights, personalization)
    if not 0 <= alpha < 1:
        raise ValueError(f"An alpha of {alpha} is not possible: take 0 to below 1; 0.85 is usual.")
    if iterations < 1:
        raise ValueError(f"{iterations} iterations rank nothing: take at least 1; 100 is usual.")
    given = weights.astype(np.float64)
    strengths = np.bincount(first, given, count) + np.bincount(second, np.where(first == second, 0, given), count)
    # An edge passes its weight both ways, which an edge from a vertex to itself must do only once.
    given = np.where(first == second, given / 2, given)
    if np.any(np.diff(first) < 0):
        order = np.argsort(first, kind="stable")
        first, second, given = first[order], second[order], given[order]
    ranks, _ = power_iteration(
        np.searchsorted(first, np.arange(count + 1)).astype(np.uint64),
        second.astype(np.uint32),
        given,
        np.divide(1.0, strengths, out=np.zeros(count), where=strengths > 0),
        personalization / personalization.sum(dtype=np.float64),
        float(alpha),
        float(tolerance * count),
        iterations,
    )
    return ranks


def _check(
    first: Integer[np.ndarray, " e"],
    second: Integer[np.ndarray, " e"],
    weights: Num[np.ndarray, " e"],
    personalization: Num[np.ndarray, " v"],
) -> None:
    count = len(personalization)
    for name, values in (("weights of edges", weights), ("personalization", personalization)):
        if not np.isfinite(values).all() or (values < 0).any():
            raise ValueError(f"PageRank needs {name} of 0 and more, and some are negative or not finite.")
    if not (personalization > 0).any():
        raise ValueError("PageRank needs a vertex to restart at, and the personalization is 0 everywhere.")
    ends = np.concatenate([first, second])
    if len(ends) and not 0 <= ends.min() <= ends.max() < count:
        raise ValueError(f"An edge ends at a vertex that is not among the {count}: they are numbered from 0.")
