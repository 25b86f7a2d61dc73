"""Relevance through a unit: the units' maps add up, zennit masked by its own hooks agrees, and a case by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import nn

from interp import attribution, models
from interp.attribution import Lrp
from interp.attribution.lrp import Composite
from interp.types import Classifier, Images, Layer, Target
from interp.units.conditioned import conditioned, relevance_of_units
from tests.networks import calibrated, pictures, shifted

COMPOSITES = get_args(Composite)


def zennits(
    classifier: Classifier, pixels: torch.Tensor, target: int, layer: str, units: list[int], composite: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Zennit's map (h, w) with all but some units set to zero in the backward pass; and each unit's relevance (k)."""
    from zennit import composites

    normalize, network = classifier.module.normalize, classifier.module.network
    low, high = (normalize(torch.full((1, 3, 1, 1), value)) for value in (0.0, 1.0))
    made = {
        "epsilon-plus-flat": composites.EpsilonPlusFlat,
        "epsilon-alpha2-beta1": composites.EpsilonAlpha2Beta1,
        "epsilon-gamma-box": lambda: composites.EpsilonGammaBox(low, high),
    }[composite]()
    found: list[torch.Tensor] = []

    def mask(relevance: torch.Tensor) -> torch.Tensor:
        found.append(relevance.sum(dim=(2, 3))[0])
        kept = torch.zeros_like(relevance)
        kept[:, units] = relevance[:, units]
        return kept

    inputs = normalize(pixels[None]).requires_grad_()
    network.requires_grad_(True)
    try:
        with made.context(network) as modified:
            watch = network.get_submodule(layer).register_forward_hook(
                lambda module, given, output: output.register_hook(mask) and None
            )
            output = modified(inputs)
            watch.remove()
            seed = torch.zeros_like(output)
            seed[:, target] = output[:, target].detach()
            (relevance,) = torch.autograd.grad(output, inputs, seed)
    finally:
        network.requires_grad_(False)
    return relevance[0].detach().sum(dim=0), found[0]


@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_the_units_maps_add_up_to_the_classs(tiny: Classifier, noise_images: Images, layer: str, composite) -> None:
    targets = [0, 2, Target(1, 0)]
    whole = attribution.attribute(tiny, noise_images, targets, Lrp(composite)).values
    units = range(tiny.layer(layer).channels)
    each = [conditioned(tiny, noise_images, targets, layer, unit, composite=composite) for unit in units]
    total = torch.stack([one.values for one in each]).sum(dim=0)
    torch.testing.assert_close(total, whole, rtol=1e-5, atol=1e-5 * float(whole.abs().max()))
    # Each is a part of its own, and says what of the unit's relevance biases below take.
    relevance = relevance_of_units(tiny, noise_images, targets, layer, composite=composite)
    for unit, one in zip(units, each, strict=True):
        assert one.residual is not None and one.signed
        torch.testing.assert_close(one.values.sum(dim=(1, 2)) - one.residual, relevance[:, unit], rtol=1e-3, atol=1e-6)
    assert sum(bool(one.values.any()) for one in each) > 1


@pytest.mark.parametrize(
    ("name", "layer", "composite"),
    [
        ("squeezenet1_1", "features.6", "epsilon-plus-flat"),
        ("googlenet", "inception3b", "epsilon-plus-flat"),
        ("convnext_tiny", "features.3", "gamma-gamma-box-cp-no-bias"),
    ],
)
def test_they_add_up_on_networks_with_branches(name: str, layer: str, composite) -> None:
    classifier = calibrated(name, 64)
    batch, count = pictures(classifier), classifier.layer(layer).channels
    whole = attribution.attribute(classifier, batch, [1, 7], Lrp(composite)).values
    parts = [
        conditioned(classifier, batch, [1, 7], layer, range(start, count, 3), composite=composite).values
        for start in range(3)
    ]
    torch.testing.assert_close(sum(parts), whole, rtol=1e-5, atol=1e-5 * float(whole.abs().max()))


@pytest.mark.parametrize("composite", COMPOSITES[:3])
def test_zennit_agrees_with_its_own_hooks(composite) -> None:
    pytest.importorskip("zennit")
    classifier, layer = calibrated("squeezenet1_1", 64), "features.6"
    batch = pictures(classifier)
    relevance = relevance_of_units(classifier, batch, [1, 7], layer, composite=composite)
    units = relevance[0].abs().topk(3).indices.tolist()
    ours = conditioned(classifier, batch, [1, 7], layer, units, composite=composite).values
    for row, target in enumerate([1, 7]):
        theirs, each = zennits(classifier, batch.pixels[row], target, layer, units, composite)
        torch.testing.assert_close(ours[row], theirs, rtol=1e-2, atol=1e-3 * float(theirs.abs().max()))
        torch.testing.assert_close(relevance[row], each, rtol=1e-2, atol=1e-3 * float(each.abs().max()))


def test_by_hand_through_one_unit(tiny: Classifier, noise_images: Images) -> None:
    """Without biases, the relevance of conv2's unit is the logit's part that its mean is multiplied by."""
    network = tiny.module.network
    for part in (network.conv1, network.conv2, network.linear):
        part.bias.zero_()
    means = network.conv2(network.conv1(noise_images.pixels).relu()).relu().mean(dim=(2, 3))
    found = relevance_of_units(tiny, noise_images, 1, "conv2")
    torch.testing.assert_close(found, means * network.linear.weight[1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.sum(dim=1), tiny.logits(noise_images)[:, 1], rtol=1e-4, atol=1e-5)
    flat = replace(tiny, layers=(*tiny.layers, Layer("linear", 3, "flat")))
    logits = tiny.logits(noise_images)
    torch.testing.assert_close(
        relevance_of_units(flat, noise_images, Target(1, 2), "linear"),
        torch.stack([0 * logits[:, 0], logits[:, 1], -logits[:, 2]], dim=1),
    )


def test_what_bypasses_the_layer_is_in_none_of_the_maps() -> None:
    classifier = calibrated("resnet50", 64)
    batch, layer = pictures(classifier), "layer3.1.bn3"
    every = list(range(classifier.layer(layer).channels))
    # Relevance goes through the block's end to this branch and to the skip connection beside it.
    through = relevance_of_units(classifier, batch, 1, layer).sum(dim=1)
    at_the_end = relevance_of_units(classifier, batch, 1, "layer3").sum(dim=1)
    before = relevance_of_units(classifier, batch, 1, "layer3.0").sum(dim=1)
    assert ((through / at_the_end - 1).abs() > 0.1).all()
    torch.testing.assert_close(at_the_end, before, rtol=2e-3, atol=2e-3)
    found = conditioned(classifier, batch, 1, layer, every)
    torch.testing.assert_close(found.values.sum(dim=(1, 2)), through, rtol=2e-3, atol=2e-3)


def test_a_layer_that_no_relevance_goes_through_is_refused() -> None:
    classifier = shifted("resnet18")
    batch = pictures(classifier)
    with pytest.raises(ValueError, match="No relevance goes through what 'layer1.0.conv1' gives in net"):
        conditioned(classifier, batch, 1, "layer1.0.conv1", 0)
    assert conditioned(classifier, batch, 1, "layer1.0.bn1", [0, 1, 2]).values.any()


class Late(nn.Module):
    """What the layer gives is written over by what follows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.other = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)
        self.relu, self.head = nn.ReLU(inplace=True), nn.Linear(4, 2)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        given = self.conv(pixels)
        given += self.other(pixels)
        return self.head(self.relu(given).mean(dim=(2, 3)))


def test_what_is_written_over_is_read_before(tiny: Classifier, noise_images: Images) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = Late()
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", network)
    layers = (Layer("conv", 4, "spatial", 16, 16), Layer("other", 4, "spatial", 16, 16))
    late = replace(tiny, module=module.eval().requires_grad_(False), layers=layers, labels=("a", "b"))
    one, other = network.conv(noise_images.pixels), network.other(noise_images.pixels)
    share = (one + other).relu() / 256 * network.head.weight[1][:, None, None]
    expected = {"conv": share * one / (one + other), "other": share * other / (one + other)}
    for layer, given in expected.items():
        found = relevance_of_units(late, noise_images, 1, layer)
        torch.testing.assert_close(found, given.sum(dim=(2, 3)), rtol=1e-3, atol=1e-5)
    whole = attribution.attribute(late, noise_images, 1, Lrp("epsilon-gamma-box")).values
    parts = [
        conditioned(late, noise_images, 1, layer, range(4), composite="epsilon-gamma-box").values for layer in expected
    ]
    torch.testing.assert_close(sum(parts), whole, rtol=1e-4, atol=1e-6)


def test_bad_questions_and_no_traces(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="Unit 6 does not exist: layer 'conv2' of tiny-0 has 6 units, 0 to 5"):
        conditioned(tiny, noise_images, 0, "conv2", [1, 6])
    with pytest.raises(ValueError, match="No unit was given"):
        conditioned(tiny, noise_images, 0, "conv2", [])
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        relevance_of_units(tiny, noise_images, 0, "conv9")
    with pytest.raises(ValueError, match="Class 3 does not exist"):
        relevance_of_units(tiny, noise_images, 3, "conv2")
    broken = Images(noise_images.pixels * float("nan"), noise_images.names)
    with pytest.raises(ValueError, match="gave NaN as the score of image 'first.png'"):
        conditioned(tiny, broken, 0, "conv2", 1)
    assert not any(one._forward_hooks or one._backward_hooks for one in tiny.module.modules())


def test_on_the_bundled_classifier() -> None:
    honest = models.load("scenes-honest", device="cpu")
    height, width = honest.input_size
    batch = Images(torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(2)), ("one", "two"))
    composite = "epsilon-gamma-box-no-bias"
    relevance = relevance_of_units(honest, batch, 3, "mixed4c", composite=composite)
    torch.testing.assert_close(relevance.sum(dim=1), honest.logits(batch)[:, 3], rtol=1e-3, atol=1e-3)
    best = relevance[0].topk(4).indices.tolist()
    rest = [unit for unit in range(relevance.shape[1]) if unit not in best]
    whole = attribution.attribute(honest, batch, 3, Lrp(composite)).values
    parts = [conditioned(honest, batch, 3, "mixed4c", units, composite=composite) for units in (best, rest)]
    total = parts[0].values + parts[1].values
    torch.testing.assert_close(total, whole, rtol=1e-5, atol=1e-5 * float(whole.abs().max()))
