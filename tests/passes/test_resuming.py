from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import VisionTransformer, convnext_tiny, densenet121, googlenet, mobilenet_v3_small, resnet18

from interp.models import hooks
from interp.models.layers import find_layers
from interp.models.normalize import assemble
from interp.passes.resuming import Resumed, start_cost, variant_cost
from interp.passes.target_score import FORWARD, TargetScore
from interp.types import Classifier, Images, Preprocessing, Target
from tests.conftest import tiny_classifier

IMAGES = Images(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(3)), ("first.png", "second.png"))


def classifier_of(network: nn.Module, *, size: int = 64) -> Classifier:
    """A classifier of 64 × 64 pixels whose batch norms know what their inputs look like, so that no signal dies."""
    module = assemble(network, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25])
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
    module.train()
    with torch.no_grad():
        logits = module(torch.rand(8, 3, size, size, generator=torch.Generator().manual_seed(4)))
    module.eval()
    preprocessing = Preprocessing(crop=(size, size), resize=size)
    found = find_layers(module, preprocessing)
    labels = tuple(str(i) for i in range(logits.shape[1]))
    device = torch.device("cpu")
    return Classifier("small", module, labels, found.layers, preprocessing, device, "small", "small")


def slow_logits(classifier: Classifier, layer: str, variants: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Full passes, one variant at a time, with the layer's output replaced."""
    logits = []
    for variant, image in zip(variants, pixels, strict=True):
        handle = hooks.submodule(classifier, layer).register_forward_hook(
            lambda module, inputs, output, variant=variant: variant[None].clone()
        )
        with torch.no_grad():
            logits.append(classifier.module(image[None]))
        handle.remove()
    return torch.cat(logits)


def check(classifier: Classifier, layer: str, images: Images = IMAGES) -> Resumed:
    """Variants that differ from image to image and position to position, against full passes."""
    target_score = TargetScore(classifier, images, (Target(0),) * len(images))
    resumed = Resumed(target_score, layer)
    rows = torch.tensor([1, 0, 1])
    noise = torch.rand(3, *resumed.activations.shape[1:], generator=torch.Generator().manual_seed(5))
    variants = resumed.activations[rows] * noise
    before = variants.clone()
    expected = slow_logits(classifier, layer, variants, images.pixels[rows])
    found = resumed.logits(variants, rows)
    scale = float(expected.abs().max())
    assert float((expected - classifier.logits(images)[rows]).abs().max()) > 1e-3 * scale
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * scale)
    assert torch.equal(variants, before)
    torch.testing.assert_close(resumed.logits(variants, rows), found)
    unchanged = resumed.logits(resumed.activations, torch.arange(len(images)))
    torch.testing.assert_close(unchanged, classifier.logits(images), rtol=1e-4, atol=1e-4 * scale)
    assert not any(part._forward_hooks for part in classifier.module.modules())
    return resumed


def transformer() -> nn.Module:
    network = VisionTransformer(
        image_size=64, patch_size=16, num_layers=3, num_heads=4, hidden_dim=32, mlp_dim=64, num_classes=10
    )
    nn.init.normal_(network.heads[0].weight)
    return network


NETWORKS: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "resnet18": (lambda: resnet18(num_classes=10), ["layer2.0.bn2", "layer3.0.downsample.1", "layer3", "layer4"]),
    "densenet121": (lambda: densenet121(num_classes=10), ["features.denseblock3.denselayer4", "features.norm5"]),
    "googlenet": (
        lambda: googlenet(num_classes=10, aux_logits=False, init_weights=False),
        ["conv2.bn", "inception4b.branch2.1.bn", "inception5b"],
    ),
    "mobilenet_v3_small": (
        lambda: mobilenet_v3_small(num_classes=10),
        ["features.4.block.2.fc1", "features.7.block.0", "features.12"],
    ),
    "convnext_tiny": (lambda: convnext_tiny(num_classes=10, layer_scale=1.0), ["features.5.3.block.0", "features.7"]),
    "transformer": (transformer, ["encoder.layers.encoder_layer_1.ln_1", "encoder.layers.encoder_layer_1"]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_resumed_logits_equal_full_passes_with_the_layers_output_replaced(name: str) -> None:
    build, layers = NETWORKS[name]
    torch.manual_seed(0)
    classifier = classifier_of(build())
    first = next(part for part in classifier.module.modules() if isinstance(part, nn.Conv2d))
    for layer in layers:
        resumed = check(classifier, layer)
        assert not resumed.whole
        runs = []
        handle = first.register_forward_hook(lambda *_, runs=runs: runs.append(1))
        resumed.logits(resumed.activations, torch.arange(2))
        handle.remove()
        assert not runs


def test_one_image_and_many_variants_of_it(tiny: Classifier, noise_images: Images) -> None:
    one = TargetScore(tiny, noise_images[1:2], (Target(2),))
    resumed = Resumed(one, "conv1")
    variants = resumed.activations * torch.linspace(0, 2, 5)[:, None, None, None]
    rows = torch.zeros(5, dtype=torch.long)
    expected = slow_logits(tiny, "conv1", variants, noise_images.pixels[1:2].expand(5, -1, -1, -1))
    torch.testing.assert_close(resumed.logits(variants, rows), expected)
    torch.testing.assert_close(resumed.scores(variants, rows), expected[:, 2])


class Untraceable(nn.Module):
    """Which way it takes depends on the numbers that it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.second = nn.Conv2d(4, 5, 3)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        hidden = self.first(pixels)
        if hidden.mean() > 1e9:
            hidden = -hidden
        return self.second(hidden).mean(dim=(2, 3))


class FixedSize(Untraceable):
    """Takes the number of images from before the layer."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        images = pixels.shape[0]
        return self.second(self.first(pixels)).reshape(images, 5, -1).mean(dim=2)


class HiddenWriting(Untraceable):
    """What the layer gives reaches the result only by being written into another value, which torch.fx does not see."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        hidden = self.first(pixels)
        doubled = hidden * 2
        doubled[:, :, 1:-1, 1:-1].add_(self.second(hidden).sum(dim=1, keepdim=True))
        return doubled.mean(dim=(2, 3))


class Writing(Untraceable):
    """Works in place on what the layer gives, and on a value kept from before it."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        hidden = self.first(pixels)
        second = self.second(hidden)
        shortcut = hidden[:, :1, 1:-1, 1:-1] * 2
        shortcut += second.sum(dim=1, keepdim=True)
        second += shortcut
        return functional.relu(second, inplace=True).mean(dim=(2, 3)) + shortcut.mean(dim=(2, 3))


class Repeating(Untraceable):
    """Runs a module twice."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.relu(self.second(self.relu(self.first(pixels)))).mean(dim=(2, 3))


@pytest.mark.parametrize(
    ("network", "whole"), [(Untraceable, True), (FixedSize, True), (HiddenWriting, True), (Writing, False)]
)
def test_networks_that_cannot_be_resumed_run_whole_with_the_same_result(network, whole: bool) -> None:
    torch.manual_seed(1)
    classifier = classifier_of(network())
    assert check(classifier, "second").whole == whole


@pytest.mark.parametrize("images", [1, 2, 3, 9])
def test_a_rest_that_has_taken_up_the_number_of_images_runs_whole(images: int) -> None:
    torch.manual_seed(1)
    classifier = classifier_of(FixedSize(), size=32)
    pixels = torch.rand(images, 3, 32, 32)
    target_score = TargetScore(classifier, Images(pixels, ("one",) * images), (Target(0),) * images)
    resumed = Resumed(target_score, "second")
    assert resumed.whole
    torch.testing.assert_close(
        resumed.activations,
        classifier.module.network.second(classifier.module.network.first(classifier.module.normalize(pixels))),
    )


def test_more_images_than_fit_into_a_batch_are_joined() -> None:
    torch.manual_seed(1)
    classifier = classifier_of(Writing(), size=224)
    pixels = torch.rand(10, 3, 224, 224)
    target_score = TargetScore(classifier, Images(pixels, ("one",) * 10), (Target(0),) * 10)
    resumed = Resumed(target_score, "second")
    assert target_score.batch_size < 10 and not resumed.whole
    rows = torch.tensor([9, 0, 8])
    expected = slow_logits(classifier, "second", resumed.activations[rows] / 2, pixels[rows])
    torch.testing.assert_close(resumed.logits(resumed.activations[rows] / 2, rows), expected)


@pytest.mark.parametrize("untraceable", [False, True])
def test_of_a_module_that_runs_twice_the_last_run_counts(untraceable: bool) -> None:
    class Both(Repeating):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            if untraceable and pixels.mean() > 1e9:
                pixels = -pixels
            return super().forward(pixels)

    torch.manual_seed(1)
    classifier = classifier_of(Both())
    resumed = Resumed(TargetScore(classifier, IMAGES, (Target(0),) * 2), "relu")
    assert resumed.whole == untraceable
    rows = torch.tensor([1, 0, 1])
    torch.testing.assert_close(resumed.logits(resumed.activations[rows] * 3, rows), classifier.logits(IMAGES)[rows] * 3)


class ManyClasses(nn.Module):
    """As SqueezeNet ends: a convolution makes the logits' maps, which are rectified and averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 6, 3, stride=4)
        self.mixed = nn.Conv2d(6, 8, 1)
        self.head = nn.Conv2d(8, 40, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.head(torch.relu(self.mixed(torch.relu(self.body(pixels)))))).mean(dim=(2, 3))


@pytest.mark.parametrize("target", [Target(3), Target(7, 2)])
def test_scores_are_of_some_classes_only_and_equal_those_of_all(target: Target, monkeypatch) -> None:
    torch.manual_seed(0)
    classifier = classifier_of(ManyClasses())
    target_score = TargetScore(classifier, IMAGES, (target, target))
    resumed = Resumed(target_score, "body")
    rows = torch.tensor([0, 1, 1])
    variants = resumed.activations[rows] * torch.tensor([1.0, 0.5, 0.1])[:, None, None, None]
    logits = resumed.logits(variants, rows)
    expected = logits[:, target.positive] - (0 if target.negative is None else logits[:, target.negative])
    channels: list[int] = []
    convolution = functional.conv2d

    def counted(given, weight, *others):
        channels.append(len(weight))
        return convolution(given, weight, *others)

    assert torch.allclose(resumed.scores(variants, rows), expected, atol=1e-6)
    monkeypatch.setattr(functional, "conv2d", counted)
    assert torch.allclose(resumed.scores(variants, rows), expected, atol=1e-6)
    assert channels[-1] == (1 if target.negative is None else 2)


def test_logits_that_depend_on_each_other_are_all_computed() -> None:
    class Sharpened(ManyClasses):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return super().forward(pixels).log_softmax(dim=1)

    torch.manual_seed(0)
    target_score = TargetScore(classifier_of(Sharpened()), IMAGES, (Target(3), Target(3)))
    resumed = Resumed(target_score, "body")
    rows = torch.tensor([0, 1])
    assert torch.equal(resumed.scores(resumed.activations, rows), resumed.logits(resumed.activations, rows)[:, 3])


def test_it_works_inside_inference_mode_and_leaves_no_gradients(tiny: Classifier, noise_images: Images) -> None:
    target_score = TargetScore(tiny, noise_images, (Target(0),) * 3)
    outside = Resumed(target_score, "conv1")
    variants = outside.activations / 2
    expected = outside.logits(variants, torch.arange(3))
    assert not expected.requires_grad
    with torch.inference_mode():
        inside = Resumed(target_score, "conv1")
        assert not inside.whole
        torch.testing.assert_close(inside.logits(inside.activations / 2, torch.arange(3)), expected)


def test_wrong_layers_and_shapes_are_refused(tiny: Classifier, noise_images: Images) -> None:
    target_score = TargetScore(tiny, noise_images, (Target(0),) * 3)
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        Resumed(target_score, "conv9")
    resumed = Resumed(target_score, "conv1")
    with pytest.raises(ValueError, match="4 × 8 × 8, and layer 'conv1' gives 4 × 16 × 16"):
        resumed.logits(torch.zeros(1, 4, 8, 8), torch.tensor([0]))


def test_a_score_that_is_not_finite_is_raised_with_the_images_name(tiny: Classifier, noise_images: Images) -> None:
    resumed = Resumed(TargetScore(tiny, noise_images, (Target(0),) * 3), "conv1")
    variants = resumed.activations.clone()
    variants[2, 0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="NaN as the score of image 'third.png'"):
        resumed.scores(variants, torch.arange(3))


def test_the_hook_is_gone_after_an_exception(tiny: Classifier, noise_images: Images) -> None:
    def fail(output: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"), hooks.replaced(tiny, "conv2", fail):
        tiny.module(noise_images.pixels)
    assert not any(part._forward_hooks for part in tiny.module.modules())
    with pytest.raises(ValueError, match="no layer 'conv9'"), hooks.replaced(tiny, "conv9", fail):
        pass
    assert tiny.lock.acquire(blocking=False)


def test_cost_by_hand() -> None:
    # conv1: 3·4·9 weights at 256 positions; conv2: 4·6·9 at 64; linear: 6·3 once.
    tiny = tiny_classifier()
    first, second, third = 3 * 4 * 9 * 256, 4 * 6 * 9 * 64, 6 * 3
    # The linear layer is not among the tiny classifier's layers: it is taken to have its input's positions.
    rest = second + third * 64
    assert variant_cost(tiny, "conv1") == pytest.approx(FORWARD * rest / (first + rest))
    assert variant_cost(tiny, "conv2") == pytest.approx(FORWARD * third * 64 / (first + rest))
    share = rest / (first + rest)
    assert start_cost(tiny, "conv1") == pytest.approx(FORWARD * (1 - share + 2 + 2 * share))
    assert variant_cost(tiny, "conv2") + start_cost(tiny, "conv2") == pytest.approx(FORWARD * 3, rel=0.02)


def test_what_runs_whole_costs_a_forward_pass_each() -> None:
    torch.manual_seed(1)
    assert variant_cost(classifier_of(Untraceable()), "second") == FORWARD
    classifier = classifier_of(FixedSize())
    assert variant_cost(classifier, "second") < FORWARD
    Resumed(TargetScore(classifier, IMAGES, (Target(0),) * 2), "second")
    assert variant_cost(classifier, "second") == FORWARD
