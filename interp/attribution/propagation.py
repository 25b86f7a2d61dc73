"""The pass of LRP: every operation of a network hands relevance on by its rule in place of its derivative."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from interp.attribution import attention, attention_relevance, relevance
from interp.attribution.attention_relevance import varies
from interp.passes import operations
from interp.passes.operations import Operation

SUPPORTED = (
    operations.ELEMENTWISE
    | operations.EXTREMES
    | operations.MAX_POOLS
    | operations.PRODUCTS
    | operations.SUMS
    | operations.CONVOLUTIONS
    | operations.DENSE
    | operations.BATCH_NORMS
    | operations.NEGATIONS
    | operations.AVERAGES
    | operations.REARRANGEMENTS
    | operations.COMPARISONS
    | attention_relevance.OPERATIONS
    | frozenset(attention.APART)
)
PASSING = operations.ELEMENTWISE | operations.NEGATIONS
SHARING = operations.AVERAGES | operations.BATCH_NORMS


@dataclass(frozen=True, eq=False)
class _Origin:
    """The convolution that a tensor is the result of."""

    inputs: Tensor
    weights: Tensor
    bias: Tensor | None
    apply: relevance.Linear
    rule: relevance.LrpRule
    version: int


class Propagation(TorchFunctionMode):
    """Gives every operation of a forward pass its rule in place of its derivative: gradients become relevance.

    `rule` is that of convolutions but the `first`, `dense` that of linear layers. Where it is not `biased`, biases take
    no relevance: they are left out of denominators, or, where it is `returning`, what they take is handed to the inputs
    by the sizes of what these contribute. Where attention is `held`, it is a constant. With `copies`, what the backward
    pass needs is copied, for networks that work in place and would write over it. What is lost goes into the `ledger`.
    """

    def __init__(
        self,
        rule: relevance.LrpRule,
        first: relevance.LrpRule,
        *,
        dense: relevance.LrpRule = relevance.epsilon,
        held: bool = False,
        biased: bool = True,
        returning: bool = False,
        copies: bool = False,
        ledger: relevance.Ledger | None = None,
    ) -> None:
        super().__init__()
        self.returning = returning and not biased
        self.held, self.biased, self.copies, self.ledger = held, biased, copies, ledger
        self.dense, self.rule, self.next = (
            one if biased or returning else relevance.without_bias(one) for one in (dense, rule, first)
        )

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if not varies(*args, *(kwargs or {}).values()):
            return func(*args, **(kwargs or {}))
        call = operations.OperationCall.of(func, args, kwargs)
        gate = call.operation in operations.GATES or (
            call.operation in operations.REARRANGEMENTS and _is_gate(operations.first_tensor(args, kwargs or {}))
        )
        output = call.through(self._followed)
        if gate and isinstance(output, Tensor):
            output.gate = output._version  # pyright: ignore[reportAttributeAccessIssue]
        return output

    def _followed(self, func: Operation, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if func in attention.APART:
            with self:
                return attention.APART[func](*args, **keywords)
        if func in operations.CONVOLUTIONS:
            return self._convolved(func, *args, **keywords)
        if func in operations.DENSE:
            return self._linear(func, *args, **keywords)
        if func in operations.BATCH_NORMS and _origin(args[0]) is not None:
            return self._merged(func, args, keywords)
        if func in PASSING:
            return _Pass.apply(args[0], operations.bound(func, args, keywords))
        if func in SHARING:
            function = operations.bound(func, args, keywords)
            return attention_relevance.shared(self._safe(args[0]), function, **self._how)
        if func in attention_relevance.OPERATIONS:
            given = tuple(self._safe(one) for one in args)
            # A copy of what it gives, too, for rules keep that as well.
            return self._safe(attention_relevance.followed(func, given, keywords, held=self.held, **self._how))
        if func in operations.SUMS and isinstance(args[0], Tensor) and isinstance(args[1], Tensor):
            return self._summed(args[0], _times(args[1], keywords.get("alpha", 1)))
        if func in operations.PRODUCTS:
            return _product(*args)
        if func in operations.EXTREMES:
            return _extreme(func, *args)
        if func in operations.JOINS and not all(varies(one) for one in args[0]):
            return attention_relevance.joined(func, *args, ledger=self.ledger, **keywords)
        return func(*args, **keywords)

    def _convolved(
        self, func: Operation, input: Tensor, weight: Tensor, bias: Tensor | None = None, *rest: Any, **keywords: Any
    ) -> Tensor:
        def apply(inputs: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
            return func(inputs, weights, biases, *rest, **keywords)

        input = self._safe(input)
        rule, self.next = self.next, self.rule
        output = _Ruled.apply(input, weight, bias, apply, rule, None, self.ledger, self.returning)
        output.origin = _Origin(input, weight, bias, apply, rule, output._version)
        return output

    def _linear(self, func: Operation, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return _Ruled.apply(self._safe(input), weight, bias, func, self.dense, None, self.ledger, self.returning)

    def _merged(self, func: Operation, args: tuple[Any, ...], keywords: dict[str, Any]) -> Tensor:
        """Convolution and batch normalization as one convolution; relevance goes past the normalization."""
        given = inspect.signature(functional.batch_norm).bind(*args, **keywords)
        given.apply_defaults()
        norm, origin = given.arguments, given.arguments["input"].origin
        scale = (norm["running_var"] + norm["eps"]).rsqrt()
        scale = scale if norm["weight"] is None else scale * norm["weight"]
        shift = -norm["running_mean"] if origin.bias is None else origin.bias - norm["running_mean"]
        bias = shift * scale if norm["bias"] is None else shift * scale + norm["bias"]
        weights = origin.weights * scale[:, None, None, None]
        return _Ruled.apply(
            origin.inputs,
            weights,
            bias,
            origin.apply,
            origin.rule,
            lambda: func(*args, **keywords),
            self.ledger,
            self.returning,
        )

    def _summed(self, one: Tensor, other: Tensor) -> Tensor:
        """Relevance is shared; a constant is a bias."""
        if not self.biased and not (one.requires_grad and other.requires_grad):
            signal, constant = (one, other) if one.requires_grad else (other, one)
            shape = torch.broadcast_shapes(one.shape, other.shape)
            return _Pass.apply(signal.expand(shape), lambda given: given + constant)
        return _Sum.apply(self._safe(one), self._safe(other), self.ledger)

    @property
    def _how(self) -> dict[str, Any]:
        return {"biased": self.biased, "returning": self.returning, "ledger": self.ledger}

    def _safe(self, given: Any) -> Any:
        if isinstance(given, list | tuple):
            return [self._safe(one) for one in given]
        return given.clone() if self.copies and isinstance(given, Tensor) else given


def _origin(tensor: Tensor) -> _Origin | None:
    """The convolution that a tensor is the result of, with nothing written over it since."""
    origin = getattr(tensor, "origin", None)
    return origin if origin is not None and origin.version == tensor._version else None


def _is_gate(tensor: Any) -> bool:
    """Whether a tensor is a gate's value, maybe in another shape, with nothing written over it since."""
    return isinstance(tensor, Tensor) and getattr(tensor, "gate", None) == tensor._version


def _times(tensor: Tensor, factor: float | int) -> Tensor:
    """A multiple, which passes relevance on as it is."""
    return tensor if factor == 1 else _Pass.apply(tensor, lambda given: given * factor)


def _extreme(func: Operation, one: Tensor, other: Tensor) -> Tensor:
    """Relevance goes to the signal, past a constant; of two signals to the one that is chosen."""
    if one.requires_grad and other.requires_grad:
        return func(one, other)
    one, other = torch.broadcast_tensors(one, other)
    signal, constant = (one, other) if one.requires_grad else (other, one)
    return _Pass.apply(signal, lambda given: func(given, constant))


def _product(one: Any, other: Any) -> Any:
    """Relevance goes to the signal: past weights and gates; of two signals each gets half."""
    if not varies(one) or (varies(other) and _is_gate(one)):
        one, other = other, one
    gated = not varies(other) or _is_gate(other)
    return _Product.apply(one, other, gated)


class _Ruled(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        weights: Tensor,
        bias: Tensor | None,
        apply: relevance.Linear,
        rule: relevance.LrpRule,
        known: Callable[[], Tensor] | None,
        ledger: relevance.Ledger | None,
        returning: bool,
    ) -> Tensor:
        ctx.given, ctx.apply_linear, ctx.rule = (inputs.detach(), weights, bias), apply, rule
        ctx.ledger, ctx.returning = ledger, returning
        return apply(inputs, weights, bias) if known is None else known()

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> tuple[Tensor | None, ...]:
        found = relevance.propagated(
            ctx.rule, ctx.apply_linear, ctx.given, relevances[0], ctx.ledger, returning=ctx.returning
        )
        return found, *(None,) * 7


class _Pass(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, function: Any) -> Tensor:
        return function(inputs)

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> tuple[Tensor, None]:
        return relevances[0], None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, one: Tensor, other: Tensor, ledger: relevance.Ledger | None) -> Tensor:
        ctx.save_for_backward(one, other)
        ctx.ledger = ledger
        return one + other

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> tuple[Tensor, Tensor, None]:
        one, other = ctx.saved_tensors
        share = relevances[0] / relevance.stabilized(one + other)
        found = (one * share).sum_to_size(one.shape), (other * share).sum_to_size(other.shape)
        if ctx.ledger is not None:
            for part, signal in zip(found, ctx.needs_input_grad, strict=False):
                ctx.ledger.biases += 0.0 if signal else float(part.sum())
        return *found, None


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, one: Tensor, other: Any, gated: bool) -> Tensor:
        ctx.shape, ctx.other_shape, ctx.gated = one.shape, getattr(other, "shape", None), gated
        return one * other

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> tuple[Tensor, Tensor | None, None]:
        if ctx.gated:
            return relevances[0].sum_to_size(ctx.shape), None, None
        half = relevances[0] / 2
        return half.sum_to_size(ctx.shape), half.sum_to_size(ctx.other_shape), None
