"""What is counted of units over an image set: one pass for everything, whose parts add up to the same bits."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.images import ImageSet, Problem
from interp.models import hooks
from interp.models.ground_truth import OwnLabels
from interp.models.inputs import Input, attempt, positions_of, readable
from interp.passes.grids import on_grid
from interp.passes.recorded import watched
from interp.set_pass import SetPass
from interp.types import Classifier, Images
from interp.units.concepts import ConceptSource, KnownConcepts, known_in
from interp.units.counts import Batch, Count, Counted, ImageCount, MapCount, PassCount, RunningSums, Value, merged
from interp.units.directions import rotated
from interp.units.remembered import Remembered, SparseMaps, Which

COUNTERS = min(4, os.cpu_count() or 1)
BATCH = 32
"""Images that run together at most: the maps of all their layers are held."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """An image that was read, with what is known to be in it (None: it cannot be told); or one that is remembered."""

    input: Input
    known: KnownConcepts | None
    remembered: bool = False


@dataclass(frozen=True)
class UnitPass(SetPass[Count, Counted]):
    """All counts of all layers asked for, from one pass over the images: each image is read once.

    The maps of all layers, and what is computed between them, come from one forward pass (`MapCount`, `PassCount`);
    then counts that run the network themselves do so, one after the other (`ImageCount`). Alone, these cost no other
    forward pass. `concepts` says what is known to be in
    the images, for counts that need it. Values are sums and the strongest few, not rows, so memory does not grow with
    the set, but for what `UnitTally` keeps of it; the values of chunks, in whatever grouping, merge to the same bits.
    An image that cannot be read becomes a problem. Activations that are not numbers end the pass with a `ValueError`.

    With `remembered`, a pass without concepts leaves there what the next, with concepts, then need not run again; what
    is counted is the same. That next pass takes counts of maps alone: for others every image has to be run.
    """

    first: int = 32
    concepts: ConceptSource | None = None
    remembered: Remembered = field(default_factory=Remembered, compare=False)

    what = "Counting what units do"

    def told(self, items: Sequence[Count]) -> str:
        """What is reported: the counting, or what the network is run for, where nothing else is counted."""
        said = {one.what if isinstance(one, ImageCount) else self.what for one in items}
        return said.pop() if len(said) == 1 else self.what

    def batch_size(self, classifier: Classifier, items: Sequence[Count]) -> int:
        """How many images are run together at most."""
        return min(BATCH, super().batch_size(classifier, items))

    def checked(self, classifier: Classifier, items: Sequence[Count]) -> tuple[Count, ...]:
        """The counts, if the classifier has what they are of. Raises `ValueError` for one that cannot be."""
        for one in items:
            one.check(classifier)
        if self.concepts is not None and self.remembered.source is not None:
            _of_maps_only(items)
        return tuple(items)

    def context(self, classifier: Classifier, photos: ImageSet) -> OwnLabels:
        """The classes of the images' labels."""
        if not classifier.labels:
            return OwnLabels(np.full(len(photos), -1, np.int32))
        return OwnLabels.of(classifier, photos)

    def rests_on(self, photos: ImageSet, context: OwnLabels, positions: Int[np.ndarray, " m"]) -> str:
        """A digest of the images' classes, and of their marks where concepts are counted."""
        marks = "" if self.concepts is None else photos.marks_fingerprint_of(positions)
        return f"{context.fingerprint_of(positions)} {marks}"

    def read(self, classifier: Classifier, photos: ImageSet, position: int) -> _Seen:
        """The image as the classifier sees it, with the concepts in it."""
        if self.concepts is not None:
            if position in self.remembered:
                blank = Input(position, photos.names[position], None)
                return _Seen(blank, self.remembered.known(position), remembered=True)
            return _Seen(*known_in(classifier, photos, position, self.concepts))
        if self.remembered.source is not None:
            found, known = known_in(classifier, photos, position, self.remembered.source)
            if found.pixels is not None:
                return _Seen(found, known)
        return _Seen(attempt(classifier, photos, position), None)

    def run(
        self, classifier: Classifier, items: Sequence[Count], context: OwnLabels, seen: Sequence[_Seen]
    ) -> Sequence[Counted]:
        """The values of some images."""
        recalled = [one for one in seen if one.remembered]
        if not recalled:
            return self._run(classifier, items, context, seen)
        again = [one for one in seen if not one.remembered]
        both = [self._recalled(classifier, _of_maps_only(items), context, recalled)]
        if again:
            both.append(self._run(classifier, items, context, again))
        return [merged(item, [one[place] for one in both]) for place, item in enumerate(items)]

    def _recalled(
        self, classifier: Classifier, items: Sequence[MapCount], context: OwnLabels, seen: Sequence[_Seen]
    ) -> Sequence[Counted]:
        batch, recalled = _batch(seen, context), self.remembered.maps

        def count(item: MapCount) -> Any:
            return item.of(classifier, recalled((item.layer, item.rotation), batch.positions), batch)

        return [Counted(len(seen), value) for value in _at_once(count, items)]

    def _run(
        self, classifier: Classifier, items: Sequence[Count], context: OwnLabels, seen: Sequence[_Seen]
    ) -> Sequence[Counted]:
        images, _, problems = readable(classifier, [one.input for one in seen])
        if images is None:
            return [self.blank(classifier, item, problems) for item in items]
        read = [one for one in seen if one.input.pixels is not None]
        of_pass = [item for item in items if isinstance(item, MapCount | PassCount)]
        found = self._of_pass(classifier, of_pass, context, images, read)
        counted: dict[Count, Counted] = dict(zip(of_pass, found, strict=True))
        # In this thread, and after the others: they run the network, with all cores.
        for item in items:
            if isinstance(item, ImageCount):
                counted[item] = item.of(classifier, images, positions_of([one.input for one in read]), context)
        return [replace(counted[item], problems=problems + counted[item].problems) for item in items]

    def _of_pass(
        self,
        classifier: Classifier,
        items: Sequence[MapCount | PassCount],
        context: OwnLabels,
        images: Images,
        read: Sequence[_Seen],
    ) -> Sequence[Counted]:
        if not items:
            return []
        batch, maps = _batch(read, context, images.pixels), dict[str, Tensor]()
        remembering = self.concepts is None and self.remembered.source is not None
        found: dict[Which, list[SparseMaps]] = {}
        seen: dict[PassCount, dict[Any, Any]] = {item: {} for item in items if isinstance(item, PassCount)}

        def keep(layer: str, output: Tensor) -> None:
            maps[layer] = _copied(on_grid(output.detach(), classifier.layer(layer)).float())

        def count(item: MapCount | PassCount) -> Any:
            if isinstance(item, PassCount):
                return item.of(classifier, seen[item], batch)
            own = maps[item.layer]
            own = own if item.rotation is None else rotated(own, item.rotation)
            if remembering:
                found[item.layer, item.rotation] = self.remembered.sparse((item.layer, item.rotation), own)
            return item.of(classifier, own, batch)

        layers = dict.fromkeys(one.layer for one in items if isinstance(one, MapCount))
        observers = {layer: partial(keep, layer) for layer in layers}
        with ExitStack() as entered:
            entered.enter_context(torch.no_grad())
            entered.enter_context(hooks.observed(classifier, observers))
            if seen:
                entered.enter_context(watched(classifier, _together(classifier, seen)))
            classifier.module(images.pixels)
        for layer, own in maps.items():
            _require_numbers(classifier, layer, own, images.names)
        values = _at_once(count, items)
        if remembering:
            self.remembered.take([one.input for one in read], [one.known for one in read], found)
        return [Counted(len(images), value) for value in values]

    def blank(self, classifier: Classifier, item: Count, problems: tuple[Problem, ...] = ()) -> Counted:
        """The value of no image."""
        return Counted(0, item.blank(classifier), problems)

    def collecting(self, classifier: Classifier, items: Sequence[Count], count: int) -> RunningSums:
        """What adds the values up."""
        return RunningSums([self.blank(classifier, item) for item in items], items, count)


def _of_maps_only(items: Sequence[Count]) -> list[MapCount]:
    """The items. Raises `ValueError` for one that is not of maps."""
    found = [one for one in items if isinstance(one, MapCount)]
    if len(found) < len(items):
        raise ValueError(
            "What needs the network to run cannot be counted of images that are only remembered: count it in the pass "
            "that remembers them."
        )
    return found


def _together(classifier: Classifier, seen: Mapping[PassCount, dict[Any, Any]]) -> dict[int, Callable[[Tensor], None]]:
    """The observers of all counts as one of each result: the pass is followed once."""
    asked: dict[int, list[Callable[[Tensor], None]]] = {}
    for item, own in seen.items():
        for number, observer in item.observers(classifier, own).items():
            asked.setdefault(number, []).append(observer)

    def each(observers: Sequence[Callable[[Tensor], None]], values: Tensor) -> None:
        for observer in observers:
            observer(values)

    return {number: partial(each, observers) for number, observers in asked.items()}


def _at_once(count: Callable[[Any], Value], items: Sequence[Count]) -> list[Value]:
    """Each item's value, in threads: most of the work is in loops that let others run."""
    return list(_counters().map(count, items))


@cache
def _counters() -> ThreadPoolExecutor:
    """The same threads for every batch, as each new one would keep freed memory of its own."""
    return ThreadPoolExecutor(COUNTERS, thread_name_prefix="count")


def _batch(seen: Sequence[_Seen], context: OwnLabels, pixels: Tensor | None = None) -> Batch:
    positions = positions_of([one.input for one in seen])
    # Where classes do not exclude each other an image is of none.
    none = np.full(len(positions), -1, np.int32)
    labels = none if context.indices is None else context.indices[positions]
    return Batch(positions, labels, [one.known or KnownConcepts() for one in seen], pixels=pixels)


def _copied(maps: Float[Tensor, "n k u v"]) -> Float[Tensor, "n k u v"]:
    """A copy, as what follows may write over the maps, with the values of each map side by side."""
    copy = torch.empty(maps.shape, dtype=maps.dtype, device=maps.device)
    if maps.device.type != "cpu" or maps.is_contiguous() or not maps.is_contiguous(memory_format=torch.channels_last):
        return copy.copy_(maps)
    # Matrix by matrix, which PyTorch turns round in blocks: three times as fast as all at once.
    for own, one in zip(copy.flatten(2), maps.permute(0, 2, 3, 1).flatten(1, 2), strict=True):
        own.copy_(one.t())
    return copy


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
