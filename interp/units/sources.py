"""What a unit reads, by its weights: the kernels that make it, over the units of the layers before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import conv2d

from interp.models import probes
from interp.passes import linear_steps, operations, origins
from interp.passes.origins import Origins
from interp.passes.recorded import CallResult, record
from interp.types import Classifier, Images
from interp.units.as_target import require_unit
from interp.units.source_terms import (
    PICTURE,
    CarriedTerm,
    InputUnit,
    KernelTerm,
    SourceTerm,
    UnitSources,
    UnknownTerm,
)


def sources(classifier: Classifier, layer: str, unit: int) -> UnitSources:
    """What a unit reads: its weights over the units before, followed through the operations of a pass.

    A convolution behind concatenations, splits and shuffles of channels is found, and which of its channels it is.
    Batch normalizations are multiplied into the weights; a sum, as of a skip connection, has several terms. What mixes
    units by itself, such as attention, is an `UnknownTerm`. Two passes of one picture of noise: one to follow, one
    whose numbers the sum is compared to. Raises `ValueError` for a layer or a unit that there is not.
    """
    place = classifier.layer(layer)
    require_unit(unit, place.channels, f"layer {layer!r} of {classifier.name}")
    noise = Images(probes.noise(classifier.preprocessing, 1).to(classifier.device), ("noise",))
    recorded = record(classifier, noise)
    result = recorded.of_layer.get(layer)
    if result is None:
        return UnitSources(layer, unit, (UnknownTerm("a module that gives no single tensor"),), 0.0, (), None)
    names = {id(value): name.rpartition(".")[0] for name, value in _parameters(classifier)}
    follower = _Follower(classifier, names, _around(classifier, result))
    follower.follow(_start(result, place.channel_axis, unit), 1.0, inside=False)
    return follower.found(layer, unit, noise)


def _around(classifier: Classifier, result: CallResult) -> str:
    """The innermost module with parts that gives the result: '' where that is the whole network."""
    network = classifier.module.get_submodule("network")
    whole = [name for name in result.modules if any(True for _ in network.get_submodule(name).children())]
    return max(whole, key=len, default=max(result.modules, key=len).rpartition(".")[0])


def _parameters(classifier: Classifier):
    return classifier.module.get_submodule("network").named_parameters()


def _start(result: CallResult, axis: int, unit: int) -> Origins:
    """The unit at the middle of its map."""
    index = [size // 2 for size in result.shape]
    index[0], index[axis] = 0, unit
    return Origins(result, np.zeros(1, np.int64), np.array([np.ravel_multi_index(index, result.shape)]))


@dataclass(frozen=True, eq=False)
class _Used:
    """A term with where its numbers are: what it was computed of, and at which place.

    `order` is that in which a linear layer's weights stand in the term.
    """

    term: SourceTerm
    result: CallResult
    place: int
    order: Int[np.ndarray, " j"] | None = None


class _Follower:
    """Goes back from a unit's number, and collects what it is the sum of."""

    def __init__(self, classifier: Classifier, names: dict[int, str], module: str) -> None:
        self.classifier, self.names, self.module = classifier, names, module
        self.used: list[_Used] = []
        self.constant = 0.0
        self.after: list[str] = []
        self.top: tuple[CallResult, int] | None = None

    def follow(self, at: Origins, scale: float, *, inside: bool) -> None:
        """Take in what a number is made of; `inside` a sum, a unit from before the layer's module is a term."""
        normalized = False
        while True:
            if inside and self._from_before(at.result):
                return self._take(self._carried(at, scale), at)
            if (moved := origins.before(at)) is not None:
                if not moved:
                    # A zero, with which a call filled up.
                    return self._begin(at)
                [at] = moved
            elif at.result.operation in operations.CONVOLUTIONS | operations.DENSE:
                self._begin(at)
                return self._kernel(at, scale, normalized)
            elif (fixed := linear_steps.fixed(at)) is not None:
                self._begin(at)
                normalized |= at.result.operation in operations.BATCH_NORMS
                at, factor, shift = fixed
                self.constant += scale * float(shift[0])
                scale *= float(factor[0])
            elif operands := linear_steps.operands(at):
                self._begin(at)
                for operand, factor in operands:
                    self.follow(operand, scale * factor, inside=True)
                return None
            elif self.top is None and (step := linear_steps.step(at)) is not None:
                at, name = step
                self.after.insert(0, name)
            else:
                self._begin(at)
                return self._take(self._carried(at, scale), at)

    def found(self, layer: str, unit: int, noise: Images) -> UnitSources:
        """What was found, compared to what the network computes."""
        terms = tuple(one.term for one in self.used)
        error = None
        if self.top is not None and not any(isinstance(one, UnknownTerm) for one in terms):
            top, place = self.top
            given = {result.number for one in self.used for result in (one.result, *one.result.given)}
            values = record(self.classifier, noise, {top.number, *given}).values
            parts = [_value(one, values) for one in self.used] + [(self.constant, abs(self.constant))]
            ours, theirs = sum(own for own, _ in parts), float(values[top.number].reshape(-1)[place])
            error = abs(ours - theirs) / max(1e-12, sum(size for _, size in parts))
        return UnitSources(layer, unit, terms, self.constant, tuple(self.after), error)

    def _begin(self, at: Origins) -> None:
        if self.top is None:
            self.top = (at.result, int(at.places[0]))

    def _take(self, term: SourceTerm, at: Origins) -> None:
        self.used.append(_Used(term, at.result, int(at.places[0])))

    def _from_before(self, result: CallResult) -> bool:
        """Whether something that has a name, and is no part of the module that makes the layer's output, gave it."""
        if not self.module:
            own = operations.CONVOLUTIONS | operations.DENSE | operations.BATCH_NORMS
            return _known(result) and result.operation not in own
        return _known(result) and not any(name.startswith(f"{self.module}.") for name in result.modules)

    def _carried(self, at: Origins, scale: float) -> SourceTerm:
        found, _, through = next(origins.named(at, _known), (None, at, ()))
        if found is None:
            return UnknownTerm(at.result.name)
        return CarriedTerm(self._unit(found.result, int(found.places[0]), through), scale)

    def _kernel(self, at: Origins, scale: float, normalized: bool) -> None:
        result = at.result
        source, weight = result.argument(0, "input"), result.argument(1, "weight")
        bias = result.argument(2, "bias")
        index = linear_steps.index_of(result, int(at.places[0]))
        dense = result.operation in operations.DENSE
        out = index[-1 if dense else 1]
        self.constant += scale * float(linear_steps.numbers(bias, np.array([out]), 0.0)[0])
        row = weight[out].detach().float().cpu().numpy() * scale
        shared = {"module": self.names.get(id(weight), ""), "scale": scale, "normalized": normalized}
        if dense:
            inputs = self._inputs(source, [(*index[:-1], one) for one in range(len(row))])
            order, shape, units = _arranged(inputs)
            term = KernelTerm(kind="linear layer", weights=row[order].reshape(shape), inputs=units, **shared)
            self.used.append(_Used(term, result, int(at.places[0]), order))
            return
        groups = int(result.argument(6, "groups", 1))
        first = out // (weight.shape[0] // groups) * weight.shape[1]
        middle = [size // 2 for size in source.shape[2:]]
        inputs = self._inputs(source, [(0, first + one, *middle) for one in range(len(row))])
        stride, dilation = (_pair(result.argument(place, name, 1)) for place, name in ((3, "stride"), (5, "dilation")))
        units = tuple(unit for unit, _ in inputs)
        steps = {"stride": stride, "dilation": dilation, "groups": groups}
        self._take(KernelTerm(kind="convolution", weights=row, inputs=units, **(shared | steps)), at)

    def _inputs(self, source: CallResult, indices: list[tuple[int, ...]]) -> list[tuple[InputUnit, int]]:
        """The units that numbers of a result are, with where on their maps."""
        places = np.array([np.ravel_multi_index(one, source.shape) for one in indices])
        inputs = [(InputUnit("", -1), 0)] * len(places)
        asked = Origins(source, np.arange(len(places)), places)
        for found, _, through in origins.named(asked, _known):
            if found is not None:
                for row, place in zip(found.rows.tolist(), found.places.tolist(), strict=True):
                    inputs[row] = (self._unit(found.result, place, through), _spot(found.result, place))
        return inputs

    def _unit(self, result: CallResult, place: int, through: tuple[str, ...]) -> InputUnit:
        index = linear_steps.index_of(result, place)
        if not result.operation:
            return InputUnit(PICTURE, index[1], through)
        layers = [self.classifier.layer(name) for name in result.layers]
        best = next((one for one in layers if one.block_end), layers[0])
        return InputUnit(best.name, index[best.channel_axis], through)


def _value(one: _Used, values: dict[int, Tensor]) -> tuple[float, float]:
    """What a term comes to, computed of its own weights; and the sum of the magnitudes of what it adds up."""
    term, result = one.term, one.result
    if not isinstance(term, KernelTerm):
        assert isinstance(term, CarriedTerm)
        own = term.scale * float(values[result.number].reshape(-1)[one.place])
        return own, abs(own)
    source, weight = values[result.given[0].number], result.argument(1, "weight")
    index = linear_steps.index_of(result, one.place)
    row = torch.from_numpy(term.weights).to(source)
    if one.order is not None:
        products = source[index[:-1]][torch.from_numpy(one.order)] * row.flatten()
        return float(products.sum()), float(products.abs().sum())
    first = index[1] // (weight.shape[0] // term.groups) * weight.shape[1]
    read = source[:, first : first + weight.shape[1]]
    padding = result.argument(4, "padding", 0)
    padding = padding if isinstance(padding, str) else _pair(padding)
    own, size = (
        conv2d(given, kernel[None], stride=term.stride, padding=padding, dilation=term.dilation)
        for given, kernel in ((read, row), (read.abs(), row.abs()))
    )
    return float(own[0, 0, index[2], index[3]]), float(size[0, 0, index[2], index[3]])


def _known(result: CallResult) -> bool:
    return bool(result.layers) or not result.operation


def _arranged(
    inputs: list[tuple[InputUnit, int]],
) -> tuple[Int[np.ndarray, " j"], tuple[int, int, int], tuple[InputUnit, ...]]:
    """In which order and shape a linear layer's weights stand by unit: each unit's as it has positions, or single."""
    units = tuple(dict.fromkeys(unit for unit, _ in inputs))
    each = len(inputs) // max(1, len(units))
    if each * len(units) != len(inputs) or each == 1 or any(not unit.layer for unit in units):
        return np.arange(len(inputs)), (len(inputs), 1, 1), tuple(unit for unit, _ in inputs)
    number = {unit: place for place, unit in enumerate(units)}
    order = np.lexsort(([spot for _, spot in inputs], [number[unit] for unit, _ in inputs]))
    side = round(each**0.5)
    height, width = (side, side) if side * side == each else (1, each)
    return order, (len(units), height, width), units


def _spot(result: CallResult, place: int) -> int:
    return place % int(np.prod(result.shape[2:])) if len(result.shape) == 4 else 0


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, tuple | list):
        return (int(value[0]), int(value[-1]))
    return (int(value), int(value))  # pyright: ignore[reportArgumentType]
