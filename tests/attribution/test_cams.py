from dataclasses import replace

import pytest
import torch

from interp import attribution
from interp.attribution import GradCam
from interp.attribution.cams import enlarged, on_grid
from interp.types import Classifier, Images, Layer, Target


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


def test_grad_cam_equals_pytorch_grad_cams(squeezenet: Classifier, photographs: Images) -> None:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = squeezenet.logits(photographs).argmax(dim=1).tolist()
    ours = attribution.attribute(squeezenet, photographs, targets, GradCam("features.12")).coarse
    layer = squeezenet.module.network.features[12]
    assert ours is not None
    for i, target in enumerate(targets):
        pixels = photographs.pixels[i : i + 1].clone().requires_grad_()
        with GradCAM(squeezenet.module, [layer]) as peer:
            peer(pixels, [ClassifierOutputTarget(target)])
            taken = peer.activations_and_grads
            activations, gradients = taken.activations[0].numpy(), taken.gradients[0].numpy()
            theirs = peer.get_cam_image(pixels, layer, [target], activations, gradients)
        pair = torch.stack([ours[i].flatten(), torch.as_tensor(theirs[0]).relu().flatten()])
        assert torch.corrcoef(pair)[0, 1] >= 0.999
        assert torch.allclose(pair[0], pair[1], rtol=1e-3, atol=1e-3 * float(pair[1].max()))


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


def test_tokens_are_laid_out_row_by_row_without_the_class_token() -> None:
    tokens = torch.arange(7.0)[None, :, None].expand(1, 7, 2)
    grid = on_grid(tokens, Layer("block", 2, "tokens", 2, 3))
    assert grid.tolist() == [[[[1, 2, 3], [4, 5, 6]]] * 2]


def test_layers_without_a_map_are_refused_before_any_pass(tiny: Classifier, noise_images: Images) -> None:
    flat = replace(tiny, layers=(*tiny.layers, Layer("linear", 3, "flat")))
    with pytest.raises(ValueError, match="'linear' has no spatial map.*conv1, conv2"):
        attribution.attribute(flat, noise_images, 0, GradCam("linear"))
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        attribution.attribute(tiny, noise_images, 0, GradCam("conv9"))
