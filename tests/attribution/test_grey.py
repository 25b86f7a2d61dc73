"""A one-channel network: every method runs, other people's code agrees, and so does the same network in colour."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from benchmarks import coalition_peers
from benchmarks import peer_maps as peers
from benchmarks.peer_maps import Asked
from interp import attribution
from interp.attribution import (
    DeepLift,
    GradCam,
    Gradient,
    GradientShap,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    KernelShap,
    Lime,
    Lrp,
    Method,
    Occlusion,
    Rise,
    SmoothGrad,
    SmoothGradSquared,
    VarGrad,
)
from interp.attribution.superpixels import segments
from interp.types import Classifier, Images
from tests import grey

LAYER = "relu2"


@pytest.fixture(scope="module")
def batch() -> Images:
    return grey.held_out(3)[0]


@pytest.fixture(scope="module")
def classes() -> list[int]:
    return grey.held_out(3)[1]


def asked(lenet: Classifier, batch: Images, target: int) -> Asked:
    return Asked(lenet.module, batch.pixels[:1], target, LAYER)


def test_it_is_loaded_in_grey_and_has_learned(lenet: Classifier) -> None:
    assert lenet.channels == 1 and lenet.preprocessing.channels == 1
    assert lenet.module.normalize.mean.flatten().tolist() == pytest.approx([grey.MEAN])
    shown, classes = grey.held_out(450)
    assert (lenet.logits(shown).argmax(dim=1) == torch.tensor(classes)).float().mean() > 0.9


@pytest.mark.parametrize("title", attribution.METHODS)
def test_every_method_gives_a_map_of_the_picture(lenet: Classifier, batch: Images, classes, title: str) -> None:
    method = attribution.METHODS[title]()
    found = attribution.attribute(lenet, batch, classes, method)
    assert found.values.shape == (3, grey.SIZE, grey.SIZE)
    assert bool(found.values.isfinite().all()) and bool(found.values.flatten(1).any(dim=1).all())


# Those that draw numbers for each colour draw others in colour.
DRAWING = {"SmoothGrad", "SmoothGrad²", "VarGrad", "Gradient SHAP", "Random"}


@pytest.mark.parametrize("title", [title for title in attribution.METHODS if title not in DRAWING])
def test_the_same_network_in_colour_gives_the_same_map(lenet: Classifier, batch: Images, classes, title: str) -> None:
    method = attribution.METHODS[title]()
    found = attribution.attribute(lenet, batch, classes, method).values
    coloured = attribution.attribute(grey.twin(lenet), grey.in_colour(batch), classes, method).values
    # It is the largest of the three colours' magnitudes, each a third of grey's, where the others are sums.
    coloured = 3 * coloured if title == "Sensitivity" else coloured
    torch.testing.assert_close(found, coloured, rtol=1e-3, atol=1e-4 * float(found.abs().max()))


PEERS: list[tuple[Method, Callable[[Asked], Tensor]]] = [
    (Gradient(), lambda one: peers.saliency(one).sum(dim=0)),
    (InputXGradient(), peers.input_x_gradient),
    (IntegratedGradients(20), lambda one: peers.integrated_gradients(one, torch.zeros_like(one.pixels), 20)),
    (DeepLift(), lambda one: peers.deep_lift(one, torch.zeros_like(one.pixels))),
    (attribution.Deconvolution(), lambda one: peers.rectified(one, "Deconvolution")),
    (attribution.GuidedBackprop(), lambda one: peers.rectified(one, "GuidedBackprop")),
    (GuidedGradCam(LAYER), peers.guided_grad_cam),
    (Occlusion(7, 3, "mean"), lambda one: peers.occlusion(one, 7, 3, one.pixels.mean(dim=(2, 3), keepdim=True))),
]


@pytest.mark.parametrize(("method", "peer"), PEERS, ids=[method.title for method, _ in PEERS])
def test_captum_agrees(lenet: Classifier, batch: Images, classes, method: Method, peer) -> None:
    ours = attribution.attribute(lenet, batch[:1], classes[0], method).values[0]
    torch.testing.assert_close(ours, peer(asked(lenet, batch, classes[0])), rtol=1e-3, atol=1e-4)


def test_captums_grad_cam_agrees(lenet: Classifier, batch: Images, classes) -> None:
    ours = attribution.attribute(lenet, batch[:1], classes[0], GradCam(LAYER)).coarse
    theirs = peers.grad_cam(asked(lenet, batch, classes[0]))
    assert ours is not None and theirs.max() > 0
    torch.testing.assert_close(ours[0], theirs, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "kind"),
    [(SmoothGrad(12), "smoothgrad"), (SmoothGradSquared(12), "smoothgrad_sq"), (VarGrad(12), "vargrad")],
)
def test_captums_noise_tunnel_agrees_when_given_the_same_noise(lenet, batch: Images, classes, method, kind) -> None:
    ours = attribution.attribute(lenet, batch[:1], classes[0], method).values[0]
    noise = peers.drawn_noise(batch.pixels[0], method.samples, method.noise, method.seed)
    theirs = peers.noise_tunnel(asked(lenet, batch, classes[0]), kind, noise)
    assert torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.9999


@pytest.mark.parametrize("references", [True, False])
def test_captums_gradient_shap_agrees_from_the_same_draws(lenet, batch: Images, classes, references: bool) -> None:
    method = GradientShap(12, batch[1:] if references else None)
    draw = method._draw(batch.pixels[0])
    assert draw.baselines.shape[1] == 1
    ours = attribution.attribute(lenet, batch[:1], classes[0], method).values[0]
    theirs = peers.gradient_shap(asked(lenet, batch, classes[0]), draw.baselines[draw.which], draw.alphas)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("composite", ["epsilon-plus-flat", "epsilon-alpha2-beta1", "epsilon-gamma-box"])
def test_zennits_relevance_agrees(lenet: Classifier, batch: Images, classes, composite) -> None:
    pytest.importorskip("zennit")
    ours = attribution.attribute(lenet, batch[:1], classes[0], Lrp(composite)).values[0]
    theirs = peers.lrp(asked(lenet, batch, classes[0]), composite)
    assert torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.9999
    torch.testing.assert_close(ours.sum(), theirs.sum(), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "peer", "scale"),
    [("GradCamPlusPlus", "GradCAMPlusPlus", 1e4), ("XGradCam", "XGradCAM", 1.0), ("LayerCam", "LayerCAM", 1.0)],
)
def test_pytorch_grad_cam_agrees(lenet: Classifier, batch: Images, classes, name: str, peer: str, scale) -> None:
    ours = attribution.attribute(lenet, batch[:1], classes[0], getattr(attribution, name)(LAYER)).coarse
    theirs = peers.cam(asked(lenet, batch, classes[0]), peer, scale)
    assert ours is not None and ours.max() > 0
    assert torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.9999


def test_rise_agrees_with_the_masks_of_scikit_image(lenet: Classifier, batch: Images, classes) -> None:
    method = Rise(40, 4, baseline="mean")
    grids, shifts = method.draws((grey.SIZE, grey.SIZE))
    masks = peers.rise_masks(grids, shifts, (grey.SIZE, grey.SIZE))
    fill = batch.pixels[:1].mean(dim=(2, 3), keepdim=True)
    ours = attribution.attribute(lenet, batch[:1], classes[0], method).values[0]
    torch.testing.assert_close(ours, peers.rise(asked(lenet, batch, classes[0]), masks, fill), rtol=1e-3, atol=1e-3)


@pytest.fixture(scope="module")
def cut(batch: Images) -> tuple[int, Tensor]:
    """A number of segments to ask for, and those that SLIC then makes of the first digit: few, so that all coalitions
    can be scored.
    """
    found = ((count, segments(batch.pixels[0], count)) for count in range(2, 30))
    return next((count, labels) for count, labels in found if 5 <= int(labels.max()) + 1 <= 9)


def test_superpixels_are_those_of_the_picture_as_it_looks(batch: Images) -> None:
    for pixels in batch.pixels:
        labels = segments(pixels, 20)
        assert torch.equal(labels, segments(pixels.repeat(3, 1, 1), 20))
        parts = [pixels[0][labels == one] for one in labels.unique()]
        within = sum(float((part - part.mean()).square().sum()) for part in parts)
        # Of squares, which do not follow the ink, it is a quarter and more.
        assert within < 0.15 * float((pixels - pixels.mean()).square().sum())


def test_captums_lime_and_kernel_shap_agree_given_every_coalition(lenet, batch: Images, classes, cut) -> None:
    from captum._utils.models.linear_model import SkLearnLinearRegression, SkLearnRidge

    count, labels = cut
    players = int(labels.max()) + 1
    table = coalition_peers.scores_of_all(asked(lenet, batch, classes[0]), labels)
    samples = max(2**players, 2 * count + 2)
    lime, shap = (Lime(samples, count), KernelShap(samples, count))
    for method, weight, model in (
        (lime, coalition_peers.lime_weight, SkLearnRidge(alpha=2**players / samples)),
        (shap, coalition_peers.shapley_weight, SkLearnLinearRegression()),
    ):
        ours = attribution.attribute(lenet, batch[:1], classes[0], method).values[0]
        theirs = coalition_peers.captum_of_all(table, weight, model)
        torch.testing.assert_close(ours, theirs[labels].float(), rtol=1e-3, atol=1e-3 * float(ours.abs().max()))
    exact = torch.as_tensor(coalition_peers.exact_shapley(table))
    torch.testing.assert_close(ours, exact[labels].float(), rtol=1e-3, atol=1e-5)
