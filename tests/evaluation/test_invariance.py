import pytest
import torch

from interp import attribution, evaluation
from interp.types import Classifier, Images


@pytest.mark.parametrize("shift", [-1.0, 0.3])
def test_the_shifted_classifier_computes_the_same_function(
    shift: float, tiny: Classifier, noise_images: Images
) -> None:
    shifted = evaluation.shifted_classifier(tiny, shift)
    moved = Images(noise_images.pixels + shift, noise_images.names)
    # Up to the border, where a bias in place of the shift would meet padding that was not shifted.
    assert torch.allclose(shifted.logits(moved), tiny.logits(noise_images), atol=1e-5)
    assert shifted.fingerprint != tiny.fingerprint
    assert shifted.lock is tiny.lock


@pytest.mark.parametrize(
    "method",
    [
        attribution.Gradient(),
        attribution.GradCam(layer="conv2"),
        attribution.IntegratedGradients(steps=4, baseline="mean"),
        attribution.Occlusion(window=4),
        attribution.Lrp(),
    ],
)
def test_methods_that_know_no_encoding_are_invariant(
    method: attribution.Method, tiny: Classifier, noise_images: Images
) -> None:
    found = evaluation.shift_invariance(tiny, noise_images, 1, method)
    assert found.difference.max() < 1e-4
    assert found.spearman.min() > 0.999
    assert found.redrawn.tolist() == [0, 0, 0]
    assert found.logits < 1e-5


@pytest.mark.parametrize("method", [attribution.IntegratedGradients(steps=4), attribution.InputXGradient()])
def test_methods_with_a_black_baseline_are_not(
    method: attribution.Method, tiny: Classifier, noise_images: Images
) -> None:
    assert evaluation.shift_invariance(tiny, noise_images, 1, method).difference.min() > 0.3


def test_what_random_draws_make_is_told_apart(tiny: Classifier, noise_images: Images) -> None:
    found = evaluation.shift_invariance(tiny, noise_images, 1, attribution.Random())
    assert torch.allclose(found.difference, found.redrawn, atol=0.1)
    assert found.redrawn.min() > 0.5


def test_the_difference_by_hand_and_of_zero_maps(tiny: Classifier, noise_images: Images) -> None:
    first = attribution.attribute(tiny, noise_images, 1, attribution.Gradient())
    given = type(first)(torch.zeros_like(first.values), True, first.targets)
    assert evaluation.shift_invariance(
        tiny, noise_images, 1, attribution.Gradient(), heatmaps=given
    ).difference.tolist() == [1, 1, 1]


def test_a_shift_that_rounding_eats_is_refused(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="smaller shift"):
        evaluation.shift_invariance(tiny, noise_images, 1, attribution.Gradient(), shift=1e8)


def test_on_the_real_classifier_gradients_are_invariant(squeezenet: Classifier, photographs: Images) -> None:
    photographs = photographs[:1]
    top = squeezenet.logits(photographs).argmax(dim=1).tolist()
    assert evaluation.shift_invariance(squeezenet, photographs, top, attribution.Gradient()).difference.max() < 1e-4
    black = attribution.IntegratedGradients(steps=4)
    assert evaluation.shift_invariance(squeezenet, photographs, top, black).difference.min() > 0.5


def test_many_methods_at_once_are_the_same_as_one_by_one(tiny: Classifier, noise_images: Images) -> None:
    methods = (attribution.IntegratedGradients(steps=4), attribution.SmoothGrad(samples=3), attribution.Gradient())
    maps = dict(attribution.compare(tiny, noise_images, 1, methods))
    found = evaluation.shifts(tiny, noise_images, 1, tuple((method, maps[method]) for method in methods))
    for method, one in zip(methods, found, strict=True):
        alone = evaluation.shift_invariance(tiny, noise_images, 1, method)
        assert torch.allclose(one.difference, alone.difference, atol=1e-5)
        assert torch.allclose(one.redrawn, alone.redrawn, atol=1e-5)
        assert torch.allclose(one.spearman, alone.spearman, atol=1e-4)
    assert found[1].redrawn.min() > 0 and found[2].redrawn.max() == 0
