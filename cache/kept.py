"""What is kept of the parts of long work, each under the key of a call of its own.

A page asks for `cache.call(set_pass.by_chunks, work, classifier, photos, items, kept=cache.CachedItems())`, with
`disk=False`, as the parts are on disk already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from cache import prepared, queues, store
from cache.keys import call, keys
from cache.memory import MISSING


@dataclass(frozen=True)
class CachedItems:
    """What was computed before, for work that knows no more of the cache than this.

    The last argument of a call is one item, in a tuple, and its result is one value, in a tuple: what work on several
    items gives is kept item by item. It is kept on disk, or, where it holds for this run only, in memory.
    """

    def find(self, function: Callable[..., Any], /, *arguments: Any) -> tuple[Any, ...]:
        """The value of a call's one item, in a tuple, which is empty where nothing is kept."""
        asked = call(function, *arguments)
        found = queues.memory.get(asked.key) if asked.passing else prepared.kept(asked)
        return () if found is MISSING else found[0]

    def keep(self, value: Any, function: Callable[..., Any], /, *arguments: Any) -> None:
        """Keep the value of a call's one item, in the form in which the queue keeps the result of the same call."""
        asked = call(function, *arguments)
        if asked.passing:
            queues.memory.put(asked.key, ((value,), ()))
            return
        store.default().keep(asked.key, ((value,), ()), asked.title)
        prepared.note(asked, ((value,), ()))

    def counts(self, function: Callable[..., Any], /, *arguments: Any, items: Sequence[Sequence[Any]]) -> Iterator[int]:
        """Of how many items, of each sequence of them, a value is kept or was prepared: by names alone, in no time."""
        there: set[str] = set()
        with suppress(OSError):
            there = {path.stem for path in store.default().folder.glob(f"*{store.SUFFIX}")}
        for some in items:
            made = prepared.there(function, arguments, some)
            wanted = keys(function, *arguments, last=((one,) for one in some)) if there else []
            yield sum(one or key in there for one, key in zip_longest(made, wanted))


def moment() -> int:
    """A number that changes when something is put on disk or taken from there."""
    try:
        return store.default().folder.stat().st_mtime_ns
    except OSError:
        return 0
