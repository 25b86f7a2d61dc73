import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from interp import embedding
from interp.embedding import umap as ours
from tests.embedding.clusters import clusters

QUICK = embedding.UMAP(neighbours=10, epochs=40)


def cloud(images: int = 200) -> np.ndarray:
    """One cloud, so that its graph hangs together; long and flat, so that its first eigenvectors are told apart."""
    return (np.random.default_rng(0).normal(size=(images, 6)) * (8, 3, 1, 1, 1, 1)).astype(np.float32)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_its_graph_is_umap_learns(metric, monkeypatch: pytest.MonkeyPatch) -> None:
    from umap import umap_

    # As plain Python: compiled, it would start threads that stay for all tests that come later.
    for name in ("smooth_knn_dist", "compute_membership_strengths"):
        monkeypatch.setattr(umap_, name, getattr(umap_, name).py_func)
    features = cloud()
    found = ours._with_self(embedding.nearest(features, 9, metric=metric))
    peer, *_ = umap_.fuzzy_simplicial_set(
        features, 10, np.random.RandomState(0), metric, knn_indices=found.indices, knn_dists=found.distances
    )
    assert np.allclose(ours._graph(found).toarray(), peer.toarray(), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("dimensions", [2, 3])
def test_its_first_epochs_are_umap_learns(dimensions) -> None:
    """Not more than the first: a last digit, which depends on the processor, decides where points are much later."""
    from umap.layouts import optimize_layout_euclidean

    random = np.random.RandomState(3)
    graph = ours._graph(ours._with_self(embedding.nearest(cloud(), 9)))
    start = random.uniform(0, 10, (200, dimensions)).astype(np.float32)
    state, epochs = random.randint(-(2**31) + 1, 2**31 - 2, 3).astype(np.int64), 3
    layout = ours.Graph(graph, epochs, state, *QUICK.curve())
    points, peer = start.copy(), start.copy()
    for _ in layout.epochs(points, points, 1.0):
        pass
    optimize_layout_euclidean(
        peer,
        peer,
        graph.row,
        graph.col,
        epochs,
        len(start),
        layout._pace,
        *QUICK.curve(),
        state.copy(),
        move_other=True,
    )
    assert np.abs(points - start).max() > 1
    apart = np.abs(points - peer).max(axis=1)
    # Ours counts in single precision, umap-learn in part in double: points that met by chance differ soon.
    assert np.median(apart) < 1e-3
    assert apart.max() < 0.1


@pytest.mark.filterwarnings("ignore")
def test_its_map_is_as_good_as_umap_learns(single_threaded: None) -> None:
    import umap
    from sklearn.manifold import trustworthiness

    features = cloud()
    found = ours._with_self(embedding.nearest(features, 9))
    assert connected_components(ours._graph(found))[0] == 1
    peer = umap.UMAP(
        n_neighbors=10, n_epochs=200, random_state=3, precomputed_knn=(found.indices, found.distances)
    ).fit(features)  # fmt: skip
    points = embedding.project(features, dataclasses.replace(QUICK, epochs=200)).points
    assert (
        trustworthiness(features, points, n_neighbors=9)
        > trustworthiness(features, np.asarray(peer.embedding_), n_neighbors=9) - 0.02
    )


@pytest.mark.parametrize("initialization", ["spectral", "pca", "random"])
def test_clusters_come_apart_the_same_way_each_time(initialization) -> None:
    features, labels = clusters(120, kinds=3)
    method = dataclasses.replace(QUICK, epochs=200, initialization=initialization)
    projection = embedding.project(features, method)
    found = embedding.nearest(projection.points, 5)
    assert (labels[found.indices] == labels[:, None]).mean() > 0.97
    assert np.array_equal(embedding.project(features, method).points, projection.points)
    assert not np.array_equal(
        embedding.project(features, dataclasses.replace(method, seed=1)).points, projection.points
    )


@pytest.mark.filterwarnings("ignore:k >= N")
@pytest.mark.parametrize("initialization", ["spectral", "pca", "random"])
@pytest.mark.parametrize("images", [4, 5, 9])
def test_a_handful_of_images_is_arranged(images, initialization) -> None:
    method = embedding.UMAP(neighbours=min(images, 4), epochs=50, initialization=initialization)
    assert np.isfinite(embedding.project(cloud(images), method).points).all()


def test_many_equal_images_are_arranged() -> None:
    features, _ = clusters(100)
    features[:60] = features[0]
    assert np.isfinite(embedding.project(features, QUICK).points).all()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones((3, 5)), "needs at least 4 images"),
        (np.ones((200, 5)), "same features"),
        (np.eye(9), "need at least 15 images, and there are 9"),
        (np.full((20, 2), np.nan), "20 of 20 images"),
    ],
)
def test_what_cannot_be_arranged_is_refused(features, message) -> None:
    with pytest.raises(ValueError, match=message):
        embedding.project(features, embedding.UMAP())


@pytest.mark.parametrize("wrong", [{"neighbours": 1}, {"minimum_distance": 1.5}, {"epochs": 0}, {"dimensions": 5}])
def test_parameters_that_mean_nothing_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match="take"):
        embedding.UMAP(**wrong)


def test_warming_takes_any_number_of_times() -> None:
    embedding.warm()
    embedding.warm()


@pytest.mark.slow
def test_a_map_leaves_the_number_of_threads_as_it_was() -> None:
    """In a process of its own, since numba takes all processors once, when its pool starts."""
    code = """
import numpy as np, torch
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads as openmp
from interp import embedding
features = np.random.default_rng(0).normal(size=(60, 6)).astype(np.float32)
method = embedding.UMAP(neighbours=5, epochs=20)
steps = embedding.projecting(features, method)
while True:
    try:
        next(steps)
        assert (torch.get_num_threads(), openmp()) == (1, 1), "between two frames"
    except StopIteration as stop:
        projection = stop.value
        break
embedding.place(features[:3] + 1, features, projection)
embedding.warm()
print(torch.get_num_threads(), openmp())
"""
    # Numba's own choice, on a machine with more than one processor, is more than one thread.
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=settings, timeout=280)
    assert done.stdout.split() == ["1", "1"], done.stderr
