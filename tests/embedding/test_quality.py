import sys

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from interp.embedding import neighbours as searching
from interp.embedding.quality import quality
from tests.embedding.clusters import clusters, squared

# The package has a function of this name, too.
module = sys.modules["interp.embedding.quality"]


def slow_ranks(points: np.ndarray) -> np.ndarray:
    distances = squared(points)
    np.fill_diagonal(distances, -1)
    return distances.argsort(axis=1).argsort(axis=1)


def slow(features: np.ndarray, points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    high, low = slow_ranks(features), slow_ranks(points)
    n = len(points)
    norm = 2 / (k * (2 * n - 3 * k - 1))
    trust, continuity, kept = np.ones(n), np.ones(n), np.zeros(n)
    for i in range(n):
        for j in range(n):
            near_high, near_low = 1 <= high[i, j] <= k, 1 <= low[i, j] <= k
            trust[i] -= norm * (high[i, j] - k) * (near_low and not near_high)
            continuity[i] -= norm * (low[i, j] - k) * (near_high and not near_low)
            kept[i] += (near_low and near_high) / k
    return trust, continuity, kept


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_point_gets_what_its_definition_says(dimensions, monkeypatch) -> None:
    monkeypatch.setattr(searching, "BLOCK", 500)
    features, _ = clusters(70)
    points = features[:, :dimensions].copy()
    found = quality(features, points, k=6)
    for given, expected in zip(
        (found.trustworthiness_by_point, found.continuity_by_point, found.preservation_by_point),
        slow(features, points, 6),
        strict=True,
    ):
        assert np.allclose(given, expected, atol=1e-12)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_whole_is_what_scikit_learn_gives(metric) -> None:
    features, _ = clusters(300)
    points = features[:, :2].copy()
    found = quality(features, points, metric=metric)
    assert found.k == 10
    assert found.trustworthiness == pytest.approx(
        trustworthiness(features, points, n_neighbors=10, metric=metric), abs=1e-5
    )
    if metric == "euclidean":
        assert found.continuity == pytest.approx(trustworthiness(points, features, n_neighbors=10), abs=1e-5)


def test_a_map_that_is_the_features_is_perfect_and_a_random_one_is_at_chance() -> None:
    features = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    same = quality(features, 3 * features[:, ::-1] + 7)
    assert same.trustworthiness == same.continuity == same.preservation == 1
    chance = quality(features, np.random.default_rng(1).normal(size=(500, 2)).astype(np.float32))
    assert chance.trustworthiness == pytest.approx(0.5, abs=0.03)
    assert chance.preservation == pytest.approx(10 / 499, abs=0.01)


def test_an_image_in_the_wrong_cluster_is_the_one_that_is_blamed() -> None:
    features, labels = clusters(100, kinds=2)
    points = features.copy()
    points[0] = points[1] + 0.01
    assert quality(features, points).trustworthiness_by_point.argmin() == 0


def test_identical_images_cost_nothing_and_few_images_lower_k() -> None:
    same = quality(np.ones((30, 4), dtype=np.float32), np.random.default_rng(0).normal(size=(30, 2)))
    assert same.trustworthiness == 1
    few = quality(*(np.random.default_rng(0).normal(size=(7, 2)) for _ in range(2)))
    assert few.k == 3
    assert few.trustworthiness == 1
    assert quality(np.ones((2, 4)), np.ones((2, 2))).k == 0


def test_a_map_of_other_images_is_refused() -> None:
    with pytest.raises(ValueError, match="29 points for 30 images"):
        quality(np.ones((30, 4)), np.ones((29, 2)))
    with pytest.raises(ValueError, match="at least 1"):
        quality(np.ones((30, 4)), np.ones((30, 2)), k=0)


@pytest.mark.parametrize("scale", [1e-30, 1e20, 1e36])
def test_it_does_not_depend_on_the_scale(scale) -> None:
    features, _ = clusters(100)
    points = features[:, :2]
    plain = quality(features, points)
    for found in (
        quality(features, (scale * points).astype(np.float32)),
        quality((scale * features).astype(np.float32), points),
    ):
        assert found.trustworthiness == pytest.approx(plain.trustworthiness, abs=1e-3)
        assert found.continuity == pytest.approx(plain.continuity, abs=1e-3)


def test_of_many_points_some_are_asked_and_the_mean_is_near_that_of_all(monkeypatch) -> None:
    features, _ = clusters(1500)
    points = features[:, :2].copy()
    whole = quality(features, points)
    assert whole.asked == 1500
    monkeypatch.setattr(module, "PAIRS", 1500 * 400)
    monkeypatch.setattr(module, "FEWEST", 300)
    part = quality(features, points)
    assert part.asked == 400
    for name in ("trustworthiness", "continuity", "preservation"):
        exact, estimate = getattr(whole, f"{name}_by_point"), getattr(part, f"{name}_by_point")
        given = np.isfinite(estimate)
        assert given.sum() == 400
        assert np.array_equal(estimate[given], exact[given])
        # Four standard errors of a mean of 400.
        assert abs(getattr(part, name) - exact.mean()) < 4 * exact.std() / 20
    assert np.array_equal(
        quality(features, points).trustworthiness_by_point, part.trustworthiness_by_point, equal_nan=True
    )
    monkeypatch.setattr(module, "PAIRS", 1)
    assert quality(features, points).asked == 300
