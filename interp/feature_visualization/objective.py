"""Objectives as numbers: terms that are read off a pass, and their weighted sums."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from interp.types import Classifier

LOGITS, PROBABILITIES = "(logits)", "(probabilities)"
"""What an objective of the classes reads, where others read a layer; no module is called so."""

Evaluation = Callable[[Tensor], Float[Tensor, " m"]]


class Objective(ABC):
    """What a picture is to make large: one number for each picture.

    Objectives add and scale: `0.2 * Channel("features.7", 3) - Logit(5)`. Nothing else may be added to them.
    """

    @property
    @abstractmethod
    def parts(self) -> tuple[tuple[float, Term], ...]:
        """The terms with their weights, whose sum the objective is."""

    def __add__(self, other: object) -> Objective:
        # 0 is what `sum` starts from.
        if isinstance(other, Objective):
            return Sum(self.parts + other.parts)
        return self if isinstance(other, int) and other == 0 else NotImplemented

    __radd__ = __add__

    def __sub__(self, other: object) -> Objective:
        return self + -other if isinstance(other, Objective) else NotImplemented

    def __mul__(self, factor: object) -> Objective:
        if not isinstance(factor, int | float):
            return NotImplemented
        if not math.isfinite(factor):
            raise ValueError(f"An objective cannot be weighted by {factor}: give a finite number.")
        return Sum(tuple((factor * weight, term) for weight, term in self.parts))

    __rmul__ = __mul__

    def __truediv__(self, factor: object) -> Objective:
        return self * (1 / factor) if isinstance(factor, int | float) else NotImplemented

    def __neg__(self) -> Objective:
        return self * -1.0


class Term(Objective):
    """One thing that is read off a pass, such as a channel's mean.

    Terms of one class that read the same layer are evaluated together, each for a picture of its own.
    """

    @property
    def parts(self) -> tuple[tuple[float, Term], ...]:
        """The term itself."""
        return ((1.0, self),)

    @property
    @abstractmethod
    def reads(self) -> str:
        """The name of the layer, or `LOGITS`, or `PROBABILITIES`."""

    @abstractmethod
    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the classifier does not have what the term names."""

    @classmethod
    @abstractmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """A function from what the term reads, of all pictures, to m numbers.

        A layer gives (n, k, u, v), logits and probabilities are (n, k).

        `rows` says to which picture each term belongs. Each run of `copies` rows has one and the same objective.
        """


@dataclass(frozen=True, eq=False)
class OfLayer(Term):
    """A term that reads one layer."""

    layer: str

    @property
    def reads(self) -> str:
        """The layer."""
        return self.layer

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where there is no such layer."""
        classifier.layer(self.layer)


class OfClasses(Term):
    """A term that reads the logits."""

    @property
    def reads(self) -> str:
        """The logits."""
        return LOGITS


@dataclass(frozen=True)
class Sum(Objective):
    """A weighted sum of terms, as the operators make it."""

    weighted: tuple[tuple[float, Term], ...]

    @property
    def parts(self) -> tuple[tuple[float, Term], ...]:
        """The terms with their weights."""
        return self.weighted

    def __str__(self) -> str:
        text = ""
        for weight, term in self.weighted:
            sign = "−" if weight < 0 else "+" if text else ""
            size = "" if abs(weight) == 1 else f"{abs(weight):g} × "
            text += f" {sign} {size}{term}" if text else f"{sign}{size}{term}"
        return text


def interpolation(first: Objective, second: Objective, count: int) -> tuple[Objective, ...]:
    """`count` objectives on the way from one to another: (1 - t) · first + t · second, t from 0 to 1 in equal steps.

    They are optimized from the same noise under the same transforms, so that their pictures change little by little.
    The larger of two unequal activations decides early: scale the objectives to like size first.
    Raises `ValueError` for fewer than 2.
    """
    if count < 2:
        raise ValueError(f"{count} objectives do not lead from one to another: take 2 or more.")
    shares = [step / (count - 1) for step in range(count)]
    return (first, *((1 - share) * first + share * second for share in shares[1:-1]), second)
