"""Long work over an image set, kept chunk by chunk: interrupted, it goes on where it stopped.

A page asks for `cache.call(chunks.gathered, embedding.extract, embedding.Rows, classifier, photos, representations)`,
with `disk=False`, as the chunks are on disk already.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from typing import Any, Protocol

import numpy as np

from cache import store
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
) -> Generator[Any, None, Any]:
    """What a function gives for the images at these positions (None: all), in chunks of `size`, from disk where kept.

    `function(classifier, photos, items, positions)` gives one value for each item (a layer, a method), or is a
    generator that returns them; its yields let other jobs go first. Each value is kept under the key of its own call,
    with this item alone: of a chunk only the missing items are computed, together. Give items that mean the same in
    one form, such as `Representation.resolved` has. Yields what has come together so far, at least once a chunk, and
    returns the whole. Raises what the function and `gathering` raise.
    """
    given = np.arange(len(photos)) if positions is None else np.asarray(positions)
    chosen = given.astype(np.int64) if given.dtype.kind in "iu" else given
    whole = gathering(classifier, items, len(chosen))
    for start in range(0, len(chosen), size):
        chunk = chosen[start : start + size]
        asked = [call(function, classifier, photos, (item,), chunk) for item in items]
        values = [_kept(one) for one in asked]
        missing = [place for place, value in enumerate(values) if value is MISSING]
        if missing:
            work = partial(function, classifier, photos, tuple(items[place] for place in missing), chunk)
            computed = yield from _steps(work, whole, partial(progress.within, start, len(chunk), len(chosen)))
            for place, value in zip(missing, computed, strict=True):
                _keep(asked[place], value)
                values[place] = value
        else:
            progress.report(start, len(chosen), "Reading what was computed before")
        whole.add(values)
        yield whole.so_far
    return whole.so_far


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


def _kept(asked: Call) -> Any:
    found = store.default().get(asked.key)
    return found if found is MISSING else found[0][0]


def _keep(asked: Call, value: Any) -> None:
    """Keep one item's value in the form in which the queue keeps the result of the same call."""
    try:
        store.default().put(asked.key, ((value,), ()), asked.title)
    except (OSError, ValueError) as error:
        progress.remark(f"What was computed could not be kept on disk, and will be computed again: {error}")
