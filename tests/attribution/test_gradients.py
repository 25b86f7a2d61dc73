import torch

from benchmarks import peer_maps as peers
from interp import attribution
from interp.attribution import Gradient, InputXGradient, Sensitivity
from interp.types import Classifier, Images


def test_gradient_is_the_slope_by_finite_differences(tiny: Classifier, noise_images: Images) -> None:
    values = attribution.attribute(tiny, noise_images, 1, Gradient()).values
    tiny.module.double()
    pixels, step = noise_images.pixels.double(), 1e-7
    for row, column in ((0, 0), (5, 9), (15, 15)):
        raised, lowered = pixels.clone(), pixels.clone()
        raised[:, :, row, column] += step
        lowered[:, :, row, column] -= step
        slope = (tiny.module(raised)[:, 1] - tiny.module(lowered)[:, 1]) / (2 * step)
        torch.testing.assert_close(values[:, row, column].double(), slope, rtol=1e-4, atol=1e-7)


def test_gradient_equals_captums_saliency(squeezenet: Classifier, photographs: Images) -> None:
    batch = photographs[:3]
    targets = squeezenet.logits(batch).argmax(dim=1).tolist()
    ours = attribution.attribute(squeezenet, batch, targets, Gradient()).values
    asked = [peers.Asked(squeezenet.module, batch.pixels[i : i + 1], target) for i, target in enumerate(targets)]
    theirs = torch.stack([peers.saliency(one).sum(dim=0) for one in asked])
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_sensitivity_sums_to_the_squared_length_of_the_gradient(squeezenet: Classifier, photographs: Images) -> None:
    batch = photographs[:2]
    values = attribution.attribute(squeezenet, batch, 7, Sensitivity()).values
    pixels = batch.pixels.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(squeezenet.module(pixels)[:, 7].sum(), pixels)
    assert (values >= 0).all()
    torch.testing.assert_close(values.sum(dim=(1, 2)), gradient.square().sum(dim=(1, 2, 3)), rtol=1e-4, atol=0)


def test_input_x_gradient_equals_captums_on_pixels(squeezenet: Classifier, photographs: Images) -> None:
    batch = photographs[1:2]
    ours = attribution.attribute(squeezenet, batch, 7, InputXGradient()).values[0]
    theirs = peers.input_x_gradient(peers.Asked(squeezenet.module, batch.pixels, 7))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_input_x_gradient_of_a_linear_score_adds_up_to_it(tiny: Classifier, noise_images: Images) -> None:
    network = tiny.module.network
    network.forward = lambda pixels: network.linear(network.conv2(network.conv1(pixels)).mean(dim=(2, 3)))
    values = attribution.attribute(tiny, noise_images, 1, InputXGradient()).values
    black = Images(torch.zeros_like(noise_images.pixels), noise_images.names)
    risen = (tiny.logits(noise_images) - tiny.logits(black))[:, 1]
    torch.testing.assert_close(values.sum(dim=(1, 2)), risen, rtol=1e-4, atol=1e-6)


def test_three_methods_cost_one_pass(tiny: Classifier, noise_images: Images) -> None:
    passes = []
    handle = tiny.module.network.conv1.register_forward_hook(lambda *_: passes.append(1))
    list(attribution.compare(tiny, noise_images, 0, [Gradient(), Sensitivity(), InputXGradient()]))
    handle.remove()
    assert len(passes) == 1
