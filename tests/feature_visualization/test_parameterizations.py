"""Parameters to pictures and back, against numpy."""

import numpy as np
import pytest
import torch

from interp.feature_visualization import INDEPENDENT, Code, Fourier, Parameterization, Pixels
from interp.models import scenes_prior
from interp.types import Classifier, Images


@pytest.mark.parametrize("how", [Pixels(), Fourier(), Fourier(decay=0), Fourier(colours=INDEPENDENT), Fourier(15)])
def test_a_picture_goes_into_parameters_and_back(tiny: Classifier, noise_images: Images, how: Parameterization) -> None:
    size = how.resolution(tiny)
    pixels = torch.nn.functional.interpolate(noise_images.pixels, size).clamp(0.01, 0.99)
    again = how.decoder(tiny)(how.parameters(pixels, tiny))
    assert torch.allclose(again, pixels, atol=1e-4)


@pytest.mark.parametrize("size", [12, 13])
def test_coefficients_become_what_numpy_makes_of_them(tiny: Classifier, size: int) -> None:
    how = Fourier(size, INDEPENDENT)
    parameters = torch.randn(2, 3, size, size // 2 + 1, 2, generator=torch.Generator().manual_seed(0))
    down, across = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    frequency = np.maximum(np.hypot(down, across), 1 / size)
    spectrum = (parameters[..., 0] + 1j * parameters[..., 1]).numpy() * 0.25 / frequency
    planes = np.fft.irfft2(spectrum, s=(size, size), norm="ortho")
    assert np.allclose(how.decoder(tiny)(parameters).numpy(), 1 / (1 + np.exp(-planes)), atol=1e-5)


@pytest.mark.parametrize("size", [12, 13])
def test_the_gradient_of_coefficients_is_that_of_irfft2(tiny: Classifier, size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    parameters = torch.randn(1, 3, size, size // 2 + 1, 2, generator=generator).requires_grad_()
    towards = torch.randn(1, 3, size, size, generator=generator)
    how = Fourier(size, INDEPENDENT)
    weights = how.weights((size, size), torch.device("cpu"))
    spectrum = torch.view_as_complex(parameters * weights)
    plain = torch.fft.irfft2(spectrum, s=(size, size), norm="ortho").sigmoid()
    (expected,) = torch.autograd.grad((plain * towards).sum(), parameters)
    (found,) = torch.autograd.grad((how.decoder(tiny)(parameters) * towards).sum(), parameters)
    assert torch.allclose(found, expected, atol=1e-5)


def test_without_content_a_picture_has_the_mean_colour(tiny: Classifier) -> None:
    how = Fourier()
    pixels = how.decoder(tiny)(how.neutral(1, tiny))
    assert torch.allclose(pixels[0, :, 0, 0], torch.tensor(how.colours.mean))
    assert torch.allclose(pixels, pixels[:, :, :1, :1].expand_as(pixels))


def test_black_and_white_stay_finite(tiny: Classifier) -> None:
    pixels = torch.zeros(1, 3, 16, 16)
    pixels[:, :, 8:] = 1
    again = Fourier().decoder(tiny)(Fourier().parameters(pixels, tiny))
    assert torch.allclose(again, pixels, atol=0.01)


def test_a_code_is_the_generators() -> None:
    from interp import models

    scenes = models.load("scenes-honest", device="cpu")
    prior = scenes_prior.load()
    how = Code(prior, weight=0.5)
    codes = prior.sample(2, 0)
    assert how.resolution(scenes) == (112, 112)
    assert torch.equal(how.decoder(scenes)(codes), prior.decode(codes))
    penalty = how.penalty(codes)
    assert penalty is not None and torch.allclose(penalty, 0.5 * codes.square().sum(dim=1))
    # The encoder takes the generator's picture to about the code that it came from.
    again = how.parameters(prior.decode(codes), scenes)
    assert torch.nn.functional.cosine_similarity(again, codes).min() > 0.9


def test_what_is_not_possible_is_said() -> None:
    with pytest.raises(ValueError, match="4 × 4"):
        Fourier(4)
    with pytest.raises(ValueError, match="decay of -1"):
        Fourier(decay=-1)
    with pytest.raises(ValueError, match="weight of -1"):
        Code(scenes_prior.load(), weight=-1)
