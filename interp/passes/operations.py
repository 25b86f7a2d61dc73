"""The operations of a network as torch calls them, by what an attribution rule has to know of them.

A `torch.overrides.TorchFunctionMode` sees every one of these calls, whether a module made it or a function did, and
however often a module runs: so rules reach ReLUs that hooks on modules miss, and no module has to be replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Operation = Callable[..., Any]


def _named(*names: str) -> frozenset[Operation]:
    """The operations of these names, as functions and as methods."""
    homes = (functional, torch, Tensor)
    return frozenset(getattr(home, name) for name in names for home in homes if hasattr(home, name))


RELUS: frozenset[Operation] = _named("relu")
LIMITERS: frozenset[Operation] = _named(
    "relu6", "hardtanh", "threshold", "clamp", "clip", "clamp_min", "clamp_max", "hardshrink", "softshrink"
)  # fmt: skip
"""Functions of each number by itself that are straight, with slope 0 in some region and 1 elsewhere."""

EXTREMES: frozenset[Operation] = frozenset({torch.maximum, torch.minimum})
"""The larger or the smaller of two: with a constant, another limiter."""

RECTIFIERS: frozenset[Operation] = RELUS | LIMITERS | _named(
    "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "silu", "gelu", "hardswish", "mish", "softplus"
)  # fmt: skip
"""Activation functions that let what is positive, or in a range, through, exactly or nearly so."""

LEAKY: frozenset[Operation] = RECTIFIERS - RELUS - LIMITERS
"""Rectifiers that let something of what is negative through."""

GATES: frozenset[Operation] = _named("sigmoid", "hardsigmoid", "logsigmoid")
"""Functions to between 0 and 1, whose value multiplies something else."""

CURVES: frozenset[Operation] = _named("tanh", "sqrt", "rsqrt", "square", "reciprocal", "exp") | {Tensor.pow}
"""Functions that neither rectify nor gate."""

ELEMENTWISE: frozenset[Operation] = RECTIFIERS | GATES | CURVES
"""Functions of each number by itself."""

MAX_POOLS: frozenset[Operation] = frozenset({functional.max_pool2d, torch.max_pool2d})
SUMS: frozenset[Operation] = frozenset({torch.add, Tensor.add, Tensor.__add__})
PRODUCTS: frozenset[Operation] = frozenset({torch.mul, Tensor.mul, Tensor.__mul__})
SELECTIONS: frozenset[Operation] = PRODUCTS | _named("where", "masked_fill")
"""What a ReLU may be written by hand with."""

COMPARISONS: frozenset[Operation] = _named("gt", "ge", "lt", "le", "greater", "greater_equal", "less", "less_equal") | {
    Tensor.__gt__, Tensor.__ge__, Tensor.__lt__, Tensor.__le__,
}  # fmt: skip
"""What makes a mask of a signal, which no gradient goes through."""

CONVOLUTIONS: frozenset[Operation] = frozenset({functional.conv2d, torch.conv2d})
DENSE: frozenset[Operation] = frozenset({functional.linear})
BATCH_NORMS: frozenset[Operation] = frozenset({functional.batch_norm, torch.batch_norm})
NORMALIZATIONS: frozenset[Operation] = _named("layer_norm", "group_norm", "rms_norm") | {functional.normalize}
"""What divides an image's numbers by a spread of their own."""

SOFTMAXES: frozenset[Operation] = _named("softmax")
MATRIX_PRODUCTS: frozenset[Operation] = _named("matmul", "bmm", "mm", "einsum") | {Tensor.__matmul__}
QUOTIENTS: frozenset[Operation] = _named("div", "divide", "true_divide") | {Tensor.__truediv__}
POWERS: frozenset[Operation] = frozenset({torch.pow, Tensor.pow, Tensor.__pow__})
NEGATIONS: frozenset[Operation] = _named("neg") | {Tensor.__neg__}
AVERAGES: frozenset[Operation] = _named("mean", "sum") | frozenset(
    {
        functional.avg_pool2d, functional.adaptive_avg_pool2d, functional.interpolate, functional.fold,
        functional.avg_pool1d, functional.conv1d, torch.conv1d, functional.conv3d, torch.conv3d,
    }
)  # fmt: skip
"""Sums with fixed weights; convolutions along one or three dimensions, which mix tokens or channels, among them."""

JOINS: frozenset[Operation] = frozenset({torch.cat, torch.concat, torch.stack})
REARRANGEMENTS: frozenset[Operation] = frozenset(
    {
        torch.cat, torch.concat, torch.stack, torch.chunk, Tensor.chunk, torch.split, Tensor.split, Tensor.__getitem__,
        torch.flatten, Tensor.flatten, Tensor.view, Tensor.reshape, torch.reshape, torch.permute, Tensor.permute,
        torch.transpose, Tensor.transpose, torch.swapaxes, Tensor.swapaxes, torch.squeeze, Tensor.squeeze,
        torch.unsqueeze, Tensor.unsqueeze, Tensor.expand, Tensor.expand_as, Tensor.view_as, Tensor.reshape_as,
        Tensor.contiguous, Tensor.clone, torch.clone, Tensor.to, Tensor.float, torch.roll, Tensor.roll, functional.pad,
        functional.dropout, functional.dropout2d, functional.channel_shuffle, functional.pixel_shuffle,
        functional.pixel_unshuffle, torch.flip, Tensor.flip, Tensor.__setitem__, Tensor.copy_,
        torch.unbind, Tensor.unbind, Tensor.type_as, Tensor.repeat, torch.repeat_interleave, Tensor.repeat_interleave,
        torch.narrow, Tensor.narrow, torch.select, Tensor.select, torch.index_select, Tensor.index_select,
        torch.movedim, Tensor.movedim, torch.unflatten, Tensor.unflatten, torch.t, Tensor.t, torch.masked_fill,
        Tensor.masked_fill, functional.unfold, Tensor.unfold, functional.dropout1d,
        Tensor.T.__get__, Tensor.mT.__get__,  # pyright: ignore[reportAttributeAccessIssue]
    }
)  # fmt: skip
"""What moves numbers and does not change them (dropout, in a network that does not learn, is one of them)."""

_LARGER, _SMALLER = _named("maximum", "max"), _named("minimum", "min")
_BOUNDED = _named("clamp", "clip", "clamp_min", "clamp_max")
_OF_TWO = SUMS | PRODUCTS | EXTREMES | QUOTIENTS | _named("sub")


def _in_place() -> dict[Operation, Operation]:
    """Operations that work in place, by the one that gives the same as a new tensor."""
    pairs = dict.fromkeys((Tensor.add_, Tensor.__iadd__), torch.add)
    pairs |= dict.fromkeys((Tensor.mul_, Tensor.__imul__), torch.mul)
    pairs |= dict.fromkeys((Tensor.sub_, Tensor.__isub__), torch.sub)
    pairs |= dict.fromkeys((Tensor.div_, Tensor.__itruediv__), torch.div)
    pairs |= {
        Tensor.__ipow__: torch.pow,
        Tensor.neg_: torch.neg,
        torch.neg_: torch.neg,
        Tensor.masked_fill_: torch.masked_fill,
    }
    for plain in ELEMENTWISE:
        name = plain.__name__.lstrip("_")
        for home in (functional, torch, Tensor):
            if hasattr(home, f"{name}_"):
                pairs[getattr(home, f"{name}_")] = getattr(home, name, plain)
    return pairs


_OUT_OF_PLACE = _in_place()


@dataclass(frozen=True, eq=False)
class OperationCall:
    """One call of an operation, told as the operation that leaves what it is given as it is.

    `written` is the tensor that the call writes its result over; None where the result is a new one.
    """

    operation: Operation
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    written: Tensor | None = None

    @classmethod
    def of(cls, operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any] | None) -> OperationCall:
        """The call that a `TorchFunctionMode` is told of.

        What is given as `input`, and the `other` of two, are put in their places; the larger of two tensors is
        `torch.maximum` however it is called, and the smaller `torch.minimum`.
        """
        plain = _OUT_OF_PLACE.get(operation, operation)
        keywords = dict(keywords or {})
        if not arguments and "input" in keywords:
            arguments = (keywords.pop("input"),)
        two = len(arguments) > 1 and isinstance(arguments[1], Tensor) or isinstance(keywords.get("other"), Tensor)
        if two and operation in _LARGER | _SMALLER:
            plain = torch.maximum if operation in _LARGER else torch.minimum
        if plain in _OF_TWO and len(arguments) == 1 and "other" in keywords:
            arguments = (*arguments, keywords.pop("other"))
        in_place = keywords.pop("inplace", False) or operation in _OUT_OF_PLACE
        return cls(plain, arguments, keywords, first_tensor(arguments, keywords) if in_place else None)

    def through(self, rule: Callable[[Operation, tuple[Any, ...], dict[str, Any]], Any]) -> Any:
        """What a rule gives for the operation; written over what the call writes over, where it does.

        The rule works on a copy then, so that what it keeps for the backward pass stays as it is.
        """
        if self.written is None:
            return rule(self.operation, self.arguments, self.keywords)
        result = rule(self.operation, (self.written.clone(), *self.arguments[1:]), self.keywords)
        return self.written.copy_(result)

    @property
    def bounded_by_signals(self) -> bool:
        """Whether it keeps one tensor between bounds that depend on the picture themselves."""
        bounds = (*self.arguments[1:], *self.keywords.values())
        return self.operation in _BOUNDED and any(isinstance(one, Tensor) and one.requires_grad for one in bounds)

    @property
    def raised_to_signal(self) -> bool:
        """Whether it is a power whose exponent depends on the picture."""
        exponent = self.arguments[1] if len(self.arguments) > 1 else self.keywords.get("exponent")
        return self.operation in POWERS and isinstance(exponent, Tensor) and exponent.requires_grad


def rectifies(call: OperationCall) -> bool:
    """Whether a call is a rectifier of one tensor that a gradient is asked for, a constant limit among them."""
    if not torch.is_grad_enabled() or call.bounded_by_signals:
        return False
    if call.operation in EXTREMES:
        return sum(one.requires_grad for one in call.arguments if isinstance(one, Tensor)) == 1
    inputs = first_tensor(call.arguments, call.keywords)
    return call.operation in RECTIFIERS and isinstance(inputs, Tensor) and inputs.requires_grad


def rectified_by_hand(call: OperationCall, result: Any) -> Tensor | None:
    """The tensor whose ReLU a call of another function is, such as `torch.where(z > 0, z, 0)`; None where it is none.

    Told by the numbers: the result is max(z, 0), with something of z below 0.
    """
    if call.operation not in SELECTIONS or not torch.is_grad_enabled() or not isinstance(result, Tensor):
        return None
    given = [one for one in call.arguments if isinstance(one, Tensor)]
    signals = [one for one in given if one.requires_grad]
    if len(signals) != 1 or any(one.shape not in (result.shape, ()) for one in given):
        return None
    z = signals[0].detach()
    return signals[0] if bool((z < 0).any()) and torch.equal(result.detach(), z.clamp(min=0)) else None


def bound(
    operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any], place: int = 0
) -> Callable[[Tensor], Tensor]:
    """An operation of a `Call` as a function of its first tensor alone, or of that at another place."""
    plain = {name: value for name, value in keywords.items() if name != "input"}
    return lambda tensor: operation(*arguments[:place], tensor, *arguments[place + 1 :], **plain)


def first_tensor(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """What an operation works on, given by place or as `input`."""
    return arguments[0] if arguments else keywords.get("input")


def slope(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """The derivative of an elementwise function."""
    with torch.enable_grad():
        points = at.detach().requires_grad_()
        (derivative,) = torch.autograd.grad(function(points).sum(), points)
    return derivative


def name_of(operation: Operation) -> str:
    """How an operation is called in a message."""
    from torch.overrides import resolve_name

    plain = operation.func if isinstance(operation, partial) else operation
    return resolve_name(plain) or getattr(plain, "__name__", repr(plain))
