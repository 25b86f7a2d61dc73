"""Values in memory, the least recently used going first when they pass a number of bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from operator import itemgetter
from typing import Any

from cachetools import LRUCache


class LeastRecent:
    """Values by key, up to `limit` bytes of them as `size_of` counts; safe from any thread. Values are not copied."""

    def __init__(self, limit: int, size_of: Callable[[Any], int]) -> None:
        self._held: LRUCache = LRUCache(max(1, limit), getsizeof=itemgetter(1))
        self._size_of = size_of
        self._lock = threading.Lock()

    def get(self, key: Hashable, default: Any = None) -> Any:
        """The value, or the default where there is none."""
        with self._lock:
            return self._held.get(key, (default,))[0]

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a value. The newest is always kept, even one that alone is larger than the limit."""
        size = max(1, self._size_of(value))
        with self._lock:
            self._held[key] = value, min(size, int(self._held.maxsize))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
