"""Rectifiers that let a gradient through at first, so that a picture which a channel does not see yet can change."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from interp.attribution import operations
from interp.attribution.operations import Operation


class Redirecting(TorchFunctionMode):
    """Within it a ReLU that would block all of a channel's gradient passes what would make its input larger.

    A ReLU passes g · [z > 0]. Where that is 0 at all positions of a channel, though g is not, the picture would never
    change for its sake; then g passes where z > 0 or where g raises z. Pictures are treated each for itself. In the
    manner of Lucid (Olah et al. 2017; there it takes all channels to be blocked), it serves the first steps only: its
    gradient is no objective's own. The loss must be one that is made small.
    """

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        keywords = kwargs or {}
        if func in operations.RELUS:
            inputs = operations.first_tensor(args, keywords)
            if isinstance(inputs, Tensor) and torch.is_grad_enabled() and inputs.requires_grad:
                return _Redirected.apply(inputs, operations.bound(func, args, keywords))
        return func(*args, **keywords)


class _Redirected(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, function: Any) -> Tensor:
        ctx.save_for_backward(inputs)
        return function(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,), (inputs,) = gradients, ctx.saved_tensors
        plain = torch.ops.aten.threshold_backward(gradient, inputs, 0)
        positions = tuple(range(2, inputs.ndim))
        blocked = (plain if not positions else plain.abs().amax(dim=positions, keepdim=True)) == 0
        redirected = gradient.where((inputs > 0) | (gradient < 0), 0)
        return torch.where(blocked, redirected, plain), None
