"""Rules of layer-wise relevance propagation: how a linear operation hands the relevance of its outputs to its inputs.

Every rule has one form: R_in = Σ_t c_t Σ_p ± x_p · W_pᵀ (m_t · R / Σ_p ± (W_p x_p + b_p)), a few terms t of a few
parts p each, where a part is the input, the weights and the bias, each possibly only their positive or negative side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

STABILIZER = 1e-6
SMALL = 0.05
"""What takes a smaller share of what is lost is not worth a word."""

Linear = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""A convolution or a matrix product as a function of input, weights and bias."""


@dataclass(frozen=True, eq=False)
class Summand:
    """One summand of a denominator; `sign` is what it enters with."""

    inputs: Tensor
    weights: Tensor
    bias: Tensor | None
    sign: float = 1.0


@dataclass(frozen=True, eq=False)
class LrpTerm:
    """The parts that share a denominator, the term's factor, and for which outputs it counts (None: all)."""

    parts: Sequence[Summand]
    factor: float = 1.0
    where: Tensor | None = None


@dataclass(eq=False)
class Ledger:
    """What relevance is lost to, summed over images: `biases`, and `nobody`, of which no input has a share.

    With z⁺ and α2β1 an output whose contributions all have the wrong sign has nobody to hand its relevance to.
    Biases are all constants that are added; `constants` are those that stand beside the signal, as a class token does;
    `softmax` is what its rule keeps.
    """

    biases: float = 0.0
    nobody: float = 0.0
    constants: float = 0.0
    softmax: float = 0.0

    def enter(self, received: Tensor, handed: Tensor, biases: Tensor) -> None:
        """Note what an operation received, what it handed on, and what its biases took."""
        taken = float(biases)
        self.biases += taken
        self.nobody += float(received.sum() - handed.sum()) - taken


TAKERS = {
    "biases": "biases and the shifts of normalizations",
    "nobody": "outputs to which nothing contributes with the right sign",
    "constants": "constants beside the signal, such as a class token",
    "softmax": "softmax",
}
"""What the entries of a `Ledger` are, for a reader."""


def remark_on(ledgers: Sequence[Ledger], *, biased: bool) -> str | None:
    """What takes relevance, for a reader, without numbers, so that it reads alike for every part of a longer work.

    None where nothing does. `biased` where biases may take any.
    """
    parts = {name: abs(sum(getattr(one, name) for one in ledgers)) for name in TAKERS}
    takers = [text for name, text in TAKERS.items() if parts[name] > SMALL * sum(parts.values())]
    if not takers:
        return None
    text = f"the maps add up to much less, or more, than the score: the rest goes to {' and to '.join(takers)}."
    return text + " The composites that end in -no-bias share what biases take among the inputs." * biased


LrpRule = Callable[[Tensor, Tensor, Tensor | None, Tensor], Sequence[LrpTerm]]
"""From input, weights, bias and output to the terms."""


def propagated(
    rule: LrpRule,
    apply: Linear,
    given: tuple[Tensor, Tensor, Tensor | None],
    relevance: Tensor,
    ledger: Ledger | None = None,
    *,
    returning: bool = False,
) -> Tensor:
    """The relevance of the inputs of a linear operation, from that of its outputs; what is lost goes into a ledger.

    Where it is `returning`, what biases take is handed to the inputs by the sizes of their contributions.
    """
    with torch.no_grad():
        output = apply(*given)
    total = torch.zeros_like(given[0])
    taken = torch.zeros_like(output)
    for term in rule(*given, output):
        with torch.enable_grad():
            leaves = [part.inputs.detach().requires_grad_() for part in term.parts]
            results = [
                part.sign * apply(leaf, part.weights, part.bias) for leaf, part in zip(leaves, term.parts, strict=True)
            ]
            denominator = torch.stack([result.detach() for result in results]).sum(dim=0)
            share = relevance / stabilized(denominator)
            if term.where is not None:
                share = share * term.where
            slopes = torch.autograd.grad(results, leaves, [share] * len(results))
        for part in term.parts:
            if part.bias is not None:
                taken += term.factor * part.sign * share * over_places(part.bias, given[1])
        for leaf, slope in zip(leaves, slopes, strict=True):
            total += term.factor * leaf.detach() * slope
    if returning and given[2] is not None:
        with torch.enable_grad():
            sizes = given[0].detach().abs().requires_grad_()
            whole = apply(sizes, given[1].abs(), None)
            (slope,) = torch.autograd.grad(whole, sizes, taken / stabilized(whole.detach()))
        total += sizes.detach() * slope
        taken = torch.zeros_like(taken)
    if ledger is not None:
        ledger.enter(relevance, total, taken.sum())
    return total


def over_places(bias: Tensor, weights: Tensor) -> Tensor:
    """Shaped as the outputs: a convolution's channels stand in the second place, others' in the last."""
    return bias.view(-1, *[1] * (weights.ndim - 2))


def stabilized(denominator: Tensor) -> Tensor:
    """Moved away from zero by a millionth; zero itself counts as positive."""
    return denominator + torch.where(denominator >= 0, STABILIZER, -STABILIZER)


def epsilon(inputs: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor) -> list[LrpTerm]:
    """LRP-ε with the smallest ε that divides safely (Bach et al. 2015)."""
    return [LrpTerm([Summand(inputs, weights, bias)])]


def positive(inputs: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor) -> list[LrpTerm]:
    """z⁺, which is α1β0: positive contributions only."""
    return [LrpTerm(_agreeing(inputs, weights, bias))]


def alpha2_beta1(inputs: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor) -> list[LrpTerm]:
    """Twice what contributes positively, minus once what contributes negatively (Bach et al. 2015)."""
    return [LrpTerm(_agreeing(inputs, weights, bias), 2.0), LrpTerm(_opposed(inputs, weights, bias), -1.0)]


def gamma(
    inputs: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor, *, share: float = 0.25
) -> list[LrpTerm]:
    """LRP-γ, for inputs of either sign: a quarter of the agreeing contributions is added (Montavon et al. 2019).

    For outputs above zero the positive contributions are favoured, for those below zero the negative ones.
    """
    up, down = (weights + share * weights.clamp(min=0), weights + share * weights.clamp(max=0))
    bias_up, bias_down = (
        (None, None) if bias is None else (bias + share * bias.clamp(min=0), bias + share * bias.clamp(max=0))
    )
    return [
        LrpTerm(_split(inputs, up, down, bias_up), where=output > 0),
        LrpTerm(_split(inputs, down, up, bias_down), where=output < 0),
    ]


def flat(inputs: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor) -> list[LrpTerm]:
    """Equal shares for all inputs of an output (Lapuschkin et al. 2019)."""
    return [LrpTerm([Summand(torch.ones_like(inputs), torch.ones_like(weights), None)])]


def without_bias(rule: LrpRule) -> LrpRule:
    """The rule for outputs as they would be without their bias, which then takes nothing: inputs share it among them.

    As zennit's `zero_params="bias"`; but whether an output is positive is judged without the bias, too: γ's
    denominators may have no sign otherwise, and relevance grows without bounds.
    """

    def unbiased(inputs: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor) -> Sequence[LrpTerm]:
        if bias is not None:
            output = output - over_places(bias, weights)
        return rule(inputs, weights, None, output)

    return unbiased


def box(low: Tensor, high: Tensor) -> LrpRule:
    """zᴮ, for inputs that are known to lie between `low` and `high`, of shape (1, c, 1, 1) (Montavon et al. 2017)."""

    def rule(inputs: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor) -> list[LrpTerm]:
        over, under = (None, None) if bias is None else (bias.clamp(min=0), bias.clamp(max=0))
        parts = [
            Summand(inputs, weights, bias),
            Summand(low.expand_as(inputs), weights.clamp(min=0), over, -1.0),
            Summand(high.expand_as(inputs), weights.clamp(max=0), under, -1.0),
        ]
        return [LrpTerm(parts)]

    return rule


def _agreeing(inputs: Tensor, weights: Tensor, bias: Tensor | None) -> list[Summand]:
    over = None if bias is None else bias.clamp(min=0)
    return _split(inputs, weights.clamp(min=0), weights.clamp(max=0), over)


def _opposed(inputs: Tensor, weights: Tensor, bias: Tensor | None) -> list[Summand]:
    under = None if bias is None else bias.clamp(max=0)
    return _split(inputs, weights.clamp(max=0), weights.clamp(min=0), under)


def _split(inputs: Tensor, for_positive: Tensor, for_negative: Tensor, bias: Tensor | None) -> list[Summand]:
    """The inputs' positive side with one set of weights and the bias, their negative side with another set."""
    parts = [Summand(inputs.clamp(min=0), for_positive, bias)]
    # Behind a ReLU there is no negative side, and half of the work.
    if bool((inputs < 0).any()):
        parts.append(Summand(inputs.clamp(max=0), for_negative, None))
    return parts
