"""Penalties computed by hand."""

import pytest
import torch

from interp.feature_visualization import L2, Density, TotalVariation
from interp.models import scenes_prior


def test_total_variation_of_stripes() -> None:
    stripes = torch.zeros(2, 3, 4, 4)
    stripes[0, :, :, ::2] = 1
    assert torch.allclose(TotalVariation(3).penalty(stripes), torch.tensor([3.0, 0.0]))


def test_l2_is_the_mean_square_from_grey() -> None:
    pixels = torch.tensor([0.5, 1.0, 0.3])[:, None, None, None].expand(3, 3, 4, 4)
    assert torch.allclose(L2(2).penalty(pixels), torch.tensor([0.0, 0.5, 0.08]), atol=1e-6)


def test_a_density_prefers_a_scene_to_noise() -> None:
    prior = scenes_prior.load()
    scene = prior.decode(prior.sample(1, 0))[:, :, :40, :40]
    noisy = (scene + 0.2 * torch.randn(scene.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    likely, unlikely = (Density(prior, 0.5, stride=3).penalty(pixels) for pixels in (scene, noisy))
    assert likely < unlikely
    assert torch.allclose(likely, -0.5 * prior.log_density(scene, stride=3))


@pytest.mark.parametrize("kind", [TotalVariation, L2])
def test_a_reward_is_no_regularizer(kind) -> None:
    with pytest.raises(ValueError, match="-1"):
        kind(-1)
