"""What a classifier said of pictures before: where one file of a set changes, the others are not predicted again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

import numpy as np
from jaxtyping import Float

LARGEST = 64 << 20
"""How many bytes of probabilities are kept in this process."""

Known = tuple[Float[np.ndarray, " k"], tuple[str, ...]]
"""The probabilities of all classes for a picture, and what was guessed or changed in reading it."""


class Shares:
    """The probabilities of pictures, by what tells a picture and a classifier; the least recently used go first."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._held: OrderedDict[Hashable, Known] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Known | None:
        """What is known under the key."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: Hashable, known: Known) -> None:
        """Keep it, unless it alone is too large."""
        size = known[0].nbytes
        if size > self._largest:
            return
        with self._lock:
            if key not in self._held:
                self._bytes += size
            self._held[key] = known
            while self._bytes > self._largest:
                _, (gone, _) = self._held.popitem(last=False)
                self._bytes -= gone.nbytes

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._held.clear()
            self._bytes = 0


KNOWN = Shares()
