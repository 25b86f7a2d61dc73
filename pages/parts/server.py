"""What whoever starts the server has settled: the folders of classifiers and of photographs, and if one changed."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

UPLOADS_MB = 2000


@dataclass(frozen=True)
class Options:
    """The folders that visitors may choose from, and the bytes of uploads that are kept for all of them together.

    What is wrong with them is in `problems`.
    """

    models: Path | None
    images: Path | None
    problems: tuple[str, ...]
    uploads: int


@st.cache_resource
def options() -> Options:
    """Read `streamlit run app.py -- --models FOLDER --images FOLDER`, or LOUPE_MODELS and LOUPE_IMAGES.

    LOUPE_UPLOADS_MB bounds the uploads of all visitors together.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--models", default=os.environ.get("LOUPE_MODELS"))
    parser.add_argument("--images", default=os.environ.get("LOUPE_IMAGES"))
    problems: list[str] = []
    try:
        given, unknown = parser.parse_known_args(sys.argv[1:])
    except argparse.ArgumentError as error:
        given, unknown = parser.parse_args([]), []
        problems.append(f"The command line could not be read: {error}.")
    if unknown and Path(sys.argv[0]).name == "app.py":
        problems.append(f"Unknown options: {' '.join(unknown)}. Known are --models FOLDER and --images FOLDER.")
    models, images = _folder(given.models, "--models", problems), _folder(given.images, "--images", problems)
    uploads = _megabytes("LOUPE_UPLOADS_MB", UPLOADS_MB, problems)
    return Options(models, images, tuple(problems), uploads)


def stamp(path: Path | None) -> int:
    """When a file or folder last changed, so that a changed one is read again; 0 where a typed path leads nowhere."""
    try:
        return 0 if path is None else path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def _megabytes(variable: str, default: int, problems: list[str]) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default * 1_000_000
    if not text.isdecimal() or not 0 < int(text) < 100_000_000:
        problems.append(f"{variable} is {text!r}, and {default:,} is taken. Give a whole number of megabytes.")
        return default * 1_000_000
    return int(text) * 1_000_000


def _folder(text: str | None, option: str, problems: list[str]) -> Path | None:
    if not text:
        return None
    folder = Path(text).expanduser().resolve()
    if not folder.is_dir():
        problems.append(f"{option} {text}: there is no such folder. Give one that exists on the server.")
        return None
    return folder
