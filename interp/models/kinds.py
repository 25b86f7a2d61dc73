"""Whether outputs are scores, probabilities or logarithms of these, and whether their classes exclude each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from interp.models.endings import Ending
from interp.types import Finding, Outputs

# Single precision: a softmax over thousands of classes sums to one to about this.
SUM = 1e-4


class NotLogits(ValueError):
    """What a network gives cannot be read as logits; the message says why, and what would be right."""


@dataclass(frozen=True)
class OutputKind:
    """What outputs are; the first three fields are those of `interp.types.Classifier`.

    `ending` is the step to probabilities that is to be left out; where there is none to leave out, `undone` is the
    inverse to be taken.
    """

    outputs: Outputs
    link: Literal["softmax", "sigmoid"]
    multi_label: bool
    ending: Ending | None
    undone: Literal["logarithm", "logit"] | None
    findings: tuple[Finding, ...]


def kind_of(rows: Float[Tensor, "n k"], ending: Ending | None, given: Outputs | None, single: bool) -> OutputKind:
    """What a network's outputs are, from some of them, the step that it ends in, and what its owner says.

    `single` is one output for an image. Raises `NotLogits` where the outputs are not what they are said to be.
    """
    shares = bool((rows >= 0).all()) and bool((rows <= 1 + SUM).all())
    sums = shares and not single and _is_one(rows.sum(dim=1))
    logarithms = not single and bool((rows <= SUM).all()) and _is_one(rows.exp().sum(dim=1))
    _check_said(given, shares, logarithms, single)
    if single and ending is not None and ending.step != "sigmoid":
        raise NotLogits(
            f"The network ends in a {ending.step} over one output, which is the same for every image: it needs a "
            "sigmoid there, or two outputs."
        )
    step = ending.step if ending is not None else None
    if step == "sigmoid" and given == "softmax":
        step, ending = None, None
    if ending is not None and step is not None:
        return _ended(ending, step, single)
    if given == "log-probabilities" or (given is None and logarithms):
        return OutputKind("log-probabilities", "softmax", False, None, None, (_of_logarithms(given),))
    if given == "probabilities" or (given is None and sums):
        return _undone(sums, single, given)
    if single:
        how = "recognized" if given else "guessed"
        return OutputKind("sigmoid", "sigmoid", False, None, None, (Finding(how, _SINGLE),))
    if given == "sigmoid":
        said = "Each class has its own sigmoid: several can be present in one image, or none."
        return OutputKind("sigmoid", "sigmoid", True, None, None, (Finding("recognized", said),))
    said = "Its outputs are scores for a softmax: one class excludes the others."
    if given is None:
        said = f"{said} Nothing in it says so: if every class has a sigmoid of its own, set it."
        return OutputKind("softmax", "softmax", False, None, None, (Finding("guessed", said, 'outputs = "sigmoid"'),))
    return OutputKind("softmax", "softmax", False, None, None, (Finding("recognized", said),))


def _is_one(sums: Tensor) -> bool:
    return bool(((sums - 1).abs() < SUM).all())


def _check_said(given: Outputs | None, shares: bool, logarithms: bool, single: bool) -> None:
    if given == "softmax" and single:
        raise NotLogits(
            'outputs = "softmax" does not fit a network with one output, whose softmax is always 1: set '
            'outputs = "sigmoid".'
        )
    if given == "probabilities" and not shares:
        raise NotLogits(
            'outputs = "probabilities" does not fit: the network gives numbers outside of 0 to 1. For scores set '
            'outputs = "softmax", or "sigmoid" where classes do not exclude each other.'
        )
    if given == "log-probabilities" and not logarithms:
        raise NotLogits(
            'outputs = "log-probabilities" does not fit: the exponentials of what the network gives do not sum to 1. '
            'For scores set outputs = "softmax", or "sigmoid" where classes do not exclude each other.'
        )


_SINGLE = (
    "It has one output f: a binary classifier. f scores the second of two labels, −f the first; their probabilities "
    "are the sigmoids."
)


def _ended(ending: Ending, step: str, single: bool) -> OutputKind:
    said = (
        f"It ends in a {step}. That step is left out, so that the scores before it are explained; the probabilities "
        "shown are still its own."
    )
    findings = [Finding("changed", said)]
    if single:
        findings.append(Finding("recognized", _SINGLE))
    elif step == "sigmoid":
        findings.append(Finding("recognized", "Each class has its own sigmoid: several can be present in one image."))
    outputs: Outputs = "log-probabilities" if step == "log-softmax" else "probabilities"
    link = "sigmoid" if step == "sigmoid" else "softmax"
    return OutputKind(outputs, link, step == "sigmoid" and not single, ending, None, tuple(findings))


def _of_logarithms(given: Outputs | None) -> Finding:
    said = (
        "Its outputs are logarithms of probabilities, and the step that makes them was not found: they are explained "
        "as they are, so that what lowers the other classes counts, too."
    )
    return Finding("recognized" if given else "guessed", said, 'outputs = "log-probabilities"')


def _undone(sums: bool, single: bool, given: Outputs | None) -> OutputKind:
    """Probabilities whose last step was not found: their logarithms, or logits, are taken."""
    how = "recognized" if given else "guessed"
    which = "logarithms" if sums else "logits, log p − log(1 − p),"
    said = (
        f"Its outputs are probabilities, and the step that makes them was not found: their {which} are explained in "
        "place of the scores before it. Where a probability is 0 or 1 in single precision, they say nothing."
    )
    findings = (Finding(how, said, 'outputs = "softmax"'), *([Finding("recognized", _SINGLE)] if single else []))
    if sums:
        return OutputKind("probabilities", "softmax", False, None, "logarithm", findings)
    return OutputKind("probabilities", "sigmoid", not single, None, "logit", findings)
