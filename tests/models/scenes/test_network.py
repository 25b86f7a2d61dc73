import torch
from torch import nn

from interp import models
from interp.models.scenes.network import LAST, Mixed, ScenesNetwork


def test_it_is_small_and_plain() -> None:
    network = ScenesNetwork(10)
    assert sum(weights.numel() for weights in network.parameters()) < 1_500_000
    allowed = (nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Linear)
    assert all(isinstance(part, allowed) for part in network.modules() if not any(part.children()))


def test_a_mixed_layer_puts_its_branches_one_after_another() -> None:
    torch.manual_seed(0)
    mixed = Mixed(8, 3, (2, 4), (2, 5), 6).eval()
    below = torch.rand(2, 8, 9, 9)
    maps = mixed(below)
    assert maps.shape == (2, 18, 9, 9)
    assert torch.equal(maps[:, :3], mixed.branch1x1(below))
    assert torch.equal(maps[:, 3:7], mixed.branch3x3(mixed.bottleneck3x3(below)))
    assert torch.equal(maps[:, 7:12], mixed.branch5x5(mixed.bottleneck5x5(below)))
    assert torch.equal(maps[:, 12:], mixed.pool_reduce(mixed.pool(below)))


def test_layers_are_named_as_in_the_literature() -> None:
    classifier = models.load("scenes-honest", weights="random", device="cpu")
    grids = {layer.name.removeprefix("network."): (layer.channels, layer.height) for layer in classifier.layers}
    expected = {"mixed3a": (96, 28), "mixed3b": (128, 28), "mixed4c": (208, 14), "mixed5a": (264, 7)}
    assert {name: grids[name] for name in expected} == expected
    assert grids["mixed5b"] == (LAST, 7)
    assert classifier.default_layer is not None
    assert classifier.default_layer.endswith("mixed5b")


def test_the_head_reads_the_mean_of_the_last_maps() -> None:
    torch.manual_seed(0)
    network = ScenesNetwork(4).eval()
    kept = {}
    network.mixed5b.register_forward_hook(lambda part, given, maps: kept.update(maps=maps))
    logits = network(torch.rand(2, 3, 112, 112))
    assert torch.allclose(logits, network.head(kept["maps"].mean(dim=(2, 3))), atol=1e-6)
