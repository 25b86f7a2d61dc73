"""Effects in a graph: as asked pair by pair, by hand, with few passes, and where something leads around a layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from interp.class_summary import ChannelVertex, ClassGraph, EdgeEffects, edge_effects, effects_in_graph
from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage
from interp.set_pass import returned
from interp.types import Classifier, Layer, Preprocessing
from tests.class_summary.test_edges import noise

SIDE = 8
LAYERS = ("first", "second", "third")


class Three(nn.Module):
    """Three convolutions with what is in place between them; the third may read the first, too."""

    def __init__(self, around: bool) -> None:
        super().__init__()
        self.around = around
        self.first = nn.Conv2d(3, 5, 3, padding=1)
        self.second = nn.Conv2d(5, 6, 3, padding=1)
        self.third = nn.Conv2d(6, 4, 3, padding=1)
        self.linear = nn.Linear(4, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        below = self.first(pixels).relu_()
        above = self.second(below).relu_()
        if self.around:
            above = above + below.mean(dim=1, keepdim=True)
        return self.linear(self.third(above).relu_().mean(dim=(2, 3)))


def classifier(network: nn.Module, layers: Sequence[Layer], side: int = SIDE) -> Classifier:
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", network)
    module.eval().requires_grad_(False)
    fitting, device = Preprocessing(crop=(side, side), resize=side), torch.device("cpu")
    return Classifier("three", module, ("cat", "dog"), tuple(layers), fitting, device, "three", "own")


def three(around: bool = False) -> Classifier:
    torch.manual_seed(1)
    widths = zip(LAYERS, (5, 6, 4), strict=True)
    return classifier(Three(around), [Layer(name, width, "spatial", SIDE, SIDE) for name, width in widths])


def graph(channels: dict[str, Sequence[int]]) -> ClassGraph:
    vertices = [ChannelVertex(layer, one, 1, 0.1) for layer, some in channels.items() for one in some]
    return ClassGraph(1, tuple(channels), tuple(vertices), (), 0.1)


GRAPH = graph({"first": [4, 0, 2], "second": [1, 5], "third": [3, 0]})


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many images each convolution has run on, by its output's channels, which differ."""
    found: Counter[str] = Counter()
    names = {5: "first", 6: "second", 4: "third"}
    original = nn.Conv2d.forward

    def counted(layer: nn.Conv2d, given: Tensor) -> Tensor:
        found[names[layer.out_channels]] += len(given)
        return original(layer, given)

    monkeypatch.setattr(nn.Conv2d, "forward", counted)
    return found


@pytest.mark.parametrize("around", [False, True])
def test_effects_are_those_asked_pair_by_pair(around: bool) -> None:
    network, photos, positions = three(around), noise(20, SIDE), [0, *range(2, 20)]
    found = returned(effects_in_graph(network, photos, GRAPH, positions))
    assert list(found) == [("first", "second"), ("second", "third")]
    for pair, effects in found.items():
        own = edge_effects(network, photos, pair, effects.sources, effects.targets, positions)
        assert effects.sources == tuple(one.channel for one in GRAPH.of_layer(pair[0]))
        for name in ("attribution", "measured"):
            np.testing.assert_allclose(getattr(effects, name), getattr(own, name), atol=1e-6)
        assert effects.images == 19 and effects.measured.any()


def test_passes_begin_at_the_layer_and_end_at_the_next(ran: Counter[str]) -> None:
    images = 7
    returned(effects_in_graph(three(), noise(images, SIDE), GRAPH, range(images)))
    # One image to count runs; all once; then for each pair, up to the lower layer, one image for each of its passes.
    # From there all images: once to try it, once for gradients, and once for each source that is not silent.
    begun = {"first": 2 + 3, "second": 2 + 2}
    assert ran["first"] == 1 + images + begun["first"] + begun["second"]
    assert ran["second"] == 1 + images + begun["first"] * images + begun["second"]
    assert ran["third"] == 1 + images + begun["second"] * images


def test_where_something_leads_around_a_layer_passes_begin_at_the_images(ran: Counter[str]) -> None:
    images = 7
    returned(effects_in_graph(three(True), noise(images, SIDE), GRAPH, range(images)))
    # The trial from `second` on fails, and what follows runs all images through `first` again.
    assert ran["first"] == 1 + images + 5 + 1 + 3 * images


class Made(nn.Module):
    """Colours as they are; then 2 r − g and 3 g − 2 b; of the one layer above, the first less half of the second."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 2, 1, bias=False)
        self.third = nn.Conv2d(2, 1, 1, bias=False)
        for layer, rows in (
            (self.first, torch.eye(3).tolist()),
            (self.second, [[2.0, -1.0, 0.0], [0.0, 3.0, -2.0]]),
            (self.third, [[1.0, -0.5]]),
        ):
            layer.weight = nn.Parameter(torch.tensor(rows)[:, :, None, None])
        self.end = nn.ReLU()

    def forward(self, pixels: Tensor) -> Tensor:
        return self.end(self.third(self.second(self.first(pixels)))).flatten(1).repeat(1, 2)


def plain(colours: Sequence[tuple[int, int, int]]) -> ImageSet:
    """Pictures of one colour each; one of (0, 0, 0) cannot be read."""

    def read(position: int) -> DecodedImage:
        if colours[position] == (0, 0, 0):
            raise UnreadableImage(f"{position}.png", "it is black")
        return DecodedImage(Image.new("RGB", (2, 2), colours[position]))

    names = [f"{one}.png" for one in range(len(colours))]
    labels = {"label": ("cat",) * len(colours)}
    return ImageSet(name="plain", description="", fingerprint="plain", names=names, read=read, label_forms=labels)


def made(colours: Sequence[tuple[int, int, int]], last: str) -> dict[tuple[str, str], EdgeEffects]:
    layers = [
        Layer(name, size, "spatial", 2, 2) for name, size in (("first", 3), ("second", 2), ("third", 1), ("end", 1))
    ]
    asked = graph({"first": [0, 1, 2], "second": [0, 1], last: [0]})
    return dict(returned(effects_in_graph(classifier(Made(), layers, 2), plain(colours), asked, range(len(colours)))))


def test_a_linear_network_has_the_effects_that_its_weights_say() -> None:
    # Red 0.8, green 0.6, blue 0.2, and red 0.4, green 0.2, blue 0: 1.0 and 1.4 above, and 0.6 and 0.6.
    found = made([(204, 153, 51), (0, 0, 0), (102, 51, 0)], "third")
    below = [[2 * 0.6, 0.0], [-0.4, 3 * 0.4], [0.0, -2 * 0.1]]
    above = [[0.8], [-0.5 * 1.0]]
    for effects, expected in zip(found.values(), (below, above), strict=True):
        np.testing.assert_allclose(effects.attribution, expected, atol=1e-6)
        np.testing.assert_allclose(effects.measured, expected, atol=1e-6)
        # The one that cannot be read is left out.
        assert effects.images == 2


def test_behind_a_rectifier_the_measures_differ_as_they_must() -> None:
    # 1.0 and 1.4: 1.0 − 0.7 is rectified. Without the first nothing is left, and its slope would take 1.0.
    effects = made([(204, 153, 51)], "end")["second", "end"]
    np.testing.assert_allclose(effects.attribution, [[1.0], [-0.7]], atol=1e-6)
    np.testing.assert_allclose(effects.measured, [[0.3], [-0.7]], atol=1e-6)


def test_pairs_come_one_by_one_and_layers_without_vertices_have_none() -> None:
    steps = effects_in_graph(three(), noise(2, SIDE), GRAPH, [0, 1])
    assert [len(one) for one in steps] == [1, 2]
    empty = graph({"first": [0], "second": [], "third": [0]})
    assert returned(effects_in_graph(three(), noise(1, SIDE), empty, [0])) == {}


@pytest.mark.parametrize(
    ("channels", "positions", "message"),
    [
        ({"first": [5], "second": [0]}, [0], "channel 5 of first, whose channels are 0 to 4"),
        ({"first": [0], "fourth": [0]}, [0], "no layer 'fourth'"),
        ({"first": [0], "second": [0]}, [], "none of the 0 given"),
    ],
)
def test_what_cannot_be_asked_of_a_graph_is_said(channels, positions, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        returned(effects_in_graph(three(), noise(1, SIDE), graph(channels), positions))


def test_without_an_image_that_can_be_read_it_is_said() -> None:
    with pytest.raises(ValueError, match="none of the 2 given could be read"):
        made([(0, 0, 0)] * 2, "third")
