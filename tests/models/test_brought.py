"""Whole networks as people bring them: without a head, of other kinds, described in a terminal."""

from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import cifar
from interp import feature_visualization, images, models, set_pass
from interp.embedding import features
from interp.models.__main__ import main

pytestmark = pytest.mark.usefixtures("tried_here")


def described(folder: Path, **lines: str) -> Path:
    path = folder / "m.toml"
    path.write_text("\n".join(f"{key} = {value}" for key, value in lines.items()) + "\n")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("depth, accuracy", [(20, 0.804), (56, 0.842)])
def test_cifar_networks_by_own_code_are_as_right_as_they_were_measured(tmp_path, depth: int, accuracy: float):
    if not cifar.weights(depth).is_file():
        pytest.skip(f"{cifar.weights(depth)} is missing")
    one = cifar.resnet(tmp_path, depth)
    assert one.last_spatial_layer.name == "layer3"
    photos = cifar.pictures(tmp_path)
    # Every eighth of the pictures: accuracy on them is within 5 points of that on all, in 99.9% of draws.
    part = images.subset(photos, range(0, len(photos), 8))
    found = set_pass.returned(models.predict(one, part, batch_size=64))
    assert abs(float(found.right.mean()) - accuracy) < 0.05


@pytest.fixture(scope="module")
def trunk(tmp_path_factory) -> Path:
    """A folder with a trunk: a small torchvision network's weights without its head."""
    from torchvision.models import squeezenet1_1

    folder = tmp_path_factory.mktemp("trunk")
    torch.manual_seed(0)
    state = squeezenet1_1().state_dict()
    torch.save({name: tensor for name, tensor in state.items() if not name.startswith("classifier")}, folder / "w.pt")
    described(folder, architecture='"squeezenet1_1"', weights='"w.pt"', input_size="64")
    return folder


def test_a_trunk_gives_features_and_says_what_it_cannot(trunk: Path):
    one = models.load("m", folder=trunk, device="cpu")
    assert one.labels == () and any("have no head" in note for note in one.notes)
    photos = images.subset(images.load("photographs"), range(2))
    rows = features(one, photos, layer=one.last_spatial_layer.name)
    assert rows.shape[0] == 2 and rows.any()
    objective = feature_visualization.Channel(one.last_spatial_layer.name, 3)
    made = feature_visualization.optimize(one, objective, steps=2)
    assert made.pixels.shape[:2] == (1, 3)
    with pytest.raises(ValueError, match="needs classes, and m has none"):
        one.targets(0, 1)


@pytest.mark.slow
def test_published_weights_of_features_alone_are_a_trunk(tmp_path):
    """torchvision publishes VGG16's features under a name of their own, with no classes."""
    from torchvision.models import vgg16

    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in vgg16().features.state_dict().items()}
    path = tmp_path / "vgg16_features-amdegroot-88682ab5.pth"
    torch.save({f"features.{name}": torch.full(shape, 0.001) for name, shape in shapes.items()}, path)
    described(tmp_path, architecture='"vgg16"', weights=f'"{path.name}"', input_size="64")
    one = models.load("m", folder=tmp_path, device="cpu")
    assert one.labels == ()
    assert one.module.get_submodule("normalize").std.flatten().tolist() == pytest.approx([1 / 255] * 3)


def test_channels_are_found_by_running_where_the_first_convolution_does_not_say(tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\ndef build():\n"
        "    return nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1),\n"
        "                         nn.Flatten(), nn.Linear(8, 2))\n"
        "\ndef dense():\n    return nn.Sequential(nn.Flatten(), nn.Linear(144, 2))\n"
        "\ndef four():\n    return nn.Sequential(nn.Conv2d(4, 2, 12), nn.Flatten())\n"
    )
    common = {"weights": '"random"', "labels": '["a", "b"]', "input_size": "12"}
    described(tmp_path, architecture='"net.py:build"', **common)
    assert models.load("m", folder=tmp_path, device="cpu").channels == 3
    described(tmp_path, architecture='"net.py:dense"', **common)
    assert models.load("m", folder=tmp_path, device="cpu").channels == 1
    described(tmp_path, architecture='"net.py:four"', **common)
    with pytest.raises(ValueError, match="4 channels|\\[2, 4, 12, 12\\]|to have 4 channels"):
        models.load("m", folder=tmp_path, device="cpu")


def test_a_torchvision_architecture_keeps_its_ratio_of_resize_to_crop(tmp_path):
    described(tmp_path, architecture='"resnet18"', weights='"random"', labels='["a", "b"]', input_size="112")
    one = models.load("m", folder=tmp_path, device="cpu")
    assert (one.preprocessing.resize, one.preprocessing.crop) == (128, (112, 112))


def test_the_default_layer_can_be_set(tmp_path):
    common = {"architecture": '"resnet18"', "weights": '"random"', "labels": '["a", "b"]', "input_size": "64"}
    described(tmp_path, **common, layer='"layer3"')
    assert models.load("m", folder=tmp_path, device="cpu").last_spatial_layer.name == "layer3"
    described(tmp_path, **common, layer='"layer9"')
    with pytest.raises(ValueError, match="no layer 'layer9' with a map.*layer"):
        models.load("m", folder=tmp_path, device="cpu")


def test_the_terminal_says_what_the_app_would(tmp_path, capsys):
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\ndef build():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(400, 2), nn.Softmax(1))\n"
    )
    path = described(tmp_path, architecture='"net.py:build"', weights='"random"', input_size="12")
    assert main(["check", str(path), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    for words in (
        "ends in a softmax",
        "no mean and std were given",
        'labels = ["...", "..."]',
        "'class 0' to 'class 1'",
    ):
        assert words in said
    described(
        tmp_path, architecture='"net.py:build"', weights='"random"', input_size="12", mean="[123.7, 116.3, 103.5]"
    )
    assert main(["check", str(path)]) == 1
    assert "divided by 255" in capsys.readouterr().err


def test_a_softmax_in_the_middle_of_a_channels_last_network_is_no_map():
    """Weights of attention have the form of a map, and are none."""
    from interp.models.layers import find_layers
    from interp.models.normalize import assemble
    from interp.types import Preprocessing

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch, self.qkv = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 24)
            self.soft, self.keys, self.norm, self.head = nn.Softmax(-1), nn.Identity(), nn.LayerNorm(8), nn.Linear(8, 3)

        def forward(self, x):
            x = self.norm(self.patch(x).flatten(2).transpose(1, 2))
            q, k, v = self.qkv(x).reshape(len(x), 16, 3, 2, 4).permute(2, 0, 3, 1, 4)
            weights = self.soft(q @ self.keys(k).transpose(-2, -1))
            return self.head((weights @ v).transpose(1, 2).flatten(2).mean(1))

    found = find_layers(assemble(Attention(), (0.5,) * 3, (0.5,) * 3), Preprocessing((16, 16), None))
    kinds = {layer.name: layer.kind for layer in found.layers}
    assert kinds == {"patch": "spatial", "norm": "tokens", "qkv": "tokens", "head": "flat"}
    assert found.default == "norm"
    assert {layer.prefix for layer in found.layers if layer.kind == "tokens"} == {0}
