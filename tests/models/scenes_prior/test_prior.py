"""The prior: its density against scikit-learn's, its code against its definition, and what is stored against scenes."""

import math
from functools import partial
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from interp.images.scenes import honest
from interp.models import scenes_prior
from interp.models.scenes.pictures import as_floats, drawn
from interp.models.scenes_prior import fitting, measuring, training
from interp.models.scenes_prior.density import PATCH, PatchMixture, contrast_basis, packed, unpacked

FRESH = 78


@pytest.fixture(scope="module")
def scenes() -> torch.Tensor:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jaxtyping.config, "jaxtyping_disable", True)
        return as_floats(drawn(partial(honest, FRESH), range(20), processes=1))


@pytest.fixture(scope="module")
def prior() -> scenes_prior.Prior:
    return scenes_prior.load()


def random_mixture(components: int) -> tuple[PatchMixture, GaussianMixture]:
    """One mixture, as ours and as scikit-learn's."""
    values = np.random.default_rng(0)
    size = PATCH * PATCH * 3 - 1
    oracle = GaussianMixture(components)
    oracle.means_ = values.normal(0, 0.1, (components, size))
    oracle.weights_ = values.dirichlet(np.ones(components))
    oracle.precisions_cholesky_ = np.triu(values.normal(0, 0.2, (components, size, size))) + 3 * np.eye(size)
    mixture = PatchMixture(components)
    mixture.means.copy_(torch.from_numpy(oracle.means_))
    mixture.roots.copy_(torch.from_numpy(oracle.precisions_cholesky_))
    mixture.log_weights.copy_(torch.from_numpy(oracle.weights_).log())
    return mixture, oracle


def test_density_is_that_of_scikit_learn() -> None:
    mixture, oracle = random_mixture(3)
    pixels = torch.rand(2, 3, 9, 8)
    contrasts = mixture.contrasts(pixels, 1)
    assert contrasts.shape == (2, 4 * 3, 107)
    expected = oracle.score_samples(contrasts.flatten(0, 1).double().numpy()).reshape(2, 12)
    assert np.allclose(mixture(pixels).numpy(), expected.mean(axis=1), rtol=1e-4)
    strided = mixture(pixels, 2).numpy()
    assert np.allclose(strided, expected.reshape(2, 4, 3)[:, ::2, ::2].mean(axis=(1, 2)), rtol=1e-4)


def test_contrasts_are_lengths_around_the_mean() -> None:
    basis = contrast_basis()
    assert torch.allclose(basis @ basis.T, torch.eye(107), atol=1e-5)
    patch = torch.rand(108)
    assert (basis @ patch).square().sum().item() == pytest.approx(
        (patch - patch.mean()).square().sum().item(), rel=1e-4
    )
    assert torch.allclose(basis @ torch.full((108,), 0.7), torch.zeros(107), atol=1e-5)


def test_density_does_not_see_the_brightness_and_has_a_gradient() -> None:
    mixture, _ = random_mixture(2)
    pixels = (torch.rand(1, 3, 12, 12) / 2).requires_grad_()
    assert torch.allclose(mixture(pixels), mixture(pixels + 0.3), rtol=1e-4)
    (gradient,) = torch.autograd.grad(mixture(pixels).sum(), pixels)
    step = torch.zeros_like(pixels)
    step[0, 1, 5, 5] = 1e-2
    with torch.no_grad():
        slope = (mixture(pixels + step) - mixture(pixels - step)) / 2e-2
    assert gradient[0, 1, 5, 5].item() == pytest.approx(slope.item(), rel=0.02)


def test_triangles_are_half_and_nothing_is_lost() -> None:
    roots = torch.triu(torch.rand(2, 107, 107))
    assert packed(roots).shape == (2, 107 * 108 // 2)
    assert torch.equal(unpacked(packed(roots)), roots)


def test_the_code_is_whitened_principal_components(unchecked: None) -> None:
    pixels = torch.from_numpy(drawn(partial(honest, FRESH), range(40), processes=1))
    autoencoder = fitting.fitted_autoencoder(pixels, 8, fitting.FitSteps(1, 1), seed=0, say=lambda line: None)
    codes = autoencoder.code(pixels.float() / 255)
    covariance = codes.T @ codes / (len(codes) - 1)
    assert torch.allclose(codes.mean(dim=0), torch.zeros(8), atol=1e-3)
    assert torch.allclose(covariance, torch.eye(8), atol=1e-2)
    again = autoencoder.code.picture(codes)
    small = torch.nn.functional.avg_pool2d(pixels.float() / 255, 4)
    # The picture is the nearest in the span of the components: what is missing is orthogonal to each of them.
    missing = (small - again).flatten(1) @ autoencoder.code.basis.T
    assert missing.abs().max() < 1e-3
    with pytest.raises(ValueError, match="40 pictures do not give 60 components"):
        fitting.fitted_autoencoder(pixels, 60, fitting.FitSteps(1, 1), seed=0, say=lambda line: None)


def test_the_loss_by_hand() -> None:
    pixels = torch.rand(2, 3, 28, 28)
    assert fitting.pyramid_loss(pixels, pixels) == 0
    # A constant difference is only in what is below all bands.
    assert fitting.pyramid_loss(pixels + 0.25, pixels).item() == pytest.approx(0.25, abs=1e-6)
    # Stripes one pixel wide are only in the first band, where they are counted once more.
    stripes = torch.tensor([0.1, -0.1]).repeat(14).expand(2, 3, 28, 28)
    assert fitting.pyramid_loss(pixels + stripes, pixels).item() == pytest.approx(0.2, abs=1e-6)


@pytest.mark.slow
def test_training_writes_the_same_bytes_again(tmp_path: Path, unchecked: None) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    pixels = torch.from_numpy(drawn(partial(honest, FRESH), range(30), processes=1))
    try:
        for name in ("one", "two"):
            figures = training.train(
                tmp_path / name,
                pixels,
                dimensions=16,
                components=2,
                steps=fitting.FitSteps(1, 1),
                held_out=4,
                say=lambda line: None,
            )
    finally:
        torch.set_num_threads(threads)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    read = scenes_prior.read(tmp_path / "one", torch.device("cpu"))
    assert read.dimensions == 16
    assert read.figures == pytest.approx(figures, rel=1e-4)


def test_what_is_stored_is_small_and_loads_at_once(prior: scenes_prior.Prior) -> None:
    assert scenes_prior.WEIGHTS.stat().st_size < 4_000_000
    assert scenes_prior.load() is prior
    assert len(prior.fingerprint) == len(scenes_prior.read(scenes_prior.WEIGHTS, prior.device).fingerprint)


def test_reconstructions_are_nearer_than_what_is_simpler(prior: scenes_prior.Prior, scenes: torch.Tensor) -> None:
    with torch.no_grad():
        codes = prior.encode(scenes)
        painted = prior.decode(codes)
        linear = torch.nn.functional.interpolate(prior.autoencoder.code.picture(codes), (112, 112), mode="bilinear")
    errors = [(pixels - scenes).square().mean().item() for pixels in (painted, linear, scenes.mean(dim=0))]
    assert errors[0] < 0.9 * errors[1] < 0.3 * errors[2]
    assert errors[0] == pytest.approx(prior.figures["reconstruction_squared_error"], rel=0.25)
    assert codes.square().mean().item() == pytest.approx(1, abs=0.35)
    assert painted.min() >= 0 and painted.max() <= 1


def test_scenes_are_likelier_than_what_is_no_scene(prior: scenes_prior.Prior, scenes: torch.Tensor) -> None:
    changed = measuring.changed(scenes[:3])
    with torch.no_grad():
        own = prior.log_density(scenes[:3])
        noisy = prior.log_density(changed["noisy"])
        assert (own > noisy).all()
        assert (noisy > prior.log_density(changed["shuffled"])).all()
        # A density of patches rates the smoothest highest: said in its docstring, and true.
        assert (prior.log_density(changed["blurred"]) > own).all()
        assert torch.allclose(prior.log_density(scenes[:2], stride=3), own[:2], atol=25)


def test_codes_can_be_climbed(prior: scenes_prior.Prior, scenes: torch.Tensor) -> None:
    """Gradients reach the code through the decoder: from the mean picture, ascent finds a scene again."""
    goal = scenes[:1]
    codes = torch.zeros(1, prior.dimensions, requires_grad=True)
    optimizer = torch.optim.Adam([codes], lr=0.1)
    errors = []
    for _ in range(40):
        optimizer.zero_grad()
        error = (prior.decode(codes) - goal).square().mean()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.3 * errors[0]


def test_samples_are_standard_normal_and_repeat(prior: scenes_prior.Prior) -> None:
    codes = prior.sample(400, seed=3)
    assert codes.shape == (400, prior.dimensions)
    assert codes.mean().item() == pytest.approx(0, abs=0.01) and codes.std().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(prior.sample(5, 3), prior.sample(5, 3)) and not torch.equal(prior.sample(5, 3), codes[5:10])
    assert prior.sample(0, 0).shape == (0, prior.dimensions)


def test_bad_input_is_named(prior: scenes_prior.Prior, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"give \(n, {prior.dimensions}\)"):
        prior.decode(torch.zeros(1, 5))
    with pytest.raises(ValueError, match=r"give \(n, 3, 112, 112\)"):
        prior.encode(torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="h and w of at least 6"):
        prior.log_density(torch.zeros(1, 3, 5, 20))
    with pytest.raises(ValueError, match="A stride of 0"):
        prior.log_density(torch.zeros(1, 3, 20, 20), stride=0)
    with pytest.raises(ValueError, match="-1 codes"):
        prior.sample(-1, 0)
    with pytest.raises(FileNotFoundError, match="python -m interp.models.scenes train"):
        scenes_prior.read(tmp_path / "nothing.safetensors", torch.device("cpu"))
    assert not math.isnan(prior.log_density(torch.zeros(1, 3, 6, 6)).item())
