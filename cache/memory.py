"""Results in memory, the least recently used going first when they pass a number of bytes."""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

MISSING = object()


class Memory:
    """Values by key, up to LOUPE_MEMORY_MB (2048) megabytes of them; safe from any thread. Values are not copied."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = int(os.environ.get("LOUPE_MEMORY_MB", "2048")) << 20 if limit is None else limit
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


def size_of(value: Any) -> int:
    """About how many bytes a value holds on to: arrays, modules, text, and what is nested in containers."""
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, torch.nn.Module):
        return sum(size_of(one) for one in (*value.parameters(), *value.buffers()))
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Image.Image):
        return value.width * value.height * len(value.getbands())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return 64 + sum(size_of(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return 64 + sum(size_of(name) + size_of(one) for name, one in value.items())
    if isinstance(value, tuple | list | set | frozenset):
        return 64 + sum(size_of(one) for one in value)
    return sys.getsizeof(value, 64)
