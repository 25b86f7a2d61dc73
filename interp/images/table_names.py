"""The pictures of a set, found by how tables write their names: paths of other computers, ids, other suffixes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from urllib.parse import unquote

from interp.images.decoding import EXTENSIONS
from interp.text_files import composed

NameRule = Literal["path", "tail", "case", "name", "suffix"]


class NameMatch(NamedTuple):
    """The picture that a cell names, by its path in the set, and the rule by which; or why there is none.

    `elsewhere` is true where pictures of that name are there, in folders of other names.
    """

    picture: str | None
    rule: NameRule | None = None
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
        # Of no use where all paths are written as they are, and half of the time then: made when needed.
        self._folded: list[tuple[str, str]] | None = None
        self._whole: dict[str, list[str]] | None = None
        self._by_length: dict[int, dict[str, list[str]]] = {}
        self._known: dict[tuple[str, str | None], NameMatch] = {}

    def __contains__(self, cell: object) -> bool:
        return isinstance(cell, str) and self.find(cell).picture is not None

    def find(self, cell: str, *, prefer: str | None = None) -> NameMatch:
        """The picture that a cell names: by its path from the table, the set or 'images'; else by the end of its path.

        Of several the one whose path agrees furthest is taken, or that in the folder `prefer` (the row's split).
        """
        for folder in self._within:
            path = self._exact.get(folder + cell) or self._exact.get(composed(folder + cell))
            if path is not None:
                return NameMatch(path, "path")
        written = cleaned(cell)
        for folder in self._within:
            path = self._exact.get(folder + written)
            if path is not None:
                return NameMatch(path, "path" if cell.removeprefix("./").replace("\\", "/") == path else "tail")
        known = self._known.get((cell, prefer))
        if known is None:
            known = self._known[cell, prefer] = self._by_tail(cell, written, prefer)
        return known

    def _by_tail(self, cell: str, written: str, prefer: str | None) -> NameMatch:
        key, suffix = _key(written), _suffix(written)
        # Spreadsheets give numbers a point: '7.0' is the picture '7'.
        for tail in dict.fromkeys((key, re.sub(r"(^|/)(\d+)\.0$", r"\1\2", key))):
            listed = self._ending(tail) or self._begun(tail)
            if listed:
                return _one(listed, written, suffix, prefer)
        others = self._tails(1).get(key.rpartition("/")[2], [])
        if others:
            there = ", ".join(repr(path) for path in others[:2])
            return NameMatch(None, reason=f"was not found in that folder (in another lies {there})", elsewhere=True)
        leads_out = rooted(cell) or ".." in re.split(r"[\\/]", cell)
        out = "leads out of the folder, and no picture in it is called so"
        return NameMatch(None, reason=out if leads_out else "was not found")

    def _tails(self, length: int) -> dict[str, list[str]]:
        """The set's paths by so many of their last parts, without suffix and case; made once it is asked for."""
        if length not in self._by_length:
            found: dict[str, list[str]] = {}
            for key, path in self._keys():
                parts = key.rsplit("/", length)
                if len(parts) > length:
                    found.setdefault(key[len(parts[0]) + 1 :], []).append(path)
                elif len(parts) == length:
                    found.setdefault(key, []).append(path)
            self._by_length[length] = found
        return self._by_length[length]

    def _keys(self) -> list[tuple[str, str]]:
        if self._folded is None:
            self._folded = [(_key(path), path) for path in dict.fromkeys(self._exact.values())]
        return self._folded

    def _ending(self, key: str) -> list[str]:
        """The set's paths that end in the written one."""
        return self._tails(key.count("/") + 1).get(key, [])

    def _begun(self, key: str) -> list[str]:
        """The longest of the set's paths that the written one ends in."""
        if self._whole is None:
            self._whole = {}
            for whole, path in self._keys():
                self._whole.setdefault(whole, []).append(path)
        while "/" in key:
            key = key.partition("/")[2]
            if key in self._whole:
                return self._whole[key]
        return []


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


def _key(path: str) -> str:
    return composed(path[: len(path) - len(_suffix(path))]).casefold()


def _one(listed: Sequence[str], written: str, suffix: str, prefer: str | None) -> NameMatch:
    """The one that is meant of paths that agree: by its suffix, whatever the case, then by the folder `prefer`."""
    same = [path for path in listed if suffix and _suffix(path) == suffix] or listed
    if len(same) > 1 and prefer:
        same = [path for path in same if prefer.casefold() in path.casefold().split("/")[:-1]] or same
    if len(same) > 1:
        there = ", ".join(repr(path) for path in same[:2])
        return NameMatch(None, reason=f"is the name of {len(same)} pictures ({there}): give the folder along with it")
    if composed(same[0]).casefold() == written.casefold():
        return NameMatch(same[0], "case")
    return NameMatch(same[0], "tail" if _suffix(same[0]) == suffix else "suffix")
