"""Where activations can be read: found by running the network once, and named as the field names them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from interp.types import Layer, Preprocessing

# A container that gives the very tensor of its last part goes by its own name ("layer4", not "layer4.2"), unless it
# holds nearly the entire network: then the part's name says more ("features.12", not "features").
TRUNK = 0.8
CHANNELS_FIRST = (nn.modules.conv._ConvNd, nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.modules.pooling._MaxPoolNd)
ADAPTIVE = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


@dataclass(frozen=True)
class FoundLayers:
    """The layers in forward order, the one that methods take by default (None: no layer has a map), remarks, classes.

    `outputs` is the number of logits.
    """

    layers: tuple[Layer, ...]
    default: str | None
    outputs: int
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Event:
    """One module's return during the forward pass; equal `value`s are one and the same tensor, unchanged."""

    name: str
    module: nn.Module
    output: Tensor | None
    value: tuple[int, int]


def find_layers(module: nn.Module, preprocessing: Preprocessing) -> FoundLayers:
    """The layers of `module.network`, on the module's own device, from one forward pass on a grey image.

    A layer appears once: a module that runs several times counts at its last, and of the modules that give the very
    same tensor one is listed. Maps whose channels come last, and tokens without a class token, are left out, and
    `notes` say so. Raises `ValueError` where the network does not give one row of logits for one image.
    """
    network = module.get_submodule("network")
    events, logits = _run(module, network, preprocessing.crop)
    named = _named(events, network, preprocessing.crop)
    layers, left_out = [], []
    for event in named:
        layer = _layer(event, preprocessing.crop)
        if layer is not None:
            layers.append(layer)
        elif event.output is not None and event.output.ndim >= 3 and event.output.shape[0] == 1:
            left_out.append(event.name)
    default = _default(layers, events, logits.shape[1])
    ends = _block_ends(layers, default, _trunks(events, network, preprocessing.crop))
    marked = tuple(replace(layer, block_end=layer.name in ends) for layer in layers)
    notes = ()
    if left_out:
        notes = (
            f"{len(left_out)} layers are not offered, as their maps have no channels-first layout or no class token: "
            f"{', '.join(left_out[:3])}{', ...' if len(left_out) > 3 else ''}.",
        )
    return FoundLayers(marked, default, logits.shape[1], notes)


def _run(module: nn.Module, network: nn.Module, size: tuple[int, int]) -> tuple[list[_Event], Tensor]:
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
        with torch.no_grad():
            logits = module(torch.full((1, 3, *size), 0.5, device=mean.device))
    finally:
        for handle in handles:
            handle.remove()
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != 1:
        given = f"a tensor of shape {list(logits.shape)}" if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"For one image the network gives {given}: it must give logits of shape [1, classes].")
    return events, logits


def _shape(value: object) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None


def _named(events: list[_Event], network: nn.Module, size: tuple[int, int]) -> list[_Event]:
    """One event for each distinct tensor, in forward order, under the name that the field uses."""
    runs = Counter(event.name for event in events)
    last = {event.name: place for place, event in enumerate(events)}
    trunks = _trunks(events, network, size)
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


def _trunks(events: list[_Event], network: nn.Module, size: tuple[int, int]) -> set[str]:
    """The containers that hold nearly all of the modules that give maps."""
    mapped = [event for event in events if not any(event.module.children()) and _kind(event, size) is not None]
    mapped = [event for event in mapped if _kind(event, size) != "flat"]
    counted = Counter(
        event.name[:place] for event in mapped for place, letter in enumerate(event.name) if letter == "."
    )
    return {name for name, count in counted.items() if count > TRUNK * len(mapped)}


def _kind(event: _Event, size: tuple[int, int]):
    layer = _layer(event, size)
    return None if layer is None else layer.kind


def _layer(event: _Event, size: tuple[int, int]) -> Layer | None:
    shape = _shape(event.output)
    if shape is None or shape[0] != 1 or not event.output.is_floating_point():  # pyright: ignore[reportOptionalMemberAccess]
        return None
    if len(shape) == 2:
        return Layer(event.name, shape[1], "flat")
    if len(shape) == 3:
        grid = _grid(shape[1] - 1, size)
        return None if grid is None else Layer(event.name, shape[2], "tokens", *grid)
    if len(shape) == 4 and _channels_first(event.module, shape, size):
        return Layer(event.name, shape[1], "spatial", shape[2], shape[3])
    return None


def _grid(tokens: int, size: tuple[int, int]) -> tuple[int, int] | None:
    """Rows and columns of that many tokens in the image's proportions; None where they form no such grid."""
    rows = round((tokens * size[0] / size[1]) ** 0.5)
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


def _default(layers: list[Layer], events: list[_Event], outputs: int) -> str | None:
    """The last layer with a map larger than one cell, before the head.

    Maps of as many channels as there are classes, at the end, are the head's. Tokens count only as long as attention
    follows: after it the head reads the class token alone, so that no gradient reaches the others.
    """
    order = {event.name: place for place, event in enumerate(events)}
    attention = max(
        (order[event.name] for event in events if isinstance(event.module, nn.MultiheadAttention)), default=None
    )
    maps = [layer for layer in layers if layer.kind != "flat" and layer.height * layer.width > 1]
    if attention is not None:
        maps = [layer for layer in maps if layer.kind == "spatial" or order[layer.name] < attention]
    while len(maps) > 1 and maps[-1].channels == outputs:
        maps.pop()
    return maps[-1].name if maps else None


def _block_ends(layers: list[Layer], default: str | None, trunks: set[str]) -> set[str]:
    """The default layer; of the outermost layers before it the last of each map size, and every block of tokens."""
    before = [layer for layer in layers if layer.kind != "flat" and layer.height * layer.width > 1]
    names = [layer.name for layer in before]
    before = before[: names.index(default) + 1] if default in names else before
    outermost = [layer for layer in before if layer.name.rpartition(".")[0] in {"", *trunks}]
    last_of_size = {(layer.height, layer.width): layer.name for layer in outermost if layer.kind == "spatial"}
    blocks = {layer.name for layer in outermost if layer.kind == "tokens"}
    return {*last_of_size.values(), *blocks, *([default] if default else [])}
