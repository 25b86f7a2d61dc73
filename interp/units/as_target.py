"""A unit as a target: the network up to a layer as a classifier whose classes are the layer's units."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, fx, nn
from torch.nn.functional import max_pool2d

from interp.models import hooks, probes
from interp.types import Classifier, Finding, Layer, Target, Targets

_MADE: WeakKeyDictionary[Classifier, dict[tuple[str, tuple[int, int] | None], UnitClassifier]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class UnitClassifier(Classifier):
    """A network up to a layer, whose `labels` are the layer's units, and whose 'logits' are their activations.

    `layers` are those that come before. Units have no probabilities: whatever asks for these raises `ValueError`.
    """

    @property
    def last_spatial_layer(self) -> Layer:
        """The layer that a method takes when none is named: the last before the units' own that still has a map.

        Raises `ValueError` where no layer with a map comes before.
        """
        if self.default_layer is None:
            raise ValueError(
                f"{self.name} ends at the first layer that has a map, so methods that read an earlier one cannot "
                "explain its units. Choose a method that reads the pixels, or units of a later layer."
            )
        return self.layer(self.default_layer)

    def linked(self, logits: Float[Tensor, "n k"]) -> NoReturn:
        """Raise `ValueError`: an activation is no score before a softmax or a sigmoid."""
        raise ValueError(
            f"{self.name} gives activations of units, which have no probabilities. Read the activations themselves, "
            "by `logits`, or explain a class."
        )

    def target_probabilities(self, logits: Float[Tensor, "n k"], targets: Sequence[Target]) -> NoReturn:
        """Raise `ValueError`, as `linked` does."""
        self.linked(logits)

    def targets(self, targets: Targets, count: int) -> tuple[Target, ...]:
        """One `Target` for each of `count` images: its `positive` is a unit.

        Raises `ValueError` for a unit that the layer does not have, and as `Classifier.targets` does.
        """
        for one in [targets] if isinstance(targets, int | np.integer | Target) else targets:
            for unit in (one.positive, one.negative) if isinstance(one, Target) else (int(one),):
                if unit is not None:
                    require_unit(unit, len(self.labels), self.name)
        return super().targets(targets, count)


def units_of(classifier: Classifier, layer: str, *, at: tuple[int, int] | None = None) -> UnitClassifier:
    """The units of a layer as the classes of a classifier, so that a unit is explained as a class is.

        attribution.attribute(units_of(classifier, "mixed4c"), images, 17, Lrp())

    The 'logit' of a unit is its activation at its strongest position in each image (of several equal ones the first),
    or `at` one position (row, column); of a flat layer the value itself. Tokens without a place in the picture, such
    as a class token, are no position. All modules are the classifier's own, under the same names and the same lock;
    nothing is copied, and what follows the layer does not run. Of a module that runs several times the last run
    counts, and then the whole network runs. `default_layer` is the last layer with a map before the layer's module
    that the units depend on. The fingerprint tells layers and positions apart.
    The first call for a layer costs a forward pass of one picture of noise.
    Raises `ValueError` for a layer that the classifier does not have, or that does not depend on the picture, and for a
    position that the layer does not have.
    """
    found = classifier.layer(layer)
    _require_position(found, at)
    with classifier.lock:
        made = _MADE.setdefault(classifier, {})
        if (layer, None) not in made:
            made[layer, None] = _ended(classifier, found, None, *_tried(classifier, found))
        if at is None:
            return made[layer, None]
        network = made[layer, None].module.get_submodule("network")
        assert isinstance(network, NetworkUpTo)
        return _ended(classifier, found, at, network._end.runs, made[layer, None].default_layer)


def require_unit(unit: int, count: int, where: str) -> None:
    """Raise `ValueError` for a unit that is none of `count`; `where` names whose they are."""
    if not 0 <= unit < count:
        raise ValueError(f"Unit {unit} does not exist: {where} has {count} units, 0 to {count - 1}.")


class NetworkUpTo(nn.Module):
    """A network that ends at one of its layers and gives the activation (n, k) of each unit there.

    Parameters and modules are the network's own, under its names: its hooks and its layers' are one and the same.
    """

    def __init__(self, network: nn.Module, layer: Layer, at: tuple[int, int] | None, runs: int) -> None:
        super().__init__()
        for shared in ("_parameters", "_buffers", "_non_persistent_buffers_set", "_modules"):
            vars(self)[shared] = vars(network)[shared]
        # One attribute, of a private name, as another might be that of a part of the network.
        self._end = _End((network,), layer, at, runs)

    def forward(self, pixels: Any) -> Any:
        """Normalized pixels (n, c, h, w) to activations (n, k); what torch.fx traces with to what it traces with."""
        return _of_units(self._end.output(pixels, self), self._end.layer, self._end.at)


@dataclass(frozen=True, eq=False)
class _End:
    """Where a network ends; the network stands in a tuple, as a module's attribute would be one of its parts."""

    network: tuple[nn.Module]
    layer: Layer
    at: tuple[int, int] | None
    runs: int

    def output(self, pixels: Any, asked: nn.Module) -> Any:
        """What the layer gives, in the last of its runs; a layer that runs once ends the pass."""
        (network,) = self.network
        taken: list[Any] = []

        def take(output: Any) -> None:
            taken[:] = [output if self.runs == 1 else output.clone()]
            if self.runs == 1:
                raise _Reached(asked)

        with ExitStack() as stack:
            watch = _watched_trace if isinstance(pixels, fx.Proxy) else _watched
            stack.callback(watch(network.get_submodule(self.layer.name), take, pixels))
            try:
                network.forward(pixels)
            except _Reached as reached:
                # Units of a layer of a network that ends at a later one.
                if reached.asked is not asked:
                    raise
        if not taken:
            raise ValueError(f"Layer {self.layer.name!r} did not run for this picture: its units have no activation.")
        return taken[0]


class _Reached(Exception):
    """Ends a pass; `asked` is the module that it ends for."""

    def __init__(self, asked: nn.Module) -> None:
        super().__init__()
        self.asked = asked


def _watched(part: nn.Module, take: Callable[[Any], None], pixels: Any) -> Callable[[], None]:
    """From now on `take` is given what a module gives, after all hooks that stand on it; gives what undoes that."""
    return part.register_forward_hook(lambda module, inputs, output: take(output)).remove


def _watched_trace(part: nn.Module, take: Callable[[Any], None], pixels: Any) -> Callable[[], None]:
    """As `_watched`, for a trace of torch.fx, which does not run the hooks of the modules that it leaves whole."""
    tracer = pixels.tracer
    call = tracer.call_module

    def call_module(module: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        output = call(module, forward, args, kwargs)
        if module is part:
            take(output)
        return output

    tracer.call_module = call_module

    def undo() -> None:
        tracer.call_module = call

    return undo


def _of_units(output: Any, layer: Layer, at: tuple[int, int] | None) -> Any:
    """Each unit's activation at its strongest position, or at one; a maximum pool, which all rules of methods know."""
    size = (layer.height, layer.width)
    match layer.kind:
        case "flat":
            return output
        case "channels_last":
            output = output.permute(0, 3, 1, 2)
        case "tokens":
            output = output[:, layer.prefix :].transpose(1, 2).unflatten(2, size)
    return max_pool2d(output, size).flatten(1) if at is None else output[:, :, at[0], at[1]]


def _ended(
    classifier: Classifier, layer: Layer, at: tuple[int, int] | None, runs: int, default: str | None
) -> UnitClassifier:
    parts = OrderedDict(classifier.module.named_children())
    parts["network"] = NetworkUpTo(classifier.module.get_submodule("network"), layer, at, runs)
    where = "their strongest position" if at is None else f"row {at[0]}, column {at[1]}"
    where = "" if layer.kind == "flat" else f" at {where}"
    said = f"The network ends at {layer.name}: in place of scores it gives the activations of the units there{where}."
    kept = {field.name: getattr(classifier, field.name) for field in fields(Classifier)}
    return UnitClassifier(
        **kept
        | {
            "name": f"{classifier.name} up to {layer.name}",
            # The same kind of module: one that computes in bfloat16 goes on to.
            "module": type(classifier.module)(parts).eval(),
            "labels": tuple(f"{layer.name}:{unit}" for unit in range(layer.channels)),
            "layers": _before(classifier, layer),
            "fingerprint": f"{classifier.fingerprint}-units-{layer.name}-{at}",
            "wordnet_ids": None,
            "findings": (*classifier.findings, Finding("changed", said)),
            "default_layer": default,
            # Units do not exclude each other.
            "link": "sigmoid",
            "multi_label": True,
        }
    )


def _before(classifier: Classifier, layer: Layer) -> tuple[Layer, ...]:
    names = [one.name for one in classifier.layers]
    return classifier.layers[: names.index(layer.name)]


def _tried(classifier: Classifier, layer: Layer) -> tuple[int, str | None]:
    """How often the layer's module runs, and the last layer with a map before it that it depends on, if any.

    Layers inside of the layer's module come last: one of them may be a branch past which the rest goes.
    """
    mapped = [one for one in _before(classifier, layer) if one.kind != "flat" and one.height * one.width > 1]
    inside = [one.name for one in mapped if one.name.startswith(f"{layer.name}.")]
    candidates = [*inside, *(one.name for one in mapped if one.name not in inside)]
    runs = 0

    def count(output: Tensor) -> None:
        nonlocal runs
        runs += 1

    leaf = probes.noise(classifier.preprocessing, 1).to(classifier.device).requires_grad_()
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        hooks.observed(classifier, {layer.name: count}),
        hooks.activations(classifier, [*candidates, layer.name]) as taken,
    ):
        # A copy, for the network may write over what it is given.
        classifier.module(leaf.clone())

    def seen(operations: set[Any]) -> bool:
        return any(getattr(one, "variable", None) is leaf for one in operations)

    reached = _ancestors(taken[layer.name])
    if not seen(reached):
        raise ValueError(
            f"What layer {layer.name!r} of {classifier.name} gives does not depend on the picture, so nothing in it "
            "drives the layer's units. Choose another layer."
        )
    on_the_way = (name for name in reversed(candidates) if taken[name].grad_fn in reached)
    return runs, next((name for name in on_the_way if seen(_ancestors(taken[name]))), None)


def _ancestors(tensor: Tensor) -> set[Any]:
    """All operations that a tensor came about by."""
    found, ahead = set(), [tensor.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is not None and node not in found:
            found.add(node)
            ahead.extend(one for one, _ in node.next_functions)
    return found


def _require_position(layer: Layer, at: tuple[int, int] | None) -> None:
    if at is None:
        return
    if layer.kind == "flat":
        raise ValueError(f"Layer {layer.name!r} has no positions: leave out at={at}.")
    if not (0 <= at[0] < layer.height and 0 <= at[1] < layer.width):
        raise ValueError(
            f"Layer {layer.name!r} has no position {at}: rows go from 0 to {layer.height - 1}, columns from 0 to "
            f"{layer.width - 1}."
        )
