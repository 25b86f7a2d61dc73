"""Keys: a digest of everything that a result depends on, so that equal keys mean equal results.

Streamlit's own hashing samples large arrays, and takes two dataclasses of different type with equal fields for the
same; here every value is written with its type and length, and every byte counts.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from interp.types import Classifier


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
    return Call(function, arguments, keywords, key(_library(), _source(function), function, arguments, keywords))


def keys(function: Callable[..., Any], /, *arguments: Any, last: Iterable[Any]) -> list[str]:
    """The keys of calls that differ in their last argument alone, for each of `last`; the others are read once."""
    begun = hashlib.blake2b(digest_size=20)
    for one in (_library(), _source(function), function):
        _feed(begun, one)
    _begin_tuple(begun, tuple, len(arguments) + 1)
    for one in arguments:
        _feed(begun, one)
    found = []
    for one in last:
        digest = begun.copy()
        _feed(digest, one)
        _feed(digest, {})
        found.append(digest.hexdigest())
    return found


def key(*objects: Any) -> str:
    """The digest of the objects, as 40 hexadecimal digits. Raises `TypeError` that names a type it cannot digest."""
    digest = hashlib.blake2b(digest_size=20)
    for one in objects:
        _feed(digest, one)
    return digest.hexdigest()


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
    path = Path(code.co_filename) if code is not None else None
    if path is None or function.__module__.startswith("interp.") or not path.is_file():
        return b""
    return str(path).encode() + b"\0" + path.read_bytes()


def _mark(digest: Any, kind: str, content: bytes | memoryview = b"") -> None:
    """One token: kind and length come first, so that no two sequences of tokens give the same bytes."""
    size = content.nbytes if isinstance(content, memoryview) else len(content)
    digest.update(f"{kind}:{size}:".encode())
    digest.update(content)


def _feed(digest: Any, value: Any) -> None:
    # Order matters: an enum may be an int, bool is an int, a Classifier is a dataclass, a named tuple is a tuple.
    if isinstance(value, enum.Enum):
        _mark(digest, _name(type(value)), value.name.encode())
    elif value is None or isinstance(value, bool | int | float | complex | str | bytes):
        content = value if isinstance(value, bytes) else repr(value).encode("utf-8", "surrogatepass")
        _mark(digest, type(value).__qualname__, content)
    elif isinstance(fingerprint := getattr(value, "fingerprint", None), str):
        _mark(digest, _name(type(value)), fingerprint.encode())
        _feed(digest, getattr(getattr(value, "device", None), "type", None))
    elif isinstance(value, torch.Tensor):
        array = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        _mark(digest, f"tensor {value.dtype} {tuple(value.shape)} {value.device.type}")
        _mark(digest, "bytes", _bytes(array.view(torch.uint8).numpy()))
    elif isinstance(value, np.ndarray | np.generic):
        if value.dtype.hasobject:
            raise TypeError(f"A key cannot be made from an array of {value.dtype}: give numbers.")
        _mark(digest, f"{type(value).__name__} {value.dtype.str} {value.shape}")
        _mark(digest, "bytes", _bytes(np.ascontiguousarray(value)))
    elif isinstance(value, Image.Image):
        _mark(digest, f"picture {value.mode} {value.size}", value.tobytes())
        # What the pixels mean depends on these.
        _feed(digest, (value.getpalette(), value.info.get("transparency"), value.info.get("exif")))
    elif isinstance(value, Path | torch.device | torch.dtype):
        _mark(digest, type(value).__name__, str(value).encode("utf-8", "surrogatepass"))
    elif isinstance(value, types.MethodType):
        _feed(digest, (value.__func__, value.__self__))
    elif isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        _mark(digest, "name", _name(value).encode())
    elif dataclasses.is_dataclass(value):
        _mark(digest, _name(type(value)))
        for field in dataclasses.fields(value):
            _mark(digest, "field", field.name.encode())
            _feed(digest, getattr(value, field.name))
    else:
        _feed_container(digest, value)


def _begin_tuple(digest: Any, kind: type, length: int) -> None:
    _mark(digest, f"{_name(kind)} {length}")


def _feed_container(digest: Any, value: Any) -> None:
    if isinstance(value, tuple | list | range):
        _begin_tuple(digest, type(value), len(value))
        for one in value:
            _feed(digest, one)
    elif isinstance(value, set | frozenset):
        _mark(digest, f"{type(value).__name__} {len(value)}")
        for inner in sorted(key(one) for one in value):
            _mark(digest, "member", inner.encode())
    elif isinstance(value, Mapping):
        _mark(digest, f"{_name(type(value))} {len(value)}")
        for name, one in value.items():
            _feed(digest, name)
            _feed(digest, one)
    else:
        raise TypeError(
            f"A key cannot be made from a {_name(type(value))}: give numbers, text, arrays, images, dataclasses, "
            "or something with a fingerprint."
        )


def _bytes(array: np.ndarray) -> memoryview | bytes:
    return array.tobytes() if array.size == 0 or not array.ndim else array.reshape(-1).view(np.uint8).data


def _name(one: Any) -> str:
    if "<" in one.__qualname__:
        raise TypeError(
            f"{one.__module__}.{one.__qualname__} has no name of its own: define it at a module's top level."
        )
    return f"{one.__module__}.{one.__qualname__}"
