"""DeepLIFT: what every unit adds to the score, compared with its value on a baseline."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from interp import progress
from interp.attribution import attention, baselines, normalizations, secants
from interp.attribution.attention_rules import factors, product_secants, softmax_dim, softmax_secants
from interp.attribution.method import Maps, Method
from interp.batches import batched
from interp.passes import operations
from interp.passes.operations import Operation
from interp.passes.support import (
    require_deterministic,
    require_same_logits,
    require_supported,
    works_in_place,
)
from interp.passes.target_score import FORWARD, TargetScore
from interp.types import Classifier

SUPPORTED = (
    operations.ELEMENTWISE
    | operations.EXTREMES
    | operations.MAX_POOLS
    | operations.PRODUCTS
    | operations.NORMALIZATIONS
    | operations.SOFTMAXES
    | operations.MATRIX_PRODUCTS
    | operations.QUOTIENTS
    | operations.NEGATIONS
    | operations.SUMS
    | operations.CONVOLUTIONS
    | operations.DENSE
    | operations.BATCH_NORMS
    | operations.AVERAGES
    | operations.REARRANGEMENTS
    | frozenset(attention.APART)
)
ROUNDING, NOTHING = 0.05, 1e-3
"""From this share of the difference of scores on, and above this many logits, a residual is remarked on."""
# Division in steps, too; LRP has a rule of its own for it.
APART = attention.APART | dict.fromkeys(operations.QUOTIENTS, attention.quotient)


@dataclass(frozen=True)
class DeepLift(Method):
    """The rescale rule: every operation passes its secant, Δoutput / Δinput, in place of its slope: signed, in logits.

    Δ is the difference to what the same operation has on the baseline x′. Completeness: the map, summed over the
    colours, adds up to s(x) − s(x′); `residual` is the sum minus that. What the paper leaves open is settled so that
    it stays complete: a maximum pool credits the positions of both maxima, and overlapping windows add up; a product
    of two parts of the network (a gate, the matrix products of attention) credits each with its difference times the
    other's mean; a layer, group or RMS normalization is such a product, of the centred values and one over their
    deviation (a constant where the baseline has none), and so is a division; softmax is exp(x − log Σ exp x), with the
    secants of exp and log. `baseline` is x′, see `baselines.images`; `seed` is that of the noise.
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

    def maps(self, target_score: TargetScore) -> Maps:
        """The multipliers times what differs from the baseline, with the residual of completeness."""
        pixels = target_score.images.pixels
        baseline = baselines.images(pixels, self.baseline, self.seed)
        copies = works_in_place(target_score.classifier)

        def run(part: slice) -> tuple[Tensor, Tensor]:
            rows = torch.arange(len(pixels))[part]
            reference = _Reference()
            with reference:
                start = target_score.scores(baseline[part], rows)
            multipliers, score = target_score.passed(pixels[part], rows, _Secants(reference, copies=copies))
            values = ((pixels[part] - baseline[part]) * multipliers).sum(dim=1)
            return values, values.sum(dim=(1, 2)) - (score - start)

        parts = list(batched(run, len(pixels), size=target_score.batch_size, what=self.title))
        values, residuals = (torch.cat(given) for given in zip(*parts, strict=True))
        differences = values.sum(dim=(1, 2)) - residuals
        if bool((residuals.abs() > ROUNDING * differences.abs() + NOTHING).any()):
            progress.remark(
                f"{self.title}: some maps do not add up to what the score differs by from the baseline's: parts that "
                "cancel out are so large that it is lost in rounding, or something in the network depends on the "
                "picture where no gradient follows. Read those maps with the residual in mind."
            )
        return Maps(values, residual=residuals)


class _Reference(TorchFunctionMode):
    """Keeps, in their order, what the nonlinear operations of a forward pass are given."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: deque[tuple[Operation, list[Tensor]]] = deque()

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = operations.OperationCall.of(func, args, kwargs)
        if _in_steps(call):
            return _stepped(self, call)
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
        call = operations.OperationCall.of(func, args, kwargs)
        if _in_steps(call):
            return _stepped(self, call)
        if not _inputs(call.operation, call.arguments, call.keywords):
            result = func(*args, **(kwargs or {}))
            if func in operations.BATCH_NORMS and result.requires_grad:
                # For one picture torch 2.14 gets the derivative wrong where an expanded one comes back, as from a mean.
                result.register_hook(Tensor.contiguous)
            return result
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
            return secants.product(inputs[0], inputs[1], kept[0], kept[1])
        if func in operations.EXTREMES:
            return secants.extreme(inputs[0], inputs[1], kept[0], kept[1], func)
        if func in operations.MAX_POOLS:
            return secants.largest(
                inputs[0], kept[0], operations.bound(func, args, {**keywords, "return_indices": True})
            )
        if func in operations.NORMALIZATIONS:
            return secants.normalized(inputs[0], kept[0], normalizations.taken_apart(func, args, keywords))
        if func in operations.MATRIX_PRODUCTS:
            return product_secants(factors(func, args, keywords)[1], inputs, kept)
        if func in operations.SOFTMAXES:
            function, dim = operations.bound(func, args, keywords), softmax_dim(args, keywords)
            return softmax_secants(inputs[0], kept[0], function, dim)
        return secants.elementwise(inputs[0], kept[0], operations.bound(func, args, keywords))


def _in_steps(call: operations.OperationCall) -> bool:
    """Whether an operation is taken apart. A division that rounds has no secants, and no slope either."""
    return call.operation in APART and call.keywords.get("rounding_mode") is None


def _stepped(mode: TorchFunctionMode, call: operations.OperationCall) -> Any:
    """The steps of an operation, each told to the mode."""

    def steps(func: Operation, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        with mode:
            return APART[func](*args, **keywords)

    return call.through(steps)


def _inputs(operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> list[Tensor]:
    """The tensors of a nonlinear operation that depend on the picture; none where it is linear in it."""
    if operation in operations.PRODUCTS:
        varying = all(isinstance(one, Tensor) and not _is_weight(one) for one in arguments)
        return list(arguments) if varying else []
    if operation in operations.EXTREMES:
        return list(arguments)
    if operation in operations.MATRIX_PRODUCTS:
        return _varying(factors(operation, arguments, keywords)[0])
    nonlinear = operations.ELEMENTWISE | operations.MAX_POOLS | operations.NORMALIZATIONS | operations.SOFTMAXES
    return [operations.first_tensor(arguments, keywords)] if operation in nonlinear else []


def _varying(tensors: list[Tensor]) -> list[Tensor]:
    """The two factors of a matrix product that may both depend on the picture; none where it is linear in it."""
    if any(_is_weight(one) for one in tensors) or len(tensors) == 1:
        return []
    if len(tensors) > 2:
        raise ValueError(f"DeepLIFT has a rule for products of two signals, not for an einsum of {len(tensors)}.")
    return tensors


def _is_weight(tensor: Tensor) -> bool:
    return isinstance(tensor, torch.nn.Parameter) or tensor.ndim == 0
