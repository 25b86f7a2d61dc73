"""The head that a file's shapes describe, built in the place of a network's own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import torch
from torch import nn

from interp.types import Finding

Shapes = Mapping[str, tuple[int, ...]]
"""The shapes of tensors by name, in a file, a network or a layer."""
Layers = Mapping[str, Shapes]
"""The shapes of each layer's tensors; layers go by their dotted names in the head."""

OWN_CODE = 'architecture = "net.py:build"'
# What passes on all that it is given when a network is evaluated, or only shapes it anew: it is kept where it stands.
SHAPING = (nn.Dropout, nn.Flatten, nn.Identity, nn.AdaptiveAvgPool2d)
COUNTER = "num_batches_tracked"


def absent(network: nn.Module, names: Collection[str]) -> str | None:
    """The module that is the network's head, where it is all that a file's names lack; None otherwise."""
    missing = [name for name in network.state_dict() if name not in names and not name.endswith(COUNTER)]
    place = next((one for one in places(network) if all(name.startswith(f"{one}.") for name in missing)), None)
    if place is None or not missing or any(name.startswith(f"{place}.") for name in names):
        return None
    return place


def last_width(shapes: Shapes, place: str) -> int | None:
    """What the last linear layer gives that a file has in a place; None where it has none."""
    widths = [layer["weight"][0] for layer in layers_in(shapes, place).values() if len(layer.get("weight", ())) > 1]
    return widths[-1] if widths else None


def fit_head(network: nn.Module, shapes: Shapes) -> tuple[Finding, ...]:
    """Give a network, in place, the head that a file's shapes describe, where the two differ in nothing else.

    The head is the last linear layer, or a module around it. Where the file has the same layers in other sizes, these
    are taken over. Other layers become a `Sequential`, in which all that has no tensors is a guess, and is said.
    A file that also differs elsewhere, or that has no head, leaves the network as it is, for the comparison to name.
    Raises `ValueError` for a head that cannot be told from its shapes.
    """
    own = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    names = [name for name in {**own, **shapes} if not name.endswith(COUNTER)]
    differing = [name for name in names if own.get(name) != shapes.get(name)]
    place = next((one for one in places(network) if all(name.startswith(f"{one}.") for name in differing)), None)
    if not differing or place is None:
        return ()
    layers = layers_in(shapes, place)
    if not layers:
        return ()
    if all(name in own and name in shapes for name in differing):
        return _resized(network, place, layers)
    built = _Builder(place, network.get_submodule(place))
    put(network, place, built.head(layers))
    guesses = list(dict.fromkeys(built.guesses))
    said = f"The head {place} is built from the file's shapes: {', '.join(built.parts)}."
    if guesses:
        said += f" {' and '.join(guesses)} {'are guesses' if len(guesses) > 1 else 'is a guess'}"
        said += ": a file of weights names only what has weights."
    return (Finding("guessed", said, OWN_CODE),)


class _Builder:
    """Builds a head from its layers; keeps the width that has been reached, and what was guessed on the way."""

    def __init__(self, place: str, own: nn.Module) -> None:
        self.place, self.own = place, own
        self.width = width_to(own)
        self.parts: list[str] = []
        self.guesses: list[str] = []
        # Whether a linear layer still waits for its activation.
        self.waiting = False

    def head(self, layers: Layers) -> nn.Module:
        """One layer, or a `Sequential` of `Sequential`s that has the layers under their dotted names."""
        if set(layers) == {""}:
            return self._layer("", layers[""])
        if "" in layers:
            raise self._untold(next(iter(layers[""])))
        return self._sequential(list(layers), layers, "", self.own)

    def _sequential(self, paths: list[str], layers: Layers, start: str, own: nn.Module) -> nn.Sequential:
        inner = list(dict.fromkeys(path.removeprefix(start).partition(".")[0] for path in paths))
        numbered = all(_number(name) is not None for name in inner)
        sequence = nn.Sequential()
        for name in [str(index) for index in range(int(inner[-1]) + 1)] if numbered else inner:
            path = start + name
            deeper = [one for one in paths if one.startswith(f"{path}.")]
            if path in layers and deeper:
                raise self._untold(path)
            if deeper:
                child = self._sequential(deeper, layers, f"{path}.", nn.Identity())
                # What ends an inner sequence without weights of its own leaves no trace.
                if self.waiting and name != inner[-1]:
                    child.append(self._filler(None))
            elif path in layers:
                # Layers that are not numbered are no sequence by themselves: what runs between them is not known.
                if not numbered and self.waiting and len(layers[path].get("weight", ())) > 1:
                    sequence.add_module(f"before_{name}", self._filler(None))
                child = self._layer(path, layers[path])
            else:
                child = self._filler(getattr(own, name, None) if isinstance(own, nn.Sequential) else None)
            sequence.add_module(name, child)
        return sequence

    def _layer(self, path: str, shapes: Shapes) -> nn.Module:
        layer = _built(shapes)
        if layer is None:
            raise self._untold(path)
        takes, gives = _in_and_out(layer)
        if self.width is not None and takes != self.width and not isinstance(layer, nn.PReLU):
            raise ValueError(
                f"{self._name(path)} takes {takes} values, and {self.width} come to it here. Where the network does "
                f"something else with them, describe it in own code: {OWN_CODE}."
            )
        self.width = gives if not isinstance(layer, nn.PReLU) else self.width
        self.waiting = isinstance(layer, nn.Linear) or (self.waiting and not isinstance(layer, nn.PReLU))
        self.parts.append(_described(layer))
        return layer

    def _filler(self, own: nn.Module | None) -> nn.Module:
        """What stands where the file has no weights: what stood there, an activation, or nothing that counts."""
        if isinstance(own, SHAPING):
            filler = own
        elif self.waiting:
            filler = nn.ReLU()
            self.waiting = False
        else:
            flattens = not self.parts and any(isinstance(one, nn.Flatten) for one in self.own.modules())
            filler = nn.Flatten() if flattens else nn.Dropout()
        name = type(filler).__name__
        self.parts.append(name)
        if filler is not own:
            self.guesses.append(name)
        return filler

    def _untold(self, path: str) -> ValueError:
        return ValueError(
            f"The head cannot be told from its shapes ({self._name(path)}): describe the network in own code, "
            f"{OWN_CODE}."
        )

    def _name(self, path: str) -> str:
        return f"{self.place}.{path}"[:80] if path else self.place


def _resized(network: nn.Module, place: str, layers: Layers) -> tuple[Finding, ...]:
    """Layers of the same kinds in other sizes; what stands between them stays."""
    changed = []
    for path, shapes in layers.items():
        name = f"{place}.{path}" if path else place
        own = network.get_submodule(name)
        layer = _of_size(own, shapes)
        if layer is None:
            continue
        if path == next(iter(layers)) and _in_and_out(layer)[0] != _in_and_out(own)[0]:
            return ()
        put(network, name, layer)
        changed.append((name, _in_and_out(own), _in_and_out(layer)))
    if len(changed) == 1 and changed[0][1][0] == changed[0][2][0]:
        return (Finding("recognized", f"The file's head, {changed[0][0]}, has outputs: {changed[0][2][1]}."),)
    said = ", ".join(
        f"{name} ({before[0]} → {before[1]}) is {after[0]} → {after[1]}" for name, before, after in changed
    )
    text = f"The head {place} has other sizes: {said}. That its activations are the architecture's is a guess."
    return (Finding("guessed", text, OWN_CODE),) if changed else ()


def layers_in(shapes: Shapes, place: str) -> Layers:
    """The layers that a file has in a place, numbered ones in the order of their numbers."""
    layers: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        if name.startswith(f"{place}.") and not name.endswith(COUNTER):
            path, _, tensor = name.removeprefix(f"{place}.").rpartition(".")
            layers.setdefault(path, {})[tensor] = shape
    first = {part: index for index, part in enumerate(dict.fromkeys(".".join(layers).split(".")))}

    def order(path: str) -> list[tuple[int, int]]:
        numbers = [(part, _number(part)) for part in path.split(".")]
        return [(0, number) if number is not None else (1, first[part]) for part, number in numbers]

    return {path: layers[path] for path in sorted(layers, key=order)}


def _number(part: str) -> int | None:
    """The place in a sequence that a part of a name means."""
    return int(part) if part.isascii() and part.isdecimal() and len(part) <= 2 and str(int(part)) == part else None


def places(network: nn.Module) -> Iterator[str]:
    """The name of the network's last linear layer or convolution, then those of the modules around it."""
    last = [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    place = last[-1] if last else ""
    while place:
        yield place
        place = place.rpartition(".")[0]


def _built(shapes: Shapes) -> nn.Module | None:
    """The layer that has tensors of these shapes, without memory for them; None where it cannot be told."""
    weight, names = shapes.get("weight", ()), set(shapes)
    if len(weight) == 2 and names <= {"weight", "bias"}:
        return nn.Linear(weight[1], weight[0], bias="bias" in names, device="meta")
    if len(weight) == 1 and names == {"weight", "bias", "running_mean", "running_var"}:
        return nn.BatchNorm1d(weight[0], device="meta")
    if len(weight) == 1 and names == {"weight", "bias"}:
        return nn.LayerNorm(weight[0], device="meta")
    if len(weight) == 1 and names == {"weight"}:
        return nn.PReLU(weight[0], device="meta")
    return None


def _of_size(own: nn.Module, shapes: Shapes) -> nn.Module | None:
    """A layer of the same kind in another size; None where the size is the same, or the kind is no layer of a head."""
    weight = shapes.get("weight", ())
    if weight == tuple(getattr(own, "weight", torch.empty(0)).shape):
        return None
    if type(own) is nn.Conv2d and len(weight) == 4 and weight[2:] == own.kernel_size:
        return resized(own, in_channels=weight[1], out_channels=weight[0])
    return _built(shapes) if type(own) in (nn.Linear, nn.BatchNorm1d, nn.LayerNorm) else None


def resized(own: nn.Conv2d, *, in_channels: int, out_channels: int) -> nn.Conv2d:
    """A convolution like another one, with other numbers of channels, without memory for its weights."""
    return nn.Conv2d(
        in_channels,
        out_channels,
        own.kernel_size,  # pyright: ignore[reportArgumentType]
        own.stride,  # pyright: ignore[reportArgumentType]
        own.padding,  # pyright: ignore[reportArgumentType]
        own.dilation,  # pyright: ignore[reportArgumentType]
        own.groups,
        own.bias is not None,
        own.padding_mode,
        device="meta",
    )


def put(network: nn.Module, name: str, module: nn.Module) -> None:
    """Set a module in the place of another one, by its dotted name."""
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)


def _in_and_out(layer: nn.Module) -> tuple[int, int]:
    """The widths of what a layer takes and gives."""
    weight = layer.get_parameter("weight")
    return (weight.shape[1], weight.shape[0]) if weight.ndim > 1 else (weight.shape[0], weight.shape[0])


def width_to(module: nn.Module) -> int | None:
    """The width of what comes to a head: what its first layer takes."""
    layers = [one for one in module.modules() if isinstance(getattr(one, "weight", None), nn.Parameter)]
    return _in_and_out(layers[0])[0] if layers else None


def _described(layer: nn.Module) -> str:
    takes, gives = _in_and_out(layer)
    return (
        f"{type(layer).__name__}({takes}, {gives})"
        if isinstance(layer, nn.Linear)
        else f"{type(layer).__name__}({takes})"
    )
