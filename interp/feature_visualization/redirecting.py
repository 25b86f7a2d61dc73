"""Rectifiers that let a gradient through at first, so that a picture which a channel does not see yet can change."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from interp.passes import operations
from interp.passes.operations import Operation


class Redirecting(TorchFunctionMode):
    """Within it a ReLU that would block all of a channel's gradient passes what would make its input larger.

    A ReLU passes g · [z > 0]. Where that is 0 at all positions of a channel, though g is not, the picture would never
    change for its sake; then g passes where z > 0 or where g raises z. Pictures are treated each for itself. A ReLU6,
    and a hardtanh, is treated alike at both of its ends. In the manner of Lucid (Olah et al. 2017; there it takes all
    channels to be blocked), it serves the first steps only: its gradient is no objective's own. The loss must be one
    that is made small.
    """

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = operations.OperationCall.of(func, args, kwargs)
        if operations.rectifies(call) and _range(call.operation, call.arguments, call.keywords) is not None:
            return call.through(_followed)
        return func(*args, **(kwargs or {}))


def _followed(operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Tensor:
    between = _range(operation, arguments, keywords)
    return _Redirected.apply(arguments[0], operations.bound(operation, arguments, keywords), between)


def _range(operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[float, float] | None:
    """Between which inputs a rectifier has the slope 1, with 0 below and above; None for others."""
    if operation in operations.RELUS:
        return 0.0, float("inf")
    if operation is functional.relu6:
        return 0.0, 6.0
    if operation is functional.hardtanh:
        given = dict(zip(("min_val", "max_val"), arguments[1:], strict=False)) | keywords
        return float(given.get("min_val", -1)), float(given.get("max_val", 1))
    return None


class _Redirected(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, function: Any, between: tuple[float, float]) -> Tensor:
        # A copy, where an operation in place would write over it.
        ctx.save_for_backward(inputs.clone())
        ctx.between = between
        return function(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,), (inputs,) = gradients, ctx.saved_tensors
        low, high = ctx.between
        open_there = (inputs > low) & (inputs < high)
        plain = gradient.where(open_there, 0)
        positions = tuple(range(2, inputs.ndim))
        blocked = (plain if not positions else plain.abs().amax(dim=positions, keepdim=True)) == 0
        towards = ((inputs <= low) & (gradient < 0)) | ((inputs >= high) & (gradient > 0))
        return torch.where(blocked, gradient.where(open_there | towards, 0), plain), None, None
