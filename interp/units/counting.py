"""What is counted of units over an image set: one pass for everything, whose parts add up to the same bits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.images import ImageSet, Problem
from interp.models import hooks
from interp.models.inputs import Input, attempt, positions_of, readable
from interp.models.labels import match_set
from interp.passes.grids import on_grid
from interp.set_pass import SetPass
from interp.types import Classifier, digest
from interp.units.concepts import ConceptSource, KnownConcepts, known_in
from interp.units.remembered import Remembered, SparseMaps, Which

Value = TypeVar("Value")
DIGITS = 30
"""Sums of real numbers are taken of multiples of 2^-30, so that they are the same in whatever order they are taken."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Images of a set that run together: their positions, the class of each one's label (-1: none), what is in each.

    `shared` is for what counts of several layers have in common, so that it is made once; `pixels` are what the
    classifier sees, in [0, 1].
    """

    positions: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    known: Sequence[KnownConcepts]
    shared: dict[str, Any] = field(default_factory=dict)
    pixels: Float[Tensor, "n c h w"] | None = None


@dataclass(frozen=True, eq=False)
class Count(ABC, Generic[Value]):
    """Something that is counted of one layer: an item of `UnitPass`.

    Values add up: `merged` gives the same for all images whatever parts they came in. With a `rotation`, a seed, not
    the layer's channels are counted but as many directions at right angles, drawn at random: what is no more of a unit
    than of any direction is found in them, too (Bau et al. 2017).
    """

    layer: str
    rotation: int | None = field(default=None, kw_only=True)

    @abstractmethod
    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> Value:
        """What is counted in some images."""

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
class Counted(Generic[Value]):
    """The value of one count over `images` images; `problems` are those that were left out, and why."""

    images: int
    value: Value
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, eq=False)
class _Seen:
    """An image that was read, with what is known to be in it (None: it cannot be told); or one that is remembered."""

    input: Input
    known: KnownConcepts | None
    remembered: bool = False


@dataclass(frozen=True)
class UnitPass(SetPass[Count, Counted]):
    """All counts of all layers asked for, from one forward pass over the images: each image is read once.

    `concepts` says what is known to be in them, for counts that need it. Values are sums and the strongest few, not
    rows, so memory does not grow with the set, but for what `UnitTally` keeps of it; the values of chunks, in whatever
    grouping, merge to the same bits. An image that cannot be read becomes a problem. Activations that are not numbers
    end the pass with a `ValueError`.

    With `remembered`, a pass without concepts leaves there what the next, with concepts, then need not run again; what
    is counted is the same.
    """

    first: int = 32
    concepts: ConceptSource | None = None
    remembered: Remembered | None = field(default=None, compare=False)

    what = "Counting what units do"

    @property
    def fingerprint(self) -> str:
        """A digest of what the values rest on."""
        return digest(self.chunk, self.first, self.concepts)

    def checked(self, classifier: Classifier, items: Sequence[Count]) -> tuple[Count, ...]:
        """The counts, if the classifier has their layers."""
        for one in items:
            classifier.layer(one.layer)
        return tuple(items)

    def context(self, classifier: Classifier, photos: ImageSet) -> Int[np.ndarray, " n"]:
        """The class of each image's label; -1 where it has none, or classes do not exclude each other."""
        if classifier.multi_label or not classifier.labels:
            return np.full(len(photos), -1, np.int32)
        indices = match_set(classifier, photos).indices
        return np.array([-1 if one is None else one for one in indices], np.int32)

    def rests_on(self, photos: ImageSet, context: Int[np.ndarray, " n"], positions: Int[np.ndarray, " m"]) -> str:
        """A digest of the images' classes, and of their marks where concepts are counted."""
        marks = "" if self.concepts is None else photos.marks_fingerprint_of(positions)
        return f"{digest(context[positions])} {marks}"

    def read(self, classifier: Classifier, photos: ImageSet, position: int) -> _Seen:
        """The image as the classifier sees it, with the concepts in it."""
        if self.concepts is not None:
            if self.remembered is not None and position in self.remembered:
                blank = Input(position, photos.names[position], None)
                return _Seen(blank, self.remembered.known(position), remembered=True)
            return _Seen(*known_in(classifier, photos, position, self.concepts))
        if self.remembered is not None:
            found, known = known_in(classifier, photos, position, self.remembered.source)
            if found.pixels is not None:
                return _Seen(found, known)
        return _Seen(attempt(classifier, photos, position), None)

    def run(
        self, classifier: Classifier, items: Sequence[Count], context: Int[np.ndarray, " n"], seen: Sequence[_Seen]
    ) -> Sequence[Counted]:
        """The values of some images."""
        recalled = [one for one in seen if one.remembered]
        if not recalled:
            return self._run(classifier, items, context, seen)
        again = [one for one in seen if not one.remembered]
        both = [self._recalled(classifier, items, context, recalled)]
        if again:
            both.append(self._run(classifier, items, context, again))
        return [merged(item, [one[place] for one in both]) for place, item in enumerate(items)]

    def _recalled(
        self, classifier: Classifier, items: Sequence[Count], context: Int[np.ndarray, " n"], seen: Sequence[_Seen]
    ) -> Sequence[Counted]:
        assert self.remembered is not None
        batch = _batch(seen, context)
        return [
            Counted(
                len(seen),
                item.of(classifier, self.remembered.maps((item.layer, item.rotation), batch.positions), batch),
            )
            for item in items
        ]

    def _run(
        self, classifier: Classifier, items: Sequence[Count], context: Int[np.ndarray, " n"], seen: Sequence[_Seen]
    ) -> Sequence[Counted]:
        images, _, problems = readable(classifier, [one.input for one in seen])
        if images is None:
            return [self.blank(classifier, item, problems) for item in items]
        read = [one for one in seen if one.input.pixels is not None]
        batch = _batch(read, context, images.pixels)
        values, found = dict[int, Any](), dict[Which, list[SparseMaps]]()
        remembering = self.remembered if self.concepts is None else None

        def count(layer: str, output: Tensor) -> None:
            # As soon as it is there, so that nothing is copied or held.
            maps = on_grid(output.detach(), classifier.layer(layer)).float().contiguous()
            _require_numbers(classifier, layer, maps, images.names)
            for place, item in enumerate(items):
                if item.layer == layer:
                    turned = maps if item.rotation is None else rotated(maps, item.rotation)
                    values[place] = item.of(classifier, turned, batch)
                    if remembering is not None:
                        found[layer, item.rotation] = remembering.sparse((layer, item.rotation), turned)

        observers = {layer: partial(count, layer) for layer in dict.fromkeys(one.layer for one in items)}
        with ExitStack() as entered:
            entered.enter_context(torch.no_grad())
            entered.enter_context(hooks.observed(classifier, observers))
            classifier.module(images.pixels)
        if remembering is not None:
            remembering.take([one.input for one in read], [one.known for one in read], found)
        return [Counted(len(images), values[place], problems) for place in range(len(items))]

    def blank(self, classifier: Classifier, item: Count, problems: tuple[Problem, ...] = ()) -> Counted:
        """The value of no image."""
        return Counted(0, item.blank(classifier), problems)

    def collecting(self, classifier: Classifier, items: Sequence[Count], count: int) -> RunningSums:
        """What adds the values up."""
        return RunningSums([self.blank(classifier, item) for item in items], items, count)


class RunningSums:
    """Values as they are added up: often enough to be seen, seldom enough to cost little."""

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
            if more >= had or had + more >= self._count:
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


def _batch(seen: Sequence[_Seen], context: Int[np.ndarray, " n"], pixels: Tensor | None = None) -> Batch:
    positions = positions_of([one.input for one in seen])
    return Batch(positions, context[positions], [one.known or KnownConcepts() for one in seen], pixels=pixels)


def _seen_by(value: Counted) -> int:
    return value.images + len(value.problems)


def _require_numbers(classifier: Classifier, layer: str, maps: Tensor, names: Sequence[str]) -> None:
    # A sum is finite only where every term is, and takes one pass over the numbers instead of two.
    if bool(maps.sum().isfinite()):
        return
    finite = maps.isfinite().flatten(1).all(dim=1)
    if not bool(finite.all()):
        name = names[int(finite.int().argmin())]
        raise ValueError(
            f"{classifier.name} gave activations at {layer} that are not numbers for {name}: its weights, or its "
            "precision, do not suit this image. Check the weights, or load it with precision float32."
        )


def rotated(maps: Float[Tensor, "n k u v"], seed: int) -> Float[Tensor, "n k u v"]:
    """The maps of as many directions at right angles as there are channels, drawn at random from the seed."""
    return torch.einsum("jk,nkuv->njuv", basis(maps.shape[1], seed).to(maps), maps)


def basis(channels: int, seed: int) -> Float[Tensor, "k k"]:
    """Directions at right angles, one in each row, uniformly drawn from the seed (Stewart 1980)."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    directions, triangle = torch.linalg.qr(drawn)
    # Without this the signs of a QR decomposition would prefer some rotations.
    return (directions * triangle.diagonal().sign()).T.float()


def fixed(values: Float[np.ndarray, ...]) -> Int[np.ndarray, ...]:
    """Real numbers as whole multiples of 2^-30."""
    return np.rint(values.astype(np.float64) * 2.0**DIGITS).astype(np.int64)


def real(sums: Int[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """The real numbers that `fixed` gave, or sums of them."""
    return sums.astype(np.float64) * 2.0**-DIGITS
