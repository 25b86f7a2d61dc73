"""A person's own classifiers: a TOML file for each, in one folder, written by whoever starts the server."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from interp import own_code
from interp.label_notation import Labels
from interp.models import description, labels, timm_models, torchvision_models
from interp.models.own_files import find, listing, name_of
from interp.models.recipe import Recipe, Weights
from interp.own_code import OwnCode, Rehearsal, where
from interp.text_files import beside, is_file, shown
from interp.types import Finding, Preprocessing

__all__ = ["find", "listing", "name_of", "recipe", "stamps", "title", "where"]

# Libraries of architectures, as in "torchvision/resnet18".
LIBRARIES = {"torchvision": torchvision_models.recipe, "timm": timm_models.recipe}


def title(path: Path) -> str | None:
    """The title that a TOML file gives, if any. Raises `ValueError` or `FileNotFoundError` where it is broken."""
    table = description.read(path)
    if _is_own_code(table["architecture"]):
        _source(path, table["architecture"])
    return table.get("title")


def recipe(path: Path, weights: Weights | None, given: tuple[str, ...] | None, folder: Path | None = None) -> Recipe:
    """How to build the classifier that a TOML file describes; weights and labels given here go before the file's.

    It is called by the file's name in the models `folder`, where there is one.
    Raises `ValueError` or `FileNotFoundError` that names the file and what to change.
    """
    table = description.read(path)
    if weights is None and "weights" in table:
        weights = "random" if table["weights"] == "random" else beside(path, table["weights"], "weights")
    if isinstance(weights, Path) and not is_file(weights):
        raise FileNotFoundError(f"{path}: there is no file of weights at {shown(weights)}.")
    found = Labels(given) if given is not None else _labels(path, table, "labels")
    names = found.names if found is not None else None
    architecture = table["architecture"]
    own = _is_own_code(architecture)
    base = _own_code(path, table, weights, names) if own else _of_library(path, table, weights, names)
    ids = _labels(path, table, "wordnet_ids")
    wordnet_ids = ids.names if ids is not None else found.wordnet_ids if found is not None else None
    if wordnet_ids is not None and base.labels is not None and len(wordnet_ids) != len(base.labels):
        raise ValueError(f"{path} has {len(wordnet_ids)} wordnet_ids for {len(base.labels)} labels: give one for each.")
    return replace(
        base,
        name=_name(path, folder) + (" (random weights)" if weights == "random" else ""),
        preprocessing=_preprocessing(table, base.preprocessing),
        wordnet_ids=wordnet_ids or base.wordnet_ids,
        **_normalization(table, base),
        outputs=table.get("outputs", base.outputs),
        channels=table.get("channels"),
        key=table.get("key"),
        layer=table.get("layer"),
        findings=(*base.findings, *(found.findings if found is not None else ())),
    )


def stamps(name: str, folder: Path | None, taken: Callable[[str], bool]) -> tuple[tuple[str, int, int, int], ...]:
    """What tells whether a classifier of the folder has changed: its files, each with its times and size.

    These are the TOML file, the files that it names, and all own code that takes part. Never raises; empty for a name
    that means no file of the folder.
    """
    path: Path | None = None
    try:
        path = find(name, folder, taken) if folder is not None else None
        if path is None:
            return ()
        named = [path]
        table = description.read(path)
        for key in ("weights", "labels", "wordnet_ids"):
            if isinstance(table.get(key), str):
                named.append(beside(path, table[key], key))
        if _is_own_code(table["architecture"]):
            file, function = _source(path, table["architecture"])
            named += [path.parent.resolve() / one for one in OwnCode(path.parent.resolve(), file, function).files]
    except (OSError, ValueError):
        named = [path] if path is not None else []
    return tuple(_stamp(one) for one in named)


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        status = path.stat()
    except (OSError, ValueError, RuntimeError):
        return shown(path), 0, 0, 0
    # A copy may bring its time along, but not when it came.
    return shown(path), status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _name(path: Path, folder: Path | None) -> str:
    if folder is None or not path.resolve().is_relative_to(folder.resolve()):
        return shown(path.stem)
    within = path if path.is_relative_to(folder) else folder / path.resolve().relative_to(folder.resolve())
    return name_of(within, folder)


def _is_own_code(architecture: str) -> bool:
    return ".py:" in architecture


def _of_library(path: Path, table: Mapping[str, Any], weights: Weights | None, given: tuple[str, ...] | None) -> Recipe:
    """A library's architecture: torchvision's by its bare name, any other as "library/NAME"."""
    architecture = table["architecture"]
    library, _, name = architecture.rpartition("/")
    if (library or "torchvision") not in LIBRARIES:
        raise ValueError(
            f"{path} names an unknown architecture {shown(architecture)!r}: give {_forms()}. Of libraries "
            f"{', '.join(LIBRARIES)} can be used here."
        )
    build = LIBRARIES[library or "torchvision"]
    if build is torchvision_models.recipe and name not in torchvision_models.names():
        near = difflib.get_close_matches(name, torchvision_models.names(), 3)
        meant = f" Did you mean {', '.join(near)}?" if near else ""
        raise ValueError(f"{path} names an unknown architecture {shown(architecture)!r}: give {_forms()}.{meant}")
    try:
        return build(name, weights, given, table.get("arguments", {}))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _forms() -> str:
    others = "".join(f', "{library}/NAME"' for library in LIBRARIES if library != "torchvision")
    return f'a classification model of torchvision{others}, or "module.py:function"'


def _own_code(path: Path, table: Mapping[str, Any], weights: Weights | None, given: tuple[str, ...] | None) -> Recipe:
    missing = [key for key, value in (("weights", weights), ("input_size", table.get("input_size"))) if value is None]
    if missing:
        raise ValueError(f"{path} lacks {' and '.join(missing)}: a network of your own needs them.")
    file, function = _source(path, table["architecture"])
    code = OwnCode(
        path.parent.resolve(), file, function, table.get("arguments", {}), None if given is None else len(given)
    )
    rehearsal = Rehearsal(code, _size(table["input_size"]), _channels(table))
    return Recipe(
        name=path.stem,
        architecture=table["architecture"],
        build=lambda classes, size: code.build(),
        preprocessing=Preprocessing((1, 1), None),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        labels=given,
        weights=weights,
        on_meta=False,
        code=file,
        rehearse=lambda: own_code.rehearse(rehearsal),
        origin=lambda: code.digest,
        findings=(Finding("recognized", f"The network is {function} of {file.name}.", "architecture = …"),),
    )


def _channels(table: Mapping[str, Any]) -> tuple[int, ...]:
    if "channels" in table:
        return (table["channels"],)
    return (1, 3) if len(table.get("mean", table.get("std", (0, 0, 0)))) == 1 else (3, 1)


def _preprocessing(table: Mapping[str, Any], base: Preprocessing) -> Preprocessing:
    """The file's own where it says the input's size, else the published weights'.

    A size without `resize` keeps the published weights' ratio of the resized side to the crop.
    """
    crop = _size(table.get("input_size", base.crop))
    kept = None if base.resize is None else round(base.resize * min(crop) / min(base.crop))
    return Preprocessing(crop, table.get("resize", kept), table.get("interpolation", base.interpolation))


def _size(given: int | list[int] | tuple[int, int]) -> tuple[int, int]:
    return (given, given) if isinstance(given, int) else (given[0], given[1])


def _normalization(table: Mapping[str, Any], base: Recipe) -> dict[str, tuple[float, ...]]:
    """Mean and std, of one number each where the file says so, else of three."""
    given = {key: table.get(key) for key in ("mean", "std")}
    count = next((len(numbers) for numbers in given.values() if numbers), 1 if table.get("channels") == 1 else 3)
    plain = {"mean": base.mean, "std": base.std}
    return {key: numbers or _of_length(plain[key], count) for key, numbers in given.items()}


def _of_length(numbers: tuple[float, ...], count: int) -> tuple[float, ...]:
    return numbers if len(numbers) == count else (sum(numbers) / len(numbers),) * count


def _labels(path: Path, table: Mapping[str, Any], key: str) -> Labels | None:
    if key not in table:
        return None
    given = table[key]
    try:
        return labels.read(given if isinstance(given, list) else beside(path, given, key))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: {error}") from None
    except ValueError as error:
        raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from None


def _source(path: Path, architecture: str) -> tuple[Path, str]:
    """The file and function that "module.py:function" means: in the TOML's own folder, links followed."""
    given, _, function = architecture.rpartition(":")
    folder = path.parent.resolve()
    try:
        file = beside(path, given, "architecture").resolve()
    except (OSError, RuntimeError):
        raise ValueError(f"{path} takes code from {shown(given)}, which cannot be read.") from None
    if not file.is_relative_to(folder):
        raise ValueError(f"{path} takes code from {shown(file)}, outside its folder: put the file into {folder}.")
    if not is_file(file):
        raise ValueError(f"{path} takes code from {shown(given)}, which is not in {folder}: put it there.")
    if not function.isidentifier():
        raise ValueError(
            f'{path} names no function in architecture = {shown(architecture)!r}: write "module.py:function".'
        )
    return file, function
