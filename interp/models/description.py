"""What a TOML file says of a classifier: its keys, each checked, with what would be right where one is not."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from interp.text_files import read_text, shown
from interp.types import Outputs

KEYS = (
    "architecture", "weights", "labels", "wordnet_ids", "input_size", "resize", "interpolation", "mean", "std", "title",
    "outputs", "channels", "key", "arguments", "layer",
)  # fmt: skip
# What others call the same.
MEANT = {
    "num_classes": "labels (one for each class), or arguments = { num_classes = 3 } for own code",
    "classes": "labels", "class_names": "labels", "names": "labels", "categories": "labels",
    "model": "architecture", "arch": "architecture", "backbone": "architecture", "name": "title",
    "checkpoint": "weights", "ckpt": "weights", "path": "weights", "file": "weights",
    "size": "input_size", "image_size": "input_size", "img_size": "input_size", "crop": "input_size",
    "activation": "outputs", "in_channels": "channels", "in_chans": "channels", "kwargs": "arguments",
    "args": "arguments", "target_layer": "layer", "state_dict": "key",
}  # fmt: skip
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
LARGEST_INPUT = 4096
LARGEST_FILE = 4 << 20
LONGEST_TITLE = 200
SMALLEST_STD = 1e-6
_PATHS = ("architecture", "weights", "labels", "wordnet_ids")


def read(path: Path) -> dict[str, Any]:
    """The file's keys, each of its right type; `mean` and `std` as tuples of one number or three.

    Raises `ValueError` that names the file and the key, or `FileNotFoundError`.
    """
    if shown(path) != str(path) and len(str(path)) < 500:
        raise ValueError(f"{shown(path)}: its name is not text in UTF-8. Rename it.")
    text, encoding = read_text(path, LARGEST_FILE, "a TOML file that describes a model")
    if encoding == "Windows-1252":
        raise ValueError(f"{path} is text in {encoding}: save it again as UTF-8, as TOML has to be.")
    table = _parsed(path, text)
    for key in table:
        if key not in KEYS:
            raise ValueError(f"{shown(path)} has an unknown key {shown(key)!r}. {_nearest(key)}")
    if "architecture" not in table:
        raise ValueError(f'{path} names no architecture: add architecture = "resnet18", or "module.py:function".')
    for key, check, wanted in _WANTED:
        if key in table and not check(table[key]):
            raise ValueError(f"{path} has {key} = {shown(table[key])}: it must be {wanted}.")
    for key in _PATHS:
        if isinstance(table.get(key), str) and re.search(r"[\x00-\x1f]", table[key]):
            raise ValueError(f"{path} has {key} = {shown(repr(table[key]))}. {_SINGLE_QUOTES}")
    return {**table, **_normalization(path, table)}


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(f"{path} is not valid TOML: its brackets are nested too deeply.") from None
    except ValueError as error:
        if "integer string conversion" in str(error):
            raise ValueError(f"{path} is not valid TOML: it has a number of thousands of digits.") from None
        line = next((line for line in text.splitlines() if re.search(r'"[^"]*\\[^"]*"', line)), None)
        advice = f" In {shown(line.strip())}: {_SINGLE_QUOTES}" if line else ""
        raise ValueError(f"{path} is not valid TOML: {str(error).rstrip('.')}.{advice}") from None


_SINGLE_QUOTES = (
    r"Between double quotes a backslash begins a sign such as \n: write the path between single quotes, "
    r"'C:\models\best.pt', or with forward slashes."
)


def _nearest(key: str) -> str:
    if key.lower() in MEANT:
        return f"Did you mean {MEANT[key.lower()]}?"
    near = difflib.get_close_matches(key.lower(), KEYS, 1)
    return f"Did you mean {near[0]!r}?" if near else f"It may hold: {', '.join(KEYS)}."


def _normalization(path: Path, table: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    """Mean and std as tuples of equal length: of three numbers where one of them has three, or channels = 3."""
    given: dict[str, tuple[float, ...]] = {}
    for key in ("mean", "std"):
        if key in table:
            one = table[key]
            given[key] = tuple(float(number) for number in (one if _is_list(one) else [one]))
            _check_scale(path, key, given[key])
    channels = table.get("channels")
    for key, numbers in given.items():
        if channels == 1 and len(set(numbers)) > 1:
            raise ValueError(f"{path} has {key} = {shown(list(numbers))} and channels = 1: give one number.")
    wide = channels != 1 and (channels == 3 or any(len(numbers) == 3 for numbers in given.values()))
    count = 3 if wide else 1
    return {key: (numbers * count if len(numbers) == 1 else numbers)[:count] for key, numbers in given.items()}


def _check_scale(path: Path, key: str, numbers: Sequence[float]) -> None:
    if max(numbers) <= 1:
        return
    said = f"{path} has {key} = {shown(list(numbers))}, and it is of pixels in [0, 1]"
    if max(numbers) > 255:
        raise ValueError(f"{said}: it must be at most 1.")
    divided = ", ".join(f"{number / 255:.4g}" for number in numbers)
    raise ValueError(f"{said}: did you mean {key} = [{divided}], i.e. divided by 255?")


def _is_size(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and 0 < size <= LARGEST_INPUT


def _is_number(number: object) -> bool:
    if type(number) not in (int, float):
        return False
    try:
        return math.isfinite(float(number))  # pyright: ignore[reportArgumentType]
    except OverflowError:
        return False


def _is_numbers(numbers: Any) -> bool:
    listed = numbers if _is_list(numbers) else [numbers]
    return len(listed) in (1, 3) and all(map(_is_number, listed))


def _is_deviation(numbers: Any) -> bool:
    listed = numbers if _is_list(numbers) else [numbers]
    return _is_numbers(listed) and min(listed) >= SMALLEST_STD


def _is_list(given: object) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str)


def _is_names(given: object) -> bool:
    """A file's name, or names themselves: text, or numbers, but no lists in the list."""
    if isinstance(given, str):
        return True
    return isinstance(given, list) and all(isinstance(one, str | int | float) for one in given)


def _is_plain(given: object) -> bool:
    """Whether a value has no date and time in it, which no other notation has."""
    if isinstance(given, Mapping):
        return all(map(_is_plain, given.values()))
    return all(map(_is_plain, given)) if isinstance(given, list) else isinstance(given, str | int | float)


def _is_text(given: object) -> bool:
    return isinstance(given, str) and bool(given.strip())


_WANTED: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("architecture", _is_text, 'text, such as "resnet18"'),
    ("weights", _is_text, 'the name of a file, or "random"'),
    ("title", lambda given: _is_text(given) and len(given) <= LONGEST_TITLE, f"text of up to {LONGEST_TITLE} letters"),
    ("labels", _is_names, "a list of names, or the name of a file"),
    ("wordnet_ids", _is_names, "a list, or the name of a file"),
    (
        "input_size",
        lambda given: _is_size(given) or (_is_list(given) and len(given) == 2 and all(map(_is_size, given))),
        f"a whole number from 1 to {LARGEST_INPUT}, or [height, width]",
    ),
    ("resize", _is_size, f"a whole number from 1 to {LARGEST_INPUT}"),
    ("interpolation", lambda given: given in INTERPOLATIONS, f"one of {', '.join(INTERPOLATIONS)}"),
    ("mean", _is_numbers, "three numbers, one for each of red, green and blue, or one for all, of pixels in [0, 1]"),
    ("std", _is_deviation, "three numbers above 0, one for each colour, or one for all, of pixels in [0, 1]"),
    ("outputs", lambda given: given in get_args(Outputs), f"one of {', '.join(get_args(Outputs))}"),
    ("channels", lambda given: type(given) is int and given in (1, 3), "1 or 3: pictures have one or three channels"),
    ("key", _is_text, "the name under which the file of weights holds the state dict"),
    (
        "arguments",
        lambda given: isinstance(given, Mapping) and _is_plain(given),
        "a table of numbers, text, true or false, such as { depth = 18 }",
    ),
    ("layer", _is_text, "the name of a layer, such as layer4"),
)
