"""Backward passes in which rectifiers follow another rule than their derivative."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from interp.attribution import operations
from interp.attribution.operations import Operation

Rule = Literal["gradient", "deconvolution", "guided"]


class Rectifiers(TorchFunctionMode):
    """Within it, every rectifier of a forward pass takes the `rule` that stands here when the backward pass runs.

    So one forward pass serves backward passes of all rules. With output gradient g and input z of a ReLU, 'gradient'
    passes g · [z > 0], 'deconvolution' max(g, 0), and 'guided' max(g, 0) · [z > 0]. For other rectifiers (GELU, SiLU
    and the like) 'guided' passes their derivative times max(g, 0) where z > 0, which the papers do not say, since they
    know ReLUs only; gates (sigmoid) keep their derivative. The backward pass must run outside of the `with` block.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rule: Rule = "gradient"

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        keywords = kwargs or {}
        inputs = operations.first_tensor(args, keywords)
        if func in operations.RECTIFIERS and isinstance(inputs, Tensor):
            if torch.is_grad_enabled() and inputs.requires_grad:
                return _Rectified.apply(inputs, func, operations.bound(func, args, keywords), self)
        return func(*args, **keywords)


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, operation: Operation, function: Any, rectifiers: Rectifiers) -> Tensor:
        ctx.save_for_backward(inputs)
        ctx.plain_relu = operation in operations.RELUS
        ctx.function, ctx.rectifiers = function, rectifiers
        return function(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,), (inputs,) = gradients, ctx.saved_tensors
        rule = ctx.rectifiers.rule
        if rule != "gradient":
            gradient = gradient.clamp(min=0)
        if rule != "deconvolution":
            if not ctx.plain_relu:
                gradient = gradient * operations.slope(ctx.function, inputs)
            if ctx.plain_relu or rule == "guided":
                # The gradient where the input is above 0, in one pass over the numbers.
                gradient = torch.ops.aten.threshold_backward(gradient, inputs, 0)
        return gradient, None, None, None
