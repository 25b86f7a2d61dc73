"""Files and folders on disk: what may be opened, which pictures lie there, and where a named one is."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from interp import progress
from interp.images import formats, stamps
from interp.images.decoding import EXTENSIONS
from interp.images.joining import tail
from interp.images.problems import LISTED, Problem, Problems, printable
from interp.images.stamps import Stamp
from interp.images.unreadable import UnreadableImage

IGNORED = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
ANNOTATIONS = frozenset(".xml .json .csv .tsv .txt .yaml .yml .names".split())


class PictureFile(NamedTuple):
    """A picture on disk: its path, the part of it that names it in the set, and what is in its stamp.

    A stamp of its own for each would cost the collector of garbage more than the listing of a large folder.
    """

    path: str
    relative: str
    bytes: int
    modified: int
    changed: int
    inode: int
    digest: bytes = b""

    @property
    def stamp(self) -> Stamp:
        """What tells this state of the file from another."""
        return Stamp(*self[2:])


def picture_file(path: str, relative: str, status: os.stat_result) -> PictureFile:
    """A picture whose status was read."""
    return PictureFile(path, relative, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Boundary:
    """The folder that paths must stay in, symbolic links included; without one every path is admitted."""

    def __init__(self, root: Path | None) -> None:
        self._root = None if root is None else Path(os.path.realpath(root))

    def place(self, path: str | Path, bundled: str) -> Path:
        """The path, resolved from the root. Raises `ValueError` outside of it, `FileNotFoundError` where nothing is.

        The message for a path outside is the same whether or not it exists; `bundled` are the names that it could be.
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
            remedy = f"Give {bundled}, a folder of pictures, or an annotation file."
            raise FileNotFoundError(f"{shown!r} does not exist. {remedy}") from None
        return Path(resolved)

    def admits(self, path: str | Path) -> bool:
        """Whether the path, its links followed, lies inside."""
        return self._root is None or Path(os.path.realpath(path)).is_relative_to(self._root)


@dataclass
class Listing:
    """What lies in a folder and its subfolders, by relative path in order.

    `annotations` may hold annotations, tables or names of classes; `others` are neither that nor pictures. `hidden`
    counts files that begin with a dot or are the system's, and `refused` links and entries that are no ordinary files.
    `folders` are the times at which the folders last changed (nanoseconds), by path.
    """

    pictures: list[PictureFile] = field(default_factory=list)
    annotations: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    hidden: int = 0
    refused: int = 0
    folders: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many entries other than folders there are."""
        return len(self.pictures) + len(self.annotations) + len(self.others) + self.hidden + self.refused


def list_folder(folder: Path, boundary: Boundary, problems: Problems) -> Listing:
    """What lies in a folder and below, told by the extension without opening anything.

    Links that lead nowhere, outside or round in a circle, what is no ordinary file, and folders that may not be read
    are noted in `problems`.
    """
    listing, pending, seen = Listing(), [(str(folder), "")], {os.path.realpath(folder)}
    while pending:
        directory, prefix = pending.pop()
        progress.report(len(listing.pictures), 0, "Listing pictures")
        try:
            listing.folders[directory] = os.stat(directory).st_mtime_ns
            with os.scandir(directory) as entries:
                found = list(entries)
        except OSError as error:
            problems.add("folders that cannot be read", prefix or folder.name, _reason(error))
            continue
        for entry in found:
            if entry.name.startswith(".") or entry.name in IGNORED:
                listing.hidden += not entry.is_dir(follow_symlinks=False)
                continue
            relative = prefix + entry.name
            if entry.is_symlink() and not _leads_on(entry, relative, boundary, problems):
                listing.refused += 1
            elif entry.is_dir():
                real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                if real in seen:
                    listing.refused += 1
                    problems.add("folders that are listed already", relative, "It leads to a folder that is listed.")
                else:
                    seen.add(real)
                    pending.append((entry.path, relative + "/"))
            else:
                _sort(entry, relative, listing, problems)
    listing.pictures.sort(key=lambda picture: picture.relative)
    listing.annotations.sort()
    listing.others.sort()
    return listing


def _leads_on(entry: os.DirEntry[str], relative: str, boundary: Boundary, problems: Problems) -> bool:
    if not os.path.exists(entry.path) and boundary.admits(entry.path):
        problems.add("links that lead nowhere", relative, "The link leads nowhere. Put the file back, or remove it.")
        return False
    if not boundary.admits(entry.path):
        problems.add("links that lead outside", relative, "The link leads outside the folder that this server offers.")
        return False
    return True


def _sort(entry: os.DirEntry[str], relative: str, listing: Listing, problems: Problems) -> None:
    # Hidden files, which alone begin with their only dot, are not here.
    extension = entry.name[entry.name.rfind(".") :].lower()
    if extension in EXTENSIONS:
        try:
            status = entry.stat()
        except OSError as error:
            listing.refused += 1
            reason = f"It cannot be looked at ({error.strerror}). Let this program's user enter the folder."
            problems.add("files that cannot be looked at", relative, reason)
            return
        if not stat.S_ISREG(status.st_mode):
            _refuse_pipe(relative, listing, problems)
            return
        size, modified, changed, inode = status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
        listing.pictures.append(PictureFile(entry.path, relative, size, modified, changed, inode))
    elif not entry.is_file():
        _refuse_pipe(relative, listing, problems)
    elif extension in ANNOTATIONS:
        listing.annotations.append(relative)
    else:
        listing.others.append(relative)


def _refuse_pipe(relative: str, listing: Listing, problems: Problems) -> None:
    listing.refused += 1
    problems.add("entries that are no files", relative, "This is a pipe or a device, and no ordinary file.")


def not_pictures(folder: Path, others: Sequence[str]) -> list[Problem]:
    """A problem for each file of a kind that is not read; of many, how many there are of each kind."""
    if len(others) <= LISTED:
        return [Problem(printable(name), _what(folder / name)) for name in others]
    counts = Counter(os.path.splitext(name)[1].lower() for name in others)
    kinds = ", ".join(f"{count:,} {extension or 'without extension'}" for extension, count in counts.most_common(10))
    return [Problem(f"{len(others):,} files", printable(f"By their extension these are not pictures: {kinds}."))]


def _what(path: Path) -> str:
    try:
        head = stamps.content(path, path.name)[: formats.HEAD]
    except UnreadableImage:
        head = b""
    if suffix := formats.suffix_of(head):
        return f"By its extension this is not a picture, but it holds one: call it {printable(path.stem)}{suffix}."
    said = formats.described(head, path.name)
    return "By its extension this is not a picture." if said == formats.OTHERWISE else said[0].upper() + said[1:]


def _reason(error: OSError) -> str:
    return f"The folder cannot be read ({error.strerror}). Give this program's user the permission to."


class Locator:
    """Finds the pictures that an annotation file names, in a few folders, in their order."""

    def __init__(self, folders: Iterable[Path], boundary: Boundary) -> None:
        self._folders = [str(folder) for folder in dict.fromkeys(folders) if folder.is_dir()]
        self._boundary = boundary
        self._within: dict[str, bool] = {}

    def find(self, file: str) -> PictureFile | None:
        """The picture under that path or the end of it, whose extension may be missing; None where there is none.

        What stands before the end of an absolute path, or of one of another system, does not count.
        """
        parts = tail(file).split("/")
        known = os.path.splitext(parts[-1])[1].lower() in EXTENSIONS
        for start in range(len(parts)):
            relative = "/".join(parts[start:])
            for folder in self._folders:
                for ending in ("",) if known else ("", ".JPEG", ".jpg", ".jpeg", ".png", ".JPG", ".PNG"):
                    found = self._status(f"{folder}/{relative}{ending}")
                    if found is not None and stat.S_ISREG(found.st_mode):
                        return picture_file(f"{folder}/{relative}{ending}", relative + ending, found)
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


def settled(pictures: list[PictureFile]) -> list[PictureFile]:
    """The pictures, those with a digest of their content that changed only just now: their times tell too little."""
    now = time.time_ns()
    if max([one.changed for one in pictures], default=0) < now - stamps.UNSETTLED_COARSE:
        return pictures
    return [one if stamps.settled(one.changed, now) else _with_digest(one) for one in pictures]


def _with_digest(picture: PictureFile) -> PictureFile:
    return picture._replace(digest=stamps.with_digest(picture.path, picture.stamp).digest)


def digest(pictures: Iterable[PictureFile], contents: Iterable[bytes]) -> str:
    """A digest of the pictures' relative paths and stamps, and of all bytes of the contents."""
    lines = [f"{name}\0{size} {at} {changed} {more}" for _, name, size, at, changed, _, more in pictures]
    state = hashlib.blake2b(os.fsencode("\n".join(lines)), digest_size=16)
    for content in contents:
        state.update(f"\0{len(content)}\0".encode() + hashlib.blake2b(content).digest())
    return state.hexdigest()


def content(path: Path, *, limit: int, larger: str = "Split it into smaller ones.") -> bytes:
    """All bytes of an annotation file.

    Raises `ValueError` where there are more than `limit`, with what to do with a `larger` one, or it cannot be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{printable(path.name)}: this is not an ordinary file. Supply one.")
        if status.st_size > limit:
            raise ValueError(
                f"{printable(path.name)}: the file has {status.st_size / 1e6:,.0f} MB, and the limit is "
                f"{limit / 1e6:,.0f} MB. {larger}"
            )
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{printable(path.name)}: the file cannot be read ({error.strerror}).") from None
