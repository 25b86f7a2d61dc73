"""From one image to those most like it, by hand."""

import numpy as np

from interp import embedding
from interp.embedding import Features, Representation


def some(values: list[float]) -> Features:
    return Features(Representation("logits"), np.array(values, np.float32)[:, None], np.arange(len(values)))


def test_nearest_by_hand() -> None:
    found = embedding.nearest_images(some([0, 5, 1, 0, -3]), 0, 8, "euclidean")
    assert found.indices.tolist() == [[3, 2, 4, 1]]
    np.testing.assert_allclose(found.distances, [[0, 1, 3, 5]], rtol=1e-5)
    assert embedding.nearest_images(some([0]), 0, 8, "euclidean") is None
    equal = embedding.nearest_images(some([0] * 20), 15, 8, "euclidean")
    assert 15 not in equal.indices and equal.indices.shape == (1, 8)


def test_rows_of_the_same_image_are_no_neighbours() -> None:
    features = Features(Representation("conv2", "positions"), np.array([[0.0], [1], [2], [9]]), np.array([0, 0, 1, 2]))
    assert embedding.nearest_images(features, 0, 8, "euclidean").indices.tolist() == [[2, 3]]
    points = np.array([[0.0, 0], [1, 0], [2, 0], [1.5, 0]])
    assert embedding.ranks(points, 0, [2, 3], features.indices) == [2, 1]


def test_a_photograph_is_found_and_placed_where_the_set_has_it() -> None:
    random = np.random.default_rng(0)
    features = Features(Representation("logits"), random.normal(size=(20, 3)).astype(np.float32), np.arange(20))
    projection = embedding.project(features.values, embedding.PCA())
    found = embedding.look_up(features.values[4:5], features, (projection,), 5, "euclidean")
    assert found.neighbours.indices[0, 0] == 4 and found.neighbours.indices.shape == (1, 5)
    np.testing.assert_allclose(found.places[0], projection.points[4:5], atol=1e-4)
    apart = np.linalg.norm(features.values[:, None] - features.values, axis=2) + 1e9 * np.eye(20)
    assert abs(found.typical - np.median(apart.min(axis=1))) < 1e-4
    alone = Features(features.representation, features.values[:1], np.arange(1))
    assert np.isnan(embedding.look_up(features.values[4:5], alone, (), 5, "euclidean").typical)
