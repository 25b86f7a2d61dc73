"""A person's own classifiers: a TOML file for each, in one folder, written by whoever starts the server."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import sys
import tomllib
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from torch import nn

from interp.models import torchvision_models
from interp.models.labels import read_labels
from interp.models.recipe import Recipe, Weights
from interp.types import Preprocessing

KEYS = (
    "architecture", "weights", "labels", "wordnet_ids", "input_size", "resize", "interpolation", "mean", "std", "title",
)  # fmt: skip
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
LARGEST_INPUT = 4096
LARGEST_FILE = 4 << 20


def files(folder: Path) -> tuple[Path, ...]:
    """The TOML files of a folder, by name. Raises `FileNotFoundError` where there is no such folder."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder of models at {folder}.")
    return tuple(sorted(path for path in folder.glob("*.toml") if path.is_file()))


def find(name: str, folder: Path | None) -> Path | None:
    """The TOML file that a name means: a stem or path within the folder, or, without a folder, any path to one.

    Raises `ValueError` for a path that leads out of the folder, `FileNotFoundError` for one that leads nowhere.
    """
    if folder is not None:
        for path in files(folder):
            if name in (path.stem, path.name):
                return path
    if not name.endswith(".toml"):
        return None
    path = Path(name).resolve() if folder is None else (folder / name).resolve()
    if folder is not None and not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{name} lies outside the folder of models, {folder}: only files in it are loaded.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    return path


def title(path: Path) -> str:
    """What the picker shows for a TOML file. Raises `ValueError` where it is broken."""
    table = read(path)
    architecture = table["architecture"]
    if ".py:" in architecture:
        _source(path, architecture)
    return table.get("title", path.stem)


def read(path: Path) -> dict:
    """The file's keys, each of its right type. Raises `ValueError` that names the file and the key."""
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{path} is too large for a description of a model.")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML: {error}.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8: save it again as UTF-8.") from None
    for key in table:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            meant = f"Did you mean {near[0]!r}?" if near else f"It may hold: {', '.join(KEYS)}."
            raise ValueError(f"{path} has an unknown key {key!r}. {meant}")
    if "architecture" not in table:
        raise ValueError(f'{path} names no architecture: add architecture = "resnet18", or "module.py:function".')
    for key, check, wanted in _WANTED:
        if key in table and not check(table[key]):
            raise ValueError(f"{path} has {key} = {table[key]!r}: it must be {wanted}.")
    return table


def recipe(path: Path, weights: Weights | None, labels: tuple[str, ...] | None) -> Recipe:
    """How to build the classifier that a TOML file describes; weights and labels given here go before the file's.

    Raises `ValueError` or `FileNotFoundError` that names the file and what to change.
    """
    table = read(path)
    if weights is None and "weights" in table:
        weights = "random" if table["weights"] == "random" else path.parent / table["weights"]
    if labels is None and "labels" in table:
        labels = _listed(path, table["labels"])
    architecture = table["architecture"]
    if ".py:" in architecture:
        base = _own_code(path, table, weights, labels)
    elif architecture in torchvision_models.names():
        base = _known(path, architecture, weights, labels)
    else:
        near = difflib.get_close_matches(architecture, torchvision_models.names(), 3)
        meant = f" Did you mean {', '.join(near)}?" if near else ""
        raise ValueError(
            f"{path} names an unknown architecture {architecture!r}: give a classification model of torchvision, or "
            f'"module.py:function".{meant}'
        )
    wordnet_ids = _listed(path, table["wordnet_ids"]) if "wordnet_ids" in table else base.wordnet_ids
    if wordnet_ids is not None and base.labels is not None and len(wordnet_ids) != len(base.labels):
        raise ValueError(f"{path} has {len(wordnet_ids)} wordnet_ids for {len(base.labels)} labels: give one for each.")
    return replace(
        base,
        name=path.stem + (" (random weights)" if weights == "random" else ""),
        preprocessing=_preprocessing(table, base.preprocessing),
        mean=tuple(float(number) for number in table.get("mean", base.mean)),
        std=tuple(float(number) for number in table.get("std", base.std)),
        wordnet_ids=wordnet_ids,
    )


def _known(path: Path, architecture: str, weights: Weights | None, labels: tuple[str, ...] | None) -> Recipe:
    try:
        return torchvision_models.recipe(architecture, weights, labels)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _own_code(path: Path, table: Mapping, weights: Weights | None, labels: tuple[str, ...] | None) -> Recipe:
    missing = [
        key for key, given in (("weights", weights), ("labels", labels), ("input_size", table.get("input_size")))
        if given is None
    ]  # fmt: skip
    if missing or labels is None:
        raise ValueError(f"{path} lacks {' and '.join(missing)}: a network of your own needs them.")
    code, function = _source(path, table["architecture"])
    return Recipe(
        name=path.stem,
        architecture=table["architecture"],
        build=lambda classes: _call(code, function),
        preprocessing=Preprocessing((1, 1), None),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        labels=labels,
        weights=weights,
        on_meta=False,
        code=code,
    )


def _preprocessing(table: Mapping, base: Preprocessing) -> Preprocessing:
    """The file's own where it says the input's size, else the published weights'.

    A size without `resize` keeps the published weights' ratio of the resized side to the crop.
    """
    size = table.get("input_size", base.crop)
    crop = (size, size) if isinstance(size, int) else tuple(size)
    kept = None if base.resize is None else round(base.resize * min(crop) / min(base.crop))
    resize = table.get("resize", kept)
    return Preprocessing(crop, resize, table.get("interpolation", base.interpolation))  # pyright: ignore[reportArgumentType]


def _listed(path: Path, given: list[str] | str) -> tuple[str, ...]:
    try:
        return read_labels(given if isinstance(given, list) else path.parent / given)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _source(path: Path, architecture: str) -> tuple[Path, str]:
    """The file and function that "module.py:function" means: in the TOML's own folder, links followed."""
    file, _, function = architecture.rpartition(":")
    folder = path.parent.resolve()
    code = (folder / file).resolve()
    if not code.is_relative_to(folder):
        raise ValueError(f"{path} takes code from {code}, outside its folder: put the file into {folder}.")
    if not code.is_file():
        raise ValueError(f"{path} takes code from {file}, which is not in {folder}: put it there.")
    if not function.isidentifier():
        raise ValueError(f'{path} names no function in architecture = {architecture!r}: write "module.py:function".')
    return code, function


def _call(code: Path, function: str) -> nn.Module:
    module = _imported(code)
    build = getattr(module, function, None)
    if not callable(build):
        raise ValueError(
            f"{code} defines no function {function!r}: define it, without parameters, to return the network."
        )
    network = _told(code, build, f"{function}()")
    if not isinstance(network, nn.Module):
        raise ValueError(f"{code}: {function}() returns {type(network).__name__}: it must return a torch.nn.Module.")
    return network


def _imported(code: Path) -> ModuleType:
    name = f"loupe_own_{hashlib.sha256(str(code).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, code)
    if spec is None or spec.loader is None:
        raise ValueError(f"{code} cannot be loaded as Python code: its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    loader = spec.loader
    # Dataclasses and pickling look their module up by name while it loads.
    sys.modules[name] = module
    _told(code, lambda: loader.exec_module(module), "its code")
    return module


def _told(code: Path, run: Callable[[], object], what: str) -> object:
    """What `run` gives; an error of the person's own code becomes a `ValueError` that names file, line and error."""
    try:
        return run()
    except Exception as error:
        raise ValueError(f"{where(code, error)}: {what} failed with {type(error).__name__}: {error}") from error


def where(code: Path, error: Exception) -> str:
    """The file and line of a person's own code at which an error arose."""
    if isinstance(error, SyntaxError):
        line = error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == str(code)), None)
    return f"{code}, line {line}" if line else str(code)


def _is_size(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and 0 < size <= LARGEST_INPUT


def _is_numbers(numbers: object) -> bool:
    return _is_list(numbers) and len(numbers) == 3 and all(type(one) in (int, float) for one in numbers)  # pyright: ignore[reportArgumentType,reportGeneralTypeIssues]


def _is_list(given: object) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str)


_WANTED: tuple[tuple[str, Callable, str], ...] = (
    ("architecture", lambda given: isinstance(given, str), 'text, such as "resnet18"'),
    ("weights", lambda given: isinstance(given, str), 'the name of a file, or "random"'),
    ("title", lambda given: isinstance(given, str), "text"),
    ("labels", lambda given: isinstance(given, str | list), "a list, or the name of a file"),
    ("wordnet_ids", lambda given: isinstance(given, str | list), "a list, or the name of a file"),
    (
        "input_size",
        lambda given: _is_size(given) or (_is_list(given) and len(given) == 2 and all(map(_is_size, given))),
        f"a whole number from 1 to {LARGEST_INPUT}, or [height, width]",
    ),
    ("resize", _is_size, f"a whole number from 1 to {LARGEST_INPUT}"),
    ("interpolation", lambda given: given in INTERPOLATIONS, f"one of {', '.join(INTERPOLATIONS)}"),
    ("mean", _is_numbers, "three numbers, one for each of red, green and blue"),
    ("std", lambda given: _is_numbers(given) and min(given) > 0, "three numbers above 0, one for each colour"),
)
