"""Backward passes in which rectifiers follow another rule than their derivative."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from interp.passes import operations
from interp.passes.operations import Operation

RectifierRule = Literal["gradient", "deconvolution", "guided"]


class Rectifiers(TorchFunctionMode):
    """Within it, every rectifier of a forward pass takes the `rule` that stands here when the backward pass runs.

    So one forward pass serves backward passes of all rules. With output gradient g and input z of a ReLU, 'gradient'
    passes g · [z > 0], 'deconvolution' max(g, 0), and 'guided' max(g, 0) · [z > 0].

    The papers know ReLUs only. Carried over to functions with a region of slope 0 (ReLU6, hardtanh, threshold, clamp,
    the larger or smaller of a signal and a constant), 'a positive input' is one that the function lets through: for
    'guided' [z > 0] becomes the function's slope, which is [0 < z < 6] for ReLU6 and [−1 < z < 1] for hardtanh, though
    z is negative in half of that. For rectifiers that let something of what is negative through (GELU, SiLU, LeakyReLU
    and the like), 'guided' passes their derivative times max(g, 0) where z > 0; gates (sigmoid) keep their derivative.
    A ReLU that is written by hand (`torch.where(z > 0, z, 0)`, `z * (z > 0)`) is known by its numbers, and is one.
    The backward pass must run outside of the `with` block.

    With `copies`, what the backward pass needs is copied, for networks that work in place and would write over it.
    """

    def __init__(self, *, copies: bool = False) -> None:
        super().__init__()
        self.rule: RectifierRule = "gradient"
        self.copies = copies

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = operations.OperationCall.of(func, args, kwargs)
        if operations.rectifies(call):
            return call.through(self._followed)
        if call.operation in operations.SELECTIONS and torch.is_grad_enabled():
            return call.through(self._selected)
        return func(*args, **(kwargs or {}))

    def _selected(self, func: Operation, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        result = func(*args, **keywords)
        inputs = operations.rectified_by_hand(operations.OperationCall(func, args, keywords), result)
        return result if inputs is None else _Rectified.apply(inputs, torch.relu, torch.relu, self)

    def _followed(self, func: Operation, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        place = 0
        if func in operations.EXTREMES:
            args = torch.broadcast_tensors(*args)
            place = 0 if args[0].requires_grad else 1
        function = operations.bound(func, args, keywords, place)
        return _Rectified.apply(args[place], func, function, self)


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, operation: Operation, function: Any, rectifiers: Rectifiers) -> Tensor:
        ctx.save_for_backward(inputs.clone() if rectifiers.copies else inputs)
        ctx.operation, ctx.function, ctx.rectifiers = operation, function, rectifiers
        return function(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,), (inputs,) = gradients, ctx.saved_tensors
        rule = ctx.rectifiers.rule
        if rule != "gradient":
            gradient = gradient.clamp(min=0)
        if rule != "deconvolution":
            plain_relu = ctx.operation in operations.RELUS
            if not plain_relu:
                gradient = gradient * operations.slope(ctx.function, inputs)
            if plain_relu or (rule == "guided" and ctx.operation in operations.LEAKY):
                # The gradient where the input is above 0, in one pass over the numbers.
                gradient = torch.ops.aten.threshold_backward(gradient, inputs, 0)
        return gradient, None, None, None
