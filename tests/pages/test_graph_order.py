"""Vertices in the order in which edges cross little: held against counting by hand, and against all orders."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from pages.parts.class_summary.graph_order import crossings, ordered


def test_crossings_are_counted_with_their_weights() -> None:
    rows = ((0, 1), (2, 3))
    assert crossings(rows, [(2, 1, 0.5), (3, 0, 0.4)]) == pytest.approx(0.2)
    assert crossings(rows, [(2, 0, 0.5), (3, 1, 0.4)]) == 0
    # Edges that meet in a vertex do not cross.
    assert crossings(rows, [(2, 0, 1.0), (2, 1, 1.0), (3, 1, 1.0)]) == 0
    assert crossings(rows, [(2, 0, 1.0), (2, 1, 1.0), (3, 0, 1.0), (3, 1, 1.0)]) == 1


def test_a_tangled_ladder_is_untangled() -> None:
    rng = np.random.default_rng(0)
    width, depth = 9, 5
    rows = tuple(tuple(rng.permutation(width) + width * i) for i in range(depth))
    links = tuple((width * (i + 1) + j, width * i + j, 1.0) for i in range(depth - 1) for j in range(width))
    assert crossings(rows, links) > 0
    found = ordered(rows, links)
    assert crossings(found, links) == 0
    assert [sorted(row) for row in found] == [sorted(row) for row in rows]


@pytest.mark.parametrize("seed", range(8))
def test_little_more_crosses_than_in_the_best_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = ((0, 1, 2), (3, 4, 5, 6), (7, 8, 9))
    pairs = [*product(rows[1], rows[0]), *product(rows[2], rows[1])]
    links = tuple((*pair, float(rng.uniform(0.1, 1))) for pair in pairs if rng.random() < 0.5)
    best = min(crossings(order, links) for order in product(*(permutations(row) for row in rows)))
    found = crossings(ordered(rows, links), links)
    assert best <= found <= crossings(rows, links)
    assert found <= 1.25 * best + 0.3


def test_edges_that_skip_a_row_and_vertices_without_any_are_ordered_too() -> None:
    rows = ((0, 1), (2,), (3, 4, 5))
    found = ordered(rows, ((3, 1, 1.0), (4, 0, 1.0)))
    assert crossings(found, ((3, 1, 1.0), (4, 0, 1.0))) == 0 and sorted(found[2]) == [3, 4, 5]
    assert ordered(((), (1, 0)), ()) == ((), (1, 0))
