"""The tests, and how types and shapes are checked in them (`--jaxtyping-packages` in pyproject.toml)."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import multiprocessing
import os
import sys
from typing import Any

import jaxtyping
from jaxtyping import _decorator, config

# What is compiled is kept, whatever the environment says: two processes run tests, and start a hundred others, and each
# would compile all modules anew, the tests with their rewritten assertions too.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Processes that tests fork from the server of `multiprocessing` find PyTorch there: a fork takes milliseconds, and a
# process that imports it two seconds of a processor.
multiprocessing.set_forkserver_preload(["tests.cache.questions", "cache.store", "interp.own_code.process"])

_written = jaxtyping.jaxtyped


def _at_first(function: Any = None, *, typechecker: Any) -> Any:
    """As `jaxtyping.jaxtyped`, but checks are written when a function is first called with checks on.

    Writing those of all three thousand took each process seconds, and most are never called by it, or unchecked. A
    function that is made within another one is not checked: it is made anew each time the outer one runs, and writing
    its checks takes longer than most of them run.
    """
    if function is None:
        return functools.partial(_at_first, typechecker=typechecker)
    if inspect.isclass(function):
        if dataclasses.is_dataclass(function) and getattr(function.__init__, "__globals__", None) is not globals():
            function.__init__ = _at_first(function.__init__, typechecker=typechecker)
        return function
    if not inspect.isfunction(function):
        # What methods of classes and properties hold comes here again.
        return _written(function, typechecker=typechecker)
    if "<locals>" in function.__qualname__:
        return function
    checked = None

    @functools.wraps(function)
    def called(*given, **named):
        nonlocal checked
        __tracebackhide__ = True
        if config.jaxtyping_disable:
            return function(*given, **named)
        if checked is None:
            checked = _written(function, typechecker=typechecker)
        return checked(*given, **named)

    return called


jaxtyping.jaxtyped = _decorator.jaxtyped = _at_first
