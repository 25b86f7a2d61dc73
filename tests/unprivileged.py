"""Doing something without root's right to read and write what its owner may not."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_VERSION = 0x20080522
# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
_OVERRIDES = 1 << 1 | 1 << 2


@contextmanager
def modes_hold() -> Iterator[None]:
    """In this thread, and those that it starts, the modes of files hold, whoever runs the tests.

    Another user would not do: that one might not be allowed to read the interpreter.
    """
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(_VERSION, 0), (ctypes.c_uint32 * 6)()
    _checked(libc.capget(header, sets))
    before = sets[0]
    sets[0] = before & ~_OVERRIDES
    _checked(libc.capset(header, sets))
    try:
        yield
    finally:
        sets[0] = before
        _checked(libc.capset(header, sets))


def _checked(failed: int) -> None:
    if failed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
