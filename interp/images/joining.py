"""Which picture an annotation, a mask or a row of a table is about: one rule, from either side."""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property

from interp.images.decoding import EXTENSIONS
from interp.images.places import CONTAINERS, SPLIT

# Beyond so many pictures of one name nothing but the folder can tell them apart.
MOST_CANDIDATES = 1000
_DRIVE = re.compile(r"^(file:/*)?[A-Za-z]:/|^file:/+")
_ADDRESS = re.compile(r"^[a-z][a-z0-9+.]*://[^/]*/")
# Label Studio puts eight hexadecimal digits before the name of an uploaded file.
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")


def tail(file: str) -> str:
    """A path as it may stand in a file, of any system: in composed characters, without drive, address, '.' and '..'."""
    plain = unicodedata.normalize("NFC", file.strip()).replace("\\", "/")
    plain = _ADDRESS.sub("", _DRIVE.sub("", plain))
    return "/".join(part for part in plain.split("/") if part not in ("", ".", ".."))


def stem(name: str) -> str:
    """A name without the extension of a picture."""
    before, extension = os.path.splitext(name)
    return before if extension.lower() in EXTENSIONS else name


class Joiner:
    """Finds the pictures of a set by what others call them.

    A picture is what is called so, with its folders, or by as much of the end of its path as both sides have; folders
    such as 'images' and 'labels' count for nothing, the extension of a picture may be missing, and upper and lower case
    are told apart only where that is needed.
    """

    def __init__(self, relatives: Sequence[str]) -> None:
        self._relatives = relatives

    # Nothing is looked up in most folders, and a hundred thousand pictures take a second.
    @cached_property
    def _paths(self) -> list[str]:
        return [tail(one) for one in self._relatives]

    @cached_property
    def _exact(self) -> dict[str, int]:
        return {path: place for place, path in enumerate(self._paths)}

    @cached_property
    def _folders(self) -> set[str]:
        return {path.rpartition("/")[0] for path in self._paths}

    @cached_property
    def _keyed(self) -> dict[str, list[int]]:
        keyed: dict[str, list[int]] = {}
        for place, path in enumerate(self._paths):
            folders, _, name = path.rpartition("/")
            keyed.setdefault(f"{_telling(folders)}/{stem(name)}", []).append(place)
        return keyed

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        named: dict[str, list[int]] = {}
        for place, path in enumerate(self._paths):
            name = path.rpartition("/")[2]
            for key in {name, stem(name), name.casefold(), stem(name).casefold()}:
                named.setdefault(key, []).append(place)
        return named

    def find(self, file: str, base: str = "") -> int | None:
        """The position of the picture that is called so in a folder `base`; None where there is none.

        Raises `ValueError` where there are several.
        """
        plain = tail(file)
        for path in dict.fromkeys((tail(f"{base}/{plain}"), plain)):
            found = self._by_path(path)
            if found is not None:
                return found
        found = self._by_name(tail(f"{base}/{plain}"))
        if found is None and base:
            found = self._by_name(plain)
        if found is None and _UPLOADED.match(plain.rpartition("/")[2]):
            folders, _, name = plain.rpartition("/")
            return self._by_name(f"{folders}/{_UPLOADED.sub('', name)}".lstrip("/"))
        return found

    def _by_path(self, path: str) -> int | None:
        if path in self._exact:
            return self._exact[path]
        folders, _, name = path.rpartition("/")
        found = self._with_extension(self._keyed.get(f"{_telling(folders)}/{stem(name)}", []), name)
        return found[0] if len(found) == 1 else None

    def _by_name(self, path: str) -> int | None:
        folders, _, name = path.rpartition("/")
        for key in dict.fromkeys((name, stem(name), name.casefold(), stem(name).casefold())):
            candidates = self._named.get(key, [])
            if len(candidates) > MOST_CANDIDATES:
                raise _several(len(candidates))
            lengths = {one: self._agreement(folders, one) for one in candidates}
            best = max((length for length in lengths.values() if length is not None), default=None)
            found = self._with_extension([one for one, length in lengths.items() if length == best], name)
            if best is not None and len(found) == 1:
                return found[0]
            if best is not None and found:
                raise _several(len(found))
        return None

    def _with_extension(self, places: list[int], name: str) -> list[int]:
        """Of several, those that have the very name, where one has."""
        exact = [one for one in places if self._paths[one].rpartition("/")[2] == name]
        return exact or places

    def _agreement(self, folders: str, place: int) -> int | None:
        """How many folders both paths end on; None where what tells their folders apart disagrees."""
        own = self._paths[place].rpartition("/")[0]
        given, there = (one.split("/") if one else [] for one in (_telling(folders), _telling(own)))
        splits = [{part.lower() for part in parts if SPLIT.fullmatch(part)} for parts in (given, there)]
        if all(splits) and splits[0] != splits[1]:
            return None
        same = 0
        while same < min(len(given), len(there)) and given[-1 - same] == there[-1 - same]:
            same += 1
        # A folder in which no picture lies, such as one of annotations, says nothing of where the pictures are.
        return same if same == min(len(given), len(there)) or folders not in self._folders else None


@functools.lru_cache(maxsize=10_000)
def _telling(folders: str) -> str:
    """The folders that tell pictures apart."""
    return "/".join(part for part in folders.split("/") if part.lower() not in CONTAINERS)


def _several(count: int) -> ValueError:
    return ValueError(f"{count:,} pictures are called so. Give the folder along with the name.")
