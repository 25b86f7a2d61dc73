"""Results in memory, and how many bytes they hold on to."""

from __future__ import annotations

import itertools
import sys
import types
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from interp import settings
from interp.least_recent import LeastRecent

MISSING = object()


class Memory(LeastRecent):
    """Values by key, up to LOUPE_MEMORY_MB (2048) megabytes of them, or another number of bytes."""

    def __init__(self, limit: int | None = None) -> None:
        super().__init__(megabytes("LOUPE_MEMORY_MB") if limit is None else limit, size_of)

    def get(self, key: Hashable, default: Any = MISSING) -> Any:
        """The value, or `MISSING`."""
        return super().get(key, default)


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
