"""What a unit is made of: kernels over the units of the layers before, other units carried on, a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from interp.types import Fingerprinted

PICTURE = "the picture"


@dataclass(frozen=True)
class InputUnit:
    """A number that a kernel reads: a unit of a layer, a colour of the `PICTURE`, or ('') one that has no name.

    `through` are the operations in between that treat each unit by itself, nearest to the kernel first.
    """

    layer: str
    unit: int
    through: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class KernelTerm(Fingerprinted):
    """One part of a unit: the kernel of a convolution, or the row of a linear layer, over its inputs (j).

    `weights` are multiplied by what batch normalizations and other constants that follow multiply the result by, their
    product, `scale`; of a linear layer that reads a map they are arranged by its positions. `module` is whose weights
    they are ('' where they are no module's).
    """

    module: str
    kind: Literal["convolution", "linear layer"]
    weights: Float[np.ndarray, "j a b"]
    inputs: tuple[InputUnit, ...]
    scale: float
    normalized: bool
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    @property
    def norms(self) -> Float[np.ndarray, " j"]:
        """The length of each input's kernel, with the sign of its sum: above zero where the input drives the unit."""
        sums = self.weights.sum(axis=(1, 2))
        return np.linalg.norm(self.weights, axis=(1, 2)) * np.where(sums < 0, -1, 1)


@dataclass(frozen=True)
class CarriedTerm:
    """One part of a unit: another unit, multiplied by `scale`, as a skip connection adds it.

    Or the unit of a module before that it is made of through functions of each number alone, which the source names.
    """

    source: InputUnit
    scale: float


@dataclass(frozen=True)
class UnknownTerm:
    """One part of a unit that is not followed further: what `operation` gives."""

    operation: str


SourceTerm = KernelTerm | CarriedTerm | UnknownTerm


@dataclass(frozen=True, eq=False)
class UnitSources(Fingerprinted):
    """What a unit is made of: the sum of the terms and of a `constant`, and then what `after` names, innermost first.

    `error` is how far that sum is from what the network computed before `after`, as a share of the sum of magnitudes
    of all that is added up, at one position of a picture of noise; None where not all terms are known.
    """

    layer: str
    unit: int
    terms: tuple[SourceTerm, ...]
    constant: float
    after: tuple[str, ...]
    error: float | None

    @property
    def kernels(self) -> tuple[KernelTerm, ...]:
        """The terms that are kernels."""
        return tuple(one for one in self.terms if isinstance(one, KernelTerm))

    @property
    def reads_picture(self) -> bool:
        """Whether its one kernel reads the colours of the picture: a filter of the first layer."""
        return bool(self.kernels) and all(one.layer == PICTURE for kernel in self.kernels for one in kernel.inputs)
