"""DeepLIFT's secants: what operations bring back from a difference of outputs, in place of their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from interp.attribution.normalizations import Normalization
from interp.passes import operations
from interp.passes.operations import Operation

# Where an input differs by less than this share of its size, the secant is lost in rounding: the slope halfway is
# taken, whose error is of second order in the difference.
CLOSE = 1e-3


def elementwise(inputs: Tensor, reference: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """A function of each number by itself."""
    return _Elementwise.apply(inputs, reference, function)


def largest(inputs: Tensor, reference: Tensor, function: Callable[[Tensor], Any]) -> Tensor:
    """A maximum pool, by the function that gives the places, too."""
    return _MaxPool.apply(inputs, reference, function)


def extreme(one: Tensor, other: Tensor, one_reference: Tensor, other_reference: Tensor, choose: Operation) -> Tensor:
    """The larger, or the smaller, of two."""
    return _Extreme.apply(one, other, one_reference, other_reference, choose)


def product(one: Tensor, other: Tensor, one_reference: Tensor, other_reference: Tensor) -> Tensor:
    """A product of two signals, number by number."""
    return _Product.apply(one, other, one_reference, other_reference)


def normalized(inputs: Tensor, reference: Tensor, parts: Normalization) -> Tensor:
    """A normalization, as the product of the centred values and one over their spread.

    A reference without any spread gives 0 whatever it is divided by: there the spread is a constant, as it is for the
    inputs, and where these have none either, nothing differs and nothing is passed on. One over the least spread that
    is allowed would be multiplied from layer to layer, until it overflows.
    """
    centred, centred_reference = parts.centred(inputs), parts.centred(reference)
    squares = product(centred, centred, centred_reference, centred_reference)
    spread, spread_reference = parts.total(squares), parts.total(centred_reference.square())
    scale = elementwise(spread, spread_reference, parts.reciprocal)
    empty = spread_reference == 0
    held = torch.where(spread == 0, 0, scale).detach()
    scale = torch.where(empty, held, scale)
    scale_reference = torch.where(empty, held, parts.reciprocal(spread_reference))
    return parts.finish(product(centred, scale, centred_reference, scale_reference))


class _Elementwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, reference: Tensor, function: Any) -> Tensor:
        output = function(inputs)
        ctx.save_for_backward(inputs, reference, output - function(reference))
        ctx.function = function
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        inputs, reference, rise = ctx.saved_tensors
        run = inputs - reference
        close = run.abs() <= CLOSE * (inputs.abs() + reference.abs())
        halfway = operations.slope(ctx.function, (inputs + reference) / 2)
        # A root has no slope at 0, and whatever stands for it is multiplied by no difference.
        halfway = torch.where(halfway.isfinite(), halfway, 0)
        return gradients[0] * torch.where(close, halfway, rise / run), None, None


class _MaxPool(torch.autograd.Function):
    """max(x) − max(x′) = (c − max(x′)) + (max(x) − c), with c the larger of the two.

    The first part is credited to the position of the maximum of x, the second to that of x′.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, reference: Tensor, function: Any) -> Tensor:
        (output, places), (other, other_places) = function(inputs), function(reference)
        ctx.save_for_backward(inputs - reference, output, other, places, other_places)
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        run, output, other, places, other_places = ctx.saved_tensors
        larger = torch.maximum(output, other)
        credits = torch.zeros_like(run).flatten(2)
        flat = run.flatten(2)
        for where, part in ((places, larger - other), (other_places, output - larger)):
            difference = flat.gather(2, where.flatten(2))
            share = torch.where(difference == 0, 0, part.flatten(2) / difference)
            # Where neither differs there is no secant: the slope goes to the maximum of x, once.
            if where is places:
                share = torch.where(difference == 0, 1, share)
            credits.scatter_add_(2, where.flatten(2), gradients[0].flatten(2) * share)
        return credits.view_as(run), None, None


class _Extreme(torch.autograd.Function):
    """The larger, or the smaller, of two: as a maximum pool of one window of both.

    With c the outer of the two results, the part up to c is credited to the one that is chosen now, and the part from
    c on to the one that was chosen on the baseline. A constant is credited with nothing, since its part is 0.
    """

    @staticmethod
    def forward(
        ctx: Any, one: Tensor, other: Tensor, one_reference: Tensor, other_reference: Tensor, choose: Operation
    ) -> Tensor:
        output = choose(one, other)
        ctx.save_for_backward(one, other, one_reference, other_reference, output)
        ctx.choose = choose
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        one, other, one_reference, other_reference, output = ctx.saved_tensors
        reference = ctx.choose(one_reference, other_reference)
        outer = ctx.choose(output, reference)
        first, was_first = output == one, reference == one_reference
        shares = []
        for chosen, was_chosen, run in (
            (first, was_first, one - one_reference),
            (~first, ~was_first, other - other_reference),
        ):
            rise = (outer - reference) * chosen + (output - outer) * was_chosen
            # Where it does not differ there is no secant: the slope is that of what is chosen.
            shares.append(torch.where(run == 0, chosen.to(run.dtype), (rise / run).clamp(0, 1)))
        found = (
            (gradients[0] * share).sum_to_size(given.shape) for share, given in zip(shares, (one, other), strict=True)
        )
        return *found, None, None, None


class _Product(torch.autograd.Function):
    """Δ(ab) = Δa · (b + b′) / 2 + Δb · (a + a′) / 2, exactly."""

    @staticmethod
    def forward(ctx: Any, one: Tensor, other: Tensor, one_reference: Tensor, other_reference: Tensor) -> Tensor:
        ctx.save_for_backward((one + one_reference) / 2, (other + other_reference) / 2)
        return one * other

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        one, other = ctx.saved_tensors
        return (
            (gradients[0] * other).sum_to_size(one.shape),
            (gradients[0] * one).sum_to_size(other.shape),
            None,
            None,
        )
