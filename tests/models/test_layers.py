from collections.abc import Callable

import pytest
import torch
from torch import nn

from interp.models import hooks
from interp.models.layers import find_layers
from interp.models.normalize import assemble
from interp.types import Layer, Preprocessing
from tests.networks import described, unfilled

# Layers are the same at any size of whole patches of a transformer, but where the last map has one position or the
# pooling behind them would enlarge the map.
SIZES = {"vgg11": 224, "alexnet": 224, "inception_v3": 160}
DEFAULTS = {
    "squeezenet1_1": "features.12",
    "googlenet": "inception5b",
    "inception_v3": "Mixed_7c",
    "vgg11": "features.20",
    "resnet50": "layer4",
    "densenet121": "features.norm5",
    "mobilenet_v3_large": "features.16",
    "efficientnet_b0": "features.8",
    "convnext_tiny": "features.7",
    "vit_b_16": "encoder.layers.encoder_layer_11.ln_1",
    "swin_t": "permute",
    "alexnet": "features.12",
    "shufflenet_v2_x1_0": "conv5",
}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", DEFAULTS)
def test_every_layer_of_an_architecture_can_be_read(architecture: str):
    size = SIZES.get(architecture, 96)
    one = described(unfilled(architecture, size), size)
    assert one.last_spatial_layer.name == DEFAULTS[architecture]
    assert one.last_spatial_layer.block_end
    assert 1 <= sum(layer.block_end for layer in one.layers) <= 16
    assert len({layer.name for layer in one.layers}) == len(one.layers)
    names = [layer.name for layer in one.layers]
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), hooks.activations(one, names) as taken:
        one.module(pixels)
    for layer in one.layers:
        shape = tuple(taken[layer.name].shape)
        rows = layer.prefix + layer.height * layer.width
        expected = {"flat": (1, layer.channels), "tokens": (1, rows, layer.channels)}
        expected["channels_last"] = (1, layer.height, layer.width, layer.channels)
        assert shape == expected.get(layer.kind, (1, layer.channels, layer.height, layer.width)), layer
    with hooks.activations(one, [one.last_spatial_layer.name]) as taken:
        logits = one.module(pixels)
    (gradient,) = torch.autograd.grad(logits[0, 3], taken[one.last_spatial_layer.name])
    patches = gradient[:, 1:] if one.last_spatial_layer.kind == "tokens" else gradient
    assert patches.abs().max() > 0


class Net(nn.Module):
    """A network whose forward pass is given, to put one question to the finder at a time."""

    def __init__(self, forward: Callable, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.run = forward

    def forward(self, pixels):
        return self.run(self, pixels)


def layers(network: nn.Module, size: int) -> tuple[Layer, ...]:
    return find_layers(assemble(network, (0.0,) * 3, (1.0,) * 3), Preprocessing((size, size), size)).layers


def names(network: nn.Module, size: int = 16) -> list[str]:
    return [layer.name for layer in layers(network, size)]


def test_a_container_goes_by_its_own_name_and_the_trunk_by_its_parts():
    block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    pooled = lambda self, x: self.block2(self.block1(x)).mean((2, 3))  # noqa: E731
    two = Net(pooled, block1=block, block2=nn.Sequential(nn.Conv2d(4, 5, 3), nn.ReLU()))
    assert names(two) == ["block1.0", "block1", "block2.0", "block2"]
    one = Net(lambda self, x: self.features(x).mean((2, 3)), features=block)
    assert names(one) == ["features.0", "features.1"]


def test_a_module_that_runs_twice_is_listed_once_at_its_last_run():
    def forward(self, x):
        return self.relu(self.conv2(self.relu(self.conv1(x)))).mean((2, 3))

    network = Net(forward, conv1=nn.Conv2d(3, 4, 3), conv2=nn.Conv2d(4, 5, 3), relu=nn.ReLU())
    assert names(network) == ["conv1", "conv2", "relu"]


def test_what_hands_its_input_on_is_not_listed():
    def forward(self, x):
        return self.pool(self.drop(self.same(self.conv(x)))).mean((2, 3))

    network = Net(
        forward, conv=nn.Conv2d(3, 4, 3), same=nn.Identity(), drop=nn.Dropout(), pool=nn.AdaptiveAvgPool2d(14)
    )
    assert names(network) == ["conv"]


def test_an_in_place_function_makes_another_layer():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return nn.functional.relu(self.conv(x), inplace=True)

    network = Net(lambda self, x: (self.block(x) + self.other(x)).mean((2, 3)), block=Block(), other=nn.Conv2d(3, 4, 3))
    assert names(network) == ["block.conv", "block", "other"]


def test_maps_with_channels_last_are_maps():
    def forward(self, x):
        return self.linear(self.conv(x).permute(0, 2, 3, 1)).mean((1, 2))

    network = Net(forward, conv=nn.Conv2d(3, 16, 3, padding=1), linear=nn.Linear(16, 16))
    conv, linear = layers(network, 16)
    assert (conv.kind, conv.channel_axis) == ("spatial", 1)
    assert (linear.kind, linear.channels, linear.height, linear.width) == ("channels_last", 16, 16, 16)


def test_the_head_is_not_the_default():
    head = nn.Sequential(nn.Dropout(), nn.Conv2d(8, 3, 1), nn.ReLU())
    network = Net(lambda self, x: self.head(self.conv(x)).mean((2, 3)), conv=nn.Conv2d(3, 8, 3), head=head)
    assert described(network, 16, 3).last_spatial_layer.name == "conv"


def test_a_network_without_a_map_has_no_spatial_layer():
    network = Net(lambda self, x: self.linear(x.flatten(1)), linear=nn.Linear(3 * 256, 5))
    one = described(network, 16, 5)
    assert [(layer.name, layer.kind) for layer in one.layers] == [("linear", "flat")]
    with pytest.raises(ValueError, match="no layer with a spatial map"):
        _ = one.last_spatial_layer


def test_a_rectangle_keeps_its_sides_apart():
    network = Net(lambda self, x: self.conv(x).mean((2, 3)), conv=nn.Conv2d(3, 4, 3, padding=1, stride=2))
    found = find_layers(assemble(network, (0.0,) * 3, (1.0,) * 3), Preprocessing((16, 40), None))
    assert (found.layers[0].height, found.layers[0].width) == (8, 20)
