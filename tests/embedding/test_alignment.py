import numpy as np
import pytest

from interp.embedding import align, aligned, wobble


def cloud(seed: int = 0, dimensions: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(200, dimensions)) * np.arange(1, dimensions + 1)


def turned(points: np.ndarray, seed: int = 1, scale: float = 3.0) -> np.ndarray:
    """Turned, mirrored or not, scaled and shifted."""
    axes, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(points.shape[1],) * 2))
    return scale * points @ axes + np.arange(points.shape[1])


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("mirror", [1, -1])
def test_a_map_turned_mirrored_scaled_and_shifted_comes_back(dimensions, mirror) -> None:
    points = cloud(dimensions=dimensions)
    laid = align(turned(points) * np.array([mirror] + [1] * (dimensions - 1)), points)
    assert np.allclose(laid.points, points)
    assert laid.scale == pytest.approx(1 / 3)
    assert laid.residual == pytest.approx(0, abs=1e-9)
    assert np.allclose(laid.rotation @ laid.rotation.T, np.eye(dimensions))


def test_no_rotation_is_closer() -> None:
    points, other = cloud(), cloud(1)
    found = align(other, points)
    centred = (other - other.mean(axis=0)) * found.scale
    for mirror in (1, -1):
        for angle in np.linspace(0, 2 * np.pi, 200):
            rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [mirror, 1]
            apart = np.linalg.norm(centred @ rotation + points.mean(axis=0) - points, axis=1) / found.spread
            assert np.sqrt((apart**2).mean()) >= found.residual - 1e-9
    assert 0.9 < found.residual < np.sqrt(2)


def test_one_image_that_strays_is_the_one_that_wobbles() -> None:
    points = cloud()
    strayed = points.copy()
    strayed[17] += 5
    wobbles = wobble([points, turned(strayed), turned(points, seed=4)])
    assert wobbles.argmax() == 17
    assert np.median(wobbles) < 0.05 < wobbles[17]
    assert np.allclose(wobble([points, turned(points)]), 0)


def test_unrelated_maps_wobble_by_about_their_spread() -> None:
    assert 0.6 < wobble([cloud(seed) for seed in range(6)]).mean() < 1.1


def test_a_film_is_laid_on_the_frame_before() -> None:
    points = cloud()
    film = aligned([points, turned(points), turned(points, seed=5, scale=0.1)])
    assert all(np.allclose(one, points) for one in film)


def test_spots_and_wrong_shapes() -> None:
    points = cloud()
    assert np.allclose(align(np.ones((200, 2)), points).points, points.mean(axis=0))
    assert np.allclose(align(points, np.ones((200, 2))).points, 1)
    with pytest.raises(ValueError, match="laid on one of shape"):
        align(points[:10], points)
    with pytest.raises(ValueError, match="two seeds"):
        wobble([points])
    with pytest.raises(ValueError, match="nothing to align"):
        aligned([])
