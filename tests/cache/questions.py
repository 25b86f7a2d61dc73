"""Functions to ask for: they count, wait, yield and fail as the tests want."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from cache import call, forget, get, trouble
from cache.store import Store
from interp import progress
from interp.types import Heatmaps, Target

log: list[str] = []
gate = threading.Event()


def square(number: float) -> float:
    log.append(f"square {number}")
    return number * number


def slow_square(number: float) -> float:
    log.append(f"square {number}")
    time.sleep(0.05)
    return number * number


def parts(name: str, count: int, pause: float = 0.0) -> Iterator[str]:
    try:
        for number in range(count):
            progress.report(number, count, "Counting")
            log.append(f"{name}{number}")
            time.sleep(pause)
            yield f"{name}{number}"
    finally:
        log.append(f"{name} over")


def gated(name: str, count: int) -> Iterator[str]:
    gate.wait(10)
    yield from parts(name, count)


def summed(count: int):
    total = 0
    for number in range(count):
        total += number
        yield number
    return total


def endless(name: str) -> None:
    try:
        while True:
            progress.report(0, 0, "Working")
            time.sleep(0.002)
    finally:
        log.append(f"{name} over")


def fails(text: str) -> None:
    log.append("fails")
    raise ValueError(text)


def out_of_memory() -> None:
    raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 10 bytes.")


def without_gradients(count: int) -> Iterator[bool]:
    with torch.no_grad():
        for _ in range(count):
            yield torch.is_grad_enabled()


def gradients(name: str, count: int) -> Iterator[bool]:
    for _ in range(count):
        yield torch.is_grad_enabled()


def ends_the_program(how: str) -> None:
    raise {"exit": SystemExit, "interrupt": KeyboardInterrupt, "generator": GeneratorExit, "stop": StopIteration}[how]


def swallowing(name: str) -> None:
    while True:
        try:
            progress.report(0, 0, "Working")
            time.sleep(0.002)
        except Exception:
            log.append("swallowed")


def asks_itself(number: float) -> float:
    return get(call(square, number))


def paced(count: int, pause: float) -> Iterator[int]:
    for number in progress.steps(range(count), "Pacing"):
        time.sleep(pause)
        yield number


def fails_late(after: int) -> Iterator[int]:
    yield from range(after)
    raise ValueError("late")


def spoiled_value(text: str) -> Spoiled:
    return Spoiled()


class Spoiled:
    """What cannot even be measured."""

    @property
    def __dict__(self):
        raise OSError("cannot be looked into")


def remarks(text: str) -> str:
    progress.remark(text)
    return text


def heatmaps(seed: int) -> Heatmaps:
    values = torch.rand(2, 5, 4, generator=torch.Generator().manual_seed(seed))
    return Heatmaps(values, signed=True, targets=(Target(1), Target(2, 0)), residual=values[:, 0, 0], passes=1 / 3)


def unstorable(text: str) -> object:
    log.append("unstorable")
    return [object()]


def ask_for(folder: Path, seconds: float, heard) -> None:
    """Ask again and again, without a memory; tells how often, how often it was computed, the wrong, and the trouble."""
    os.environ["LOUPE_CACHE"] = str(folder)
    wrong = asked = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for seed in range(5):
            forget()
            wrong += not torch.equal(get(call(counted_heatmaps, seed)).values, heatmaps(seed).values)
            asked += 1
    heard.put((asked, len(log), wrong, trouble()))


def counted_heatmaps(seed: int) -> Heatmaps:
    log.append("heatmaps")
    return heatmaps(seed)


def write_for_ever(folder: Path, started) -> None:
    """Write entries that say of themselves whether they are whole, until killed."""
    kept = Store(folder, 1 << 40)
    started.set()
    for number in itertools.count():
        kept.put(f"k{number % 7}", np.full(200_000, number, np.int64), "f")


SQUARED: list[tuple[int, ...]] = []


def squares(
    classifier: Classifier, offset: int, numbers: Sequence[int]
) -> Generator[dict[int, int], None, tuple[int, ...]]:
    """Squares of numbers plus the offset; until they are done, minus the numbers."""
    SQUARED.append(tuple(numbers))
    if min(numbers) < 0:
        raise ValueError(f"There is no square of {min(numbers)} here.")
    for place, number in enumerate(numbers):
        yield {place: -number}
    return tuple(number**2 + offset for number in numbers)


def again(name: str) -> Generator[str, None, None]:
    """One thing twice, so that others may have their turn, and then another."""
    first = f"{name} 1"
    yield first
    yield first
    yield f"{name} 2"


def write_the_same(folder: Path) -> None:
    """Write one key fifty times."""
    kept = Store(folder, 1 << 40)
    for _ in range(50):
        kept.put("same", np.arange(5000), "f")
