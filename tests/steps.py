"""Generators that yield what there is so far and return the whole, as computations of the library are."""

from collections.abc import Generator
from typing import TypeVar

Step = TypeVar("Step")
Whole = TypeVar("Whole")


def finished(steps: Generator[Step, None, Whole]) -> tuple[list[Step], Whole]:
    """What a generator yields, and what it returns."""
    parts = []
    while True:
        try:
            parts.append(next(steps))
        except StopIteration as stop:
            return parts, stop.value
