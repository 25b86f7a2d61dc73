"""Effects of channels on channels, against finite differences, removal by hand, and a linear network."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from interp.class_summary.edges import AT_ONCE, edge_effects
from interp.class_summary.influences import InfluenceCount
from interp.images import ImageSet
from interp.images.decoding import DecodedImage
from interp.models import inputs
from interp.set_pass import by_chunks, returned
from interp.types import Classifier, Layer, Preprocessing
from interp.units.counting import UnitPass
from tests.conftest import TinyNetwork

PAIR = ("conv1", "conv2")


def noise(count: int, side: int = 16) -> ImageSet:
    def read(position: int) -> DecodedImage:
        drawn = np.random.default_rng(position).integers(0, 255, (side, side, 3), np.uint8)
        return DecodedImage(Image.fromarray(drawn))

    names = [f"{one}.png" for one in range(count)]
    labels = {"label": ("cat",) * count}
    return ImageSet(name="noise", description="", fingerprint="noise", names=names, read=read, label_forms=labels)


class Linear(nn.Module):
    """Nothing but a convolution over the whole of another one's result, so that the upper layer has one position."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 6, 8, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.conv2(self.conv1(pixels)).flatten(1)


@pytest.fixture
def linear() -> Classifier:
    torch.manual_seed(3)
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", Linear())
    module.eval().requires_grad_(False)
    layers = (Layer("conv1", 4, "spatial", 8, 8), Layer("conv2", 6, "spatial", 1, 1))
    fitting = Preprocessing(crop=(8, 8), resize=8)
    labels = ("cat", "dog", "fish", "bird", "boat", "car")
    return Classifier("linear", module, labels, layers, fitting, torch.device("cpu"), "linear", "own")


def test_attribution_is_the_slope_along_each_source_and_the_measure_what_its_removal_takes(tiny: Classifier) -> None:
    photos, sources, targets = noise(3), [3, 0, 2], [5, 1]
    found = edge_effects(tiny, photos, PAIR, sources, targets, [0, 2])
    network = deepcopy(tiny.module.get_submodule("network")).double()
    assert isinstance(network, TinyNetwork)

    def largest(own: Tensor, target: int) -> float:
        return float(network.conv2(own.relu())[0, target].max())

    for row, source in enumerate(sources):
        for column, target in enumerate(targets):
            slopes, falls = [], []
            for position in (0, 2):
                own = network.conv1(inputs.read(tiny, photos, [position]).pixels.double())
                more, none = own.clone(), own.clone()
                more[:, source] *= 1 + 1e-6
                none[:, source] = 0
                slopes.append((largest(more, target) - largest(own, target)) / 1e-6)
                falls.append(largest(own, target) - largest(none, target))
            assert found.attribution[row, column] == pytest.approx(np.mean(slopes), abs=1e-5)
            assert found.measured[row, column] == pytest.approx(np.mean(falls), abs=1e-5)
    assert found.images == 2 and (found.sources, found.targets) == ((3, 0, 2), (5, 1))


def test_all_agree_where_the_network_is_linear(linear: Classifier) -> None:
    photos = noise(1, 8)
    found = edge_effects(linear, photos, PAIR, range(4), range(6), [0])
    network = linear.module.get_submodule("network")
    assert isinstance(network, Linear)
    own = network.conv1(inputs.read(linear, photos, [0]).pixels)[0]
    influence = torch.einsum("iyx,jiyx->ij", own, network.conv2.weight).numpy()
    np.testing.assert_allclose(found.attribution, influence, atol=1e-5)
    np.testing.assert_allclose(found.measured, influence, atol=1e-5)
    [counted] = returned(by_chunks(UnitPass(), linear, photos, (InfluenceCount("conv2", before="conv1"),), None))
    for target, marks in enumerate(counted.value.marks[0]):
        order = np.argsort(-found.measured[:, target])
        assert [one for one in marks.tolist() if one < 4] == [one for one in order if found.measured[one, target] > 0]


def test_a_silent_target_has_no_effects_and_many_images_are_the_mean_of_single_ones(tiny: Classifier) -> None:
    network = deepcopy(tiny.module)
    silent = network.get_submodule("network")
    assert isinstance(silent, TinyNetwork)
    silent.conv2.weight[1], silent.conv2.bias[1] = 0, -1
    changed = Classifier(
        "silent", network, tiny.labels, tiny.layers, tiny.preprocessing, tiny.device, "silent", tiny.architecture
    )
    count = AT_ONCE + 3
    photos, asked = noise(count), (PAIR, [0, 1], [1, 4])
    found = edge_effects(changed, photos, *asked, range(count))
    assert not found.attribution[:, 0].any() and not found.measured[:, 0].any()
    each = [edge_effects(changed, photos, *asked, [one]) for one in range(count)]
    for name in ("attribution", "measured"):
        np.testing.assert_allclose(
            getattr(found, name), np.mean([getattr(one, name) for one in each], axis=0), atol=1e-6
        )


@pytest.mark.parametrize(
    ("pair", "sources", "targets", "positions", "message"),
    [
        (("conv2", "conv1"), [0], [0], [0], "does not come after"),
        (("conv1", "conv3"), [0], [0], [0], "no layer 'conv3'"),
        (PAIR, [4], [0], [0], "channels of conv1 from 0 to 3"),
        (PAIR, [0], [], [0], "channels of conv2 from 0 to 5"),
        (PAIR, [0], [0], [], "positions of one at least"),
    ],
)
def test_what_cannot_be_asked_is_said(tiny: Classifier, pair, sources, targets, positions, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        edge_effects(tiny, noise(1), pair, sources, targets, positions)
