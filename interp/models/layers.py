"""Where activations can be read: found by running the network once, and named as the field names them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from interp.models import probes
from interp.types import Finding, Layer, Preprocessing

# A container that gives the very tensor of its last part goes by its own name ("layer4", not "layer4.2"), unless it
# holds nearly the entire network: then the part's name says more ("features.12", not "features").
TRUNK = 0.8
CHANNELS_FIRST = (nn.modules.conv._ConvNd, nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.modules.pooling._MaxPoolNd)
ADAPTIVE = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
# Tokens without a place in the picture: a class token, none, one of distillation beside it, four registers beside it.
PREFIXES = (1, 0, 2, 5)


@dataclass(frozen=True)
class FoundLayers:
    """The layers in forward order, the one that methods take by default (None: no layer has a map), and remarks."""

    layers: tuple[Layer, ...]
    default: str | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, eq=False)
class _Event:
    """One module's return during the forward pass; equal `value`s are one and the same tensor, unchanged."""

    name: str
    module: nn.Module
    output: Tensor | None
    value: tuple[int, int]


@dataclass(frozen=True)
class _Seen:
    """What tells tokens and attention apart from maps: the image's size, the grids of maps, the counts of tokens."""

    size: tuple[int, int]
    grids: frozenset[tuple[int, int]]
    tokens: frozenset[int]

    @classmethod
    def among(cls, events: list[_Event], size: tuple[int, int]) -> _Seen:
        shapes = [shape for event in events if (shape := _shape(event.output)) is not None and shape[0] == 1]
        maps = {
            shape[2:]
            for event in events
            if (shape := _shape(event.output)) is not None
            and len(shape) == 4
            and isinstance(event.module, CHANNELS_FIRST)
            and min(shape[2:]) > 1
        }
        return cls(size, frozenset(maps), frozenset(shape[1] for shape in shapes if len(shape) == 3))  # pyright: ignore


def find_layers(module: nn.Module, preprocessing: Preprocessing, *, head: bool = True) -> FoundLayers:
    """The layers of `module.network`, on the module's own device, from one pass forward and one backward on noise.

    A layer appears once: a module that runs several times counts at its last, and of the modules that give the very
    same tensor one is listed. A network without a `head` gives features in place of scores. What has neither the form
    of a map nor of tokens is left out, and `findings` say so.
    """
    network = module.get_submodule("network")
    events, logits = _run(module, network, preprocessing)
    seen = _Seen.among(events, preprocessing.crop)
    named = _named(events, network, seen)
    layers, left_out = [], []
    for event in named:
        layer = _layer(event, seen)
        if layer is not None:
            layers.append(layer)
        elif event.output is not None and event.output.ndim >= 3 and event.output.shape[0] == 1:
            left_out.append(event.name)
    default = _default(layers, {event.name: event for event in named}, logits, head)
    ends = _block_ends(layers, default, _trunks(events, network, seen))
    marked = tuple(replace(layer, block_end=layer.name in ends) for layer in layers)
    findings = ()
    if left_out:
        said = (
            f"{len(left_out)} layers are not offered, as what they give is neither a map nor a row of tokens (the "
            f"weights of attention, for one): {', '.join(left_out[:3])}{', ...' if len(left_out) > 3 else ''}."
        )
        findings = (Finding("left out", said),)
    return FoundLayers(marked, default, findings)


def _run(module: nn.Module, network: nn.Module, preprocessing: Preprocessing) -> tuple[list[_Event], Tensor]:
    events: list[_Event] = []

    def recorder(name: str):
        def record(part: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            tensor = output if isinstance(output, Tensor) else None
            # Adaptive pooling to the size that is there already copies its input.
            same = isinstance(part, ADAPTIVE) and tensor is not None and _shape(inputs[0]) == _shape(tensor)
            value = inputs[0] if same else tensor
            key = (id(value), value._version) if isinstance(value, Tensor) else (0, 0)
            # The event keeps the tensor: an id is only good as long as its tensor lives.
            events.append(_Event(name, part, tensor, key))

        return record

    handles = [part.register_forward_hook(recorder(name)) for name, part in network.named_modules() if name]
    mean = next(module.buffers())
    try:
        with torch.inference_mode(False), torch.enable_grad():
            logits = module(probes.noise(preprocessing, 1).to(mean.device).requires_grad_())
    finally:
        for handle in handles:
            handle.remove()
    return events, logits


def _shape(value: object) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None


def _named(events: list[_Event], network: nn.Module, seen: _Seen) -> list[_Event]:
    """One event for each distinct tensor, in forward order, under the name that the field uses."""
    runs = Counter(event.name for event in events)
    last = {event.name: place for place, event in enumerate(events)}
    trunks = _trunks(events, network, seen)
    groups: dict[tuple[int, int], list[_Event]] = {}
    for place, event in enumerate(events):
        if event.output is not None and last[event.name] == place:
            groups.setdefault(event.value, []).append(event)
    chosen = []
    for producer, *others in groups.values():
        family = [producer, *(event for event in others if producer.name.startswith(f"{event.name}."))]
        family = [event for event in family if runs[event.name] == 1] or family
        chosen.append(next((event for event in reversed(family) if event.name not in trunks), family[0]))
    return chosen


def _trunks(events: list[_Event], network: nn.Module, seen: _Seen) -> set[str]:
    """The containers that hold nearly all of the modules that give maps."""
    mapped = [event for event in events if not any(event.module.children()) and _kind(event, seen) is not None]
    mapped = [event for event in mapped if _kind(event, seen) != "flat"]
    counted = Counter(
        event.name[:place] for event in mapped for place, letter in enumerate(event.name) if letter == "."
    )
    return {name for name, count in counted.items() if count > TRUNK * len(mapped)}


def _kind(event: _Event, seen: _Seen):
    layer = _layer(event, seen)
    return None if layer is None else layer.kind


def _layer(event: _Event, seen: _Seen) -> Layer | None:
    shape = _shape(event.output)
    if shape is None or shape[0] != 1 or not event.output.is_floating_point():  # pyright: ignore[reportOptionalMemberAccess]
        return None
    if len(shape) == 2:
        return Layer(event.name, shape[1], "flat")
    if len(shape) == 3:
        return _tokens(event.name, shape[1], shape[2], seen)
    if len(shape) == 4 and not _attends(event, seen):
        if _channels_first(event.module, shape, seen.size):
            return Layer(event.name, shape[1], "spatial", shape[2], shape[3])
        if _distance(shape[1], shape[2], seen.size) <= 1:
            return Layer(event.name, shape[3], "channels_last", shape[1], shape[2])
    return None


def _tokens(name: str, count: int, channels: int, seen: _Seen) -> Layer | None:
    """Tokens on a grid that a map has, else on one in the image's proportions; None where there is no such grid."""
    for rows, columns in sorted(seen.grids):
        if count - rows * columns in PREFIXES:
            return Layer(name, channels, "tokens", rows, columns, prefix=count - rows * columns)
    # Mixers turn tokens and channels round.
    if any(channels - rows * columns in PREFIXES for rows, columns in seen.grids):
        return None
    for prefix in PREFIXES:
        grid = _grid(count - prefix, seen.size)
        if grid is not None:
            return Layer(name, channels, "tokens", *grid, prefix=prefix)
    return None


def _attends(event: _Event, seen: _Seen) -> bool:
    """Whether a tensor belongs to attention: its heads' queries, keys or values, or weights that sum to one."""
    if event.output is None or isinstance(event.module, CHANNELS_FIRST):
        return False
    rows, columns = event.output.shape[2:]
    if rows in seen.tokens and (rows, columns) not in seen.grids:
        return True
    values = event.output.detach()
    return rows == columns and bool((values >= 0).all()) and bool(((values.sum(dim=3) - 1).abs() < 1e-4).all())


def _grid(tokens: int, size: tuple[int, int]) -> tuple[int, int] | None:
    """Rows and columns of that many tokens in the image's proportions; None where they form no such grid."""
    rows = round((max(tokens, 0) * size[0] / size[1]) ** 0.5)
    if rows < 2 or tokens % rows or abs(rows / (tokens // rows) - size[0] / size[1]) > 1e-6:
        return None
    return rows, tokens // rows


def _channels_first(module: nn.Module, shape: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Whether a map is (n, k, u, v): the module's weights tell, or else which axes have the image's proportions."""
    if isinstance(module, CHANNELS_FIRST):
        return True
    if isinstance(module, nn.Linear) or type(module) is nn.LayerNorm:
        return False
    if isinstance(module, nn.LayerNorm) and module.normalized_shape[0] != shape[3]:
        return True
    first, last = (_distance(shape[2], shape[3], size), _distance(shape[1], shape[2], size))
    return first <= last and first <= 1


def _distance(rows: int, columns: int, size: tuple[int, int]) -> float:
    """How many rows a map is off the image's proportions."""
    return abs(rows - columns * size[0] / size[1])


def _default(layers: list[Layer], events: dict[str, _Event], logits: Tensor, head: bool) -> str | None:
    """The last layer with a map larger than one cell that a gradient of the scores reaches, before the head.

    Maps of as many channels as there are classes, at the end, are the head's. A head that reads the class token alone
    leaves the others without a gradient, behind the last attention. Queries, keys and values, which linear layers make
    of tokens, are no place where features are usually read: the normalization before them is.
    """
    maps = [layer for layer in layers if layer.kind != "flat" and layer.height * layer.width > 1]
    while head and len(maps) > 1 and maps[-1].channels == logits.shape[1]:
        maps.pop()
    maps = [one for one in maps if one.kind != "tokens" or not isinstance(events[one.name].module, nn.Linear)] or maps
    reached = _reached(maps, events, logits)
    return reached or (maps[-1].name if maps else None)


def _reached(maps: list[Layer], events: dict[str, _Event], logits: Tensor) -> str | None:
    """The last of these layers whose positions, not only their prefix, have a gradient."""
    having = [(layer, events[layer.name].output) for layer in maps]
    kept = [(layer, output) for layer, output in having if output is not None and output.requires_grad]
    outputs = [output for _, output in kept]
    weights = torch.randn(logits.shape[1], generator=torch.Generator().manual_seed(0)).to(logits.device)
    gradients = torch.autograd.grad((logits * weights).sum(), outputs, allow_unused=True) if outputs else ()
    for (layer, _), gradient in reversed(list(zip(kept, gradients, strict=True))):
        if gradient is not None and bool(
            gradient[:, layer.prefix :].any() if layer.kind == "tokens" else gradient.any()
        ):
            return layer.name
    return None


def _block_ends(layers: list[Layer], default: str | None, trunks: set[str]) -> set[str]:
    """The default layer; of the outermost layers before it the last of each map size, and every block of tokens."""
    before = [layer for layer in layers if layer.kind != "flat" and layer.height * layer.width > 1]
    names = [layer.name for layer in before]
    before = before[: names.index(default) + 1] if default in names else before
    outermost = [layer for layer in before if layer.name.rpartition(".")[0] in {"", *trunks}]
    last_of_size = {(layer.height, layer.width): layer.name for layer in outermost if layer.kind != "tokens"}
    blocks = {layer.name for layer in outermost if layer.kind == "tokens"}
    return {*last_of_size.values(), *blocks, *([default] if default else [])}
