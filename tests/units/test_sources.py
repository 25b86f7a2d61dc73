"""What a unit reads by its weights, held against the network's own activations, layer by layer and map by map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import VisionTransformer

from benchmarks import cifar
from interp import units
from interp.models import hooks
from interp.types import Classifier
from interp.units.source_terms import PICTURE, CarriedTerm, KernelTerm, UnknownTerm
from tests import networks


def activations(classifier: Classifier, names: set[str]) -> dict[str, torch.Tensor]:
    size = (1, classifier.channels, *classifier.input_size)
    pixels = torch.rand(size, generator=torch.Generator().manual_seed(5))
    with torch.no_grad(), hooks.activations(classifier, sorted(names - {PICTURE})) as taken:
        classifier.module(pixels)
    with torch.no_grad():
        return taken | {PICTURE: classifier.module.get_submodule("normalize")(pixels)}


def rebuilt(classifier: Classifier, layer: str, unit: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A unit's map as the network gives it, and as its terms and its inputs' maps, by their names, give it."""
    found = units.sources(classifier, layer, unit)
    assert found.error is not None and found.error < 1e-4
    sources = [one for term in found.kernels for one in term.inputs]
    sources += [one.source for one in found.terms if isinstance(one, CarriedTerm)]
    maps = activations(classifier, {layer, *(one.layer for one in sources)})

    def of(one) -> torch.Tensor:
        got = maps[one.layer][0, one.unit]
        for operation in one.through:
            got = getattr(torch, operation)(got)
        return got

    total = torch.tensor(found.constant)
    for term in found.terms:
        if isinstance(term, CarriedTerm):
            total = total + term.scale * of(term.source)
        else:
            assert isinstance(term, KernelTerm)
            module = classifier.module.get_submodule(f"network.{term.module}")
            stacked = torch.stack([of(one) for one in term.inputs])[None]
            kernel = torch.from_numpy(term.weights)[None]
            assert isinstance(module, nn.Conv2d)
            options = {"stride": term.stride, "dilation": term.dilation, "padding": module.padding}
            total = total + torch.nn.functional.conv2d(stacked, kernel, **options)[0, 0]
    for operation in found.after:
        total = {"relu": torch.relu, "hardswish": nn.functional.hardswish}[operation](total)
    return maps[layer][0, unit], total


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("squeezenet1_1", ("features.0", "features.4")),
        ("resnet50", ("layer1.0.bn1", "layer2")),
        ("mobilenet_v3_large", ("features.2.block.1", "features.3")),
        ("shufflenet_v2_x0_5", ("stage3",)),
    ],
)
def test_a_unit_is_the_sum_of_what_it_reads(name: str, layers: tuple[str, ...]) -> None:
    classifier = networks.shifted(name)
    for layer in layers:
        for unit in {0, classifier.layer(layer).channels - 1}:
            own, ours = rebuilt(classifier, layer, unit)
            torch.testing.assert_close(ours, own, rtol=1e-4, atol=1e-4 * float(own.abs().max() + 1))


def test_branches_and_batch_normalizations_are_told() -> None:
    squeezenet = networks.shifted("squeezenet1_1")
    first, last = (units.sources(squeezenet, "features.4", unit).kernels[0] for unit in (3, 127))
    assert first.module == "features.4.expand1x1" and first.weights.shape == (16, 1, 1)
    assert last.module == "features.4.expand3x3" and last.weights.shape == (16, 3, 3) and not last.normalized
    assert {one.layer for one in last.inputs} == {"features.4.squeeze_activation"}
    block = units.sources(networks.shifted("resnet50"), "layer2", 5)
    assert block.after == ("relu",) and block.kernels[0].normalized
    assert [one.source.layer for one in block.terms if isinstance(one, CarriedTerm)] == ["layer2.0"]
    depthwise = units.sources(networks.shifted("mobilenet_v3_large"), "features.2.block.1", 7).kernels[0]
    assert depthwise.groups == 72 and [one.unit for one in depthwise.inputs] == [7]


class ByHand(nn.Module):
    """Two branches, shuffled, of which one is half of the picture's red minus its green."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 3, padding=1)
        self.norm, self.mixed = nn.BatchNorm2d(4), nn.Identity()
        self.head = nn.Linear(4 * 36, 2)
        with torch.no_grad():
            self.left.weight[1] = torch.tensor([0.5, -0.5, 0.0])[:, None, None]
            self.left.bias.fill_(0.25)  # pyright: ignore[reportOptionalMemberAccess]
            self.norm.running_var.fill_(4 - 1e-5)  # pyright: ignore[reportOptionalMemberAccess]
            self.norm.weight.fill_(6.0)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        both = torch.cat([self.right(pixels), self.left(pixels)], dim=1)
        both.relu_()
        maps = self.mixed(self.norm(both).flip(1) * 2 + 1)
        return self.head(maps[:, :, 1:-1, 1:-1].flatten(1))


def test_a_unit_by_hand() -> None:
    torch.manual_seed(0)
    classifier = networks.described(ByHand().eval(), 8, 2)
    # Unit 0 of the turned maps is the last of the branch on the left, rectified before it is normalized: 6 / 2 · 2.
    found = units.sources(classifier, "mixed", 0)
    [term] = found.terms
    assert isinstance(term, CarriedTerm) and term.source == units.InputUnit("left", 1, ("relu",))
    assert abs(term.scale - 6) < 1e-5 and abs(found.constant - 1) < 1e-5
    assert found.error is not None and found.error < 1e-6
    rectified = units.sources(classifier, "left", 1)
    [kernel] = rectified.kernels
    assert kernel.module == "left" and kernel.weights[:, 0, 0].tolist() == [0.5, -0.5, 0.0]
    assert rectified.constant == 0.25 and rectified.reads_picture
    assert kernel.norms.tolist() == [0.5, -0.5, 0.0]
    # A linear layer over a map has a weight for each of a unit's positions.
    head = units.sources(classifier, "head", 1)
    [rows] = head.kernels
    assert rows.kind == "linear layer" and rows.weights.shape == (4, 6, 6)
    assert head.error is not None and head.error < 1e-5
    assert [(one.layer, one.unit) for one in rows.inputs] == [("mixed", one) for one in range(4)]
    linear = classifier.module.get_submodule("network.head")
    assert isinstance(linear, nn.Linear)
    np.testing.assert_allclose(rows.weights, linear.weight[1].reshape(4, 6, 6).detach().numpy())


def test_what_attention_gives_is_not_said_to_be_known() -> None:
    torch.manual_seed(0)
    network = VisionTransformer(image_size=32, patch_size=8, num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=32)
    found = units.sources(networks.described(network.eval(), 32), "encoder.layers.encoder_layer_0.dropout", 3)
    assert found.error is None
    assert any(isinstance(one, UnknownTerm) and "attention" in one.operation for one in found.terms)


def test_units_and_layers_that_there_are_not_are_named(tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="Unit 999 does not exist"):
        units.sources(tiny, tiny.layers[0].name, 999)
    with pytest.raises(ValueError, match="no layer 'nowhere'"):
        units.sources(tiny, "nowhere", 0)


def test_a_shortcut_that_fills_up_with_zeros_carries_the_units_between_them(tmp_path: Path) -> None:
    classifier = cifar.resnet(tmp_path, 8, trained=False)
    for unit, carried in ((15, []), (16, [0]), (40, [24]), (48, [])):
        found = units.sources(classifier, "layer3", unit)
        assert [one.source.unit for one in found.terms if isinstance(one, CarriedTerm)] == carried
        assert {one.source.layer for one in found.terms if isinstance(one, CarriedTerm)} <= {"layer2"}
        assert [one.module for one in found.kernels] == ["layer3.0.conv2"]
        assert found.error is not None and found.error < 1e-6
