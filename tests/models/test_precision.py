import torch

from interp.models import hooks
from interp.models.precision import in_bfloat16
from interp.types import Classifier, Images


def test_activations_of_a_network_in_bfloat16_are_taken_in_single_precision(
    tiny: Classifier, noise_images: Images
) -> None:
    # Singular values and interpolation weights, which class activation maps take of them, exist for no less.
    reduced = in_bfloat16(tiny)
    with hooks.activations(tiny, ["conv1"]) as whole:
        tiny.module(noise_images.pixels)
    with hooks.activations(reduced, ["conv1", "conv2"]) as taken:
        logits = reduced.module(noise_images.pixels)
    assert taken["conv1"].dtype == taken["conv2"].dtype == torch.float32
    rounded = taken["conv1"].detach().to(torch.bfloat16).float()
    assert torch.equal(taken["conv1"], rounded) and not torch.equal(taken["conv1"], whole["conv1"])
    slopes = torch.autograd.grad(logits[:, 1].sum(), [taken["conv1"], taken["conv2"]])
    assert all(slope.dtype == torch.float32 and slope.any() for slope in slopes)


def test_activations_of_a_network_in_double_precision_stay_in_it(tiny: Classifier, noise_images: Images) -> None:
    tiny.module.double()
    with hooks.activations(tiny, ["conv1"]) as taken:
        tiny.module(noise_images.pixels.double())
    assert taken["conv1"].dtype == torch.float64
