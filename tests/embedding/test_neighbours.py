import numpy as np
import pytest

from interp.embedding import neighbours as searching
from interp.embedding.neighbours import nearest, nearest_to
from tests.embedding.clusters import clusters, squared


def slow(points: np.ndarray, count: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    given = points.astype(np.float64)
    if metric == "cosine":
        lengths = np.linalg.norm(given, axis=1)
        distances = 1 - given @ given.T / np.outer(lengths, lengths)
    else:
        distances = np.sqrt(squared(given))
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :count]
    return order, np.take_along_axis(distances, order, axis=1)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_they_are_those_that_sorting_all_distances_gives(metric, kind, monkeypatch) -> None:
    monkeypatch.setattr(searching, "BLOCK", 1000)
    points = clusters(120)[0].astype(kind) + 100
    found = nearest(points, 7, metric=metric)
    indices, distances = slow(points, 7, metric)
    # Cosines of features far from zero differ in the sixth digit only.
    assert (found.indices == indices).mean() > (0.95 if metric == "cosine" and kind is np.float32 else 0.999)
    assert np.allclose(found.distances, distances, rtol=1e-3, atol=2e-7)


def test_equal_images_are_at_distance_zero_in_their_own_order() -> None:
    points = clusters(60)[0] + 1000
    points[[3, 8, 20]] = points[1]
    found = nearest(points, 4)
    assert found.indices[8, :3].tolist() == [1, 3, 20]
    assert (found.distances[8, :3] == 0).all()


def test_a_zero_vector_is_at_cosine_distance_one_from_everything() -> None:
    points = clusters(30)[0]
    points[4] = 0
    assert np.allclose(nearest(points, 5, metric="cosine").distances[4], 1)


def test_tiny_and_huge_features_keep_their_neighbours() -> None:
    points = clusters(60)[0]
    for factor in (1e-25, 1e25):
        for metric in ("euclidean", "cosine"):
            scaled = nearest(points * np.float32(factor), 5, metric=metric)
            assert (scaled.indices == nearest(points, 5, metric=metric).indices).mean() > 0.99


def test_the_neighbours_of_a_new_image_that_is_among_the_old_begin_with_it() -> None:
    points, _ = clusters(80)
    found = nearest_to(points[[5, 70]], points, 3)
    assert found.indices[:, 0].tolist() == [5, 70]
    assert (found.distances[:, 0] == 0).all()
    assert (found.indices[:, 1:] == nearest(points, 2).indices[[5, 70]]).all()


def test_a_wider_search_begins_with_the_narrower() -> None:
    points, _ = clusters(80)
    wide, narrow = nearest(points, 20), nearest(points, 6)
    assert (wide.first(6).indices == narrow.indices).all()
    with pytest.raises(ValueError, match="21 neighbours were asked for, and 20 were searched"):
        wide.first(21)


def test_what_cannot_be_searched_is_refused() -> None:
    points, _ = clusters(20)
    with pytest.raises(ValueError, match="20 nearest neighbours cannot be found among 19 other images"):
        nearest(points, 20)
    with pytest.raises(ValueError, match="19 features and the others 20"):
        nearest_to(points[:, :19], points, 2)
    points[7, 2] = np.nan
    with pytest.raises(ValueError, match="the first is image 8"):
        nearest(points, 2)
