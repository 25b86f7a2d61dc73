"""Running a pass: at once, or chunk by chunk, so that what was kept is not computed again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Int

from interp import progress
from interp.batches import read_ahead
from interp.images import ImageSet
from interp.set_pass.work import Chunk, Collecting, Positions, SetPass, chosen_positions
from interp.types import Classifier

Item = TypeVar("Item")
Value = TypeVar("Value")


@runtime_checkable
class ItemStore(Protocol):
    """What was computed before, by the function and its arguments, of which the last is one item, in a tuple."""

    def find(self, function: Callable[..., Any], /, *arguments: Any) -> tuple[Any, ...]:
        """The value of a call's one item, in a tuple, which is empty where nothing is kept."""
        ...

    def keep(self, value: Any, function: Callable[..., Any], /, *arguments: Any) -> None:
        """Keep the value of a call's one item."""
        ...

    def counts(self, function: Callable[..., Any], /, *arguments: Any, items: Sequence[Sequence[Any]]) -> Iterator[int]:
        """Of how many items, of each sequence of them, a value is kept; nothing is read."""
        ...


def of_chunk(
    work: SetPass[Item, Value],
    classifier: Classifier,
    chunk: Chunk,
    items: Sequence[Item],
    batch_size: int | None = None,
    collecting: Collecting | None = None,
) -> Generator[tuple[Value, ...], None, tuple[Value, ...]]:
    """The value of each item for the images of a chunk: yields all so far after each batch.

    The next images are read while the classifier runs on these; two batches of images are held, however many there
    are, and nothing is locked between two batches. Where memory runs out the batch is halved. Values come together in
    `collecting` (None: the work's own).
    """
    collecting = collecting or work.collecting(classifier, items, len(chunk))
    what = work.told(items)

    def read(number: int) -> tuple[int, Any]:
        return number, work.read(classifier, chunk.photos, int(chunk.positions[number]))

    def run(seen: Sequence[tuple[int, Any]]) -> Sequence[Value]:
        with progress.within(seen[0][0], len(seen), len(chunk), what):
            return work.run(classifier, items, chunk.context, [one for _, one in seen])

    size = batch_size or work.batch_size(classifier, items)
    with closing(read_ahead(read, run, len(chunk), size=size, what=what)) as batches:
        for parts in batches:
            collecting.add(parts)
            yield collecting.so_far
    return collecting.so_far


def once(
    work: SetPass[Item, Value],
    classifier: Classifier,
    photos: ImageSet,
    items: Sequence[Item],
    positions: Positions = None,
    *,
    batch_size: int | None = None,
) -> Generator[tuple[Value, ...], None, tuple[Value, ...]]:
    """The value of each item for the images at these positions, as one chunk: nothing is kept.

    Raises `ValueError` for an item that cannot be, and for positions outside the set.
    """
    asked = work.checked(classifier, items)
    chunk = work.part(photos, work.context(classifier, photos), _chosen(work, photos, positions))
    return (yield from of_chunk(work, classifier, chunk, asked, batch_size))


def by_chunks(
    work: SetPass[Item, Any],
    classifier: Classifier,
    photos: ImageSet,
    items: Sequence[Item],
    positions: Positions = None,
    *,
    kept: ItemStore | None = None,
    collecting: Callable[[Classifier, Sequence[Item], int], Collecting] | None = None,
) -> Generator[Any, None, Any]:
    """As `once`, chunk by chunk: interrupted, it goes on where it stopped.

    The value of each item and chunk is kept by itself: of a chunk only the missing items are computed, together, and
    where one file, label or mark of the set has changed, only its chunk is. `collecting` makes what the values come
    together in (None: the work's own). Yields what has come together so far, at least once a chunk, and returns it.
    """
    asked = work.checked(classifier, items)
    chosen = _chosen(work, photos, positions)
    whole = (collecting or work.collecting)(classifier, asked, len(chosen))
    context = work.context(classifier, photos)
    for start, part in chunks(work, chosen):
        chunk = work.part(photos, context, part)
        found = [() if kept is None else kept.find(of_chunk, work, classifier, chunk, (item,)) for item in asked]
        values = {place: value for place, one in enumerate(found) for value in one}
        missing = [place for place in range(len(asked)) if place not in values]
        if missing:
            wanted = tuple(asked[place] for place in missing)
            computed = yield from _steps(
                of_chunk(work, classifier, chunk, wanted), whole, start, len(part), len(chosen)
            )
            for place, value in zip(missing, computed, strict=True):
                values[place] = value
                if kept is not None:
                    kept.keep(value, of_chunk, work, classifier, chunk, (asked[place],))
        else:
            progress.report(start, len(chosen), "Reading what was computed before")
        whole.add([values[place] for place in range(len(asked))])
        yield whole.so_far
    return whole.so_far


def kept_parts(
    work: SetPass[Item, Value],
    classifier: Classifier,
    photos: ImageSet,
    item: Item,
    positions: Positions,
    kept: ItemStore,
    wanted: Sequence[int] | None = None,
) -> Iterator[Value | None]:
    """What `by_chunks` with the same arguments has kept, chunk by chunk; None for a chunk that is not kept.

    `wanted` are images: chunks with none of them are left out. Nothing is computed.
    """
    [asked] = work.checked(classifier, (item,))
    context = work.context(classifier, photos)
    for _, part in chunks(work, _chosen(work, photos, positions)):
        if wanted is None or np.isin(wanted, part).any():
            found = kept.find(of_chunk, work, classifier, work.part(photos, context, part), (asked,))
            yield found[0] if found else None


def returned(steps: Generator[Any, None, Value]) -> Value:
    """What a pass returns, for those who wait."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def _chosen(work: SetPass, photos: ImageSet, positions: Positions) -> Int[np.ndarray, " n"]:
    return work.every_position(photos) if positions is None else chosen_positions(photos, positions)


def chunks(work: SetPass, chosen: Int[np.ndarray, " n"]) -> Iterator[tuple[int, Int[np.ndarray, " m"]]]:
    """The positions chunk by chunk, each with how many came before it."""
    start, length = 0, min(work.chunk, work.first)
    while start < len(chosen):
        yield start, chosen[start : start + length]
        start, length = start + length, min(work.chunk, 2 * length)


def _steps(
    steps: Generator[Any, None, Sequence[Value]], whole: Collecting, start: int, length: int, total: int
) -> Generator[Any, None, Sequence[Value]]:
    """Do the work of one chunk, its reports counted among those of all chunks; gives its values."""
    with closing(steps):
        while True:
            # Around each step anew, as other jobs run in this thread in between.
            with progress.within(start, length, total):
                try:
                    next(steps)
                except StopIteration as stop:
                    return stop.value
            yield whole.so_far
