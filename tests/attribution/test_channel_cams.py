from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from benchmarks import peer_maps as peers
from interp import attribution
from interp.attribution.channel_cams import AblationCam, ScoreCam
from interp.passes.grids import enlarged
from interp.passes.splitting import past_pooling
from interp.passes.target_score import FORWARD
from interp.types import Classifier, Images, Layer, Target
from tests.passes.test_resuming import Untraceable, classifier_of, transformer

CAMS = (ScoreCam, AblationCam)


def activation_of(classifier: Classifier, layer: str, pixels: torch.Tensor) -> torch.Tensor:
    taken = []
    module = classifier.module.network.get_submodule(layer)
    handle = module.register_forward_hook(lambda module, inputs, output: taken.append(output.clone()))
    with torch.no_grad():
        classifier.module(pixels)
    handle.remove()
    return taken[-1]


def score_of(logits: torch.Tensor, target: Target) -> float:
    negative = 0.0 if target.negative is None else float(logits[0, target.negative])
    return float(logits[0, target.positive]) - negative


def slow_score_cam(classifier: Classifier, layer: str, pixels: torch.Tensor, target: Target) -> torch.Tensor:
    """Channel by channel, on normalized pixels, for one image (1, 3, h, w)."""
    activation = activation_of(classifier, layer, pixels)
    normalized = classifier.module.normalize(pixels)
    scores = []
    for channel in activation[0]:
        mask = interpolate(channel[None, None], size=pixels.shape[2:], mode="bilinear", align_corners=False)[0, 0]
        span = mask.max() - mask.min()
        mask = (mask - mask.min()) / span if span > 0 else torch.zeros_like(mask)
        with torch.no_grad():
            scores.append(score_of(classifier.module.network(normalized * mask), target))
    weights = torch.tensor(scores).softmax(dim=0)
    return sum(weight * channel for weight, channel in zip(weights, activation[0], strict=True)).relu()


def slow_ablation_cam(classifier: Classifier, layer: str, pixels: torch.Tensor, target: Target) -> torch.Tensor:
    """Channel by channel, by full passes with the channel zeroed, for one image (1, 3, h, w)."""
    activation = activation_of(classifier, layer, pixels)
    with torch.no_grad():
        whole = score_of(classifier.module(pixels), target)
    coarse = torch.zeros(activation.shape[2:])
    for k in range(activation.shape[1]):

        def zero(module, inputs, output, k=k):
            output = output.clone()
            output[:, k] = 0
            return output

        handle = classifier.module.network.get_submodule(layer).register_forward_hook(zero)
        with torch.no_grad():
            without = score_of(classifier.module(pixels), target)
        handle.remove()
        coarse += (whole - without) / abs(whole) * activation[0, k]
    return coarse.relu()


def left_open(classifier: Classifier, layer: str, pixels: torch.Tensor, target: Target) -> float:
    """How far single precision lets two ways of summing one image's channels differ.

    Some last digits of the weights, which are differences of logits next to the score, times the channels: one of them
    is about −100, also where its weight should be 0.
    """
    with torch.no_grad():
        logits = classifier.module(pixels)
    weight = 1 + logits.abs().max() / abs(score_of(logits, target))
    channels = activation_of(classifier, layer, pixels).abs().sum(dim=1).max()
    return 4 * torch.finfo(torch.float32).eps * float(weight * channels)


SLOW = {ScoreCam: slow_score_cam, AblationCam: slow_ablation_cam}


@pytest.fixture
def normalizing(tiny: Classifier) -> Classifier:
    """The tiny classifier with a normalization, and a channel of the first layer that is zero everywhere."""
    from interp.models.normalize import Normalize

    tiny.module.normalize = Normalize([0.4, 0.5, 0.6], [0.2, 0.25, 0.3])
    with torch.no_grad():
        tiny.module.network.conv1.bias[1] = -100
    return replace(tiny, layers=(*tiny.layers, Layer("relu1", 4, "spatial", 16, 16)))


@pytest.mark.parametrize("target", [Target(2), Target(0, 1), Target(1, 0)])
@pytest.mark.parametrize("layer", ["relu1", "conv1", "conv2"])
@pytest.mark.parametrize("cam", CAMS)
def test_a_slow_recomputation_gives_the_same(normalizing, noise_images: Images, cam, layer: str, target) -> None:
    heatmaps = attribution.attribute(normalizing, noise_images, target, cam(layer))
    expected = [SLOW[cam](normalizing, layer, pixels[None], target) for pixels in noise_images.pixels]
    assert heatmaps.coarse is not None
    unknown = max(left_open(normalizing, layer, pixels[None], target) for pixels in noise_images.pixels)
    assert unknown < 1e-3
    torch.testing.assert_close(heatmaps.coarse, torch.stack(expected), rtol=1e-5, atol=unknown)
    torch.testing.assert_close(heatmaps.values, enlarged(heatmaps.coarse, (16, 16)))
    assert not heatmaps.signed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cam", "peer"),
    [(ScoreCam, lambda asked: peers.score_cam(asked, aligned=False)), (AblationCam, peers.ablation_cam)],
)
def test_each_equals_pytorch_grad_cams(squeezenet: Classifier, photographs: Images, cam, peer) -> None:
    from scipy.stats import spearmanr

    batch = photographs[1:2]
    target = int(squeezenet.logits(batch).argmax())
    ours = attribution.attribute(squeezenet, batch, target, cam("features.3")).coarse
    assert ours is not None
    mine = ours.flatten()
    theirs = peer(peers.Asked(squeezenet.module, batch.pixels, target, "features.3")).flatten()
    assert mine.max() > 0
    assert spearmanr(mine, theirs).statistic >= 0.999
    assert torch.cosine_similarity(mine, theirs, dim=0) >= 0.9999


@pytest.mark.parametrize("cam", CAMS)
def test_several_images_give_what_each_gives_alone(normalizing: Classifier, noise_images: Images, cam) -> None:
    targets = [2, Target(0, 1), 1]
    together = attribution.attribute(normalizing, noise_images, targets, cam("relu1")).values
    for i, target in enumerate(targets):
        alone = attribution.attribute(normalizing, noise_images[i : i + 1], target, cam("relu1")).values
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cam", CAMS)
def test_a_token_layer_of_a_transformer(cam) -> None:
    torch.manual_seed(0)
    classifier = classifier_of(transformer())
    layer = "encoder.layers.encoder_layer_1"
    batch = Images(torch.rand(1, 3, 64, 64), ("one",))
    heatmaps = attribution.attribute(classifier, batch, 4, cam(layer))
    assert heatmaps.values.shape == (1, 64, 64) and heatmaps.coarse is not None
    tokens = activation_of(classifier, layer, batch.pixels)[0]
    whole = float(classifier.logits(batch)[0, 4])
    expected = torch.zeros(4, 4)
    scores = []
    for k in range(tokens.shape[1]):
        grid = tokens[1:, k].reshape(4, 4)
        if cam is AblationCam:

            def zero(module, inputs, output, k=k):
                output = output.clone()
                output[:, :, k] = 0
                return output

            handle = classifier.module.network.get_submodule(layer).register_forward_hook(zero)
            expected += (whole - float(classifier.logits(batch)[0, 4])) / abs(whole) * grid
            handle.remove()
        else:
            mask = interpolate(grid[None, None], size=(64, 64), mode="bilinear")[0, 0]
            mask = (mask - mask.min()) / (mask.max() - mask.min())
            normalized = classifier.module.normalize(batch.pixels)
            with torch.no_grad():
                scores.append(float(classifier.module.network(normalized * mask)[0, 4]))
    if cam is ScoreCam:
        expected = (tokens[1:] @ torch.tensor(scores).softmax(dim=0)).reshape(4, 4)
    torch.testing.assert_close(heatmaps.coarse[0], expected.relu(), rtol=1e-4, atol=1e-5)


def test_score_cam_of_some_channels_takes_the_loudest(normalizing: Classifier, noise_images: Images) -> None:
    activation = activation_of(normalizing, "relu1", noise_images.pixels)
    loudest = activation[0].mean(dim=(1, 2)).argmax()
    one = attribution.attribute(normalizing, noise_images[:1], 2, ScoreCam("relu1", channels=1)).coarse
    assert one is not None
    torch.testing.assert_close(one[0], activation[0, loudest])
    every, more = (
        attribution.attribute(normalizing, noise_images, 2, ScoreCam("relu1", channels=channels)).values
        for channels in (None, 100)
    )
    assert torch.equal(every, more)
    with pytest.raises(ValueError, match="0 channels has nothing to show"):
        ScoreCam(channels=0)


def test_channels_that_show_nothing_take_no_pass(normalizing: Classifier, noise_images: Images) -> None:
    counted = []
    handle = normalizing.module.network.conv2.register_forward_hook(
        lambda module, inputs, output: counted.append(len(output))
    )
    attribution.attribute(normalizing, noise_images[:1], 2, ScoreCam("relu1"))
    # The activations, three channels that vary, the empty picture for the fourth.
    assert sum(counted) == 5 == ScoreCam("relu1").cost(normalizing) / FORWARD - 1
    counted.clear()
    attribution.attribute(normalizing, noise_images[:1], 2, AblationCam("relu1"))
    # Twice two variants to try the rest, the image as it is, three channels.
    assert sum(counted) == 2 * 2 + 1 + 3
    handle.remove()


def test_a_plain_picture_gives_finite_maps(normalizing: Classifier) -> None:
    plain = Images(torch.full((1, 3, 16, 16), 0.5), ("plain",))
    for cam in CAMS:
        for layer in ("relu1", "conv2"):
            assert attribution.attribute(normalizing, plain, 0, cam(layer)).values.isfinite().all()


def test_without_any_activation_the_maps_are_zero(tiny: Classifier, noise_images: Images) -> None:
    with torch.no_grad():
        tiny.module.network.conv1.bias.fill_(-100)
    dead = replace(tiny, layers=(*tiny.layers, Layer("relu1", 4, "spatial", 16, 16)))
    for cam in CAMS:
        assert not attribution.attribute(dead, noise_images, 0, cam("relu1")).values.any()


def test_a_score_of_zero_divides_nothing(tiny: Classifier, noise_images: Images) -> None:
    with torch.no_grad():
        tiny.module.network.linear.weight.zero_()
        tiny.module.network.linear.bias.zero_()
    assert not attribution.attribute(tiny, noise_images, 0, AblationCam("conv1")).values.any()


@pytest.mark.parametrize("cam", CAMS)
def test_a_network_that_cannot_be_traced_works_too(cam) -> None:
    torch.manual_seed(1)
    classifier = classifier_of(Untraceable())
    batch = Images(torch.rand(2, 3, 64, 64), ("one", "two"))
    heatmaps = attribution.attribute(classifier, batch, 3, cam("first"))
    expected = [SLOW[cam](classifier, "first", pixels[None], Target(3)) for pixels in batch.pixels]
    assert heatmaps.coarse is not None
    torch.testing.assert_close(heatmaps.coarse, torch.stack(expected), rtol=1e-4, atol=1e-5)
    # Four channels, and the image as it is, or the empty picture; the activations.
    assert heatmaps.passes == pytest.approx(6 * FORWARD)


@pytest.mark.parametrize("cam", CAMS)
def test_layers_without_a_map_are_refused_and_no_hook_stays(tiny: Classifier, noise_images: Images, cam) -> None:
    flat = replace(tiny, layers=(*tiny.layers, Layer("linear", 3, "flat")))
    with pytest.raises(ValueError, match=f"'linear' has no spatial map for {cam.title}.*conv1, conv2"):
        attribution.attribute(flat, noise_images, 0, cam("linear"))
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        attribution.attribute(tiny, noise_images, 0, cam("conv9"))
    broken = Images(noise_images.pixels.clone(), noise_images.names)
    broken.pixels[1, 0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="NaN as the score of image 'second.png'"):
        attribution.attribute(tiny, broken, 0, cam("conv1"))
    assert not any(part._forward_hooks for part in tiny.module.modules())
    assert not tiny.module.training


def test_ablation_cam_is_cheaper_the_later_the_layer(squeezenet: Classifier) -> None:
    from interp.models.layers import find_layers

    found = find_layers(squeezenet.module, squeezenet.preprocessing)
    listed = replace(squeezenet, layers=found.layers)
    names = ["features.3", "features.7", "features.12"]
    each = [AblationCam(name).cost(listed) / listed.layer(name).channels for name in names]
    assert all(later < earlier for earlier, later in pairwise(each))
    assert ScoreCam("features.12").cost(listed) == pytest.approx(514 / 3)


class Pooled(nn.Module):
    """A layer with poolings behind it, which something else reads too where `shared` says so."""

    def __init__(self, shared: bool) -> None:
        super().__init__()
        self.shared = shared
        self.first, self.relu, self.pool = nn.Conv2d(3, 6, 5, 3), nn.LeakyReLU(), nn.MaxPool2d(2)
        self.mean, self.drop, self.last = nn.AdaptiveAvgPool2d(2), nn.Dropout(), nn.Linear(24, 4)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        hidden = self.relu(self.first(pixels))
        logits = self.last(self.drop(self.mean(self.pool(hidden))).flatten(1))
        return logits + hidden.mean(dim=(1, 2, 3))[:, None] if self.shared else logits


@pytest.mark.parametrize(
    ("shared", "layer", "place"),
    [(False, "relu", "mean"), (False, "first", "first"), (False, "mean", "mean"), (True, "relu", "relu")],
)
def test_ablated_channels_are_zeroed_behind_poolings(shared: bool, layer: str, place: str) -> None:
    torch.manual_seed(2)
    classifier = classifier_of(Pooled(shared))
    assert past_pooling(classifier, layer) == place
    batch = Images(torch.rand(2, 3, 64, 64), ("one", "two"))
    heatmaps = attribution.attribute(classifier, batch, 3, AblationCam(layer))
    expected = [slow_ablation_cam(classifier, layer, pixels[None], Target(3)) for pixels in batch.pixels]
    assert heatmaps.coarse is not None and heatmaps.coarse.any()
    torch.testing.assert_close(heatmaps.coarse, torch.stack(expected), rtol=1e-4, atol=1e-5)
