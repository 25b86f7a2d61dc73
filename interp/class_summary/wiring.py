"""How the channels of one layer reach those of the next: followed back through all calls of a pass."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from interp.class_summary.joints import ELSEWHERE, Carried, Joint, Kernels, Wiring
from interp.models import probes
from interp.passes import linear_steps, operations, origins
from interp.passes.origins import Origins
from interp.passes.recorded import CallResult, RecordedPass, record
from interp.types import Classifier, Images

_RECORDED: WeakKeyDictionary[Classifier, RecordedPass] = WeakKeyDictionary()
_NORMALIZATIONS = frozenset({"layer_norm", "group_norm", "rms_norm", "instance_norm"})


def wirings(classifier: Classifier, layers: tuple[str, ...]) -> tuple[Wiring, ...]:
    """How each of some layers, in the network's order, reaches the next: one pass of a picture of noise.

    Every call of the network is followed at torch's own level, so branches, skips, concatenations, shuffles and groups
    of channels are, and code that torch.fx cannot trace. Raises `ValueError` for a layer that there is not, or that
    does not come after the one before.
    """
    if classifier not in _RECORDED:
        noise = Images(probes.noise(classifier.preprocessing, 1).to(classifier.device), ("noise",))
        _RECORDED[classifier] = record(classifier, noise)
    results = _RECORDED[classifier].of_layer
    for name in layers:
        classifier.layer(name)
        if name not in results:
            raise ValueError(f"Layer {name!r} of {classifier.name} gives no single tensor: choose another.")
    for below, above in zip(layers, layers[1:], strict=False):
        if results[above].number <= results[below].number:
            raise ValueError(f"Layer {above!r} does not come after {below!r} in {classifier.name}: give them in order.")
    return tuple(
        _Wirer(classifier, below, results[below], above, results[above]).wiring()
        for below, above in zip(layers, layers[1:], strict=False)
    )


class _Wirer:
    """Goes back from a layer's channels to those of the layer before."""

    def __init__(self, classifier: Classifier, before: str, below: CallResult, after: str, above: CallResult) -> None:
        self.classifier, self.below, self.above = classifier, below, above
        self.before, self.after = before, after
        self.axes = {below: classifier.layer(before).channel_axis, above: classifier.layer(after).channel_axis}
        self.terms: dict[CallResult, list[Kernels | Carried]] = {below: []}
        self.candidates: dict[CallResult, list[tuple[CallResult | None, Int[np.ndarray, " c"]]]] = {below: []}
        self.asked: dict[CallResult, set[int]] = {}
        self.left_out: dict[str, None] = {}

    def wiring(self) -> Wiring:
        """All joints between the two layers."""
        self.asked[self.above] = set(range(self.above.shape[self.axes[self.above]]))
        while self.asked:
            # What reads a result comes after it: all that is asked of it is known by now.
            result = max(self.asked, key=lambda one: one.number)
            rows = np.array(sorted(self.asked.pop(result)))
            if result is not self.below:
                self.terms[result], self.candidates[result] = [], []
                self._join(result, rows)
        order = sorted(self.terms, key=lambda one: one.number)
        numbers = {result: place for place, result in enumerate(order)}
        return Wiring(self.before, self.after, tuple(self._joint(one, numbers) for one in order), tuple(self.left_out))

    def _joint(self, result: CallResult, numbers: dict[CallResult, int]) -> Joint:
        given = self.candidates[result]
        joints = [np.full(len(own), ELSEWHERE if one is None else numbers[one]) for one, own in given]
        nothing = np.zeros(0, np.int64)
        name = {self.below: self.before, self.above: self.after}.get(result) or _name(result)
        width = result.shape[self.axes[result]]
        turned = any((term.rows >= width).any() for term in self.terms[result])
        return Joint(
            name,
            2 * width if turned else width,
            tuple(self.terms[result]),
            np.concatenate([nothing, *joints]),
            np.concatenate([nothing, *(own for _, own in given)]),
        )

    def _join(self, result: CallResult, rows: Int[np.ndarray, " m"]) -> None:
        width = result.shape[self.axes[result]]
        at = Origins(result, rows, _middle(result, self.axes[result])[rows % width])
        self._follow(at, np.where(rows < width, 1.0, -1.0), result, first=True)

    def _follow(self, at: Origins, factors: Float[np.ndarray, " m"], joint: CallResult, *, first: bool = False) -> None:
        """Take in what channels (`at.rows` of a joint) are made of; the joint itself is only passed through."""
        result = at.result
        if not first and self._ends(result):
            return self._carry(at, factors, joint)
        if result.operation in operations.CONVOLUTIONS | operations.DENSE:
            return self._kernels(at, factors, joint)
        if operands := linear_steps.operands(at):
            for operand, factor in operands:
                self._operand(operand, factors * factor, joint)
            return None
        if (steps := _steps(at)) is None:
            self.left_out[_name(result)] = None
            return None
        for source, own in steps:
            self._follow(source, factors[np.searchsorted(at.rows, source.rows)] * own, joint)
        return None

    def _operand(self, at: Origins, factors: Float[np.ndarray, " m"], joint: CallResult) -> None:
        """Take in what a sum adds: kernels, if only constants are between, else the channels of what is added."""
        ahead = [(at, factors)]
        while ahead:
            one, own = ahead.pop()
            if self._ends(one.result) or one.result.operation is None:
                self._carry(one, own, joint)
            elif one.result.operation in operations.CONVOLUTIONS | operations.DENSE:
                self._kernels(one, own, joint)
            elif (fixed := linear_steps.fixed(one)) is not None:
                ahead.append((fixed[0], own * fixed[1]))
            elif (moved := origins.before(one)) is not None:
                ahead += [(part, own[np.searchsorted(one.rows, part.rows)]) for part in moved]
            else:
                self._carry(one, own, joint)

    def _ends(self, result: CallResult) -> bool:
        """Whether going back ends: at the lower layer, or at what was there before it."""
        return result.number <= self.below.number

    def _carry(self, at: Origins, factors: Float[np.ndarray, " m"], joint: CallResult) -> None:
        axis = self._axis(at.result)
        channels = linear_steps.indices_of(at.result, at.places)[axis]
        read, start = at.result, self._start(joint)
        self.terms[joint].append(Carried(at.rows, read.number, read.shape, channels, factors, start, axis))
        self._name_candidates(joint, Origins(at.result, np.arange(len(at.places)), at.places))

    def _kernels(self, at: Origins, factors: Float[np.ndarray, " m"], joint: CallResult) -> None:
        result = at.result
        source, weight = result.argument(0, "input"), result.argument(1, "weight")
        dense = result.operation in operations.DENSE
        if not isinstance(source, CallResult) or not isinstance(weight, Tensor):
            self.left_out[f"{_name(result)} with weights that depend on the picture"] = None
            return
        if not dense and source.shape[0] > 1:
            self.left_out[f"{_name(result)} in parts of the picture"] = None
            return
        axis = len(source.shape) - 1 if dense else 1
        out = linear_steps.indices_of(result, at.places)[len(result.shape) - 1 if dense else 1]
        values = weight.detach().float().cpu().numpy()
        values = values[:, :, None, None] if dense else values
        groups = 1 if dense else int(result.argument(6, "groups", 1))
        first = out // (len(values) // groups) * values.shape[1]
        own = values[out] * factors[:, None, None, None].astype(np.float32)
        start = self._start(joint)
        steps = {} if dense else _steps_of(result, values.shape[2:])
        self.terms[joint].append(Kernels(at.rows, source.number, source.shape, own, first, start, axis=axis, **steps))
        self._name_candidates(joint, Origins(source, np.arange(source.shape[axis]), _middle(source, axis)))

    def _start(self, joint: CallResult) -> int:
        return sum(len(own) for _, own in self.candidates[joint])

    def _name_candidates(self, joint: CallResult, read: Origins) -> None:
        """Say of which joints the channels are that a term reads."""
        count = len(read.places)
        owners: list[CallResult | None] = [None] * count
        channels = np.zeros(count, np.int64)
        ahead = [(read, np.ones(count))]
        while ahead:
            one, signs = ahead.pop()
            steps = None if self._owns(one.result) else _steps(one)
            if steps is None and (one.result is self.below or self._makes(one.result)):
                axis = self._axis(one.result)
                own = linear_steps.indices_of(one.result, one.places)[axis]
                # What is read with its sign turned round is driven by other inputs.
                own += one.result.shape[axis] * ((signs < 0) & (one.result is not self.below))
                channels[one.rows] = own
                for row in one.rows.tolist():
                    owners[row] = one.result
                self.asked.setdefault(one.result, set()).update(own.tolist())
            elif steps is not None:
                ahead += [
                    (source, signs[np.searchsorted(one.rows, source.rows)] * np.where(factors < 0, -1, 1))
                    for source, factors in steps
                ]
            elif one.result.operation is not None and not self._ends(one.result):
                self.left_out[_name(one.result)] = None
        # Runs of one owner, as a rule one.
        for owner, run in _runs(owners):
            self.candidates[joint].append((owner, channels[run]))

    def _owns(self, result: CallResult) -> bool:
        return self._ends(result) or self._makes(result)

    def _makes(self, result: CallResult) -> bool:
        """Whether a result is a joint: what a convolution gives, or a sum of two results."""
        if self._ends(result):
            return False
        made = result.operation in operations.CONVOLUTIONS | operations.DENSE
        some = Origins(result, np.zeros(1, np.int64), np.zeros(1, np.int64))
        if made or linear_steps.operands(some):
            self.axes.setdefault(result, self._axis(result))
            return True
        return False

    def _axis(self, result: CallResult) -> int:
        """The axis of a result's channels: a listed layer's, a linear layer's last; else the first after the images."""
        if result in self.axes:
            return self.axes[result]
        if result.layers:
            return self.classifier.layer(result.layers[0]).channel_axis
        if result.operation in operations.DENSE or len(result.shape) == 3:
            return len(result.shape) - 1
        if operands := [one for one in result.given if one.shape == result.shape]:
            return self._axis(operands[-1])
        return 1


def _steps(at: Origins) -> list[tuple[Origins, Float[np.ndarray, " m"]]] | None:
    """Where channels come from through calls that treat each by itself, with what each is multiplied by."""
    if (moved := origins.before(at)) is not None:
        return [(one, np.ones(len(one.rows))) for one in moved]
    if (fixed := linear_steps.fixed(at)) is not None:
        return [(fixed[0], fixed[1])]
    if (step := linear_steps.step(at)) is not None:
        return [(step[0], np.ones(len(at.rows)))]
    result = at.result
    if result.name in _NORMALIZATIONS and len(result.given) == 1 and result.given[0].shape == result.shape:
        return [(Origins(result.given[0], at.rows, at.places), np.ones(len(at.rows)))]
    return None


def _steps_of(result: CallResult, size: tuple[int, ...]) -> dict[str, Any]:
    stride, dilation = (_pair(result.argument(place, name, 1)) for place, name in ((3, "stride"), (5, "dilation")))
    padding = result.argument(4, "padding", 0)
    if padding == "same":
        whole = [step * (side - 1) for step, side in zip(dilation, size, strict=True)]
        around = (whole[0] // 2, whole[0] - whole[0] // 2, whole[1] // 2, whole[1] - whole[1] // 2)
    else:
        rows, columns = (0, 0) if padding == "valid" else _pair(padding)
        around = (rows, rows, columns, columns)
    return {"stride": stride, "padding": around, "dilation": dilation}


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, tuple | list):
        return (int(value[0]), int(value[-1]))
    return (int(value), int(value))  # pyright: ignore[reportArgumentType]


def _middle(result: CallResult, axis: int) -> Int[np.ndarray, " m"]:
    """The places of all channels of a result at the middle of its map."""
    indices = [np.full(result.shape[axis], size // 2) for size in result.shape]
    indices[0][:], indices[axis] = 0, np.arange(result.shape[axis])
    return np.asarray(np.ravel_multi_index(tuple(indices), result.shape))


def _runs(owners: list[CallResult | None]) -> list[tuple[CallResult | None, slice]]:
    found, start = [], 0
    for place in range(1, len(owners) + 1):
        if place == len(owners) or owners[place] is not owners[start]:
            found.append((owners[start], slice(start, place)))
            start = place
    return found


def _name(result: CallResult) -> str:
    return result.modules[0] if result.modules else result.name
