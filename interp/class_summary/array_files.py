"""Files of plain arrays, .npz, that say in JSON what they hold: written as a whole or not at all, read with care."""

from __future__ import annotations

import io
import json
import os
import secrets
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Integer

T = TypeVar("T")

_DAMAGED = (
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to a file, which is there as a whole or not at all. Raises `OSError` where it cannot be.

    The array `about` is JSON, as `told` gives it: `kind` is what the file holds, and `format` a number.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def told(about: Mapping[str, Any]) -> np.ndarray:
    """What a file says of itself, as an array."""
    return np.array(json.dumps(about))


def smallest(values: Integer[np.ndarray, " m"]) -> Integer[np.ndarray, " m"]:
    """The numbers, none below 0, in as few bytes as they need."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def read(
    content: bytes,
    name: str,
    kind: str,
    made_of: Callable[[dict[str, Any], dict[str, np.ndarray]], T],
    *,
    newest: int,
    largest: int,
) -> T:
    """What a file of this name holds, `made_of` what it says of itself and its arrays.

    Raises `ValueError` that names the file: where it is no file of this `kind`, of a format above the `newest`, of more
    than the `largest` number of bytes, damaged, or where `made_of` raises it.
    """
    file = io.BytesIO(content)
    if not zipfile.is_zipfile(file):
        if content[:2] == b"PK":
            raise ValueError(_damaged(name, kind, "its end is missing"))
        raise ValueError(f"{name} is no {kind}: those are .npz files, which this is not.")
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(one.file_size for one in archive.infolist())
        if size > largest:
            raise ValueError(f"{name} would take {size / 1e9:.1f} GB in memory, more than any {kind}: not opened.")
        with np.load(file, allow_pickle=False) as arrays:
            if "about" not in arrays.files:
                raise ValueError(f"{name} is no {kind}: it says nothing about itself.")
            about = json.loads(str(arrays["about"]))
            if about.get("kind") != kind:
                raise ValueError(f"{name} is no {kind}: it says that it is {about.get('kind')!r}.")
            if about["format"] > newest:
                raise ValueError(
                    f"{name} was written by a newer Loupe, in format {about['format']}, and this one reads up to "
                    f"{newest}: update it, or write the file again with this one."
                )
            return made_of(about, {one: arrays[one] for one in arrays.files})
    except ValueError as error:
        raise (error if str(error).startswith(name) else ValueError(_damaged(name, kind, str(error)))) from error
    except _DAMAGED as error:
        raise ValueError(_damaged(name, kind, str(error))) from error


def _damaged(name: str, kind: str, why: str) -> str:
    return f"{name} is a {kind} that is damaged ({why}): copy or make it again."
