"""LRP's rules for what transformers are made of, as AttnLRP has them (Achtibat et al. 2024)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from interp.attribution import normalizations
from interp.attribution.attention_rules import Product, factors, slopes, softmax_dim
from interp.attribution.relevance import Ledger, stabilized
from interp.passes import operations
from interp.passes.operations import Operation

OPERATIONS = operations.NORMALIZATIONS | operations.SOFTMAXES | operations.MATRIX_PRODUCTS | operations.QUOTIENTS


def followed(
    operation: Operation,
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    *,
    held: bool = False,
    biased: bool = True,
    returning: bool = False,
    ledger: Ledger | None = None,
) -> Tensor:
    """What one of `OPERATIONS` gives, with its rule in place of its derivative.

    Where softmax is `held` it is a constant; where they are not `biased`, the biases of normalizations take nothing.
    What is lost goes into the `ledger`.

    Raises `ValueError` for calls that no rule is known for.
    """
    if operation in operations.NORMALIZATIONS:
        # Linear, once the spread is a constant (proposition 3.4).
        how = {"biased": biased, "returning": returning, "ledger": ledger}
        parts = normalizations.taken_apart(operation, arguments, keywords)
        return shared(operations.first_tensor(arguments, keywords), parts.held, **how)
    if operation in operations.MATRIX_PRODUCTS:
        tensors, product = factors(operation, arguments, keywords)
        return product_relevance(product, *tensors, ledger=ledger)
    if operation in operations.QUOTIENTS:
        return _quotient(operation, *arguments, **keywords)
    if held:
        return operation(*arguments, **keywords).detach()
    function, dim = operations.bound(operation, arguments, keywords), softmax_dim(arguments, keywords)
    return softmax_relevance(operations.first_tensor(arguments, keywords), function, dim, ledger=ledger)


def varies(*given: Any) -> bool:
    """Whether anything among these, or in lists of them, depends on the picture."""
    return any(
        one.requires_grad if isinstance(one, Tensor) else isinstance(one, list | tuple) and varies(*one)
        for one in given
    )


def shared(
    inputs: Tensor,
    function: Callable[[Tensor], Tensor],
    *,
    biased: bool = True,
    returning: bool = False,
    ledger: Ledger | None = None,
) -> Tensor:
    """An operation with a constant slope, and the ε rule; where it is not `biased`, its constant part takes nothing.

    It is left out of the denominator then; where it is `returning`, and shapes allow it, what it took is handed to the
    inputs, along the last dimension, by their sizes.
    """
    return _Shared.apply(inputs, function, biased, returning, ledger)


def softmax_relevance(
    inputs: Tensor, function: Callable[[Tensor], Tensor], dim: int, *, ledger: Ledger | None = None
) -> Tensor:
    """A softmax along `dim`, with AttnLRP's rule."""
    return _SoftmaxRelevance.apply(inputs, function, dim, ledger)


def product_relevance(product: Product, *tensors: Tensor, ledger: Ledger | None = None) -> Tensor:
    """A product of these tensors, with AttnLRP's rule."""
    return _ProductRelevance.apply(product, ledger, *tensors)


def joined(operation: Operation, tensors: Sequence[Tensor], *rest: Any, ledger: Ledger | None, **keywords: Any) -> Any:
    """Tensors put side by side: constants among them, such as a class token, keep what comes to them."""
    return _Joined.apply(lambda *parts: operation(parts, *rest, **keywords), ledger, *tensors)


def _quotient(operation: Operation, one: Any, other: Any, **keywords: Any) -> Tensor:
    """What is divided by gets nothing, as the spread in a normalization, unless the rest is constant."""
    if keywords.get("rounding_mode") is not None:
        return operation(one, other, **keywords)
    if varies(one):
        divisor = other.detach() if isinstance(other, Tensor) else other
        return _Passed.apply(one, lambda signal: operation(signal, divisor))
    return _Passed.apply(other, lambda signal: operation(one, signal))


class _Passed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.shape = inputs.shape
        return function(inputs)

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> tuple[Tensor, None]:
        return relevances[0].sum_to_size(ctx.shape), None


class _Shared(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        function: Callable[[Tensor], Tensor],
        biased: bool,
        returning: bool,
        ledger: Ledger | None,
    ) -> Tensor:
        output = function(inputs)
        ctx.inputs, ctx.function, ctx.ledger = inputs.detach(), function, ledger
        ctx.returning = returning and output.shape == inputs.shape
        ctx.whole = biased or ctx.returning
        return output

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> tuple[Tensor | None, ...]:
        constant = ctx.function(torch.zeros_like(ctx.inputs))
        with torch.enable_grad():
            inputs = ctx.inputs.detach().requires_grad_()
            output = ctx.function(inputs)
            share = relevances[0] / stabilized(output.detach() if ctx.whole else output.detach() - constant)
            (slope,) = torch.autograd.grad(output, inputs, share)
        found, taken = ctx.inputs * slope, share * constant * ctx.whole
        if ctx.returning:
            # By size, for a sum below divides by its parts: none may get much that is near zero itself.
            sizes = ctx.inputs.abs()
            found = found + sizes * taken.sum(dim=-1, keepdim=True) / stabilized(sizes.sum(dim=-1, keepdim=True))
            taken = torch.zeros_like(taken)
        if ctx.ledger is not None:
            ctx.ledger.enter(relevances[0], found, taken.sum())
        return found, None, None, None, None


class _SoftmaxRelevance(torch.autograd.Function):
    """R_i = x_i (R_i − s_i Σ_j R_j), the first-order terms at x itself (Achtibat et al. 2024, proposition 3.1).

    They do not add up to Σ_j R_j: the constant term of the expansion keeps the rest, as a bias does.
    """

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, function: Callable[[Tensor], Tensor], dim: int, ledger: Ledger | None
    ) -> Tensor:
        output = function(inputs)
        ctx.save_for_backward(inputs, output)
        ctx.dim, ctx.ledger = dim, ledger
        return output

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> tuple[Tensor, None, None, None]:
        inputs, output = ctx.saved_tensors
        found = relevances[0] - output * relevances[0].sum(dim=ctx.dim, keepdim=True)
        # A mask's −∞ has no share in anything.
        found = torch.where(inputs.isinf(), 0, inputs) * found
        if ctx.ledger is not None:
            ctx.ledger.softmax += float(relevances[0].sum() - found.sum())
        return found, None, None, None


class _ProductRelevance(torch.autograd.Function):
    """The ε rule, and an equal part of it for each factor that depends on the picture (proposition 3.3)."""

    @staticmethod
    def forward(ctx: Any, product: Product, ledger: Ledger | None, *tensors: Tensor) -> Tensor:
        output = product(*tensors)
        ctx.save_for_backward(output, *tensors)
        ctx.product, ctx.ledger = product, ledger
        return output

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> tuple[Tensor | None, ...]:
        output, *tensors = ctx.saved_tensors
        varying = ctx.needs_input_grad[2:]
        share = relevances[0] / (sum(varying) * stabilized(output))
        found = [
            None if slope is None else tensor.detach() * slope
            for tensor, slope in zip(tensors, slopes(ctx.product, tensors, varying, share), strict=True)
        ]
        if ctx.ledger is not None:
            handed = sum(float(part.sum()) for part in found if part is not None)
            ctx.ledger.nobody += float(relevances[0].sum()) - handed
        return None, None, *found


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, join: Product, ledger: Ledger | None, *tensors: Tensor) -> Tensor:
        ctx.join, ctx.ledger, ctx.tensors = join, ledger, [one.detach() for one in tensors]
        return join(*tensors)

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> tuple[Tensor | None, ...]:
        found = slopes(ctx.join, ctx.tensors, ctx.needs_input_grad[2:], relevances[0])
        if ctx.ledger is not None:
            handed = sum(float(part.sum()) for part in found if part is not None)
            ctx.ledger.constants += float(relevances[0].sum()) - handed
        return None, None, *found
