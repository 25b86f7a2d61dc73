import numpy as np
import pytest
import scipy.sparse
import torch

from interp.embedding import forces
from interp.embedding.descent import Descent
from tests.embedding.clusters import squared


def exact(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Σ w and Σ w² (y − yⱼ) at each point, by the formula."""
    w = 1 / (1 + squared(points))
    return w.sum(axis=1), ((w**2)[..., None] * (points[:, None] - points[None])).sum(axis=1)


@pytest.mark.parametrize("spread", [1e-4, 1.0, 30.0])
def test_the_grid_comes_within_three_percent_of_the_sum_over_all_pairs(spread) -> None:
    points = spread * np.random.default_rng(0).normal(size=(800, 2))
    total, push = exact(points)
    given = forces.repulsion_by_grid(torch.from_numpy(points).float()).double().numpy()
    assert np.abs(given[0].sum() / total.sum() - 1) < 6e-3
    assert np.linalg.norm(given[1:].T - push) < 0.03 * np.linalg.norm(push)


def joint(count: int) -> scipy.sparse.csr_matrix:
    weights = np.random.default_rng(1).random((count, count)) * (np.random.default_rng(2).random((count, count)) < 0.1)
    np.fill_diagonal(weights, 0)
    weights = weights + weights.T
    return scipy.sparse.csr_matrix(weights / weights.sum())


@pytest.mark.parametrize(("dimensions", "grid_from"), [(2, 10_000), (3, 10_000), (2, 10)])
def test_gradient_and_divergence_are_those_of_the_formula(dimensions, grid_from, monkeypatch) -> None:
    monkeypatch.setattr(forces, "GRID_FROM", grid_from)
    points = 5 * np.random.default_rng(0).normal(size=(300, dimensions))
    p = joint(300)
    w = 1 / (1 + squared(points))
    np.fill_diagonal(w, 0)
    q, dense = w / w.sum(), p.toarray()
    apart = points[:, None] - points[None]
    for factor in (1.0, 12.0):
        expected = (((factor * dense - q) * w)[..., None] * apart).sum(axis=1)
        given, divergence = forces.gradient(points, p, factor, with_divergence=True)
        assert np.linalg.norm(given - expected) < 0.03 * np.linalg.norm(expected)
        there = dense > 0
        assert divergence == pytest.approx((dense[there] * np.log(dense[there] / q[there])).sum(), abs=0.01)


def test_the_descent_is_opentsnes() -> None:
    from openTSNE.tsne import gradient_descent, kl_divergence_bh

    start, p = np.random.default_rng(0).normal(size=(200, 2)), joint(200)
    _, expected = gradient_descent()(
        start.copy(), p.copy(), n_iter=40, objective_function=kl_divergence_bh, learning_rate=200, momentum=0.8,
        exaggeration=4, max_step_norm=5, theta=forces.ANGLE,
    )  # fmt: skip
    points = start.copy()
    descent = Descent(points, 5.0)
    for _ in range(40):
        descent.move(points, forces.gradient(points, p, 4.0, with_divergence=False)[0], 200.0)
        points -= points.mean(axis=0)
    assert np.allclose(points, expected, atol=1e-6)
