import dataclasses

import numpy as np
import pytest

from interp import embedding
from interp.embedding import placing
from tests.embedding.clusters import clusters

METHODS = [
    embedding.PCA(),
    embedding.TSNE(perplexity=12, iterations=300),
    embedding.TSNE(perplexity=12, iterations=300, dimensions=3, reduction=5),
    embedding.TSNE(perplexity=12, iterations=300, dimensions=1),
    embedding.UMAP(neighbours=10, epochs=150),
    embedding.UMAP(neighbours=10, epochs=150, metric="cosine"),
]


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_new_images_land_in_their_own_cluster_the_same_way_each_time(method) -> None:
    features, labels = clusters(180, kinds=3)
    old, new = slice(0, 150), slice(150, 180)
    projection = embedding.project(features[old], method)
    points = embedding.place(features[new], features[old], projection)
    assert points.shape == (30, projection.points.shape[1])
    assert points.dtype == np.float32
    found = embedding.nearest_to(points, projection.points, 5)
    assert (labels[old][found.indices] == labels[new][:, None]).mean() > 0.97
    assert np.array_equal(embedding.place(features[new], features[old], projection), points)


@pytest.mark.parametrize("method", METHODS[:4], ids=str)
def test_a_place_does_not_depend_on_who_else_is_placed(method) -> None:
    features, _ = clusters(120)
    projection = embedding.project(features[:100], method)
    together = embedding.place(features[100:], features[:100], projection)
    assert np.allclose(embedding.place(features[103:104], features[:100], projection)[0], together[3], atol=1e-3)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_an_image_of_the_map_is_placed_near_itself(method) -> None:
    features, _ = clusters(150)
    projection = embedding.project(features, method)
    apart = np.linalg.norm(embedding.place(features, features, projection) - projection.points, axis=1)
    spread = np.linalg.norm(projection.points.std(axis=0))
    assert np.median(apart) < (0.15 if isinstance(method, embedding.TSNE) else 1e-5) * spread


def test_t_sne_places_as_opentsne_does() -> None:
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN

    features, _ = clusters(180, kinds=3)
    old, new = features[:150].astype(np.float64), features[150:].astype(np.float64)
    projection = embedding.project(old, embedding.TSNE(perplexity=12, iterations=300))
    peer = TSNEEmbedding(
        projection.points.astype(np.float64), PerplexityBasedNN(old, perplexity=12, method="exact"),
        negative_gradient_method="bh", dof=1, theta=0.5, n_interpolation_points=3, min_num_intervals=50,
        ints_in_interval=1,
    )  # fmt: skip
    middle = (projection.points.max(axis=0) + projection.points.min(axis=0)) / 2
    expected = np.asarray(peer.transform(new)) + middle
    found = embedding.place(new, old, projection)
    spread = np.linalg.norm(projection.points.std(axis=0))
    assert np.median(np.linalg.norm(found - expected, axis=1)) < 0.02 * spread


@pytest.mark.filterwarnings("ignore")
def test_umap_places_as_umap_learn_does(single_threaded: None) -> None:
    import umap
    from sklearn.metrics import pairwise_distances

    features = np.random.default_rng(0).normal(size=(220, 6)).astype(np.float32)
    method = embedding.UMAP(neighbours=10, epochs=60, seed=42)
    peer = umap.UMAP(n_neighbors=10, n_epochs=60, random_state=42, transform_seed=42).fit(features[:200])
    # The very same map and neighbours: points draw their random numbers by the last bits of where they start.
    projection = dataclasses.replace(embedding.project(features[:200], method), points=peer.embedding_)
    distances = pairwise_distances(features[200:], features[:200], metric=peer._input_distance_func)
    order = np.argsort(distances, axis=1)[:, :10]
    found = embedding.Neighbours(order, np.take_along_axis(distances, order, axis=1), "euclidean")
    assert np.allclose(placing._into_umap(found, projection.points, method), peer.transform(features[200:]), atol=1e-2)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("reduction", [None, 6])
def test_umap_puts_an_image_that_it_knows_where_it_was(metric, reduction) -> None:
    """In one round cloud, where umap-learn's transform puts them 0.2 of the spread away."""
    features = np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)
    method = embedding.UMAP(neighbours=12, epochs=100, metric=metric, reduction=reduction)
    projection = embedding.project(features, method)
    spread = np.linalg.norm(projection.points.std(axis=0))

    def away(noise: float, some: slice) -> np.ndarray:
        asked = features[some] * (1 + noise * np.random.default_rng(1).normal(size=features[some].shape))
        placed = embedding.place(asked.astype(np.float32), features, projection)
        return np.linalg.norm(placed - projection.points[some], axis=1) / spread

    assert away(0, slice(0, 200)).max() < 1e-3 and away(0, slice(7, 8)).max() < 1e-3
    assert away(1e-5, slice(0, 200)).max() < 1e-2
    assert np.median(away(0.05, slice(0, 200))) < 0.05


def test_the_nearer_the_first_neighbour_the_nearer_its_point() -> None:
    points = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]], dtype=np.float32)
    indices = np.array([[1, 0, 2], [1, 0, 2], [1, 0, 2], [2, 0, 1]])
    distances = np.array([[0.0, 2.0, 3.0], [1.0, 4.0, 4.0], [5.0, 5.0, 9.0], [0.0, 0.0, 1.0]])
    places = np.full((4, 2), 2.0, dtype=np.float32)
    found = placing._drawn_home(places, embedding.Neighbours(indices, distances, "euclidean"), points)
    assert found.tolist() == [[10, 0], [8, 0.5], [2, 2], [0, 10]]


def test_features_that_do_not_belong_to_the_map_are_refused() -> None:
    features, _ = clusters(50)
    projection = embedding.project(features, embedding.PCA())
    with pytest.raises(ValueError, match="19 features and the map's 20"):
        embedding.place(features[:, :19], features, projection)
    with pytest.raises(ValueError, match="50 points, and features were given for 40"):
        embedding.place(features, features[:40], projection)
    with pytest.raises(ValueError, match="not finite"):
        embedding.place(features * np.nan, features, dataclasses.replace(projection))
