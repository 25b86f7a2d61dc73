"""Long work over an image set, kept chunk by chunk: interrupted, it goes on where it stopped.

A page asks for `cache.call(chunks.gathered, embedding.extract, embedding.Rows, classifier, photos, representations)`,
with `disk=False`, as the chunks are on disk already.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from typing import Any, Protocol

import numpy as np

from cache import queues, store
from cache.keys import Call, call
from cache.memory import MISSING
from interp import progress
from interp.images import ImageSet
from interp.types import Classifier

CHUNK = 256


class Gathering(Protocol):
    """What the values of the chunks come together in; made from the classifier, the items, and how many images."""

    def add(self, parts: Sequence[Any]) -> None:
        """Take in the values of the next chunk, one for each item."""

    @property
    def so_far(self) -> Any:
        """All that came in."""


def gathered(
    function: Callable[..., Any],
    gathering: Callable[[Classifier, Sequence[Any], int], Gathering],
    classifier: Classifier,
    photos: ImageSet,
    items: Sequence[Any],
    positions: Sequence[int] | np.ndarray | None = None,
    size: int = CHUNK,
    first: int | None = None,
) -> Generator[Any, None, Any]:
    """What a function gives for the images at these positions (None: all), in chunks of `size`, from disk where kept.

    With `first` the first chunk has only so many images, so that something is there soon, and each further chunk has
    twice as many as the one before, up to `size`.
    `function(classifier, photos, items, positions)` gives one value for each item (a layer, a method), or is a
    generator that returns them; its yields let other jobs go first. Each value is kept under the key of its own call,
    with this item alone: of a chunk only the missing items are computed, together. Give items that mean the same in
    one form, such as `Representation.resolved` has. Yields what has come together so far, at least once a chunk, and
    returns the whole. Raises what the function and `gathering` raise.
    """
    chosen = _chosen(photos, positions)
    whole = gathering(classifier, items, len(chosen))
    for start, chunk in _chunks(chosen, size, first):
        asked = [call(function, classifier, photos, (item,), chunk) for item in items]
        values = [stored(one) for one in asked]
        missing = [place for place, value in enumerate(values) if value is MISSING]
        if missing:
            work = partial(function, classifier, photos, tuple(items[place] for place in missing), chunk)
            computed = yield from _steps(work, whole, partial(progress.within, start, len(chunk), len(chosen)))
            for place, value in zip(missing, computed, strict=True):
                keep(asked[place], value)
                values[place] = value
        else:
            progress.report(start, len(chosen), "Reading what was computed before")
        whole.add(values)
        yield whole.so_far
    return whole.so_far


def kept(
    function: Callable[..., Any],
    classifier: Classifier,
    photos: ImageSet,
    item: Any,
    positions: Sequence[int] | np.ndarray | None,
    wanted: Sequence[int],
    size: int = CHUNK,
    first: int | None = None,
) -> list[Any]:
    """What `gathered` has kept of some images: of each chunk that holds one of them, `value.at(wanted)`.

    The arguments are those that `gathered` was given, with one of its items. Nothing is computed: a chunk that is not
    on disk is left out. The largest of what is read at once is one chunk.
    """
    found = []
    for _, chunk in _chunks(_chosen(photos, positions), size, first):
        inside = [one for one in wanted if one in chunk]
        if inside:
            value = stored(call(function, classifier, photos, (item,), chunk))
            if value is not MISSING:
                found.append(value.at(inside))
    return found


def whole(
    function: Callable[..., Any],
    gathering: Callable[[Classifier, Sequence[Any], int], Gathering],
    classifier: Classifier,
    photos: ImageSet,
    item: Any,
    positions: Sequence[int] | np.ndarray | None = None,
    size: int = CHUNK,
    first: int | None = None,
) -> Any:
    """What `gathered` with the same arguments and this item alone returns, or `MISSING` where a chunk is not kept.

    Nothing is computed.
    """
    chosen = _chosen(photos, positions)
    found = gathering(classifier, (item,), len(chosen))
    for _, chunk in _chunks(chosen, size, first):
        value = stored(call(function, classifier, photos, (item,), chunk))
        if value is MISSING:
            return MISSING
        found.add((value,))
    return found.so_far


def _chosen(photos: ImageSet, positions: Sequence[int] | np.ndarray | None) -> np.ndarray:
    given = np.arange(len(photos)) if positions is None else np.asarray(positions)
    return given.astype(np.int64) if given.dtype.kind in "iu" else given


def _chunks(chosen: np.ndarray, size: int, first: int | None) -> Iterator[tuple[int, np.ndarray]]:
    """The positions chunk by chunk, each with how many came before it."""
    start, length = 0, min(size, first or size)
    while start < len(chosen):
        yield start, chosen[start : start + length]
        start, length = start + length, min(size, 2 * length)


def _steps(
    work: Callable[[], Any], whole: Gathering, counted: Callable[[], AbstractContextManager[None]]
) -> Generator[Any, None, Sequence[Any]]:
    """Do the work of one chunk, its reports `counted` among those of all chunks; gives its values."""
    # Around each step anew, as other jobs run in this thread in between.
    with counted():
        begun = work()
    if not isinstance(begun, Generator):
        return begun
    with closing(begun):
        while True:
            with counted():
                try:
                    next(begun)
                except StopIteration as stop:
                    return stop.value
            yield whole.so_far


def stored(asked: Call) -> Any:
    """What is kept of a call, `MISSING` where there is nothing.

    It is kept on disk, or, where it holds for this run only, in memory.
    """
    found = queues.memory.get(asked.key) if asked.passing else store.default().get(asked.key)
    return found if found is MISSING else found[0][0]


def keep(asked: Call, value: Any) -> None:
    """Put one item's value where `stored` looks, in the form in which the queue keeps the result of the same call."""
    if asked.passing:
        queues.memory.put(asked.key, ((value,), ()))
        return
    store.default().keep(asked.key, ((value,), ()), asked.title)
