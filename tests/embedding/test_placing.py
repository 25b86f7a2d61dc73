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


@pytest.mark.parametrize("method", METHODS[:3], ids=str)
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
    assert np.median(apart) < (1e-5 if isinstance(method, embedding.PCA) else 0.15) * spread


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


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_umap_places_as_umap_learn_does(monkeypatch) -> None:
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
    monkeypatch.setattr(placing, "nearest_to", lambda *_, **__: found)
    expected = peer.transform(features[200:])
    assert np.allclose(embedding.place(features[200:], features[:200], projection), expected, atol=1e-2)


def test_features_that_do_not_belong_to_the_map_are_refused() -> None:
    features, _ = clusters(50)
    projection = embedding.project(features, embedding.PCA())
    with pytest.raises(ValueError, match="19 features and the map's 20"):
        embedding.place(features[:, :19], features, projection)
    with pytest.raises(ValueError, match="50 points, and features were given for 40"):
        embedding.place(features, features[:40], projection)
    with pytest.raises(ValueError, match="not finite"):
        embedding.place(features * np.nan, features, dataclasses.replace(projection))
