import pytest
import torch

from benchmarks import peer_maps as peers
from interp import attribution
from interp.attribution import Gradient, SmoothGrad, SmoothGradSquared, VarGrad
from interp.types import Classifier, Images
from tests.networks import calibrated, pictures


def slow(tiny: Classifier, images: Images, samples: int, noise: float, seed: int) -> torch.Tensor:
    """Every gradient of every noisy copy, one by one."""
    gradients = torch.zeros(samples, *images.pixels.shape)
    for row, image in enumerate(images.pixels):
        for sample, drawn in enumerate(peers.drawn_noise(image, samples, noise, seed)):
            leaf = (image + drawn)[None].requires_grad_()
            gradients[sample, row] = torch.autograd.grad(tiny.module(leaf)[0, 1], leaf)[0][0]
    return gradients


def test_all_three_are_moments_of_the_same_gradients(tiny: Classifier, noise_images: Images) -> None:
    gradients = slow(tiny, noise_images, 7, 0.3, 2)
    methods = [SmoothGrad(7, 0.3, 2), SmoothGradSquared(7, 0.3, 2), VarGrad(7, 0.3, 2)]
    found = dict(attribution.compare(tiny, noise_images, 1, methods))
    expected = [gradients.mean(dim=0), gradients.square().mean(dim=0), gradients.var(dim=0, correction=0)]
    for method, one in zip(methods, expected, strict=True):
        torch.testing.assert_close(found[method].values, one.sum(dim=1), rtol=1e-4, atol=1e-9)
        torch.testing.assert_close(attribution.attribute(tiny, noise_images, 1, method).values, found[method].values)


def test_they_share_their_passes(tiny: Classifier, noise_images: Images) -> None:
    seen = []
    handle = tiny.module.network.conv1.register_forward_hook(lambda module, given, output: seen.append(len(output)))
    list(attribution.compare(tiny, noise_images, 1, [SmoothGrad(5), VarGrad(5), SmoothGradSquared(5)]))
    assert sum(seen) == 5 * 3
    list(attribution.compare(tiny, noise_images, 1, [SmoothGrad(5), VarGrad(4)]))
    handle.remove()
    assert sum(seen) == 5 * 3 + 5 * 3 + 4 * 3


def test_without_noise_they_are_the_gradient(tiny: Classifier, noise_images: Images) -> None:
    gradient = attribution.attribute(tiny, noise_images, 1, Gradient()).values
    torch.testing.assert_close(attribution.attribute(tiny, noise_images, 1, SmoothGrad(3, 0)).values, gradient)
    assert attribution.attribute(tiny, noise_images, 1, VarGrad(3, 0)).values.abs().max() < 1e-12


@pytest.mark.parametrize(
    ("method", "kind"),
    [(SmoothGrad(12), "smoothgrad"), (SmoothGradSquared(12), "smoothgrad_sq"), (VarGrad(12), "vargrad")],
)
def test_captums_noise_tunnel_agrees_when_given_the_same_noise(method, kind: str) -> None:
    classifier = calibrated("squeezenet1_1", 64)
    batch = pictures(classifier, 1)
    ours = attribution.attribute(classifier, batch, 3, method).values[0]
    noise = peers.drawn_noise(batch.pixels[0], method.samples, method.noise, method.seed)
    theirs = peers.noise_tunnel(peers.Asked(classifier.module, batch.pixels, 3), kind, noise)
    assert torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.9999


def test_bad_parameters_are_named() -> None:
    with pytest.raises(ValueError, match="SmoothGrad with 0 samples"):
        SmoothGrad(0)
    with pytest.raises(ValueError, match="noise of -0.1"):
        VarGrad(noise=-0.1)
