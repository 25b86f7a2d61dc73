"""Loops over numbers, compiled for one thread and kept on disk.

With threads of its own numba would, once its pool has started, set how many PyTorch and openTSNE take, too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


@functools.cache
def exact(function: Any) -> Callable[..., Any]:
    """The function compiled, its sums in the order that is written; compiles when it is first called."""
    return _compiled(function, False)


@functools.cache
def fast(function: Any) -> Callable[..., Any]:
    """The function compiled, its sums in any order; the same on one machine, though not on every one."""
    return _compiled(function, True)


def _compiled(function: Any, reordered: bool) -> Callable[..., Any]:
    import numba

    # Out of what another compiler, or a checker of types, has wrapped around it.
    plain, types = inspect.unwrap(getattr(function, "py_func", function)), getattr(function, "locals", {})
    return numba.njit(plain, fastmath=reordered, locals=types, cache=True)
