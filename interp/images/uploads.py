"""Pictures that come as bytes, such as files uploaded or pasted in a browser: in memory, or on disk within a budget."""

from __future__ import annotations

import gc
import hashlib
import os
import secrets
import tempfile
import threading
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path

from interp.images.decoding import UnreadableImage, read
from interp.images.image_set import ImageSet
from interp.images.problems import Problem, printable

# What the smallest file takes on a disk.
BLOCK = 4096


def from_files(files: Iterable[tuple[str, bytes]], *, name: str = "uploads") -> ImageSet:
    """An image set in memory from names and bytes; a file that is no readable picture is in `.problems`.

    Each is decoded once to see that it can be, so that none turns out unreadable later; kept are the bytes.
    """
    names, contents, problems = [], [], []
    for title, content in files:
        try:
            read(content, title)
        except UnreadableImage as error:
            problems.append(Problem(printable(title), error.reason))
            continue
        names.append(title)
        contents.append(content)
    return ImageSet(
        name=name,
        description=f"{_counted(names)} given as files; kept in memory only.",
        fingerprint=_fingerprint([_digest(*one) for one in zip(names, contents, strict=True)]),
        names=names,
        read=lambda i: read(contents[i], names[i]),
        problems=problems,
    )


class Budget:
    """How many bytes may be kept, counted from all threads; `used` of its `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Count so many more bytes, where they fit; gives whether they do."""
        with self._lock:
            fits = self.used + size <= self.limit
            self.used += size if fits else 0
            return fits

    def give_back(self, size: int) -> None:
        """Count so many bytes less."""
        with self._lock:
            self.used -= size


class Depot:
    """A private folder for the uploads of all visitors, with the budget of all; it goes when nobody holds it."""

    def __init__(self, limit: int) -> None:
        self.budget = Budget(limit)
        self._folder = tempfile.TemporaryDirectory(prefix="loupe-uploads-", ignore_cleanup_errors=True)

    def write(self, content: bytes) -> Path:
        """Write these bytes into a file that has no name of anybody's choosing. Raises `OSError`."""
        path = Path(self._folder.name) / secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(content)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path


class KeptUpload:
    """A picture that is kept: its file goes when nobody holds it any more, an image set in use included.

    `remarks` say what was guessed or changed in reading it.
    """

    def __init__(
        self, name: str, content: bytes, depot: Depot, budgets: Sequence[Budget], remarks: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.remarks = tuple(remarks)
        self.size = len(content)
        self.digest = _digest(name, content)
        self.path = depot.write(content)
        self.remove = weakref.finalize(self, _free, self.path, _charged(self.size), tuple(budgets))
        # The folder must outlast its files.
        self._depot = depot


class Uploads:
    """What one visitor has uploaded, on disk: within a budget of his own, and within that of all visitors.

    `refused` names what was not kept of the last files that were given, with the reasons; `given` counts all that ever
    were.
    """

    def __init__(self, depot: Depot, *, limit: int) -> None:
        self.budget = Budget(limit)
        self.files: tuple[KeptUpload, ...] = ()
        self.refused: tuple[Problem, ...] = ()
        self.given = 0
        self._depot = depot
        self._alive: weakref.WeakSet[KeptUpload] = weakref.WeakSet()

    def add(self, files: Iterable[tuple[str, bytes]]) -> int:
        """Keep those that are pictures and have room; gives how many. The others are in `refused`."""
        before, refused = len(self.files), []
        for name, content in files:
            self.given += 1
            try:
                self._add(name, content)
            except UnreadableImage as error:
                refused.append(Problem(error.name, error.reason))
        self.refused = tuple(refused)
        return len(self.files) - before

    def room(self, size: int, *, arriving: int = 0, all_arriving: int = 0) -> str | None:
        """Why a file of so many bytes cannot be kept, and what would be right; None where it can.

        `arriving` are the bytes of this visitor's files that are on their way here, and `all_arriving` everybody's.
        """
        own, every = self.budget, self._depot.budget
        fits = own.used + arriving + _charged(size) <= own.limit
        if self.lingering and not (fits and every.used + all_arriving + _charged(size) <= every.limit):
            # What a finished computation held goes when Python looks for circles, which it does at times of its own.
            gc.collect()
        if own.used + arriving + _charged(size) > own.limit:
            return (
                f"its {megabytes(size)} MB do not fit into your {megabytes(own.limit)} MB for uploads, of which "
                f"{megabytes(own.used + arriving)} are taken. Remove some first, or supply a smaller copy."
            )
        if every.used + all_arriving + _charged(size) > every.limit:
            return (
                f"the server keeps {megabytes(every.limit)} MB of all visitors' uploads, and has no room for its "
                f"{megabytes(size)} MB now. Try again later, or supply a smaller copy."
            )
        return None

    @property
    def lingering(self) -> bool:
        """Whether files that are kept no longer are still there, since something refers to them."""
        return self.budget.used > sum(_charged(file.size) for file in self.files)

    def discard(self, digest: bytes) -> None:
        """Keep the file with this digest no longer."""
        self.files = tuple(one for one in self.files if one.digest != digest)

    def clear(self) -> None:
        """Keep none of them any longer, and forget what was refused."""
        self.files, self.refused = (), ()

    def close(self) -> None:
        """Remove all files at once, also those that an image set still refers to: for a visitor who has gone."""
        for file in list(self._alive):
            file.remove()
        self.clear()

    def image_set(self, *, name: str = "uploads") -> ImageSet:
        """The pictures that are kept now, read from their files; it keeps them readable as long as it is in use."""
        files = self.files
        return ImageSet(
            name=name,
            description=f"{_counted(files)} uploaded; kept on the server's disk until this browser session ends.",
            fingerprint=_fingerprint([file.digest for file in files]),
            names=[file.name for file in files],
            read=lambda i: read(files[i].path, files[i].name),
            problems=self.refused,
        )

    def _add(self, name: str, content: bytes) -> None:
        if reason := self.room(len(content)):
            raise UnreadableImage(name, reason)
        if any(file.digest == _digest(name, content) for file in self.files):
            raise UnreadableImage(name, "it is among your uploads already.")
        remarks = read(content, name).remarks
        budgets, taken = (self.budget, self._depot.budget), []
        for budget in budgets:
            if not budget.take(_charged(len(content))):
                for one in taken:
                    one.give_back(_charged(len(content)))
                raise UnreadableImage(name, self.room(len(content)) or "there is no room for it now. Try again.")
            taken.append(budget)
        try:
            kept = KeptUpload(name, content, self._depot, budgets, remarks)
        except OSError as error:
            for budget in budgets:
                budget.give_back(_charged(len(content)))
            reason = f"the server's disk does not take it ({error.strerror}). Try again later, or tell who runs it."
            raise UnreadableImage(name, reason) from error
        self._alive.add(kept)
        self.files += (kept,)


def megabytes(size: int) -> str:
    """A number of bytes in MB, as it is said: whole from 10 on, else with one digit."""
    return f"{size / 1e6:,.0f}" if size >= 9_950_000 or size % 1_000_000 == 0 else f"{max(size, 50_000) / 1e6:.1f}"


def _charged(size: int) -> int:
    return max(size, BLOCK)


def _free(path: Path, charged: int, budgets: Sequence[Budget]) -> None:
    path.unlink(missing_ok=True)
    for budget in budgets:
        budget.give_back(charged)


def _counted(files: Sequence[object]) -> str:
    return f"{len(files):,} picture{'s' * (len(files) != 1)}"


def _digest(name: str, content: bytes) -> bytes:
    digest = hashlib.blake2b(f"{len(name)} ".encode() + name.encode(errors="surrogatepass"), digest_size=16)
    digest.update(content)
    return digest.digest()


def _fingerprint(digests: Sequence[bytes]) -> str:
    return f"uploads {hashlib.blake2b(b''.join(digests), digest_size=16).hexdigest()}"
