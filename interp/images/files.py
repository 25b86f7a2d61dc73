"""Files and folders on disk: what may be opened, which pictures lie there, and where a named one is."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from interp import progress
from interp.images.decoding import EXTENSIONS
from interp.images.problems import LISTED, Problem, Problems, printable

IGNORED = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
ANNOTATIONS = frozenset({".xml", ".json", ".csv"})


class PictureFile(NamedTuple):
    """A picture on disk: its path, the part of it that names it in the set, its size and time of change."""

    path: str
    relative: str
    bytes: int
    modified: int


class Boundary:
    """The folder that paths must stay in, symbolic links included; without one every path is admitted."""

    def __init__(self, root: Path | None) -> None:
        self._root = None if root is None else Path(os.path.realpath(root))

    def place(self, path: str | Path) -> Path:
        """The path, resolved from the root. Raises `ValueError` outside of it, `FileNotFoundError` where nothing is.

        The message for a path outside is the same whether or not it exists.
        """
        shown = printable(str(path))
        if "\0" in str(path):
            raise ValueError(f"{shown!r} is not a path: it contains a null character.")
        resolved = os.path.realpath(path if self._root is None else self._root / path)
        if not self.admits(resolved):
            raise ValueError(
                f"{shown!r} lies outside the folder that this server offers. Give a path inside it, relative to it."
            )
        try:
            os.stat(resolved)
        except PermissionError:
            raise ValueError(f"{shown!r} may not be read by this program. Give its user the permission to.") from None
        except OSError:
            raise FileNotFoundError(
                f"{shown!r} does not exist. Give 'scenes', 'digits', 'photographs', a folder of pictures, or an "
                "annotation file (COCO JSON, Pascal VOC XML)."
            ) from None
        return Path(resolved)

    def admits(self, path: str | Path) -> bool:
        """Whether the path, its links followed, lies inside."""
        return self._root is None or Path(os.path.realpath(path)).is_relative_to(self._root)


@dataclass
class Listing:
    """What lies in a folder and its subfolders, by relative path in order."""

    pictures: list[PictureFile] = field(default_factory=list)
    annotations: list[str] = field(default_factory=list)


def list_folder(folder: Path, boundary: Boundary, problems: Problems) -> Listing:
    """The pictures in a folder and below, told by their extension without opening them.

    Hidden files are left out silently; files of other kinds, links that lead nowhere, outside or round in a circle,
    and folders that may not be read are noted in `problems`.
    """
    listing, others, pending, seen = Listing(), [], [(str(folder), "")], {os.path.realpath(folder)}
    while pending:
        directory, prefix = pending.pop()
        progress.report(len(listing.pictures), 0, "Listing pictures")
        try:
            with os.scandir(directory) as entries:
                kept = [entry for entry in entries if not entry.name.startswith(".") and entry.name not in IGNORED]
        except OSError as error:
            problems.add("folders that cannot be read", prefix or folder.name, _reason(error))
            continue
        for entry in kept:
            relative = prefix + entry.name
            if entry.is_symlink() and not _leads_on(entry, relative, boundary, problems):
                continue
            if entry.is_dir():
                real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                if real not in seen:
                    seen.add(real)
                    pending.append((entry.path, relative + "/"))
                continue
            _sort(entry, relative, listing, others)
    listing.pictures.sort(key=lambda picture: picture.relative)
    listing.annotations.sort()
    problems.extend(_not_pictures(sorted(others)))
    return listing


def _leads_on(entry: os.DirEntry[str], relative: str, boundary: Boundary, problems: Problems) -> bool:
    if not os.path.exists(entry.path) and boundary.admits(entry.path):
        problems.add("links that lead nowhere", relative, "The link leads nowhere. Put the file back, or remove it.")
        return False
    if not boundary.admits(entry.path):
        problems.add("links that lead outside", relative, "The link leads outside the folder that this server offers.")
        return False
    return True


def _sort(entry: os.DirEntry[str], relative: str, listing: Listing, others: list[str]) -> None:
    extension = os.path.splitext(entry.name)[1].lower()
    if extension in EXTENSIONS:
        status = entry.stat()
        listing.pictures.append(PictureFile(entry.path, relative, status.st_size, status.st_mtime_ns))
    elif extension in ANNOTATIONS:
        listing.annotations.append(relative)
    else:
        others.append(relative)


def _not_pictures(others: Sequence[str]) -> list[Problem]:
    if len(others) <= LISTED:
        return [Problem(printable(name), "By its extension this is not a picture.") for name in others]
    counts = Counter(os.path.splitext(name)[1].lower() for name in others)
    kinds = ", ".join(f"{count:,} {extension or 'without extension'}" for extension, count in counts.most_common(10))
    return [Problem(f"{len(others):,} files", printable(f"By their extension these are not pictures: {kinds}."))]


def _reason(error: OSError) -> str:
    return f"The folder cannot be read ({error.strerror}). Give this program's user the permission to."


class Locator:
    """Finds the pictures that an annotation file names, in a few folders, in their order."""

    def __init__(self, folders: Iterable[Path], boundary: Boundary) -> None:
        self._folders = [str(folder) for folder in dict.fromkeys(folders) if folder.is_dir()]
        self._boundary = boundary
        self._within: dict[str, bool] = {}

    def find(self, file: str) -> PictureFile | None:
        """The picture under that relative path, whose extension may be missing; None where there is none.

        Raises `ValueError` for a path that leads out of the folders.
        """
        relative = file.replace("\\", "/")
        if relative.startswith("/") or ".." in relative.split("/") or "\0" in relative:
            raise ValueError(f"{printable(file)!r} leads out of the folder. Give a path below it.")
        known = os.path.splitext(relative)[1].lower() in EXTENSIONS
        for folder in self._folders:
            for ending in ("",) if known else ("", ".JPEG", ".jpg", ".jpeg", ".png", ".JPG", ".PNG"):
                found = self._status(f"{folder}/{relative}{ending}")
                if found is not None and stat.S_ISREG(found.st_mode):
                    name = relative + ending
                    return PictureFile(f"{folder}/{name}", name, found.st_size, found.st_mtime_ns)
        return None

    def _status(self, path: str) -> os.stat_result | None:
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                return os.stat(path) if self._boundary.admits(path) else None
        except (OSError, ValueError):
            return None
        directory = os.path.dirname(path)
        # One look for each directory, not for each picture: a hundred thousand of them take two seconds otherwise.
        if directory not in self._within:
            self._within[directory] = self._boundary.admits(directory)
        return status if self._within[directory] else None


class Stems:
    """Looks pictures up by what an annotation calls them: the path, the name, or either without its extension."""

    def __init__(self, pictures: Sequence[PictureFile]) -> None:
        self._positions: dict[str, set[int]] = {}
        for position, picture in enumerate(pictures):
            for key in _keys(picture.relative):
                self._positions.setdefault(key, set()).add(position)

    def find(self, file: str) -> int | None:
        """The position of the picture; None where there is none. Raises `ValueError` where there are several."""
        for key in _keys(file.replace("\\", "/")):
            found = self._positions.get(key, set())
            if len(found) == 1:
                return next(iter(found))
            if found:
                raise ValueError(f"{len(found)} pictures are called so. Give the folder along with the name.")
        return None


def _keys(relative: str) -> list[str]:
    name = relative.rsplit("/", 1)[-1]
    stems = [
        os.path.splitext(one)[0] if os.path.splitext(one)[1].lower() in EXTENSIONS else one for one in (relative, name)
    ]
    return list(dict.fromkeys((relative, stems[0], name, stems[1])))


def digest(pictures: Iterable[PictureFile], contents: Iterable[bytes]) -> str:
    """A digest of the pictures' relative paths, sizes and times of change, and of all bytes of the contents."""
    state = hashlib.blake2b(digest_size=16)
    for picture in pictures:
        state.update(os.fsencode(f"{picture.relative}\0{picture.bytes}\0{picture.modified}\n"))
    for content in contents:
        state.update(f"\0{len(content)}\0".encode() + hashlib.blake2b(content).digest())
    return state.hexdigest()


def content(path: Path, *, limit: int) -> bytes:
    """All bytes of an annotation file. Raises `ValueError` where there are more than `limit`, or it cannot be read."""
    try:
        if not path.is_file():
            raise ValueError(f"{printable(path.name)}: this is not an ordinary file. Supply one.")
        size = path.stat().st_size
        if size > limit:
            raise ValueError(
                f"{printable(path.name)}: the file has {size / 1e6:,.0f} MB, and the limit is {limit / 1e6:,.0f} MB. "
                "Split it into smaller ones."
            )
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{printable(path.name)}: the file cannot be read ({error.strerror}).") from None
