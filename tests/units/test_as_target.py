"""A unit is explained as a class is: as on a network that ends there, by hand, by Captum and by zennit."""

from __future__ import annotations

import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks import peer_maps as peers
from interp import attribution, models
from interp.attribution import METHODS, GradCam, Gradient, GuidedGradCam, Lrp
from interp.models.graph import traced
from interp.models.precision import Bfloat16, in_bfloat16
from interp.types import Classifier, Images, Layer, Target, digest
from interp.units.as_target import units_of
from tests.attribution.transformers import _torchvision_vit, noise, seeded
from tests.conftest import tiny_classifier
from tests.networks import calibrated, described, pictures
from tests.test_concurrency import variants


class Ended(nn.Module):
    """The tiny network, ended at its second convolution by hand."""

    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        self.conv1, self.relu1, self.conv2, self.strongest = whole.conv1, whole.relu1, whole.conv2, nn.MaxPool2d(8)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.strongest(self.conv2(self.relu1(self.conv1(pixels)))).flatten(1)


def ended_by_hand(classifier: Classifier) -> Classifier:
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", Ended(classifier.module.network))
    labels = tuple(map(str, range(6)))
    return replace(classifier, module=module.eval(), labels=labels, layers=classifier.layers[:1], fingerprint="ended")


def activation(classifier: Classifier, layer: str, pixels: torch.Tensor) -> torch.Tensor:
    """What the layer gives, by a hook of our own, with its gradient."""
    taken: list[torch.Tensor] = []
    part = classifier.module.get_submodule(f"network.{layer}")
    handle = part.register_forward_hook(lambda module, inputs, output: taken.append(output.clone()))
    classifier.module(pixels)
    handle.remove()
    return taken[-1]


def strongest(found: torch.Tensor, unit: int) -> list[tuple[int, int]]:
    return [divmod(int(one), found.shape[3]) for one in found[:, unit].flatten(1).argmax(dim=1)]


def hooks_on(classifier: Classifier) -> int:
    return sum(len(one._forward_hooks) + len(one._backward_hooks) for one in classifier.module.modules())


@pytest.mark.parametrize("method", [*variants(), attribution.Random()], ids=lambda method: str(method)[:40])
def test_every_method_gives_what_it_gives_of_the_network_that_ends_there(
    tiny: Classifier, noise_images: Images, method: attribution.Method
) -> None:
    ours = attribution.attribute(units_of(tiny, "conv2"), noise_images, [1, 5, Target(2, 3)], method)
    expected = attribution.attribute(ended_by_hand(tiny), noise_images, [1, 5, Target(2, 3)], method)
    torch.testing.assert_close(ours.values, expected.values, rtol=1e-5, atol=1e-6)
    assert (ours.residual is None) == (expected.residual is None) and ours.passes == pytest.approx(expected.passes)
    if ours.residual is not None and expected.residual is not None:
        torch.testing.assert_close(ours.residual, expected.residual, rtol=1e-4, atol=1e-5)
    assert ours.values.any()


def test_every_method_runs_or_says_why_not_at_the_first_layer(tiny: Classifier, noise_images: Images) -> None:
    first = units_of(tiny, "conv1")
    refused = {}
    for method in variants():
        try:
            attribution.attribute(first, noise_images, 2, method)
        except ValueError as error:
            refused[type(method).title] = str(error)
    maps_of_layers = {title for title in METHODS if "CAM" in title}
    assert set(refused) == maps_of_layers | {"Deconvolution", "Guided Backprop"}
    assert "tiny-0 up to conv1 ends at the first layer that has a map" in refused["Score-CAM"]
    assert "tiny-0 up to conv1 has no rectifiers" in refused["Deconvolution"]
    with pytest.raises(ValueError, match="tiny-0 up to conv2 has no layer 'conv2'. It has: conv1"):
        attribution.attribute(units_of(tiny, "conv2"), noise_images, 0, GradCam("conv2"))


@pytest.mark.parametrize(("name", "layer"), [("squeezenet1_1", "features.6"), ("googlenet", "inception3b.branch2")])
def test_the_gradient_begins_at_the_strongest_position_alone(name: str, layer: str) -> None:
    classifier = calibrated(name, 64)
    batch, unit = pictures(classifier), 7
    pixels = batch.pixels.clone().requires_grad_()
    found = activation(classifier, layer, pixels)
    places = strongest(found, unit)
    score = torch.stack([found[row, unit, y, x] for row, (y, x) in enumerate(places)])
    (expected,) = torch.autograd.grad(score.sum(), pixels)
    units = units_of(classifier, layer)
    torch.testing.assert_close(units.logits(batch)[:, unit], score.detach())
    ours = attribution.attribute(units, batch, unit, Gradient()).values
    torch.testing.assert_close(ours, expected.sum(dim=1), rtol=1e-4, atol=1e-6)


def test_of_equal_positions_one_is_explained(tiny: Classifier) -> None:
    """The mean of several would be an explanation of none."""
    plain = Images(torch.full((1, 3, 16, 16), 0.5), ("plain",))
    given = activation(tiny, "conv1", plain.pixels)[0, 2]
    assert int((given == given.max()).sum()) > 1
    rows, columns = attribution.attribute(units_of(tiny, "conv1"), plain, 2, Gradient()).values[0].nonzero().T
    assert rows.max() - rows.min() < 3 and columns.max() - columns.min() < 3


def test_a_position_of_its_own_and_flat_layers(tiny: Classifier, noise_images: Images) -> None:
    found = activation(tiny, "conv2", noise_images.pixels)
    units = units_of(tiny, "conv2", at=(3, 5))
    torch.testing.assert_close(units.logits(noise_images), found[:, :, 3, 5])
    assert attribution.attribute(units, noise_images, 4, Lrp("epsilon-gamma-box-no-bias")).residual.abs().max() < 1e-4
    flat = replace(tiny, layers=(*tiny.layers, Layer("linear", 3, "flat")))
    torch.testing.assert_close(units_of(flat, "linear").logits(noise_images), tiny.logits(noise_images))
    assert units_of(flat, "linear").default_layer == "conv2"
    with pytest.raises(ValueError, match="Layer 'linear' has no positions"):
        units_of(flat, "linear", at=(0, 0))
    with pytest.raises(ValueError, match="no position .8, 0.: rows go from 0 to 7"):
        units_of(tiny, "conv2", at=(8, 0))
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        units_of(tiny, "conv9")


@pytest.mark.parametrize("peer", ["NeuronGradient", "NeuronGuidedBackprop", "NeuronDeconvolution"])
def test_captum_agrees(peer: str) -> None:
    import captum.attr

    classifier, layer, unit = calibrated("squeezenet1_1", 64), "features.6", 7
    batch = pictures(classifier)
    places = strongest(activation(classifier, layer, batch.pixels), unit)
    part = classifier.module.get_submodule(f"network.{layer}")
    theirs = []
    with warnings.catch_warnings(action="ignore"):
        for row, place in enumerate(places):
            explain = getattr(captum.attr, peer)(classifier.module, part)
            theirs.append(explain.attribute(batch.pixels[row : row + 1].clone().requires_grad_(), (unit, *place)))
    title = {"NeuronGradient": "Gradient", "NeuronGuidedBackprop": "Guided Backprop"}.get(peer, "Deconvolution")
    ours = attribution.attribute(units_of(classifier, layer), batch, unit, METHODS[title]()).values
    torch.testing.assert_close(ours, torch.cat(theirs).detach().sum(dim=1), rtol=1e-3, atol=1e-5)


class UpToFire(nn.Module):
    """SqueezeNet's first modules, and the strongest position of each unit."""

    def __init__(self, whole: nn.Module, place: int, side: int) -> None:
        super().__init__()
        self.features, self.pool = whole.features[: place + 1], nn.MaxPool2d(side)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.pool(self.features(pixels)).flatten(1)


@pytest.mark.parametrize("composite", ["epsilon-plus-flat", "epsilon-gamma-box", "epsilon-plus-flat-no-bias"])
def test_zennit_agrees_of_a_unit(composite) -> None:
    pytest.importorskip("zennit")
    classifier, unit = calibrated("squeezenet1_1", 64), 7
    batch = pictures(classifier)
    ours = attribution.attribute(units_of(classifier, "features.6"), batch, unit, Lrp(composite)).values
    module = nn.Sequential()
    module.add_module("normalize", classifier.module.normalize)
    module.add_module("network", UpToFire(classifier.module.network, 6, classifier.layer("features.6").height))
    theirs = torch.stack([peers.lrp(peers.Asked(module, pixels[None], unit), composite) for pixels in batch.pixels])
    torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-3 * float(theirs.abs().max()))


@pytest.mark.parametrize(("name", "layer"), [("googlenet", "inception3b"), ("resnet50", "layer3.0")])
def test_relevance_adds_up_to_the_activation(name: str, layer: str) -> None:
    classifier = calibrated(name, 64)
    batch = pictures(classifier)
    units = units_of(classifier, layer)
    activations = units.logits(batch)
    unit = int(activations.amin(dim=0).argmax())
    score = activations[:, unit]
    found = attribution.attribute(units, batch, unit, Lrp("epsilon-gamma-box-no-bias"))
    assert (score > 0.1).all() and found.residual is not None
    torch.testing.assert_close(found.values.sum(dim=(1, 2)), score, rtol=1e-3, atol=1e-4)
    assert (found.residual.abs() < 1e-3 * score).all()


def test_the_network_does_not_run_past_the_layer(tiny: Classifier, noise_images: Images) -> None:
    units = units_of(tiny, "conv1")
    ran: Counter[str] = Counter()
    handles = [
        part.register_forward_hook(lambda module, inputs, output, name=name: ran.update([name]))
        for name, part in tiny.module.network.named_modules()
    ]
    attribution.attribute(units, noise_images, 0, Gradient())
    for handle in handles:
        handle.remove()
    assert ran == {"conv1": 1}


def test_the_classifier_is_left_as_it_was(tiny: Classifier, noise_images: Images) -> None:
    before, names = tiny.logits(noise_images), [name for name, _ in tiny.module.named_modules()]
    units = units_of(tiny, "conv2")
    broken = Images(torch.full((1, 3, 16, 16), float("nan")), ("broken",))
    with pytest.raises(ValueError, match="tiny-0 up to conv2 gave NaN as the score of image 'broken'"):
        attribution.attribute(units, broken, 0, Gradient())
    attribution.attribute(units, noise_images, 0, GuidedGradCam())
    assert hooks_on(tiny) == 0 and torch.equal(tiny.logits(noise_images), before)
    assert [name for name, _ in tiny.module.named_modules()] == names
    assert units.module.network.conv1 is tiny.module.network.conv1 and units.lock is tiny.lock
    assert units_of(tiny, "conv2") is units


def test_from_several_threads_as_from_one() -> None:
    classifier = tiny_classifier(3)
    batch = Images(torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)), ("one", "two"))
    asked = [
        (of, target, kind())
        for of in (classifier, units_of(classifier, "conv2"), units_of(classifier, "conv2", at=(1, 2)))
        for target in range(3)
        for kind in (Gradient, Lrp, GradCam, attribution.GuidedBackprop, attribution.DeepLift, attribution.AblationCam)
    ]

    def ask(question) -> torch.Tensor:
        of, target, method = question
        return attribution.attribute(of, batch, target, method).values

    expected = [ask(one) for one in asked]
    with ThreadPoolExecutor(8) as pool:
        for found, alone in zip(pool.map(ask, asked * 2), expected * 2, strict=True):
            torch.testing.assert_close(found, alone, rtol=1e-5, atol=1e-7)
    assert hooks_on(classifier) == 0


class Twice(nn.Module):
    """One convolution that runs twice, and something that writes over what it gives."""

    def __init__(self) -> None:
        super().__init__()
        self.shared, self.relu, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(inplace=True), nn.Linear(3, 2)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.head(self.relu(self.shared(self.relu(self.shared(pixels)))).mean(dim=(2, 3)))


@pytest.fixture
def twice(tiny: Classifier) -> Classifier:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        network = Twice()
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", network)
    layers = (Layer("shared", 3, "spatial", 16, 16),)
    return replace(tiny, module=module.eval().requires_grad_(False), layers=layers, labels=("a", "b"))


def test_of_a_module_that_runs_twice_the_last_run_counts(twice: Classifier, noise_images: Images) -> None:
    shared = twice.module.network.shared
    pixels = noise_images.pixels.clone().requires_grad_()
    second = shared(shared(pixels).relu())
    (expected,) = torch.autograd.grad(second[:, 1].amax(dim=(1, 2)).sum(), pixels)
    units = units_of(twice, "shared")
    torch.testing.assert_close(units.logits(noise_images), second.detach().amax(dim=(2, 3)))
    found = attribution.attribute(units, noise_images, 1, Gradient()).values
    torch.testing.assert_close(found, expected.sum(dim=1))
    torch.testing.assert_close(traced(units.module.network)(noise_images.pixels), units.logits(noise_images))


def test_tokens_have_positions_where_they_have_a_place() -> None:
    classifier = described(seeded(_torchvision_vit(), 16).module.network, 16, 3)
    batch = noise(classifier)
    layer = next(
        one for one in classifier.layers if one.kind == "tokens" and one.prefix == 1 and "encoder_layer_1" in one.name
    )
    tokens = activation(classifier, layer.name, batch.pixels).detach()
    units = units_of(classifier, layer.name)
    torch.testing.assert_close(units.logits(batch), tokens[:, 1:].amax(dim=1))
    at = units_of(classifier, layer.name, at=(1, 0))
    torch.testing.assert_close(at.logits(batch), tokens[:, 1 + layer.width])
    assert attribution.attribute(units, batch, 3, Lrp("gamma-gamma-box-cp")).values.any()
    assert units.default_layer == "encoder.layers.encoder_layer_0"


@pytest.mark.parametrize("layer", ["features.6", "features.6.expand3x3", "features.7"])
def test_a_trace_is_the_network_that_ends_there(layer: str) -> None:
    units = units_of(calibrated("squeezenet1_1", 64), layer)
    batch = pictures(units)
    graph = traced(units.module.network)
    normalized = units.module.normalize(batch.pixels)
    torch.testing.assert_close(graph(normalized), units.logits(batch))
    assert not [node.target for node in graph.graph.nodes if str(node.target).startswith(("features.9", "classifier"))]
    whole = traced(units.module.network, whole=frozenset([layer]))
    torch.testing.assert_close(whole(normalized), units.logits(batch))


class Placed(nn.Module):
    """A map of places that does not depend on the picture, added to a convolution's."""

    def __init__(self) -> None:
        super().__init__()
        self.places, self.wider, self.conv = nn.Conv2d(1, 3, 1), nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 3, padding=1)
        self.sum, self.head = nn.Identity(), nn.Linear(3, 2)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        below = self.conv(pixels)
        places = self.wider(self.places(torch.linspace(0, 1, 256).view(1, 1, 16, 16)))
        return self.head(self.sum(below + places).mean(dim=(2, 3)))


def test_layers_that_do_not_depend_on_the_picture_have_no_part(tiny: Classifier, noise_images: Images) -> None:
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", Placed())
    layers = tuple(Layer(name, 3, "spatial", 16, 16) for name in ("conv", "places", "wider", "sum"))
    placed = replace(tiny, module=module.eval().requires_grad_(False), layers=layers, labels=("a", "b"))
    for constant in ("places", "wider"):
        with pytest.raises(ValueError, match=f"What layer '{constant}' of tiny-0 gives does not depend on the picture"):
            units_of(placed, constant)
    assert units_of(placed, "sum").default_layer == "conv"


def test_units_of_units_and_reduced_precision(tiny: Classifier, noise_images: Images) -> None:
    inner = units_of(units_of(tiny, "conv2"), "conv1")
    torch.testing.assert_close(inner.logits(noise_images), units_of(tiny, "conv1").logits(noise_images))
    for one in (units_of(in_bfloat16(tiny), "conv2"), in_bfloat16(units_of(tiny, "conv2"))):
        assert isinstance(one.module, Bfloat16) and attribution.attribute(one, noise_images, 1, Gradient()).values.any()


def test_what_is_said_of_units(tiny: Classifier, noise_images: Images) -> None:
    units = units_of(tiny, "conv2")
    assert units.labels[4] == "conv2:4" and [layer.name for layer in units.layers] == ["conv1"]
    assert "gives the activations of the units" in units.notes[-1]
    others = [units_of(tiny, "conv1"), units_of(tiny, "conv2", at=(0, 1)), units_of(tiny, "conv2", at=(1, 0)), tiny]
    assert len({digest(one) for one in [units, *others]}) == 5
    assert digest(units_of(tiny, "conv2", at=(0, 1))) == digest(others[1])
    with pytest.raises(ValueError, match="Unit 6 does not exist: tiny-0 up to conv2 has 6 units, 0 to 5"):
        attribution.attribute(units, noise_images, Target(1, 6), Gradient())
    with pytest.raises(ValueError, match="units, which have no probabilities"):
        units.probabilities(noise_images)
    with pytest.raises(ValueError, match="units, which have no probabilities"):
        units.target_probabilities(units.logits(noise_images), units.targets(0, 3))
    with pytest.raises(ValueError, match="units, which have no probabilities"):
        attribution.class_maps(units, noise_images)


def test_on_the_bundled_classifier() -> None:
    honest = models.load("scenes-honest", device="cpu")
    height, width = honest.input_size
    batch = Images(torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(2)), ("noise",))
    units = units_of(honest, "mixed4c")
    found = activation(honest, "mixed4c", batch.pixels)
    unit = int(found[0].amax(dim=(1, 2)).argmax())
    assert units.default_layer == "mixed4b"
    relevance = attribution.attribute(units, batch, unit, Lrp("epsilon-gamma-box-no-bias"))
    torch.testing.assert_close(relevance.values.sum(), found[0, unit].max(), rtol=1e-3, atol=1e-4)
