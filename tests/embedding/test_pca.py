import numpy as np
import pytest
from sklearn.decomposition import PCA as Peer

from interp import embedding
from interp.embedding import pca
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


def oracle(features: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions, shares and coordinates by NumPy's singular values of the features themselves, in double precision."""
    given = features.astype(np.float64)
    centred = given - given.mean(axis=0)
    scale = np.abs(centred).max()
    left, strengths, right = np.linalg.svd(centred / scale, full_matrices=False)
    return right[:count], (strengths**2 / (strengths**2).sum())[:count], (left * strengths)[:, :count] * scale


def agrees(features: np.ndarray, count: int) -> None:
    axes = embedding.principal_axes(features, count)
    right, shares, points = oracle(features, count)
    assert axes.directions.shape == right.shape
    signs = np.sign((axes.directions * right).sum(axis=1))
    assert np.allclose(axes.directions, signs[:, None] * right, atol=1e-6)
    assert np.allclose(axes.explained, shares, rtol=1e-6)
    found = axes.project(features)
    assert found.dtype == features.dtype
    spread = np.abs(points).max(axis=0)
    assert np.allclose(found / spread, signs * points / spread, rtol=1e-5, atol=1e-5)


def stretched(images: int, features: int, seed: int = 0) -> np.ndarray:
    """Features whose axes are told apart: each has 0.8 of the spread of the one before."""
    random = np.random.default_rng(seed)
    turned = np.linalg.qr(random.normal(size=(features, min(images, features))))[0]
    return random.normal(size=(images, turned.shape[1])) * 0.8 ** np.arange(turned.shape[1]) @ turned.T


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1, 1e-30, 1e20, 1e35])
@pytest.mark.parametrize(("images", "features"), [(400, 12), (12, 400), (30, 30), (3, 2)])
def test_it_is_numpys_singular_values(images, features, scale, dtype) -> None:
    given = scale * (stretched(images, features) + np.arange(features))
    agrees(given.astype(dtype), 2)
    agrees(given.astype(dtype), min(images - 1, features, 8))


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_double_precision_may_hold_what_cannot_be_squared(scale) -> None:
    agrees(scale * stretched(60, 9), 5)
    agrees(scale * stretched(9, 60), 5)


@pytest.mark.parametrize("at_once", [1, 37, 10**6])
def test_parts_make_no_difference(at_once, monkeypatch) -> None:
    monkeypatch.setattr(pca, "AT_ONCE", at_once)
    agrees(stretched(50, 7).astype(np.float32), 3)
    agrees(stretched(7, 50).astype(np.float32), 3)


@pytest.mark.parametrize("width", [4, 600])
def test_an_axis_of_little_variance_is_kept(width) -> None:
    """Three clusters, two of which are apart by 1e-4 of the first axis only: single precision made a line of them."""
    random = np.random.default_rng(0)
    centres = np.zeros((3, width))
    centres[1, 0], centres[2, :2] = 1000, (1000, 0.1)
    kinds = np.arange(300) % 3
    features = (centres[kinds] + 1e-3 * random.normal(size=(300, width))).astype(np.float32)
    points = embedding.project(features, embedding.PCA()).points
    second = points[:, 1] * np.sign(points[2, 1] - points[1, 1])
    assert second[kinds == 2].min() > second[kinds == 1].max() + 0.05
    kept = embedding.principal_axes(features, 2).project(features)
    assert np.allclose(kept, points, rtol=1e-4, atol=1e-4)


def test_directions_that_tie_have_their_sign_from_the_first() -> None:
    line = np.arange(5.0)[:, None] * [1, -1, 1]
    for noise in (0, 1e-9, -1e-9):
        directions = embedding.principal_axes(line + noise * np.arange(5.0)[:, None] * [0, 1, 0], 1).directions
        assert np.allclose(directions, np.array([[1, -1, 1]]) / 3**0.5)


def test_axes_of_half_precision_are_those_of_its_values() -> None:
    half = stretched(40, 6).astype(np.float16)
    axes, exact = embedding.principal_axes(half, 3), embedding.principal_axes(half.astype(np.float64), 3)
    assert np.allclose(axes.directions, exact.directions) and np.allclose(axes.explained, exact.explained)
    with pytest.raises(ValueError, match="1 of 40 images have features that are not finite"):
        embedding.principal_axes(np.where(np.arange(40)[:, None] == 3, np.nan, half), 3)


def test_features_that_a_map_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match=r"reach 2\.0e\+200.*divide all of them"):
        embedding.project(np.array([[0.0, 1.0], [2e200, 0.0], [0.0, 3.0]]), embedding.PCA())


def test_single_precision_gives_no_axes_that_the_features_do_not_have() -> None:
    random = np.random.default_rng(0)
    flat = (random.normal(size=(500, 3)) @ random.normal(size=(3, 64))).astype(np.float32)
    axes = embedding.principal_axes(flat, 10)
    assert axes.directions.shape == (3, 64)
    assert axes.explained.sum() == pytest.approx(1, abs=1e-5)


def test_one_image_and_equal_images_are_a_spot() -> None:
    for features in (
        np.ones((1, 5)),
        np.full((8, 5), 3.5, dtype=np.float32),
        np.tile([0.1, 0.7, -3e99], (7, 1)) / 1e70,
    ):
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
