"""The operations of a network as torch calls them, by what an attribution rule has to know of them.

A `torch.overrides.TorchFunctionMode` sees every one of these calls, whether a module made it or a function did, and
however often a module runs: so rules reach ReLUs that hooks on modules miss, and no module has to be replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Operation = Callable[..., Any]

RELUS: frozenset[Operation] = frozenset({functional.relu, torch.relu, Tensor.relu, torch.relu_, Tensor.relu_})
RECTIFIERS: frozenset[Operation] = RELUS | frozenset(
    {
        functional.relu6, functional.leaky_relu, functional.prelu, functional.elu, functional.selu, functional.celu,
        functional.silu, functional.gelu, functional.hardswish, functional.mish, functional.softplus,
    }
)  # fmt: skip
"""Activation functions that let what is positive through, exactly (ReLU) or nearly so."""

GATES: frozenset[Operation] = frozenset(
    {torch.sigmoid, Tensor.sigmoid, functional.sigmoid, functional.hardsigmoid, functional.logsigmoid}
)
"""Functions to between 0 and 1, whose value multiplies something else."""

ELEMENTWISE: frozenset[Operation] = RECTIFIERS | GATES | {torch.tanh, Tensor.tanh, functional.tanh}
"""Functions of each number by itself."""

MAX_POOLS: frozenset[Operation] = frozenset({functional.max_pool2d, torch.max_pool2d})
SUMS: frozenset[Operation] = frozenset({torch.add, Tensor.add, Tensor.add_, Tensor.__add__, Tensor.__iadd__})
PRODUCTS: frozenset[Operation] = frozenset({torch.mul, Tensor.mul, Tensor.mul_, Tensor.__mul__, Tensor.__imul__})
CONVOLUTIONS: frozenset[Operation] = frozenset({functional.conv2d, torch.conv2d})
DENSE: frozenset[Operation] = frozenset({functional.linear})
BATCH_NORMS: frozenset[Operation] = frozenset({functional.batch_norm, torch.batch_norm})
LAYER_NORMS: frozenset[Operation] = frozenset({functional.layer_norm, torch.layer_norm})
AVERAGES: frozenset[Operation] = frozenset(
    {functional.avg_pool2d, functional.adaptive_avg_pool2d, torch.mean, Tensor.mean}
)  # fmt: skip

REARRANGEMENTS: frozenset[Operation] = frozenset(
    {
        torch.cat, torch.concat, torch.stack, torch.chunk, Tensor.chunk, torch.split, Tensor.split, Tensor.__getitem__,
        torch.flatten, Tensor.flatten, Tensor.view, Tensor.reshape, torch.reshape, torch.permute, Tensor.permute,
        torch.transpose, Tensor.transpose, torch.swapaxes, Tensor.swapaxes, torch.squeeze, Tensor.squeeze,
        torch.unsqueeze, Tensor.unsqueeze, Tensor.expand, Tensor.contiguous, Tensor.clone, torch.clone, Tensor.to,
        Tensor.float, torch.roll, Tensor.roll, functional.pad, functional.dropout, functional.dropout2d,
        functional.channel_shuffle, functional.pixel_shuffle, functional.pixel_unshuffle, torch.flip, Tensor.flip,
    }
)  # fmt: skip
"""What moves numbers and does not change them (dropout, in a network that does not learn, is one of them)."""

_OUT_OF_PLACE: dict[Operation, Operation] = {
    torch.relu_: torch.relu,
    Tensor.relu_: torch.relu,
    Tensor.add_: torch.add,
    Tensor.__iadd__: torch.add,
    Tensor.mul_: torch.mul,
    Tensor.__imul__: torch.mul,
}


def bound(operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Callable[[Tensor], Tensor]:
    """The operation as a function of its first tensor alone, which it leaves as it is."""
    plain = {name: value for name, value in keywords.items() if name not in ("input", "inplace")}
    rest = arguments[1:]
    if operation is functional.relu or operation in _OUT_OF_PLACE:
        rest = ()
    function = _OUT_OF_PLACE.get(operation, operation)
    return lambda tensor: function(tensor, *rest, **plain)


def out_of_place(operation: Operation) -> Operation:
    """The same operation, its result a new tensor."""
    return _OUT_OF_PLACE.get(operation, operation)


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
