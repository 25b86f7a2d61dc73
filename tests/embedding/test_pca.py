import numpy as np
import pytest
from sklearn.decomposition import PCA as Peer

from interp import embedding
from tests.embedding.clusters import clusters


@pytest.mark.parametrize(("images", "features"), [(200, 20), (40, 300), (20, 20)])
def test_it_is_scikit_learns_up_to_the_signs_of_axes(images, features) -> None:
    given = clusters(images, features)[0].astype(np.float64)
    ours = embedding.project(given, embedding.PCA(dimensions=3))
    peer = Peer(svd_solver="full").fit(given)
    assert np.allclose(np.abs(ours.points), np.abs(peer.transform(given)[:, :3]), atol=1e-4)
    count = min(50, images - 1, features)
    assert ours.quality.explained is not None
    assert np.allclose(ours.quality.explained, peer.explained_variance_ratio_[:count], atol=1e-9)


def test_single_precision_gives_no_axes_that_the_features_do_not_have() -> None:
    random = np.random.default_rng(0)
    flat = (random.normal(size=(500, 3)) @ random.normal(size=(3, 64))).astype(np.float32)
    axes = embedding.principal_axes(flat, 10)
    assert axes.directions.shape == (3, 64)
    assert axes.explained.sum() == pytest.approx(1, abs=1e-5)


def test_one_image_and_equal_images_are_a_spot() -> None:
    for features in (np.ones((1, 5)), np.full((8, 5), 3.5, dtype=np.float32)):
        spot = embedding.project(features, embedding.PCA())
        assert spot.points.tolist() == [[0, 0]] * len(features)
        assert spot.quality.explained is not None
        assert spot.quality.explained.size == 0


def test_missing_axes_stay_zero() -> None:
    line = embedding.project(np.arange(6.0)[:, None], embedding.PCA())
    assert np.allclose(line.points[:, 0], np.arange(6) - 2.5)
    assert (line.points[:, 1] == 0).all()
    assert line.quality.trustworthiness == 1


def test_a_map_in_four_dimensions_is_refused() -> None:
    with pytest.raises(ValueError, match="4 dimensions cannot be drawn"):
        embedding.PCA(dimensions=4)
