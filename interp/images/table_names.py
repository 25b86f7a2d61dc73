"""The pictures of a set, found by how tables write their names: paths of other computers, ids, other suffixes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from urllib.parse import unquote

from interp.images.decoding import EXTENSIONS
from interp.text_files import composed

Rule = Literal["path", "tail", "case", "name", "suffix"]


class Found(NamedTuple):
    """The picture that a cell names, by its path in the set, and the rule by which; or why there is none.

    `elsewhere` is true where pictures of that name are there, in folders of other names.
    """

    picture: str | None
    rule: Rule | None = None
    reason: str = ""
    elsewhere: bool = False


class Pictures:
    """The paths of a set's pictures, relative to its folder; `within` is the folder of the table there."""

    def __init__(self, paths: Iterable[str], within: str = "") -> None:
        self._within = [f"{within}/", f"{within}/images/"] if within else []
        self._within += ["", "images/"]
        self._exact: dict[str, str] = {}
        for path in paths:
            self._exact.setdefault(composed(path), path)
            self._exact[path] = path
        self._stems: dict[str, list[str]] | None = None

    def __contains__(self, cell: object) -> bool:
        return isinstance(cell, str) and self.find(cell).picture is not None

    def find(self, cell: str, *, prefer: str | None = None) -> Found:
        """The picture that a cell names: by its path from the table, the set or 'images'; else by the end of its path.

        Of several the one whose path agrees furthest is taken, or that in the folder `prefer` (the row's split).
        """
        for folder in self._within:
            path = self._exact.get(folder + cell) or self._exact.get(composed(folder + cell))
            if path is not None:
                return Found(path, "path")
        written = cleaned(cell)
        for folder in self._within:
            path = self._exact.get(folder + written)
            if path is not None:
                return Found(path, "path" if cell.removeprefix("./").replace("\\", "/") == path else "tail")
        return self._by_tail(cell, written, prefer)

    def _by_stem(self) -> dict[str, list[str]]:
        # Of no use where all paths are written as they are, and half of the time then.
        if self._stems is None:
            self._stems = {}
            for path in dict.fromkeys(self._exact.values()):
                self._stems.setdefault(_stem(path), []).append(path)
        return self._stems

    def _by_tail(self, cell: str, written: str, prefer: str | None) -> Found:
        parts, is_rooted = written.casefold().split("/"), rooted(cell)
        # Spreadsheets give numbers a point: '7.0' is the picture '7'.
        whole = re.sub(r"^(\d+)\.0$", r"\1", written)
        listed = self._by_stem().get(_stem(written)) or self._by_stem().get(_stem(whole), [])
        if not written or not listed:
            leads_out = is_rooted or ".." in re.split(r"[\\/]", cell)
            reason = "leads out of the folder, and no picture in it is called so" if leads_out else "was not found"
            return Found(None, reason=reason)
        suffix = _suffix(written)
        # The same suffix first, whatever its case; without one, or with another, the name alone.
        same = [path for path in listed if suffix and _suffix(path) == suffix] or listed
        ranked = [(_common(parts, path), path) for path in same]
        fitting = [(common, path) for common, path in ranked if common is not None]
        if not fitting:
            there = ", ".join(repr(path) for path in same[:2])
            return Found(None, reason=f"was not found in that folder (in another lies {there})", elsewhere=True)
        longest = max(common for common, _ in fitting)
        best = [path for common, path in fitting if common == longest]
        if len(best) > 1 and prefer:
            best = [path for path in best if prefer.casefold() in path.casefold().split("/")[:-1]] or best
        if len(best) > 1:
            there = ", ".join(repr(path) for path in best[:2])
            return Found(None, reason=f"is the name of {len(best)} pictures ({there}): give the folder along with it")
        if composed(best[0]).casefold() == written.casefold():
            return Found(best[0], "case")
        return Found(best[0], "tail" if _suffix(best[0]) == suffix else "suffix")


def rooted(cell: str) -> bool:
    """Whether a path begins at a root that may be another computer's."""
    return re.match(r"[\"']?(?:/|\\|[A-Za-z]:|[A-Za-z][\w+.-]*://)", cell.strip()) is not None


def cleaned(cell: str) -> str:
    """A path from a table as parts between '/', without quotes, drive, '.', '..' and what stands before them."""
    text = cell.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if re.match(r"[A-Za-z][\w+.-]*://", text):
        text = unquote(re.split(r"[?#]", text, maxsplit=1)[0].partition("://")[2])
    text = re.sub(r"^[A-Za-z]:", "", text.replace("\\", "/"))
    parts = text.split("/")
    while ".." in parts:
        parts = parts[parts.index("..") + 1 :]
    return composed("/".join(part for part in parts if part not in ("", ".")))


def folder_of(cell: str) -> str:
    """The folder in a path from a table; empty where it has none."""
    return cleaned(cell).rpartition("/")[0]


def _suffix(path: str) -> str:
    suffix = os.path.splitext(path)[1].lower()
    return suffix if suffix in EXTENSIONS else ""


def _stem(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return composed(name[: len(name) - len(_suffix(name))]).casefold()


def _common(parts: Sequence[str], path: str) -> int | None:
    """How many folders at the end agree; None where both paths have one and it differs."""
    others = composed(path).casefold().split("/")
    count = 0
    for mine, other in zip(reversed(parts[:-1]), reversed(others[:-1]), strict=False):
        if mine != other:
            return None
        count += 1
    return count
