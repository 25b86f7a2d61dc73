"""The TOML files of a models folder: which there are, and which one a name means."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interp.text_files import is_file, shown

SUFFIX = ".toml"
MOST_FILES, MOST_ENTRIES, DEEPEST = 500, 20_000, 8
_SKIPPED = {"__pycache__", "node_modules", "site-packages"}


@dataclass(frozen=True)
class TomlFiles:
    """What of a folder is called .toml, by name, those in subfolders last; `problem` is what hinders the rest."""

    paths: tuple[Path, ...]
    problem: str | None = None


def listing(folder: Path) -> TomlFiles:
    """The TOML files of a folder and of the folders in it. Links to folders are not followed, and hidden ones are left.

    Never raises: what cannot be read is said in `problem`.
    """
    problems: list[str] = []
    found: list[Path] = []
    entries = 0
    for place, folders, names in os.walk(folder, onerror=lambda error: problems.append(_reason(folder, error))):
        depth = len(Path(place).relative_to(folder).parts)
        entries += len(folders) + len(names)
        # A folder may be called so, too: then its entry says that it is none.
        found += [Path(place, name) for name in (*names, *folders) if Path(name).suffix.lower() == SUFFIX]
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _SKIPPED)
        if depth == DEEPEST:
            del folders[:]
        if len(found) > MOST_FILES or entries > MOST_ENTRIES:
            problems.append(
                f"{shown(folder)} holds more than {MOST_FILES} TOML files or {MOST_ENTRIES:,} others: "
                "not all of it was looked through. Give a folder of its own to the models."
            )
            break
    paths = sorted(found, key=lambda path: (len(path.relative_to(folder).parts) > 1, path.parts))
    return TomlFiles(tuple(paths[:MOST_FILES]), " ".join(problems) or None)


def name_of(path: Path, folder: Path) -> str:
    """The name of a TOML file: its path in the folder without the suffix, its parts set off by slashes."""
    return shown(path.relative_to(folder).as_posix().removesuffix(SUFFIX))


def find(name: str, folder: Path | None, taken: Callable[[str], bool] = lambda name: False) -> Path | None:
    """The TOML file that a name means; None where it means none.

    In a folder it is a path, with or without the suffix, or a stem that only one file has; without, any path to one.
    Of names that are `taken`, by what is not the folder's, only the exact path of a file counts.
    Raises `ValueError` for a path that leads out of the folder, or a stem of two files, `FileNotFoundError` for a path
    that leads nowhere.
    """
    if folder is not None:
        found = _named(name, folder, taken)
        if found is not None:
            return found
    if not name.lower().endswith(SUFFIX):
        return None
    try:
        path = (Path(name) if folder is None else folder / name).resolve()
        outside = folder is not None and not path.is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        raise FileNotFoundError(f"There is no file {shown(name)}.") from None
    if outside:
        raise ValueError(f"{shown(name)} lies outside the folder of models, {folder}: only files in it are loaded.")
    if not is_file(path):
        raise FileNotFoundError(f"There is no file {shown(path)}.")
    return path


def _named(name: str, folder: Path, taken: Callable[[str], bool]) -> Path | None:
    direct = folder / f"{name}{SUFFIX}"
    if ".." not in Path(name).parts and not Path(name).is_absolute() and is_file(direct):
        return direct
    # Looking through a large folder takes long, and pages ask each time that they are drawn.
    if taken(name):
        return None
    paths = listing(folder).paths
    wanted = _plain(name)
    for same in (lambda one: one, _plain):
        for path in paths:
            whole = name_of(path, folder)
            if same(name) in (same(whole), same(f"{whole}{SUFFIX}")):
                return path
    stems = [path for path in paths if wanted in (_plain(shown(path.stem)), _plain(shown(path.name)))]
    if not stems:
        return None
    if len(stems) > 1:
        names = [name_of(path, folder) for path in stems]
        meant = " or ".join(names[:3]) + (f" or {len(names) - 3} others" if len(names) > 3 else "")
        raise ValueError(f"{shown(name)} may mean {meant}: give one of these names.")
    return stems[0]


def _plain(name: str) -> str:
    # macOS writes an accent as a sign of its own, other systems and keyboards do not.
    return unicodedata.normalize("NFC", name).replace("\\", "/")


def _reason(folder: Path, error: OSError) -> str:
    where = Path(error.filename) if error.filename else folder
    what = "The folder of models" if where == folder else "A folder of models"
    return f"{what}, {shown(where)}, cannot be read ({error.strerror}): its classifiers are not offered."
