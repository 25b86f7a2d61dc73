"""What is counted of a layer's units, and how the values of parts of a set add up to the same bits."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from interp.images import Problem
from interp.models.ground_truth import OwnLabels
from interp.types import Classifier, Images
from interp.units.concepts import KnownConcepts

Value = TypeVar("Value")
DIGITS = 30
"""Sums of real numbers are taken of multiples of 2^-30, so that they are the same in whatever order they are taken."""

WAITING = 2**23
"""How many bytes of values wait to be added up at most: 8 MB. So memory does not grow with the set."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Images of a set that run together: their positions, the class of each one's label (-1: none), what is in each.

    `pixels` are what the classifier sees, in [0, 1].
    """

    positions: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    known: Sequence[KnownConcepts]
    pixels: Float[Tensor, "n c h w"] | None = None
    shared: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def once(self, name: str, make: Callable[[], Value]) -> Value:
        """What counts of several layers, which are counted at the same time, have in common: the first makes it."""
        with self.lock:
            if name not in self.shared:
                self.shared[name] = make()
            return self.shared[name]


@dataclass(frozen=True, eq=False)
class Count(ABC, Generic[Value]):
    """Something that is counted of one layer: an item of `UnitPass`, of its maps (`MapCount`) or not (`ImageCount`).

    Values add up: `merged` gives the same for all images whatever parts they came in.
    """

    layer: str

    def check(self, classifier: Classifier) -> Any:
        """Raise `ValueError` for what cannot be counted, such as of a layer that the classifier does not have."""
        classifier.layer(self.layer)

    @abstractmethod
    def blank(self, classifier: Classifier) -> Value:
        """What is counted in no image."""

    @abstractmethod
    def merged(self, values: Sequence[Value]) -> Value:
        """What is counted in the images of all values, of which there is at least one."""

    def reduced(self, value: Value, so_far: Value) -> Value:
        """What of a value can still count beside what came so far: less to keep until they are merged."""
        return value


@dataclass(frozen=True, eq=False)
class MapCount(Count[Value]):
    """Something that is counted of a layer's maps: those of all layers come from one forward pass.

    With a `rotation`, a seed, not the layer's channels are counted but as many directions at right angles, drawn at
    random: what is no more of a unit than of any direction is found in them, too (Bau et al. 2017).
    """

    rotation: int | None = field(default=None, kw_only=True)

    @abstractmethod
    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> Value:
        """What is counted in some images; several layers are counted at the same time, in threads."""


@dataclass(frozen=True, eq=False)
class PassCount(Count[Value]):
    """Something that is counted of what is computed within a pass, such as what a convolution reads.

    It shares the forward pass of the maps.
    """

    @abstractmethod
    def observers(self, classifier: Classifier, seen: dict[Any, Any]) -> Mapping[int, Callable[[Tensor], None]]:
        """What looks at results of the pass, by their numbers in `recorded`, and keeps in `seen` what it counts of."""

    @abstractmethod
    def of(self, classifier: Classifier, seen: dict[Any, Any], batch: Batch) -> Value:
        """What is counted in some images; several such counts are made at the same time, in threads."""


@dataclass(frozen=True, eq=False)
class ImageCount(Count[Value]):
    """Something for which the network runs anew, such as without some of a layer's units: it does so itself."""

    what: ClassVar[str]
    """What is reported while nothing else is counted."""

    @abstractmethod
    def of(
        self, classifier: Classifier, images: Images, positions: Int[np.ndarray, " n"], labels: OwnLabels
    ) -> Counted[Value]:
        """What is counted in some images, at these positions of the set; those left out are named."""


@dataclass(frozen=True, eq=False)
class Counted(Generic[Value]):
    """The value of one count over `images` images; `problems` are those that were left out, and why."""

    images: int
    value: Value
    problems: tuple[Problem, ...] = ()


class RunningSums:
    """Values as they are added up: often enough to be seen, seldom enough to cost little, and to take little memory."""

    def __init__(self, blanks: Sequence[Counted], items: Sequence[Count], count: int) -> None:
        self._latest, self._items, self._count = tuple(blanks), items, count
        self._waiting: list[Sequence[Counted]] = []

    def add(self, parts: Sequence[Counted]) -> None:
        """Take in further values, one for each item."""
        reduced = [
            replace(one, value=item.reduced(one.value, latest.value))
            for item, one, latest in zip(self._items, parts, self._latest, strict=True)
        ]
        self._waiting.append(reduced)

    @property
    def so_far(self) -> tuple[Counted, ...]:
        """The sums of all that came in, or of half of it at least; of all, once all images have come in."""
        if self._waiting and self._latest:
            had = _seen_by(self._latest[0])
            more = sum(_seen_by(one[0]) for one in self._waiting)
            size = sum(_bytes_of(one.value) for parts in self._waiting for one in parts)
            if more >= had or had + more >= self._count or size >= WAITING:
                self._latest = tuple(
                    _sum(item, [self._latest[place], *(one[place] for one in self._waiting)])
                    for place, item in enumerate(self._items)
                )
                self._waiting = []
        return self._latest


def merged(item: Count[Value], values: Sequence[Counted[Value]]) -> Counted[Value]:
    """The value over the images of all, such as those of the parts of a set. Raises `ValueError` for no value."""
    if not values:
        raise ValueError("No parts are given: there is nothing to put together.")
    return _sum(item, values)


def _sum(item: Count[Value], values: Sequence[Counted[Value]]) -> Counted[Value]:
    some = [one for one in values if one.images] or [values[0]]
    value = some[0].value if len(some) == 1 else item.merged([one.value for one in some])
    problems = tuple(problem for one in values for problem in one.problems)
    return Counted(sum(one.images for one in values), value, problems)


def _seen_by(value: Counted) -> int:
    return value.images + len(value.problems)


def _bytes_of(value: Any) -> int:
    return sum(one.nbytes for one in vars(value).values() if isinstance(one, np.ndarray))


def fixed(values: Float[np.ndarray, ...], digits: int = DIGITS) -> Int[np.ndarray, ...]:
    """Real numbers as whole multiples of 2^-digits."""
    return np.rint(values.astype(np.float64) * 2.0**digits).astype(np.int64)


def real(sums: Int[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """The real numbers that `fixed` gave, or sums of them."""
    return sums.astype(np.float64) * 2.0**-DIGITS
