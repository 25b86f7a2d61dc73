"""Work in batches that fit into memory: out of memory halves the batch and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

from interp import progress

T = TypeVar("T")


def batched(function: Callable[[slice], T], count: int, *, size: int, what: str) -> Iterator[T]:
    """`function` on consecutive slices of at most `size` of `count` items, in order, reporting as it goes.

    Where memory runs out the slice is tried again at half the size, which then stays; with a single item it is raised.
    """
    done = 0
    while done < count:
        progress.report(done, count, what)
        part = slice(done, min(done + size, count))
        try:
            result = function(part)
        except RuntimeError as error:
            if not out_of_memory(error) or size == 1:
                raise
            size = max(1, min(size, count - done) // 2)
            torch.cuda.empty_cache()
            progress.remark(f"Memory ran short: {what} goes on in batches of {size}.")
            continue
        done = part.stop
        yield result
    progress.report(count, count, what)


def out_of_memory(error: RuntimeError) -> bool:
    """Whether an error says that the device, or the machine, has no memory left (each backend words it differently)."""
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError) or any(
        sign in text for sign in ("out of memory", "not enough memory", "can't allocate memory")
    )
