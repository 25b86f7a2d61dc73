"""Results in memory, the least recently used going first when they pass a number of bytes."""

from __future__ import annotations

import itertools
import sys
import threading
import types
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from interp import settings

MISSING = object()


class Memory:
    """Values by key, up to LOUPE_MEMORY_MB (2048) megabytes of them; safe from any thread. Values are not copied."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = megabytes("LOUPE_MEMORY_MB") if limit is None else limit
        self._values: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """The value, or `MISSING`."""
        with self._lock:
            if key not in self._values:
                return MISSING
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: str, value: Any) -> None:
        """Keep a value. The newest is always kept, even one that alone is larger than the limit."""
        size = size_of(value)
        with self._lock:
            self._drop(key)
            self._values[key] = (value, size)
            self._size += size
            while self._size > self._limit and len(self._values) > 1:
                self._drop(next(iter(self._values)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._size = 0

    def _drop(self, key: str) -> None:
        if key in self._values:
            self._size -= self._values.pop(key)[1]


def megabytes(variable: str) -> int:
    """The bytes of as many megabytes as an environment variable says, or as it is by default."""
    return int(settings.number(variable) * 2**20)


def size_of(value: Any) -> int:
    """About how many bytes a value holds on to, each object counted once, whatever it is nested in."""
    seen: set[int] = set()
    waiting = [value]
    total = 0
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            total += _own_size(one)
            waiting.extend(_parts(one))
    return total


def _own_size(value: Any) -> int:
    if isinstance(value, torch.Tensor) and value.layout == torch.strided:
        # A view keeps all of what it is a view of.
        return value.untyped_storage().nbytes()
    if isinstance(value, np.ndarray):
        return value.base.nbytes if isinstance(value.base, np.ndarray) else value.nbytes
    if isinstance(value, Image.Image):
        return value.width * value.height * len(value.getbands())
    return sys.getsizeof(value, 64)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, str | bytes | int | float | torch.Tensor | np.ndarray | Image.Image | type):
        return ()
    if isinstance(value, types.FunctionType | types.ModuleType | types.MethodType):
        return ()
    if isinstance(value, Mapping):
        return itertools.chain(value.keys(), value.values())
    if isinstance(value, tuple | list | set | frozenset):
        return value
    if isinstance(value, torch.nn.Module):
        return itertools.chain(value.parameters(), value.buffers())
    return getattr(value, "__dict__", {}).values()
