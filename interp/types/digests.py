"""The digest by which contents are told apart: equal digests mean equal contents.

Every value is written with its type and length, and every byte counts. Streamlit's own hashing samples large arrays,
and takes two dataclasses of different type with equal fields for the same.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image


def digest(*objects: Any) -> str:
    """The digest of the objects, as 40 hexadecimal digits. Raises `TypeError` that names a type it cannot digest."""
    whole = Digest()
    for one in objects:
        whole.add(one)
    return whole.text


class Fingerprinted:
    """What a dataclass that never changes inherits, so that its content is read once for all the keys it is part of."""

    @functools.cached_property
    def fingerprint(self) -> str:
        """A digest of the type and of all fields: what has the same fingerprint is equal.

        Raises `TypeError` as `digest` does.
        """
        whole = Digest()
        whole.add_fields(self)
        return whole.text


class Digest:
    """A digest of objects that come one after the other."""

    def __init__(self, *, devices: bool = True) -> None:
        """`devices` says whether a classifier is another one on another kind of device."""
        self._state = hashlib.blake2b(digest_size=20)
        self._devices = devices

    @property
    def text(self) -> str:
        """The digest of what was added so far, as 40 hexadecimal digits."""
        return self._state.hexdigest()

    def copy(self) -> Digest:
        """A digest of the same, to which something else may be added."""
        other = Digest(devices=self._devices)
        other._state = self._state.copy()
        return other

    def add(self, value: Any) -> None:
        """Add a value. Raises `TypeError` that names a type that cannot be digested."""
        # Order matters: an enum may be an int, bool is an int, a Classifier is a dataclass, a named tuple is a tuple.
        if type(value) in _WRITTEN or _plain(value):
            self._mark(type(value).__qualname__, _written(value))
        elif isinstance(value, enum.Enum):
            self._mark(_name(type(value)), value.name.encode())
        elif isinstance(value, int | float | complex | str | bytes):
            self._mark(type(value).__qualname__, _written(value))
        elif isinstance(fingerprint := getattr(value, "fingerprint", None), str):
            self._mark(_name(type(value)), fingerprint.encode())
            if self._devices:
                self.add(getattr(getattr(value, "device", None), "type", None))
        elif isinstance(value, torch.Tensor | np.ndarray | np.generic | Image.Image):
            self._add_numbers(value)
        elif isinstance(value, Path | torch.device | torch.dtype):
            self._mark(type(value).__name__, str(value).encode("utf-8", "surrogatepass"))
        elif isinstance(value, types.MethodType):
            self.add((value.__func__, value.__self__))
        elif isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
            self._mark("name", _name(value).encode())
        elif dataclasses.is_dataclass(value):
            self.add_fields(value)
        else:
            self._add_container(value)

    def add_fields(self, value: Any) -> None:
        """Add the type of a dataclass and all its fields, whether it has a fingerprint or not."""
        kind, fields = _tokens(type(value))
        self._state.update(kind)
        for name, token in fields:
            self._state.update(token)
            self.add(getattr(value, name))

    def _mark(self, kind: str, content: bytes | memoryview = b"") -> None:
        """One token: kind and length come first, so that no two sequences of tokens give the same bytes."""
        self._state.update(_token(kind, content.nbytes if isinstance(content, memoryview) else len(content)))
        self._state.update(content)

    def _add_numbers(self, value: torch.Tensor | np.ndarray | np.generic | Image.Image) -> None:
        if isinstance(value, torch.Tensor):
            array = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
            self._mark(f"tensor {value.dtype} {tuple(value.shape)} {value.device.type}")
            self._mark("bytes", _bytes(array.view(torch.uint8).numpy()))
        elif isinstance(value, Image.Image):
            self._mark(f"picture {value.mode} {value.size}", value.tobytes())
            # What the pixels mean depends on these.
            self.add((value.getpalette(), value.info.get("transparency"), value.info.get("exif")))
        elif value.dtype.hasobject:
            raise TypeError(f"A key cannot be made from an array of {value.dtype}: give numbers.")
        else:
            self._mark(f"{type(value).__name__} {value.dtype.str} {value.shape}")
            self._mark("bytes", _bytes(np.ascontiguousarray(value)))

    def _add_container(self, value: Any) -> None:
        if isinstance(value, tuple | list | range):
            self._mark(f"{_name(type(value))} {len(value)}")
            for one in value:
                self.add(one)
        elif isinstance(value, set | frozenset):
            self._mark(f"{type(value).__name__} {len(value)}")
            for inner in sorted(digest(one) for one in value):
                self._mark("member", inner.encode())
        elif isinstance(value, Mapping):
            self._mark(f"{_name(type(value))} {len(value)}")
            for name, one in value.items():
                self.add(name)
                self.add(one)
        else:
            raise TypeError(
                f"A key cannot be made from a {_name(type(value))}: give numbers, text, arrays, images, dataclasses, "
                "or something with a fingerprint."
            )


def _token(kind: str, size: int) -> bytes:
    return f"{kind}:{size}:".encode()


@functools.cache
def _tokens(kind: type) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The tokens of a dataclass and of each of its fields: a set of images has thousands of marks."""
    names = [field.name for field in dataclasses.fields(kind)]
    return _token(_name(kind), 0), [(name, _token("field", len(name.encode())) + name.encode()) for name in names]


def _plain(value: Any) -> bool:
    """Whether it is a tuple or list of numbers and text, which Python writes as what it is, and writes fast."""
    return type(value) in (tuple, list) and all(type(one) in _WRITTEN or _plain(one) for one in value)


_WRITTEN = {int, float, bool, str, bytes, type(None)}


def _written(value: Any) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode("utf-8", "surrogatepass")


def _bytes(array: np.ndarray) -> memoryview | bytes:
    return array.tobytes() if array.size == 0 or not array.ndim else array.reshape(-1).view(np.uint8).data


def _name(one: Any) -> str:
    if "<" in one.__qualname__:
        raise TypeError(
            f"{one.__module__}.{one.__qualname__} has no name of its own: define it at a module's top level."
        )
    return f"{one.__module__}.{one.__qualname__}"
