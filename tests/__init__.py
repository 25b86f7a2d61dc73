"""The tests, and how types and shapes are checked in them (`--jaxtyping-packages` in pyproject.toml)."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable

from beartype import beartype

# What is compiled is kept, whatever the environment says: two processes run tests, and start a hundred others, and each
# would compile all modules anew, the tests with their rewritten assertions too.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def checked(function: Callable) -> Callable:
    """Checked against its annotations at each call, except a function that is made within another one.

    That is made anew each time the outer one runs, and writing its checks takes longer than most of them run. All other
    checks are written at the first call: most functions are never called by one of the processes that run tests.
    """
    if "<locals>" in function.__qualname__:
        return function
    written: list[Callable] = []

    @functools.wraps(function)
    def at_first(*given, **named):
        if not written:
            written.append(beartype(function))
        return written[0](*given, **named)

    return at_first
