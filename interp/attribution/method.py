"""What every attribution method is: its parameters, what a reader should know of it, and how it gives maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from interp.passes.target_score import TargetScore
from interp.types import Classifier


@dataclass(frozen=True, eq=False)
class Maps:
    """What a method computes; the fields are those of `interp.types.Heatmaps`."""

    values: Float[Tensor, "n h w"]
    coarse: Float[Tensor, "n u v"] | None = None
    residual: Float[Tensor, " n"] | None = None


@dataclass(frozen=True)
class Method(ABC):
    """An attribution method. Subclasses are frozen dataclasses of its parameters, equal by type and fields.

    The class attributes are for the reader: `title`, whether the values are `signed`, a one-sentence `summary`, the
    `formula` in LaTeX, the `source`, and the `pitfalls`, what the method is known to get wrong.
    """

    title: ClassVar[str]
    signed: ClassVar[bool]
    summary: ClassVar[str]
    formula: ClassVar[str]
    source: ClassVar[str]
    pitfalls: ClassVar[str]

    def check(self, classifier: Classifier) -> None:  # noqa: B027 (most methods run on every classifier)
        """Raise `ValueError`, saying why, where the method cannot run on the classifier.

        Costs at most one forward pass, and that once for each classifier.
        """

    @abstractmethod
    def cost(self, classifier: Classifier) -> float:
        """Passes for one image, in units of one forward and one backward pass; a forward pass alone is 1/3."""

    @abstractmethod
    def maps(self, target_score: TargetScore) -> Maps:
        """The maps of the images."""

    def sharing(self) -> Hashable:
        """Methods whose answers are equal read the same passes, and are computed by one call of `together`."""
        return self

    @classmethod
    def together(cls, target_score: TargetScore, methods: Sequence[Method]) -> list[Maps]:
        """The maps of methods that agree in `sharing`, in their order: where passes are not shared, each for itself."""
        return [method.maps(target_score) for method in methods]


class SharingMethod(Method):
    """A method whose passes serve others as well: subclasses say in `sharing` which, and `together` gives the maps."""

    @abstractmethod
    def sharing(self) -> Hashable:
        """Equal for all the methods that read the same passes."""

    @classmethod
    @abstractmethod
    def together(cls, target_score: TargetScore, methods: Sequence[Method]) -> list[Maps]:
        """The maps of methods that agree in `sharing`, in their order, from the same passes."""

    def maps(self, target_score: TargetScore) -> Maps:
        """The maps of a run of the passes for this method alone."""
        [found] = self.together(target_score, [self])
        return found
