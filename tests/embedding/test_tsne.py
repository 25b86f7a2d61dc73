import dataclasses

import numpy as np
import pytest
import torch
from sklearn.manifold import TSNE as Peer
from sklearn.manifold import trustworthiness

from interp import embedding
from interp.embedding import forces
from interp.embedding.tsne import affinities, affinities_to
from tests.embedding.clusters import clusters

QUICK = embedding.TSNE(perplexity=10, iterations=60)


@pytest.mark.slow
def test_neighbours_are_kept_as_well_as_scikit_learn_keeps_them() -> None:
    features, _ = clusters(300, 40)
    ours = embedding.project(features, embedding.TSNE())
    peer = Peer(init="pca", random_state=0, perplexity=30).fit(features)
    assert ours.quality.trustworthiness > trustworthiness(features, peer.embedding_, n_neighbors=10) - 0.005
    assert ours.quality.divergence == pytest.approx(peer.kl_divergence_, rel=0.1)


def test_the_grid_does_as_well_as_the_tree(monkeypatch) -> None:
    features, _ = clusters(300, 40)
    tree = embedding.project(features, embedding.TSNE(iterations=400))
    monkeypatch.setattr(forces, "GRID_FROM", 0)
    grid = embedding.project(features, embedding.TSNE(iterations=400))
    assert grid.quality.trustworthiness == pytest.approx(tree.quality.trustworthiness, abs=0.005)
    assert grid.quality.divergence == pytest.approx(tree.quality.divergence, rel=0.05)


@pytest.mark.parametrize("perplexity", [2, 10, 33])
def test_each_image_has_as_many_neighbours_as_the_perplexity_says(perplexity) -> None:
    found = embedding.nearest(clusters(120)[0], 99)
    joint = affinities(found, perplexity)
    assert joint.sum() == pytest.approx(1)
    assert abs(joint - joint.T).max() < 1e-12
    rows = affinities_to(found, perplexity, 120).toarray()
    entropy = -(rows * np.log(np.where(rows > 0, rows, 1))).sum(axis=1)
    assert np.allclose(np.exp(entropy), perplexity, rtol=1e-3)


@pytest.mark.parametrize("grid_from", [0, 10_000])
def test_the_same_call_gives_the_same_map_and_the_descent_does_so_on_any_number_of_threads(
    grid_from, monkeypatch
) -> None:
    monkeypatch.setattr(forces, "GRID_FROM", grid_from)
    features, _ = clusters(200)
    first = embedding.project(features, QUICK)
    assert (embedding.project(features, QUICK).points == first.points).all()
    found, random = embedding.nearest(features, 30), dataclasses.replace(QUICK, initialization="random")
    alone = embedding.project(features, random, neighbours=found)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert (embedding.project(features, random, neighbours=found).points == alone.points).all()
    finally:
        torch.set_num_threads(before)
    assert not (embedding.project(features, dataclasses.replace(QUICK, seed=1)).points == first.points).all()


@pytest.mark.parametrize("initialization", ["pca", "random"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_clusters_come_apart(initialization, dimensions) -> None:
    features, labels = clusters(120, kinds=3)
    method = embedding.TSNE(perplexity=15, initialization=initialization, dimensions=dimensions, iterations=400)
    found = embedding.nearest(embedding.project(features, method).points, 5)
    assert (labels[found.indices] == labels[:, None]).mean() > 0.97


@pytest.mark.parametrize("images", [4, 5, 8, 31])
def test_the_largest_perplexity_works_and_the_next_is_refused(images) -> None:
    features, _ = clusters(images)
    largest = embedding.TSNE.largest_perplexity(images)
    projection = embedding.project(features, embedding.TSNE(perplexity=largest, iterations=300))
    assert np.isfinite(projection.points).all()
    assert np.ptp(projection.points, axis=0).min() > 0.1
    with pytest.raises(ValueError, match=f"perplexity of {largest + 1} needs at least {3 * largest + 4} images"):
        embedding.project(features, embedding.TSNE(perplexity=largest + 1))


def test_many_equal_images_lie_together() -> None:
    features, _ = clusters(120)
    features[:50] = features[0]
    points = embedding.project(features, embedding.TSNE(perplexity=10)).points
    assert np.isfinite(points).all()
    assert np.ptp(points[:50], axis=0).max() < 0.7 * np.ptp(points, axis=0).min()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones((3, 5)), "at least 4 images"),
        (np.ones((200, 5)), "same features"),
        (np.where(np.arange(200)[:, None] == 9, np.inf, 1.0), "the first is image 10"),
    ],
)
def test_what_cannot_be_arranged_is_refused(features, message) -> None:
    with pytest.raises(ValueError, match=message):
        embedding.project(features, embedding.TSNE())


@pytest.mark.parametrize(
    "wrong",
    [{"perplexity": 0.5}, {"perplexity": float("nan")}, {"learning_rate": 0}, {"exaggeration": 0.5},
     {"iterations": 0}, {"dimensions": 0}, {"dimensions": 4}, {"reduction": 0}],
)  # fmt: skip
def test_parameters_that_mean_nothing_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match="take|counts"):
        embedding.TSNE(**wrong)


def test_a_reduction_is_t_sne_of_the_principal_components() -> None:
    features, _ = clusters(150, 60)
    components = embedding.principal_axes(features, 8).project(features)
    reduced = embedding.project(features, dataclasses.replace(QUICK, reduction=8))
    direct = embedding.project(components, QUICK)
    assert reduced.quality.divergence == pytest.approx(direct.quality.divergence, rel=1e-3)


@pytest.mark.parametrize("initialization", ["pca", "random"])
def test_two_clusters_come_apart_on_a_line(initialization) -> None:
    features, labels = clusters(120, kinds=2)
    method = embedding.TSNE(perplexity=20, metric="cosine", initialization=initialization, dimensions=1, iterations=400)
    line = embedding.project(features, method)
    assert line.points.shape == (120, 1)
    along = labels[line.points[:, 0].argsort()]
    # A cluster that the start has cut in two cannot pass the other on a line, so that pieces of it may stay behind.
    assert np.abs(np.diff(along)).sum() <= (1 if initialization == "pca" else 6)
    assert np.array_equal(embedding.project(features, method).points, line.points)


def test_on_a_line_the_push_is_that_of_all_pairs() -> None:
    points = 30 * np.random.default_rng(0).normal(size=(400, 1))
    push, total = forces._repulsion(points)
    apart = points - points.T
    w = 1 / (1 + apart**2) - np.eye(400)
    expected = -(w * w * apart).sum(axis=1, keepdims=True) / w.sum()
    assert total == pytest.approx(w.sum(), rel=0.03)
    assert np.abs(push - expected).max() < 0.06 * np.abs(expected).max()


def test_on_a_line_neighbours_are_kept_as_well_as_opentsne_keeps_them() -> None:
    import openTSNE

    features, _ = clusters(200, 40)
    line = embedding.project(features, embedding.TSNE(perplexity=20, dimensions=1))
    peer = openTSNE.TSNE(
        n_components=1, perplexity=20, random_state=0, n_jobs=1, neighbors="exact", negative_gradient_method="bh"
    ).fit(features)
    kept = trustworthiness(features, np.asarray(peer), n_neighbors=10)
    assert line.quality.trustworthiness > kept - 0.01
