"""DeepLIFT: what every unit adds to the score, compared with its value on a baseline."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from interp.attribution import baselines, operations
from interp.attribution.method import Maps, Method
from interp.attribution.operations import Operation
from interp.attribution.question import FORWARD, Question
from interp.attribution.support import (
    require_deterministic,
    require_same_logits,
    require_supported,
    works_in_place,
)
from interp.batches import batched
from interp.types import Classifier

# Where an input differs by less than this share of its size, the secant is lost in rounding: the slope halfway is
# taken, whose error is of second order in the difference.
CLOSE = 1e-3

SUPPORTED = (
    operations.ELEMENTWISE
    | operations.EXTREMES
    | operations.MAX_POOLS
    | operations.PRODUCTS
    | operations.LAYER_NORMS
    | operations.SUMS
    | operations.CONVOLUTIONS
    | operations.DENSE
    | operations.BATCH_NORMS
    | operations.AVERAGES
    | operations.REARRANGEMENTS
)


@dataclass(frozen=True)
class DeepLift(Method):
    """The rescale rule: every operation passes its secant, Δoutput / Δinput, in place of its slope: signed, in logits.

    Δ is the difference to what the same operation has on the baseline x′. Completeness: the map, summed over the
    colours, adds up to s(x) − s(x′); `residual` is the sum minus that. What the paper leaves open is settled so that
    it stays complete: a maximum pool credits the positions of both maxima, and overlapping windows add up; a product
    of two parts of the network (a gate) credits each with its difference times the other's mean; a layer
    normalization is such a product, of the centred values and one over their deviation. `baseline` is x′, see
    `baselines.images`; `seed` is that of the noise.
    """

    baseline: baselines.Baseline = "black"
    seed: int = 0

    title = "DeepLIFT"
    signed = True
    summary = "How much each pixel adds to the score, from one comparison of the whole network with an empty picture."
    formula = r"C_{\Delta x} = \Delta x \cdot m, \quad m = \frac{\Delta \text{output}}{\Delta \text{input}} \text{ at every nonlinearity}"  # noqa: E501
    source = (
        "Shrikumar, Greenside and Kundaje 2017, Learning important features through propagating activation differences"
    )
    pitfalls = (
        "It depends on the baseline: pixels of the baseline's own colour get nothing. Two networks that compute the "
        "same function can give different maps (Sundararajan et al. 2017), which Integrated Gradients cannot."
    )

    def __post_init__(self) -> None:
        baselines.check(self.baseline)

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the network has operations that no rule is known for."""
        require_supported(classifier, SUPPORTED, self.title)
        require_deterministic(classifier, self.title)
        network = classifier.module.get_submodule("network")

        def run(pixels: Tensor) -> Tensor:
            reference = _Reference()
            with reference, torch.no_grad():
                network(pixels.clone())
            with _Secants(reference, copies=works_in_place(classifier)):
                return network(pixels)

        require_same_logits(classifier, "secants", run, self.title)

    def cost(self, classifier: Classifier) -> float:
        """A forward pass of the baseline, and a forward and a backward pass of the picture."""
        return FORWARD + 1

    @classmethod
    def together(cls, question: Question, methods: Sequence[Method]) -> list[Maps]:
        """Each method for itself."""
        return [method._maps(question) for method in methods if isinstance(method, DeepLift)]

    def _maps(self, question: Question) -> Maps:
        pixels = question.images.pixels
        baseline = baselines.images(pixels, self.baseline, self.seed)
        copies = works_in_place(question.classifier)

        def run(part: slice) -> tuple[Tensor, Tensor]:
            rows = torch.arange(len(pixels))[part]
            reference = _Reference()
            with reference:
                start = question.scores(baseline[part], rows)
            multipliers, score = question.passed(pixels[part], rows, _Secants(reference, copies=copies))
            values = ((pixels[part] - baseline[part]) * multipliers).sum(dim=1)
            return values, values.sum(dim=(1, 2)) - (score - start)

        parts = list(batched(run, len(pixels), size=question.batch_size, what=self.title))
        values, residuals = (torch.cat(given) for given in zip(*parts, strict=True))
        return Maps(values, residual=residuals)


class _Reference(TorchFunctionMode):
    """Keeps, in their order, what the nonlinear operations of a forward pass are given."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: deque[tuple[Operation, list[Tensor]]] = deque()

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = operations.Call.of(func, args, kwargs)
        inputs = _inputs(call.operation, call.arguments, call.keywords)
        if inputs:
            # A copy, where an operation in place would write over it.
            self.kept.append((call.operation, [one.clone() for one in inputs]))
        return func(*args, **(kwargs or {}))


class _Secants(TorchFunctionMode):
    """Gives the nonlinear operations of a forward pass their secants to a reference as derivatives.

    With `copies`, what the backward pass needs is copied, for networks that work in place and would write over it.
    """

    def __init__(self, reference: _Reference, *, copies: bool = False) -> None:
        super().__init__()
        self.kept, self.copies = reference.kept, copies

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = operations.Call.of(func, args, kwargs)
        if not _inputs(call.operation, call.arguments, call.keywords):
            return func(*args, **(kwargs or {}))
        return call.through(self._followed)

    def _followed(self, func: Operation, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        inputs = _inputs(func, args, keywords)
        expected, kept = self.kept.popleft() if self.kept else (None, [])
        if expected is not func or any(one.shape != other.shape for one, other in zip(inputs, kept, strict=True)):
            raise ValueError(
                "DeepLIFT compares the network with itself on a baseline, operation by operation, and this network "
                "takes another way there: choose another method."
            )
        if self.copies:
            # The rules below keep these for the backward pass.
            inputs = [one.clone() for one in inputs]
        if func in operations.PRODUCTS:
            return _Product.apply(*inputs, *kept)
        if func in operations.EXTREMES:
            return _Extreme.apply(*inputs, *kept, func)
        if func in operations.MAX_POOLS:
            return _MaxPool.apply(
                inputs[0], kept[0], operations.bound(func, args, {**keywords, "return_indices": True})
            )
        if func in operations.LAYER_NORMS:
            return _normalized(inputs[0], kept[0], *args[1:], **{k: v for k, v in keywords.items() if k != "input"})
        return _Elementwise.apply(inputs[0], kept[0], operations.bound(func, args, keywords))


def _inputs(operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> list[Tensor]:
    """The tensors of a nonlinear operation that depend on the picture; none where it is linear in it."""
    if operation in operations.PRODUCTS:
        varying = all(isinstance(one, Tensor) and not _is_weight(one) for one in arguments)
        return list(arguments) if varying else []
    if operation in operations.EXTREMES:
        return list(arguments)
    nonlinear = operations.ELEMENTWISE | operations.MAX_POOLS | operations.LAYER_NORMS
    return [operations.first_tensor(arguments, keywords)] if operation in nonlinear else []


def _is_weight(tensor: Tensor) -> bool:
    return isinstance(tensor, torch.nn.Parameter) or tensor.ndim == 0


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


def _normalized(
    inputs: Tensor,
    reference: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Layer normalization, as the product of the centred values and one over their deviation."""
    dims = tuple(range(-len(normalized_shape), 0))
    centred, centred_reference = (one - one.mean(dim=dims, keepdim=True) for one in (inputs, reference))
    squares = _Product.apply(centred, centred, centred_reference, centred_reference)
    variance, variance_reference = (one.mean(dim=dims, keepdim=True) for one in (squares, centred_reference.square()))

    def reciprocal(variances: Tensor) -> Tensor:
        return (variances + eps).rsqrt()

    scale = _Elementwise.apply(variance, variance_reference, reciprocal)
    output = _Product.apply(centred, scale, centred_reference, reciprocal(variance_reference))
    output = output if weight is None else output * weight
    return output if bias is None else output + bias
