"""Work on many things whose results are kept one by one: what was computed for some is not computed again for more."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

from cache.kept import CachedItems
from interp import progress
from interp.batches import even
from interp.types import Classifier


def each(
    function: Callable[..., Generator[Mapping[int, Any], None, Sequence[Any]]],
    classifier: Classifier,
    context: Sequence[Any],
    items: Sequence[Any],
    size: int,
) -> Generator[dict[int, Any], None, tuple[Any, ...]]:
    """What `function(classifier, *context, items)` gives for each item: from disk, or else in groups of `size`.

    The groups are made equal, so they may be smaller. The function is a generator: it yields values that are not final,
    by the items' places, and returns one for each. A value is kept under the key of the function's call with this item
    alone, as soon as its group is done. Yields all that is there, final or not, by the items' places. Raises what the
    function raises.
    """
    kept, arguments = CachedItems(), (function, classifier, *context)
    found = {place: value for place, item in enumerate(items) for value in kept.find(*arguments, (item,))}
    latest = dict(found)
    yield latest
    missing = [place for place in range(len(items)) if place not in found]
    each_time = even(len(missing), size)
    for start in range(0, len(missing), each_time or 1):
        group = missing[start : start + each_time]
        with closing(function(classifier, *context, tuple(items[place] for place in group))) as steps:
            while True:
                # Around each step anew, as other jobs run in this thread in between.
                with progress.within(start, len(group), len(missing), "Made"):
                    try:
                        changed = next(steps)
                    except StopIteration as stop:
                        done = stop.value
                        break
                if changed:
                    found |= {group[place]: value for place, value in changed.items()}
                    latest = dict(found)
                yield latest
        for place, value in zip(group, done, strict=True):
            kept.keep(value, *arguments, (items[place],))
            found[place] = value
        latest = dict(found)
        yield latest
    return tuple(found[place] for place in range(len(items)))
