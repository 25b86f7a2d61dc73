"""What whoever starts the server has settled: the folders of classifiers and of photographs, and if one changed."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

import cache
from interp import cores, settings

KNOWN = "--models FOLDER, --images FOLDER and --prepared FOLDER"
_log = logging.getLogger("loupe")


@dataclass(frozen=True)
class Options:
    """The folders that visitors may choose from, and the bytes of uploads that are kept for all of them together.

    What was wrong with them at the start is in `wrong`.
    """

    models: Path | None
    images: Path | None
    wrong: tuple[str, ...]
    uploads: int

    @property
    def problems(self) -> tuple[str, ...]:
        """What whoever runs the server should mend: what was wrong at the start, and that nothing can be kept now."""
        trouble = cache.trouble()
        return self.wrong if trouble is None else (*self.wrong, trouble)


@st.cache_resource
def options() -> Options:
    """Read `streamlit run app.py -- --models FOLDER --images FOLDER`, or LOUPE_MODELS and LOUPE_IMAGES.

    `--prepared FOLDER`, or LOUPE_PREPARED, opens results that were computed beforehand.
    LOUPE_UPLOADS_MB bounds the uploads of all visitors together. What is wrong is said in the terminal, too.
    """
    cores.keep_to_one()
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--models", default=settings.path("LOUPE_MODELS"))
    parser.add_argument("--images", default=settings.path("LOUPE_IMAGES"))
    parser.add_argument("--prepared", default=settings.path("LOUPE_PREPARED"))
    problems = list(settings.problems())
    try:
        given, unknown = parser.parse_known_args(sys.argv[1:])
    except argparse.ArgumentError as error:
        given, unknown = parser.parse_args([]), []
        problems.append(f"The command line could not be read: {error}.")
    if unknown and Path(sys.argv[0]).name == "app.py":
        problems.append(f"Unknown options: {' '.join(unknown)}. Known are {KNOWN}.")
    models, images = _folder(given.models, "--models", problems), _folder(given.images, "--images", problems)
    if prepared := _folder(given.prepared, "--prepared", problems):
        problems.extend(f"--prepared: {problem}" for problem in cache.prepared.use(prepared))
    for problem in problems:
        _log.warning("%s", problem)
    return Options(models, images, tuple(problems), int(settings.number("LOUPE_UPLOADS_MB") * 1_000_000))


def stamp(path: Path | None) -> int:
    """When a file or folder last changed, so that a changed one is read again; 0 where a typed path leads nowhere."""
    try:
        return 0 if path is None else path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def _folder(text: str | None, option: str, problems: list[str]) -> Path | None:
    if not text:
        return None
    try:
        folder = Path(text).expanduser().resolve()
        usable = folder.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        # A name that is too long, a loop of links, a user whom nobody knows.
        problems.append(f"{option} {text}: {error}. Give a folder that exists on the server.")
        return None
    if not usable:
        problems.append(f"{option} {text}: there is no such folder. Give one that exists on the server.")
        return None
    return folder
