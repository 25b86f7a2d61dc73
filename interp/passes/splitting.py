"""A network cut in two at a layer, operation by operation."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from torch import fx, nn

from interp.models.graph import traced
from interp.types import Classifier

_POOLINGS = (nn.AdaptiveAvgPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.MaxPool2d)
_BETWEEN = (nn.ReLU, nn.Dropout, nn.Dropout2d, nn.Identity)


@dataclass(frozen=True, eq=False)
class Split:
    """A network's operations up to a layer and after it, called by `forward`: failing otherwise prints their code.

    `before` takes normalized pixels and gives what `after` takes: what the layer gave in the last of its `runs`, and
    the other values needed; `by_image` says which of the latter depend on the image.
    """

    before: fx.GraphModule
    after: fx.GraphModule
    by_image: tuple[bool, ...]
    runs: int


def split(classifier: Classifier, layer: str) -> Split | None:
    """The two halves, on the network's own parameters; None where the network cannot be traced, or not at the layer."""
    network = classifier.module.get_submodule("network")
    with classifier.lock:
        try:
            whole = traced(network, whole=frozenset([layer])).graph
        except ValueError:
            return None
    runs = [node for node in whole.nodes if node.op == "call_module" and node.target == layer]
    if not runs:
        return None
    depends = _dependents(whole, runs[-1])
    seen = _dependents(whole, *(node for node in whole.nodes if node.op == "placeholder"))
    before, after = fx.Graph(), fx.Graph()
    first: dict[fx.Node, fx.Node] = {}
    second = {runs[-1]: after.placeholder("variants")}
    kept: list[fx.Node] = []
    for node in whole.nodes:
        if node not in depends and node.op != "output":
            first[node] = before.node_copy(node, first.__getitem__)
            continue
        for given in node.all_input_nodes:
            if given in second:
                continue
            if given.op == "get_attr":
                second[given] = after.node_copy(given)
            else:
                kept.append(given)
                second[given] = after.placeholder(f"kept_{len(kept)}")
        second[node] = after.node_copy(node, second.__getitem__)
    before.output(tuple(first[node] for node in (runs[-1], *kept)))
    by_image = tuple(node in seen for node in kept)
    return Split(fx.GraphModule(network, before), fx.GraphModule(network, after), by_image, len(runs))


def past_pooling(classifier: Classifier, layer: str) -> str:
    """The last pooling after the layer before which each channel is alone, and one that is zero stays zero.

    Zeroing a channel behind it is the same as zeroing it at the layer. It is the layer itself where no pooling follows,
    or where something else reads the layer's output.
    """
    network = classifier.module.get_submodule("network")
    with classifier.lock:
        try:
            graph = traced(network, whole=frozenset([layer])).graph
        except ValueError:
            return layer
    calls = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    place, node = layer, next((node for node in graph.nodes if node.op == "call_module" and node.target == layer), None)
    while node is not None and len(node.users) == 1 and calls.count(str(node.target)) == 1:
        (node,) = node.users
        if node.op != "call_module" or calls.count(str(node.target)) > 1:
            break
        module = network.get_submodule(str(node.target))
        if isinstance(module, _POOLINGS):
            place = str(node.target)
        elif not isinstance(module, _BETWEEN):
            break
    return place


def share_after(classifier: Classifier, layer: str) -> float:
    """The share of a forward pass's multiplications that comes after the layer; 1 where that cannot be told."""
    halves = split(classifier, layer)
    if halves is None:
        return 1.0
    positions = {layer.name: max(1, layer.height * layer.width) for layer in classifier.layers}
    height, width = classifier.input_size
    before = _multiplications(halves.before, positions, height * width)
    after = _multiplications(halves.after, positions, positions.get(layer, 1))
    return after / (before + after) if before + after else 1.0


def _multiplications(half: fx.GraphModule, listed: dict[str, int], start: int) -> int:
    """Weights times the positions of their operation: those listed for its module or the ones that it is in.

    Operations that are not listed have the positions of their inputs; the inputs of the half have `start`.
    """
    positions: dict[fx.Node, int] = {}
    total = 0
    for node in half.graph.nodes:
        weights = [attrgetter(str(given.target))(half) for given in node.all_input_nodes if given.op == "get_attr"]
        name = ""
        if node.op == "call_module":
            name = str(node.target)
            weights.extend(half.get_submodule(name).parameters())
        found = (listed[part] for part in _upwards(name) if part in listed)
        inherited = max((positions[given] for given in node.all_input_nodes), default=start)
        positions[node] = next(found, inherited)
        total += positions[node] * sum(weight.numel() for weight in weights if weight.ndim > 1)
    return total


def _upwards(name: str) -> list[str]:
    """A dotted name, and those of the modules that it is in, from the inside out."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _dependents(graph: fx.Graph, *roots: fx.Node) -> set[fx.Node]:
    """The operations that depend on any of these, these themselves left out."""
    found: set[fx.Node] = set()
    for node in graph.nodes:
        if any(given in found or given in roots for given in node.all_input_nodes):
            found.add(node)
    return found
