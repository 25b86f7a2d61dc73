"""Work in batches that fit into memory: out of memory halves the batch and goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

from interp import progress

T = TypeVar("T")
Item = TypeVar("Item")

READERS = min(4, os.cpu_count() or 1)


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


def as_many(photographs: float | int, size: tuple[int, int], most: int = 256) -> int:
    """How many images of this height and width have as many pixels as so many of 224 × 224: from 1 to `most`."""
    height, width = size
    return min(most, max(1, int(photographs * 224 * 224 / (height * width))))


def even(count: int, most: int) -> int:
    """The size of equal groups of at most `most` of `count` items, of which the last may lack a few.

    A last group of few, or of one, would take half as long again for each of its items.
    """
    return -(-count // max(1, -(-count // most)))


def read_ahead(
    read: Callable[[int], Item], function: Callable[[Sequence[Item]], T], count: int, *, size: int, what: str
) -> Generator[T, None, None]:
    """`function` on what `read` gives for 0 to `count` - 1, in consecutive batches, as `batched` makes them.

    The items of the next batch are read, in threads of their own, while the function runs on this one; items of two
    batches are held at most, however many there are. Raises what `read` and `function` raise.
    """
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="decode")
    waiting: dict[int, Future[Item]] = {}

    def run(part: slice) -> T:
        for number in range(part.start, min(part.stop + size, count)):
            if number not in waiting:
                waiting[number] = pool.submit(read, number)
        result = function([waiting[number].result() for number in range(part.start, part.stop)])
        # Only now: where memory runs out, `batched` asks for the same items again.
        for number in range(part.start, part.stop):
            del waiting[number]
        return result

    try:
        yield from batched(run, count, size=size, what=what)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def out_of_memory(error: RuntimeError) -> bool:
    """Whether an error says that the device, or the machine, has no memory left (each backend words it differently)."""
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError) or any(
        sign in text for sign in ("out of memory", "not enough memory", "can't allocate memory")
    )
