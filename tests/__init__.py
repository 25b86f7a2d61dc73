"""The tests, and how types and shapes are checked in them (`--jaxtyping-packages` in pyproject.toml)."""

from __future__ import annotations

from collections.abc import Callable

from beartype import beartype


def checked(function: Callable) -> Callable:
    """Checked against its annotations at each call, except a function that is made within another one.

    That is made anew each time the outer one runs, and writing its checks takes longer than most of them run.
    """
    return function if "<locals>" in function.__qualname__ else beartype(function)
