"""Softmax and matrix products: what is to be known of a call, and their secants for DeepLIFT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from interp.passes.operations import Operation

Product = Callable[..., Tensor]


def factors(operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[list[Tensor], Product]:
    """The tensors that a matrix product is given, and the product as a function of them alone."""
    if operation is torch.einsum and len(arguments) == 2 and isinstance(arguments[1], list | tuple):
        arguments = (arguments[0], *arguments[1])
    places = [place for place, value in enumerate(arguments) if isinstance(value, Tensor)]
    names = [name for name, value in keywords.items() if isinstance(value, Tensor)]

    def product(*tensors: Tensor) -> Tensor:
        values, named = list(arguments), dict(keywords)
        for place, tensor in zip((*places, *names), tensors, strict=True):
            if isinstance(place, int):
                values[place] = tensor
            else:
                named[place] = tensor
        return operation(*values, **named)

    return [*(arguments[place] for place in places), *(keywords[name] for name in names)], product


def softmax_dim(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> int:
    """Along which dimension a softmax adds up to one. Raises `ValueError` where that is left to torch."""
    dim = arguments[1] if len(arguments) > 1 else keywords.get("dim")
    if dim is None:
        raise ValueError("A softmax says no dim, and torch guesses it: give it one.")
    return dim


def softmax_secants(inputs: Tensor, reference: Tensor, function: Callable[[Tensor], Tensor], dim: int) -> Tensor:
    """A softmax along `dim`, with secants to a reference for its derivative."""
    return _SoftmaxSecants.apply(inputs, reference, function, dim)


def product_secants(product: Product, tensors: list[Tensor], references: list[Tensor]) -> Tensor:
    """A product of two tensors, with secants to two references for its derivatives."""
    return _ProductSecants.apply(product, *tensors, *references)


class _SoftmaxSecants(torch.autograd.Function):
    """Softmax as exp(x − log Σ exp x), each function in it with its secant.

    With log-softmax l and L = log Σ exp x: Δs_i = λ_i (Δx_i − Σ_j w_j Δx_j), λ_i the secant of exp between l′_i and
    l_i, and w_j that of exp between x′_j and x_j, over that of exp between L′ and L. No exponent is above zero, where
    exp(x) times one over its sum would leave the range of the numbers.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, reference: Tensor, function: Callable[[Tensor], Tensor], dim: int) -> Tensor:
        ctx.save_for_backward(inputs, reference)
        ctx.dim = dim
        return function(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        inputs, reference = ctx.saved_tensors
        logs = [one.log_softmax(dim=ctx.dim) for one in (inputs, reference)]
        sums = [one.logsumexp(dim=ctx.dim, keepdim=True) for one in (inputs, reference)]
        highest = torch.maximum(*sums)
        weights = _secant_of_exp(inputs - highest, reference - highest)
        weights = weights / _secant_of_exp(*(one - highest for one in sums))
        through = gradients[0] * _secant_of_exp(*logs)
        return through - weights * through.sum(dim=ctx.dim, keepdim=True), None, None, None


class _ProductSecants(torch.autograd.Function):
    """Δ(AB) = ΔA · (B + B′) / 2 + (A + A′) / 2 · ΔB, exactly, for whatever product of two."""

    @staticmethod
    def forward(
        ctx: Any, product: Product, one: Tensor, other: Tensor, one_reference: Tensor, other_reference: Tensor
    ) -> Tensor:
        ctx.save_for_backward((one + one_reference) / 2, (other + other_reference) / 2)
        ctx.product = product
        return product(one, other)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        varying = ctx.needs_input_grad[1:3]
        return None, *slopes(ctx.product, ctx.saved_tensors, varying, gradients[0]), None, None


def slopes(
    product: Product, tensors: list[Tensor] | tuple[Tensor, ...], wanted: tuple[bool, ...], above: Tensor
) -> list[Tensor | None]:
    """The derivatives of a product, times `above`, for the factors that are wanted."""
    with torch.enable_grad():
        leaves = [one.detach().requires_grad_(bool(asked)) for one, asked in zip(tensors, wanted, strict=True)]
        found = iter(torch.autograd.grad(product(*leaves), [one for one in leaves if one.requires_grad], above))
    return [next(found) if one.requires_grad else None for one in leaves]


def _secant_of_exp(one: Float[Tensor, "*shape"], other: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """(e^a − e^b) / (a − b); the slope where they are equal, 0 where a mask makes both −∞."""
    higher = torch.maximum(one, other)
    run = torch.where(higher == -torch.inf, 0, (one - other).abs())
    return higher.exp() * torch.where(run == 0, 1, -torch.expm1(-run) / run)
