"""Keys: a digest of everything that a result depends on, so that equal keys mean equal results."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from interp.types import Classifier, Digest
from interp.types import digest as key


@dataclass(frozen=True, eq=False)
class Call:
    """A function with its arguments, not yet called, and the key of its result."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    key: str

    def __call__(self) -> Any:
        """Call the function."""
        return self.function(*self.arguments, **self.keywords)

    @functools.cached_property
    def subject(self) -> str:
        """A digest of the function's name and all arguments alone: the same for any version of the library.

        It does not tell kinds of devices apart, either.
        """
        return _subject(self.function, len(self.arguments), self.arguments, self.keywords).text

    @property
    def title(self) -> str:
        """Module and name of the function, for lists and messages."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    @property
    def classifiers(self) -> tuple[Classifier, ...]:
        """The classifiers among the arguments and their fields."""
        given = [*self.arguments, *self.keywords.values()]
        parts = [part for one in given for part in (one, *_fields(one))]
        return tuple(part for part in parts if isinstance(part, Classifier))

    @property
    def passing(self) -> bool:
        """Whether the result holds for this run only, as a classifier gives other numbers each time that it runs."""
        return not all(one.deterministic for one in self.classifiers)


def _fields(argument: Any) -> list[Any]:
    if not dataclasses.is_dataclass(argument) or isinstance(argument, type):
        return []
    return [getattr(argument, field.name) for field in dataclasses.fields(argument)]


def call(function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Call:
    """A call whose key covers the function's name, all arguments, the library's source and torch's version.

    Of a function outside the library its own file is covered too, and not what else that file imports.
    Raises `TypeError` for an argument whose content cannot be digested, or a function without a name of its own.
    """
    whole = key(_library(), _source(function), function, len(arguments), *arguments, keywords)
    return Call(function, arguments, keywords, whole)


def keys(function: Callable[..., Any], /, *arguments: Any, last: Iterable[Any]) -> list[str]:
    """The keys of calls that differ in their last argument alone, for each of `last`; the others are read once."""
    begun = Digest()
    for one in (_library(), _source(function), function, len(arguments) + 1, *arguments):
        begun.add(one)
    return _ended(begun, last)


def subjects(function: Callable[..., Any], /, *arguments: Any, last: Iterable[Any]) -> list[str]:
    """As `keys`, the subjects."""
    return _ended(_subject(function, len(arguments) + 1, arguments), last)


def _subject(function: Callable[..., Any], count: int, arguments: tuple[Any, ...], *more: Any) -> Digest:
    begun = Digest(devices=False)
    for one in (function, count, *arguments, *more):
        begun.add(one)
    return begun


def _ended(begun: Digest, last: Iterable[Any]) -> list[str]:
    found = []
    for one in last:
        whole = begun.copy()
        whole.add(one)
        whole.add({})
        found.append(whole.text)
    return found


@functools.cache
def _library() -> str:
    root = Path(__file__).resolve().parents[1] / "interp"
    digest = hashlib.blake2b(torch.__version__.encode(), digest_size=20)
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _source(function: Callable[..., Any]) -> bytes:
    """The function's file: Streamlit calls every page `__main__`, so functions of two pages may share a name."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or function.__module__.startswith("interp."):
        return b""
    try:
        status = os.stat(code.co_filename)
    except OSError:
        return b""
    return _read(code.co_filename, status.st_mtime_ns, status.st_size) if stat.S_ISREG(status.st_mode) else b""


@functools.lru_cache(maxsize=256)
def _read(path: str, changed: int, size: int) -> bytes:
    """A file of code, read again where it has changed: a rerun asks for ten of them."""
    return path.encode() + b"\0" + Path(path).read_bytes()
