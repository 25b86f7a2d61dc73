import re
from dataclasses import replace

import pytest
import torch

from benchmarks import peer_maps as peers
from interp import attribution
from interp.attribution import GradCam
from interp.attribution.cams import EigenCam, GradCamPlusPlus, LayerCam, TappedCam, XGradCam
from interp.passes.grids import enlarged
from interp.types import Classifier, Images, Layer, Target

CAMS = (GradCam, GradCamPlusPlus, XGradCam, LayerCam, EigenCam)


def test_grad_cam_by_hand_on_the_tiny_classifier(tiny: Classifier, noise_images: Images) -> None:
    # The mean over positions after conv2's ReLU goes into the linear layer, so ∂s/∂A_kuv is w_ck / 64 where A_kuv > 0.
    network = tiny.module.network
    with torch.no_grad():
        activation = network.conv2(network.relu1(network.conv1(noise_images.pixels)))
    weights = network.linear.weight[2][:, None, None] * (activation > 0).float().mean(dim=(2, 3), keepdim=True) / 64
    expected = (weights * activation).sum(dim=1).relu()
    heatmaps = attribution.attribute(tiny, noise_images, 2, GradCam())
    assert heatmaps.coarse is not None
    torch.testing.assert_close(heatmaps.coarse, expected)
    torch.testing.assert_close(heatmaps.values, enlarged(expected, (16, 16)))


@pytest.mark.parametrize(
    ("cam", "name", "scale"),
    [
        (GradCam, "GradCAM", 1.0),
        (GradCamPlusPlus, "GradCAMPlusPlus", 1e4),
        (XGradCam, "XGradCAM", 1.0),
        (LayerCam, "LayerCAM", 1.0),
        (EigenCam, "EigenCAM", 1.0),
    ],
)
def test_every_cam_equals_pytorch_grad_cams(
    squeezenet: Classifier, photographs: Images, cam: type[TappedCam], name: str, scale: float
) -> None:
    from scipy.stats import spearmanr

    targets = squeezenet.logits(photographs).argmax(dim=1).tolist()
    ours = attribution.attribute(squeezenet, photographs, targets, cam("features.12")).coarse
    assert ours is not None
    for i, target in enumerate(targets):
        asked = peers.Asked(squeezenet.module, photographs.pixels[i : i + 1], target, "features.12")
        mine, theirs = ours[i].flatten(), peers.cam(asked, name, scale).flatten()
        assert mine.max() > 0
        assert spearmanr(mine, theirs).statistic >= 0.999
        assert torch.cosine_similarity(mine, theirs, dim=0) >= 0.9999
        # What makes the peer's Grad-CAM++ right changes its scale.
        assert scale != 1 or torch.allclose(mine, theirs, rtol=1e-3, atol=1e-3 * float(mine.max()))


def slow_cam(cam: type[TappedCam], activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """One image's map in double precision, position by position."""
    activation, gradient = activation.double(), gradient.double()
    channels, rows, columns = activation.shape
    coarse = torch.zeros(rows, columns, dtype=torch.double)
    places = [(u, v) for u in range(rows) for v in range(columns)]
    for k in range(channels):
        a, g, total = activation[k], gradient[k], activation[k].sum()
        if cam is GradCam:
            weight = sum(g[p] for p in places) / len(places)
        elif cam is XGradCam:
            weight = sum(g[p] * a[p] for p in places) / total if total else 0
        elif cam is GradCamPlusPlus:
            weight = sum(g[p] ** 2 / (2 * g[p] ** 2 + total * g[p] ** 3) * g[p] for p in places if g[p] > 0)
        else:
            weight = g.clamp(min=0)
        coarse += weight * a
    return coarse.clamp(min=0).float()


@pytest.mark.parametrize("target", [2, Target(0, 1)])
@pytest.mark.parametrize("cam", CAMS[:-1])
def test_every_cam_by_hand_on_the_tiny_classifier(tiny: Classifier, noise_images: Images, cam, target) -> None:
    network = tiny.module.network
    activation = network.relu1(network.conv1(noise_images.pixels)).detach().requires_grad_()
    logits = network.linear(torch.relu(network.conv2(activation)).mean(dim=(2, 3)))
    score = logits[:, 2] if target == 2 else logits[:, 0] - logits[:, 1]
    gradient = torch.autograd.grad(score.sum(), activation)[0]
    heatmaps = attribution.attribute(with_relu(tiny), noise_images, target, cam("relu1"))
    expected = torch.stack([slow_cam(cam, *one) for one in zip(activation.detach(), gradient, strict=True)])
    assert heatmaps.coarse is not None and expected.max() > 0
    torch.testing.assert_close(heatmaps.coarse, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(heatmaps.values, enlarged(heatmaps.coarse, (16, 16)))
    assert heatmaps.passes == 1 and not heatmaps.signed


def with_relu(tiny: Classifier) -> Classifier:
    return replace(tiny, layers=(*tiny.layers, Layer("relu1", 4, "spatial", 16, 16)))


def test_eigen_cam_by_hand() -> None:
    # One channel rises along the row, the other falls: the first component is their difference, half as strong each.
    rising = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    activation = torch.stack([rising, 1 - rising / 3])[None]
    coarse = EigenCam().coarse(activation, torch.zeros_like(activation))
    centred = torch.tensor([[-1.5, -0.5, 0.5, 1.5]])
    torch.testing.assert_close(coarse[0], (centred * (1 + 1 / 9) ** 0.5).relu())


def test_eigen_cam_has_a_sign_that_does_not_depend_on_the_channels_order_and_no_target(
    tiny: Classifier, noise_images: Images
) -> None:
    activation = torch.rand(3, 6, 8, 8, generator=torch.Generator().manual_seed(2))
    coarse = EigenCam().coarse(activation, torch.zeros_like(activation))
    shuffled = EigenCam().coarse(activation[:, [3, 1, 5, 0, 2, 4]], torch.zeros_like(activation))
    torch.testing.assert_close(coarse, shuffled, rtol=1e-4, atol=1e-4 * float(coarse.max()))
    centred = activation.mean(dim=1) - activation.mean(dim=(1, 2, 3))[:, None, None]
    assert ((coarse * centred).sum(dim=(1, 2)) > 0).all()
    first, second = (attribution.attribute(tiny, noise_images, target, EigenCam()).values for target in (0, 2))
    assert torch.equal(first, second) and first.any()


def eigen(activation: torch.Tensor) -> torch.Tensor:
    return EigenCam().coarse(activation, torch.zeros_like(activation))


def undecided() -> torch.Tensor:
    """Activations whose mean over channels says nothing of the first component's sign, after a layer norm and by hand.

    The last one's component is a ramp, so that it has no skewness either.
    """
    drawn = torch.randn(6, 8, 5, 5, generator=torch.Generator().manual_seed(4)) ** 3
    normed = torch.nn.functional.layer_norm(drawn.movedim(1, 3), (8,)).movedim(3, 1)
    ramp = torch.arange(25.0).view(5, 5) - 12
    opposed = torch.zeros(1, 8, 5, 5)
    opposed[0, :2] = torch.stack([ramp, -ramp])
    return torch.cat([normed, opposed])


@pytest.mark.parametrize("kind", ["undecided", "decided"])
def test_eigen_cams_sign_does_not_hang_on_rounding(kind) -> None:
    decided = torch.rand(7, 8, 5, 5, generator=torch.Generator().manual_seed(3))
    activation = undecided() if kind == "undecided" else decided
    together = eigen(activation)
    large = together.amax(dim=(1, 2), keepdim=True)
    assert (large > 0).all()
    order = torch.tensor([3, 6, 0, 5, 2, 1, 4])
    generator = torch.Generator().manual_seed(5)
    channels = torch.randperm(8, generator=generator)
    found = [torch.cat([eigen(one[None]) for one in activation]), eigen(activation[order])[order.argsort()]]
    found += [eigen(activation[:, channels]), eigen(activation.double()).float(), 1e-20 * eigen(1e20 * activation)]
    for _ in range(20):
        found.append(eigen(activation * (1 + 1e-6 * torch.randn(activation.shape, generator=generator))))
    for one in found:
        assert ((one - together).abs() < 1e-3 * large).all()


def test_eigen_cams_sign_by_hand_where_the_mean_says_nothing() -> None:
    # Two channels that cancel: one place of 3 against three of −1 is bright; of a ramp, where it begins.
    for values, expected in (([-3.0, 1.0, 1.0, 1.0], [3, 0, 0, 0]), ([-2.0, -1.0, 1.0, 2.0], [2, 1, 0, 0])):
        row = torch.tensor(values)[None]
        coarse = eigen(torch.stack([row, -row])[None])
        torch.testing.assert_close(coarse[0, 0], torch.tensor(expected) * 2**0.5)


def test_directly_before_average_pooling_xgrad_cam_is_grad_cam() -> None:
    # The gradient at a layer that only its mean is read of is the same at all positions of a channel.
    activations = torch.rand(2, 5, 4, 4)
    gradients = torch.randn(2, 5, 1, 1).expand(2, 5, 4, 4)
    torch.testing.assert_close(XGradCam().coarse(activations, gradients), GradCam().coarse(activations, gradients))


def test_layer_cam_adds_up_to_gradient_times_activation_where_no_gradient_is_negative() -> None:
    activations, gradients = torch.rand(2, 5, 4, 4), torch.rand(2, 5, 4, 4)
    coarse = LayerCam().coarse(activations, gradients)
    torch.testing.assert_close(coarse.sum(dim=(1, 2)), (activations * gradients).sum(dim=(1, 2, 3)))


@pytest.mark.parametrize("cam", CAMS)
def test_empty_channels_and_gradients_give_a_zero_map(cam) -> None:
    for activations, gradients in [(torch.zeros, torch.rand), (torch.ones, torch.zeros), (torch.zeros, torch.zeros)]:
        coarse = cam().coarse(activations(1, 3, 4, 4), gradients(1, 3, 4, 4))
        assert torch.equal(coarse, torch.zeros(1, 4, 4))


@pytest.mark.parametrize("cam", CAMS)
def test_several_images_give_what_each_gives_alone(tiny: Classifier, noise_images: Images, cam) -> None:
    targets = [2, Target(0, 1), 1]
    together = attribution.attribute(tiny, noise_images, targets, cam("conv1")).values
    for i, target in enumerate(targets):
        alone = attribution.attribute(tiny, noise_images[i : i + 1], target, cam("conv1")).values
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-4, atol=1e-5)


def test_all_cams_share_one_pass(tiny: Classifier, noise_images: Images) -> None:
    runs = []
    handle = tiny.module.network.conv1.register_forward_hook(lambda *_: runs.append(1))
    cams = [cam(layer) for cam in CAMS for layer in ("conv1", "conv2")]
    together = dict(attribution.compare(tiny, noise_images, 1, cams))
    handle.remove()
    assert len(runs) == 1 and len(together) == len(cams) + 1
    for cam in cams:
        alone = attribution.attribute(tiny, noise_images, 1, cam)
        torch.testing.assert_close(together[cam].values, alone.values)


def test_a_contrast_is_linear_before_the_relu(tiny: Classifier, noise_images: Images) -> None:
    both = attribution.attribute(tiny, noise_images, Target(0, 1), GradCam("conv1")).coarse
    swapped = attribution.attribute(tiny, noise_images, Target(1, 0), GradCam("conv1")).coarse
    assert both is not None and swapped is not None
    # ReLU(a) and ReLU(−a): never both positive, and together |a|.
    assert not (both * swapped).any()
    assert (both + swapped).max() > 0


def test_the_default_layer_is_the_last_spatial_one(tiny: Classifier, noise_images: Images) -> None:
    default, named = (attribution.attribute(tiny, noise_images, 0, GradCam(layer)) for layer in (None, "conv2"))
    assert torch.equal(default.values, named.values)


def test_layers_without_a_map_are_refused_before_any_pass(tiny: Classifier, noise_images: Images) -> None:
    flat = replace(tiny, layers=(*tiny.layers, Layer("linear", 3, "flat")))
    for cam in CAMS:
        with pytest.raises(ValueError, match=rf"'linear' has no spatial map for {re.escape(cam.title)}.*conv1, conv2"):
            attribution.attribute(flat, noise_images, 0, cam("linear"))
        with pytest.raises(ValueError, match="no layer 'conv9'"):
            attribution.attribute(tiny, noise_images, 0, cam("conv9"))
