"""Receptive fields against the support of gradients, against a formula for plain chains, and by hand."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import ResNet, SwinTransformer
from torchvision.models.resnet import Bottleneck

from interp import models
from interp.models.normalize import assemble
from interp.passes.grids import on_grid
from interp.passes.receptive_fields import ReceptiveFields, receptive_fields
from interp.types import Classifier, Layer, Preprocessing
from tests.networks import described, unfilled
from tests.passes.test_resuming import transformer


def small(network: nn.Module, size: tuple[int, int], name: str = "0", kind: str = "spatial") -> Classifier:
    """A classifier of one layer; its network needs no head."""
    shapes = []
    handle = network.get_submodule(name).register_forward_hook(lambda *given: shapes.append(given[2].shape))
    with torch.no_grad():
        network.eval()(torch.rand(1, 3, *size))
    handle.remove()
    shape = shapes[-1]
    place = {"spatial": shape[2:], "channels_last": shape[1:3], "tokens": (1, shape[1]), "flat": (0, 0)}[kind]
    layer = Layer(name, shape[1 if kind == "spatial" else -1], kind, *place)  # pyright: ignore[reportArgumentType]
    module = assemble(network, (0.5,) * 3, (0.5,) * 3)
    device = torch.device("cpu")
    return Classifier("small", module, ("0",), (layer,), Preprocessing(size, min(size)), device, "small", "small")


def of_last(*parts: nn.Module, size: tuple[int, int] = (16, 16)) -> ReceptiveFields:
    """The fields behind the last of some operations."""
    return receptive_fields(small(nn.Sequential(*parts), size, str(len(parts) - 1)))


def alive(network: nn.Module) -> nn.Module:
    """A copy in double precision in which everything that may depend on a pixel does, by a slope that is not 0.

    Weights are positive and sum to 1 for each output, so signals stay positive and small: no ReLU is dead and no gate
    saturates. Maxima depend on one number of their window at a time: averages stand for them.
    """
    network = copy.deepcopy(network).double().eval()
    generator = torch.Generator().manual_seed(0)
    for part in list(network.modules()):
        for name, child in part.named_children():
            if isinstance(child, nn.MaxPool2d):
                setattr(part, name, _Averaged(child))
            elif isinstance(child, nn.Hardsigmoid):
                setattr(part, name, nn.Sigmoid())
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.is_floating_point() and tensor.ndim:
            tensor.data.uniform_(0.5, 1, generator=generator)
            if tensor.ndim > 1:
                tensor.data.div_(tensor.data[0].sum())
    return network


class _Averaged(nn.Module):
    """Weighted sums over the windows of a maximum, of any dilation."""

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, maps: Tensor) -> Tensor:
        size = functional.max_pool2d(
            maps, self.pool.kernel_size, self.pool.stride, self.pool.padding, self.pool.dilation, self.pool.ceil_mode
        ).shape[2:]
        apart, stride, padding = self.pool.dilation, self.pool.stride, self.pool.padding
        missing = [
            max(0, (outputs - 1) * stride + apart * (self.pool.kernel_size - 1) + 1 - inputs - padding)
            for outputs, inputs in zip(size, maps.shape[2:], strict=True)
        ]
        padded = functional.pad(maps, (padding, missing[1], padding, missing[0]))
        weights = maps.new_ones(maps.shape[1], 1, self.pool.kernel_size, self.pool.kernel_size) / 9
        return functional.conv2d(padded, weights, None, stride, 0, apart, maps.shape[1])


def check(classifier: Classifier, names: Sequence[str] | None = None) -> list[bool]:
    """Boxes are the supports of gradients, at a corner, an edge, the middle, the corner across; gives what is bounded.

    Of six layers, from the first to the last, where none are named.
    """
    mapped = [layer for layer in classifier.layers if layer.kind != "flat"]
    chosen = [mapped[i] for i in np.linspace(0, len(mapped) - 1, 6).astype(int)]
    chosen = chosen if names is None else [classifier.layer(name) for name in names]
    network, taken = alive(classifier.module.get_submodule("network")), {}

    def taker(name: str):
        # A copy goes on, for what follows may write over it.
        return lambda module, inputs, output: taken.__setitem__(name, output) or output.clone()

    generator = torch.Generator().manual_seed(1)
    pixels = 0.2 + torch.rand(1, 3, *classifier.input_size, generator=generator, dtype=torch.float64)
    for layer in chosen:
        network.get_submodule(layer.name).register_forward_hook(taker(layer.name))
    network(pixels.requires_grad_())
    bounded = []
    for layer in chosen:
        maps, found = on_grid(taken[layer.name], layer), receptive_fields(classifier, layer.name)
        (u, v), weights = maps.shape[2:], torch.rand(maps.shape[1], generator=generator, dtype=torch.float64)
        assert found.rows.shape == (u, 2) and found.columns.shape == (v, 2)
        for row, column in {(0, 0), (0, v // 2), (u // 2, v // 2), (u - 1, v - 1)}:
            score = (maps[0, :, row, column] * weights).sum()
            (gradient,) = torch.autograd.grad(score, pixels, retain_graph=True, allow_unused=True)
            expected = support(gradient)
            assert found.box(row, column) == expected, (layer.name, row, column, found.reason)
        bounded.append(found.bounded)
    assert not any(part._forward_hooks for part in classifier.module.modules())
    return bounded


def support(gradient: Tensor | None) -> tuple[int, ...]:
    """The smallest box around the pixels whose gradient is not 0."""
    if gradient is None or not gradient.any():
        return 0, 0, 0, 0
    seen = gradient[0].ne(0).any(dim=0)
    rows, columns = seen.any(dim=1).nonzero(), seen.any(dim=0).nonzero()
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


NETWORKS = {
    "squeezenet1_1": None,
    "googlenet": None,
    "resnet18": None,
    "shufflenet_v2_x0_5": None,
    "densenet121": [
        "features.pool0",
        "features.denseblock1.denselayer2",
        "features.denseblock1",
        "features.denseblock2.denselayer1.conv1",
        "features.norm5",
    ],
    "convnext_tiny": ["features.0", "features.1.0.block.0", "features.1", "features.2.0", "features.3.0.block.5"],
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.usefixtures("unchecked")
def test_fields_are_the_support_of_gradients(name: str) -> None:
    assert sum(check(described(unfilled(name, 64), 64), NETWORKS[name])) >= 3


@pytest.mark.usefixtures("unchecked")
def test_squeeze_and_excitation_lets_every_position_see_everything() -> None:
    classifier = described(unfilled("mobilenet_v3_small", 64), 64)
    names = ["features.0", "features.1.block.0", "features.1.block.1", "features.2", "features.4.block.0"]
    assert check(classifier, names) == [True, True, False, False, False]
    found = receptive_fields(classifier, "features.4")
    assert "mean" in found.reason and found.box(0, 0) == (0, 0, 64, 64)
    # The gates move nothing: positions lie where the convolutions put them.
    assert found.centres_x.tolist() == [0.5 + 16 * i for i in range(4)]


@pytest.mark.usefixtures("unchecked")
def test_windows_of_attention() -> None:
    """Windows that are cut out, moved round and put back: those of the first layers are bounded."""
    torch.manual_seed(0)
    network = SwinTransformer([2, 2], 12, [1, 1], [2, 2], [4, 4], num_classes=5)
    assert True in check(described(network, 64, 5), ["features.0", "features.1", "features.2", "features.3.0.attn"])


@pytest.mark.parametrize("name", ["scenes-honest", "scenes-a"])
@pytest.mark.usefixtures("unchecked")
def test_bundled_classifiers(name: str) -> None:
    check(models.load(name, device="cpu"))


class Basic(nn.Module):
    """The block of the ResNets for CIFAR, whose shortcut leaves out every other position, and adds empty channels."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.stride, self.more = stride, (outputs - inputs) // 2

    def forward(self, maps: Tensor) -> Tensor:
        hidden = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(maps)))))
        if self.stride > 1:
            maps = functional.pad(maps[:, :, ::2, ::2], (0, 0, 0, 0, self.more, self.more))
        hidden += maps
        return functional.relu(hidden)


def resnet20() -> nn.Sequential:
    widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    blocks = [
        Basic(before, width, 1 + (before != width)) for before, width in zip(widths[:-1], widths[1:], strict=True)
    ]
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Sequential(*blocks[:3]),
        nn.Sequential(*blocks[3:6]), nn.Sequential(*blocks[6:]), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(64, 10),
    )  # fmt: skip


@pytest.mark.usefixtures("unchecked")
def test_resnet20_of_cifar() -> None:
    torch.manual_seed(0)
    classifier = described(resnet20(), 32, 10)
    assert sum(check(classifier)) >= 3
    # 1 + 2·7 by the stem and three blocks of two 3 × 3.
    assert receptive_fields(classifier, "3").box(16, 16) == (9, 9, 24, 24)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.usefixtures("unchecked")
def test_a_dilated_network_in_either_order_of_memory(order: torch.memory_format) -> None:
    torch.manual_seed(0)
    dilated = [False, True, True]
    network = ResNet(Bottleneck, [1, 1, 1, 1], 10, width_per_group=8, replace_stride_with_dilation=dilated)
    classifier = described(network, 96, 10)
    classifier.module.to(memory_format=order)  # pyright: ignore[reportCallIssue]
    assert check(classifier, ["layer1", "layer2.0.conv2", "layer3", "layer4"]) == [True] * 4
    assert classifier.layer("layer4").height == 12


def drawn(seed: int) -> list[nn.Module]:
    """Operations of all kinds, drawn at random."""
    torch.manual_seed(seed)

    def one_of(*given: int) -> int:
        return given[int(torch.randint(len(given), ()))]

    def two(*given: int) -> tuple[int, int]:
        return one_of(*given), one_of(*given)

    kinds = [
        lambda: nn.Conv2d(4, 4, two(1, 2, 3, 4, 5), two(1, 2, 3), two(0, 1, 2), two(1, 2), groups=one_of(1, 2, 4)),
        lambda: nn.Conv2d(4, 4, two(2, 3), padding="same", dilation=two(1, 2)),
        lambda: nn.Conv2d(4, 4, 3, one_of(1, 2), 1, padding_mode="reflect"),
        lambda: nn.Conv2d(4, 4, 3, one_of(1, 2), 2, padding_mode="replicate"),
        lambda: nn.Conv2d(4, 4, 3, one_of(1, 2), 1, padding_mode="circular"),
        lambda: nn.ConvTranspose2d(4, 4, two(1, 2, 3), two(1, 2, 3), 0, one_of(0, 0, 1), groups=one_of(1, 2)),
        lambda: nn.MaxPool2d(one_of(2, 3), one_of(1, 2), one_of(0, 1), one_of(1, 2), ceil_mode=True),
        lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        lambda: nn.LPPool2d(2, 2),
        lambda: nn.AdaptiveAvgPool2d(two(3, 5, 6, 9)),
        lambda: nn.Upsample(scale_factor=1.5, mode="nearest"),
        lambda: nn.Upsample(size=two(9, 14), mode="bilinear"),
        lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        lambda: nn.Upsample(scale_factor=0.7, mode="bicubic"),
        lambda: nn.ZeroPad2d((1, 2, -1, 3)),
        lambda: nn.ReflectionPad2d((1, 0, 2, 1)),
        lambda: nn.PixelShuffle(2),
        lambda: nn.LocalResponseNorm(3),
        lambda: nn.ChannelShuffle(2),
    ]
    parts: list[nn.Module] = [nn.Conv2d(3, 4, 1)]
    maps = parts[0](torch.zeros(1, 3, *SIZE))
    while len(parts) < 11:
        more = [kinds[one_of(*range(len(kinds)))](), nn.Softplus()]
        if isinstance(more[0], nn.PixelShuffle):
            more[1] = nn.Conv2d(1, 4, 1)
        try:
            with torch.no_grad():
                found = nn.Sequential(*more)(maps)
        except RuntimeError:  # the map has become too small for it
            continue
        if min(found.shape[2:]) > 0 and max(found.shape[2:]) < 80:
            parts, maps = [*parts, *more], found
    return parts


SIZE = (23, 31)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.usefixtures("unchecked")
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_any_chain_of_operations(seed: int) -> None:
    network = nn.Sequential(*drawn(seed))
    names = [str(place) for place in range(2, len(network), 2)]
    for name in names:
        check(small(network, SIZE, name), [name])


def test_two_convolutions_of_stride_2() -> None:
    found = of_last(nn.Conv2d(3, 2, 3, 2, 1), nn.Conv2d(2, 2, 3, 2, 1))
    # Position i of the second sees 2i - 1 to 2i + 1 of the first, which see 4i - 3 to 4i + 3.
    assert found.rows.tolist() == [[0, 4], [1, 8], [5, 12], [9, 16]] and (found.rows == found.columns).all()
    assert found.centres_y.tolist() == [0.5, 4.5, 8.5, 12.5]
    assert found.bounded and "7 × 7 pixels of 16 × 16" in found.reason


def test_dilation() -> None:
    found = of_last(nn.Conv2d(3, 2, 3, dilation=(2, 3), padding=(0, 3)))
    assert found.rows.tolist() == [[i, i + 5] for i in range(12)]
    assert found.columns.tolist()[:4] == [[0, 4], [1, 5], [2, 6], [0, 7]]
    assert found.box(5, 8) == (5, 5, 10, 12)


def test_a_last_window_that_reaches_past_the_border() -> None:
    found = of_last(nn.MaxPool2d(3, 2, ceil_mode=True), size=(8, 9))
    assert found.rows.tolist() == [[0, 3], [2, 5], [4, 7], [6, 8]]
    assert found.columns.tolist() == [[0, 3], [2, 5], [4, 7], [6, 9]]
    assert found.centres_y.tolist() == [1.5, 3.5, 5.5, 7.5]


def test_adaptive_pooling_of_7_to_3() -> None:
    assert of_last(nn.AdaptiveAvgPool2d(3), size=(7, 7)).rows.tolist() == [[0, 3], [2, 5], [4, 7]]


class Slice(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return maps[:, :, 1::2, ::2]


def test_every_other_position() -> None:
    found = of_last(nn.Conv2d(3, 2, 3, padding=1), Slice())
    assert found.rows.tolist()[:2] == [[0, 3], [2, 5]] and found.columns.tolist()[:2] == [[0, 2], [1, 4]]
    assert found.centres_y.tolist()[:2] == [1.5, 3.5] and found.centres_x.tolist()[:2] == [0.5, 2.5]


class Branches(nn.Module):
    """Convolutions of 1 × 1 and 5 × 5 of which a part is taken."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self.point, self.wide, self.start = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 5, padding=2), start

    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([self.point(maps), self.wide(maps)], dim=1)[:, self.start : self.start + 2]


def test_branches() -> None:
    assert of_last(Branches(1)).box(8, 0) == (6, 0, 11, 3)
    # Channels are told apart: those of the small branch alone see one pixel.
    assert of_last(Branches(0)).box(8, 0) == (8, 0, 9, 1)


class Grouped(Branches):
    """One group of a convolution reads the small branch, the other one the wide; the first is taken."""

    def __init__(self) -> None:
        super().__init__(0)
        self.grouped = nn.Conv2d(4, 4, 3, padding=1, groups=2)

    def forward(self, maps: Tensor) -> Tensor:
        return self.grouped(torch.cat([self.point(maps), self.wide(maps)], dim=1))[:, :2]


def test_groups_of_channels_are_told_apart() -> None:
    assert of_last(Grouped()).box(8, 8) == (7, 7, 10, 10)


class Gated(nn.Module):
    def __init__(self, pool) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, maps: Tensor) -> Tensor:
        return maps * self.pool(maps).sigmoid()


POOLS = {
    "mean": lambda maps: maps.mean(dim=(2, 3), keepdim=True),
    "amax": lambda maps: maps.amax(dim=(2, 3), keepdim=True),
    "avg_pool2d": nn.AvgPool2d(8),
    "adaptive_max_pool2d": nn.AdaptiveMaxPool2d(1),
}


@pytest.mark.parametrize("name", POOLS)
def test_a_gate_that_sees_everything(name: str) -> None:
    found = of_last(nn.Conv2d(3, 2, 3, 2, 1), Gated(POOLS[name]))
    assert not found.bounded and found.box(0, 7) == (0, 0, 16, 16)
    said = f"The operation {name} brings all of the picture together. So every position depends on all of it."
    assert found.reason == said
    assert found.centres_x.tolist() == [0.5 + 2 * i for i in range(8)]


def test_a_mean_along_one_side_leaves_the_other_bounded() -> None:
    class Rows(nn.Module):
        def forward(self, maps: Tensor) -> Tensor:
            return maps + maps.amax(dim=3, keepdim=True)

    found = of_last(nn.Conv2d(3, 2, 3, padding=1), Rows())
    assert found.box(5, 9) == (4, 0, 7, 16) and found.bounded


WHOLE = {
    "native_layer_norm": nn.LayerNorm([2, 16, 16]),
    "native_group_norm": nn.GroupNorm(1, 2),
    "native_batch_norm": nn.InstanceNorm2d(2),
    "softmax": nn.Sequential(nn.Flatten(2), nn.Softmax(dim=2), nn.Unflatten(2, (16, 16))),
    "mm": nn.Sequential(nn.Flatten(2), nn.Flatten(0, 1), nn.Linear(256, 256, bias=False), nn.Unflatten(0, (1, 2)),
        nn.Unflatten(2, (16, 16))),
}  # fmt: skip
OWN = [
    nn.BatchNorm2d(2),
    nn.Softmax(dim=1),
    nn.LocalResponseNorm(2),
    nn.PReLU(),
    nn.Hardswish(),
    nn.Dropout(),
    nn.GELU(),
]


@pytest.mark.parametrize("name", WHOLE)
def test_normalizations_over_positions(name: str) -> None:
    found = of_last(nn.Conv2d(3, 2, 3, padding=1), WHOLE[name])
    assert found.box(3, 9) == (0, 0, 16, 16) and f"The operation {name} brings" in found.reason


@pytest.mark.parametrize("part", OWN, ids=lambda part: type(part).__name__)
def test_functions_of_a_position_by_itself(part: nn.Module) -> None:
    assert of_last(nn.Conv2d(3, 2, 3, padding=1), part).box(3, 9) == (2, 8, 5, 11)


class Last(nn.Module):
    """Channels last, normalized and mixed."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(2), nn.Linear(2, 5)

    def forward(self, maps: Tensor) -> Tensor:
        return self.linear(self.norm(maps.permute(0, 2, 3, 1)))


def test_layers_with_channels_last() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), Last())
    assert receptive_fields(small(network, (16, 20), "1", "channels_last")).box(3, 15) == (2, 14, 5, 17)


def test_grown_fields_say_so() -> None:
    found = of_last(*[nn.Conv2d(3, 3, 5, padding=2) for _ in range(8)])
    assert not found.bounded and found.reason.startswith("The fields have grown as large as the picture.")
    assert found.centres_y.tolist() == [i + 0.5 for i in range(16)]


@pytest.mark.parametrize("seed", range(6))
def test_centres_are_those_of_the_formula_for_chains(seed: int) -> None:
    """The start and the jump of a chain of windows (Dumoulin 2016, Araujo 2019)."""
    torch.manual_seed(seed)
    parts, jump, start = [], 1, 0.5
    for _ in range(4):
        kernel, stride, padding = (int(torch.randint(low, high, ())) for low, high in ((1, 6), (1, 3), (0, 3)))
        parts.append(nn.Conv2d(3, 3, kernel, stride, padding))
        start += ((kernel - 1) / 2 - padding) * jump
        jump *= stride
    found = of_last(*parts, size=(64, 80))
    assert found.centres_y.tolist() == [start + jump * i for i in range(len(found.rows))]
    assert found.centres_x.tolist() == [start + jump * i for i in range(len(found.columns))]


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_padding_of_any_kind_moves_no_centre(mode: str) -> None:
    found = of_last(nn.Conv2d(3, 2, 5, padding=2, padding_mode=mode), nn.Conv2d(2, 2, 3, padding=1, padding_mode=mode))
    assert found.centres_y.tolist() == [i + 0.5 for i in range(16)]
    ends = {"zeros": (0, 4), "reflect": (0, 4), "replicate": (0, 4), "circular": (0, 16)}
    assert tuple(found.rows[0]) == ends[mode] and tuple(found.rows[8]) == (5, 12)


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_scripted_and_traced_modules_are_followed() -> None:
    parts = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1)).eval()
    traced = torch.jit.trace(parts, torch.rand(1, 3, 16, 16))
    for part in (torch.jit.script(parts), traced):
        assert of_last(part, nn.Identity()).box(8, 0) == (6, 0, 11, 3)


class Unknown(nn.Module):
    """An operation that has no rule: the order of the numbers of a row depends on the picture."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.sort(dim=3).values


def test_unknown_operations_see_the_whole_picture() -> None:
    found = of_last(nn.Conv2d(3, 2, 3), Unknown(), nn.Conv2d(2, 2, 1))
    assert not found.bounded and "What the operation sort makes of the picture is not known" in found.reason
    assert found.box(3, 3) == (0, 0, 16, 16)


class Way(nn.Module):
    def __init__(self, ask) -> None:
        super().__init__()
        self.ask = ask

    def forward(self, maps: Tensor) -> Tensor:
        return -maps if self.ask(maps.mean()) else maps


ASKED = [lambda one: one > 9, lambda one: one.item() > 9, lambda one: one.tolist() > 9, lambda one: one.numpy() > 9]


@pytest.mark.parametrize("ask", ASKED)
def test_a_way_that_depends_on_the_picture(ask) -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3), Way(ask), nn.Conv2d(2, 2, 3))
    assert receptive_fields(small(network, (16, 16), "0")).bounded
    for name in ("1", "2"):
        found = receptive_fields(small(network, (16, 16), name))
        assert not found.bounded and "asks for numbers on its way" in found.reason


class Refusing(nn.Module):
    """Fails on the first pass that is followed."""

    runs = 0

    def forward(self, maps: Tensor) -> Tensor:
        self.runs += 1
        if self.runs > 1:
            raise RuntimeError("not twice")
        return maps


def test_networks_that_fail() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3), Refusing(), nn.Conv2d(2, 2, 3))
    classifier = small(network, (16, 16), "2")
    found = receptive_fields(classifier)
    assert not found.bounded and "cannot be followed (not twice)" in found.reason
    assert not any(part._forward_hooks for part in classifier.module.modules())


class Twice(nn.Module):
    """A block that runs twice, as one layer, and writes over what it has given."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(inplace=True))
        self.last = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        hidden = self.block(self.block(maps))
        hidden += self.last(hidden)
        return hidden


def test_of_a_layer_that_runs_twice_the_last_run_counts() -> None:
    assert receptive_fields(small(Twice(), (16, 16), "block")).box(8, 8) == (6, 6, 11, 11)


class Flattening(nn.Module):
    """A module that runs on tokens first, then on a map."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing, self.conv = nn.Identity(), nn.Conv2d(3, 3, 3)

    def forward(self, maps: Tensor) -> Tensor:
        tokens = self.nothing(self.conv(maps).flatten(2).transpose(1, 2))
        return self.nothing(tokens.transpose(1, 2).unflatten(2, (14, 14)))


def test_of_a_layer_that_runs_on_other_forms_the_last_run_counts() -> None:
    assert receptive_fields(small(Flattening(), (16, 16), "nothing")).box(3, 4) == (3, 4, 6, 7)


class Written(nn.Module):
    """What is written into parts of a tensor that was empty, or known."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.output = nn.Conv2d(3, 3, 5, padding=2), nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        hidden = torch.zeros_like(maps)
        hidden[:, :, 4:8] = maps[:, :, :4]
        hidden[:, :, 8:].copy_(maps[:, :, 8:]).mul_(2)
        hidden[:, :, 10:] += self.wide(maps)[:, :, 10:]
        known = self.wide(maps)
        known[:, :, 12:14] = maps[:, :, 12:14]
        known[:, :, 14:] = 1
        maps.zero_()
        return self.output(torch.cat([hidden[:, :, :12], known[:, :, 12:]], dim=2))


def test_what_is_written_into_parts() -> None:
    found = receptive_fields(small(Written(), (16, 16), "output"))
    boxes = [found.box(row, 5) for row in (0, 4, 9, 11, 13, 14)]
    assert boxes[:4] == [(0, 0, 0, 0), (0, 3, 1, 8), (9, 3, 10, 8), (9, 3, 14, 8)]
    assert boxes[4:] == [(13, 3, 14, 8), (0, 0, 0, 0)]


def test_tokens_and_flat_layers() -> None:
    classifier = described(transformer(), 64, 10)
    found = receptive_fields(classifier, "encoder.layers.encoder_layer_0.ln_1")
    assert found.box(1, 2) == (16, 32, 32, 48) and found.bounded
    found = receptive_fields(classifier, "encoder.layers.encoder_layer_0")
    assert not found.bounded and "attention" in found.reason and found.centres_x.tolist() == [8, 24, 40, 56]
    flat = receptive_fields(classifier, "heads")
    assert flat.box(0, 0) == (0, 0, 64, 64) and flat.centres_y.tolist() == [32] and not flat.bounded


def test_fields_are_found_once_and_equal_ones_have_one_fingerprint(tiny: Classifier) -> None:
    runs = []
    tiny.module.register_forward_hook(lambda *_: runs.append(1))
    first, last = receptive_fields(tiny, "conv1"), receptive_fields(tiny)
    assert last is receptive_fields(tiny, "conv2") and len(runs) == 1
    assert first.fingerprint != last.fingerprint
    with pytest.raises(ValueError, match="has no layer 'conv3'"):
        receptive_fields(tiny, "conv3")
