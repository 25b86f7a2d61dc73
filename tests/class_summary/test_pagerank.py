"""PageRank is networkx's, is exact where that can be worked out by hand, and refuses what has no answer."""

import networkx
import numpy as np
import pytest

from interp.class_summary.pagerank import pagerank

EXACT = {"iterations": 500, "tolerance": 1e-12}


def drawn(seed: int, vertices: int = 40, edges: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A graph with parallel edges and loops, vertices without an edge, edges of weight 0, and zeros to restart at."""
    random = np.random.default_rng(seed)
    first, second = random.integers(0, vertices - 5, (2, edges))
    first[0], first[1], second[1] = second[0], first[2], second[2]
    weights = random.integers(0, 9, edges)
    personalization = random.random(vertices) * (random.random(vertices) < 0.6)
    personalization[-1] = 0.5
    return first, second, weights, personalization


@pytest.mark.parametrize("seed", range(12))
def test_it_is_networkxs(seed) -> None:
    first, second, weights, personalization = drawn(seed)
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(personalization)))
    for one, other, weight in zip(first, second, weights, strict=True):
        before = graph.get_edge_data(one, other, {"weight": 0})["weight"]
        graph.add_edge(one, other, weight=before + weight)
    alpha = (0.85, 0.5)[seed % 2]
    expected = networkx.pagerank(
        graph, alpha, dict(enumerate(personalization)), max_iter=EXACT["iterations"], tol=EXACT["tolerance"]
    )
    found = pagerank(first, second, weights, personalization, alpha=alpha, **EXACT)
    assert np.allclose(found, [expected[vertex] for vertex in range(len(found))], rtol=0, atol=1e-10)
    assert found.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_it_solves_its_equation(seed) -> None:
    first, second, weights, personalization = drawn(seed)
    count = len(personalization)
    adjacency = np.zeros((count, count))
    for one, other, weight in zip(first, second, weights, strict=True):
        adjacency[one, other] += weight
        adjacency[other, one] += weight * (one != other)
    strengths = adjacency.sum(axis=0)
    restart = personalization / personalization.sum()
    moves = np.where(strengths > 0, adjacency / np.where(strengths > 0, strengths, 1), restart[:, None])
    exact = np.linalg.solve(np.eye(count) - 0.85 * moves, 0.15 * restart)
    assert np.allclose(pagerank(first, second, weights, personalization, **EXACT), exact, atol=1e-10)


def test_two_vertices_by_hand() -> None:
    # x = 0.15 + 0.85 y, y = 0.85 x.
    x = 0.15 / (1 - 0.85**2)
    found = pagerank(np.array([0]), np.array([1]), np.array([7]), np.array([3, 0]), **EXACT)
    assert np.allclose(found, [x, 0.85 * x], atol=1e-12)


def test_without_edges_ranks_are_the_personalization() -> None:
    nothing = np.zeros(0, int)
    assert np.allclose(pagerank(nothing, nothing, nothing, np.array([1, 0, 3])), [0.25, 0, 0.75])


def test_the_unit_of_weights_and_the_order_of_edges_do_not_matter() -> None:
    first, second, weights, personalization = drawn(3)
    order = np.random.default_rng(0).permutation(len(first))
    found = pagerank(first, second, weights, personalization)
    other = pagerank(second[order], first[order], weights[order] * 8, personalization * 5)
    assert np.allclose(found, other, rtol=1e-12, atol=0)


def test_it_ends_with_the_iterations() -> None:
    graph = np.array([0]), np.array([1]), np.array([1]), np.array([1, 0])
    assert pagerank(*graph, iterations=1) == pytest.approx([0.575, 0.425])
    off = np.abs(pagerank(*graph, iterations=20, tolerance=0) - pagerank(*graph, **EXACT)).sum()
    assert 0 < off <= 2 * 0.85**20


@pytest.mark.parametrize(
    ("weights", "personalization", "settings", "said"),
    [
        ([-1], [1, 1], {}, "weights of edges of 0 and more"),
        ([np.nan], [1, 1], {}, "weights of edges of 0 and more"),
        ([1], [1, -1], {}, "personalization of 0 and more"),
        ([1], [0, 0], {}, "0 everywhere"),
        ([1], [1], {}, "not among the 1"),
        ([1], [1, 1], {"alpha": 1}, "alpha of 1 is not possible"),
        ([1], [1, 1], {"iterations": 0}, "0 iterations rank nothing"),
    ],
)
def test_what_has_no_answer_is_refused(weights, personalization, settings, said) -> None:
    with pytest.raises(ValueError, match=said):
        pagerank(np.array([0]), np.array([1]), np.array(weights), np.array(personalization), **settings)
