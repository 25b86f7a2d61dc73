"""Results on disk: one file an entry, written atomically, checked when read, the least recently used going first."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cache.encoding import Unstorable, decode, encode, header
from cache.memory import MISSING, megabytes
from interp import settings

_log = logging.getLogger("loupe")
SUFFIX = ".loupe"
DIGEST = 32
# A temporary file this old belongs to a process that was killed while it wrote.
ABANDONED_SECONDS = 600
# Not every system has these.
_UNFOLLOWED = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class StoreEntry:
    """One entry of the store: whose result, how many bytes, when made and last used (seconds since 1970)."""

    path: Path
    function: str
    size: int
    made: float
    used: float


class Store:
    """A folder of results that several processes may share.

    The folder is LOUPE_CACHE, else `loupe` in XDG_CACHE_HOME or ~/.cache; it holds at most LOUPE_CACHE_MB (4096)
    megabytes. A file begins with a digest of its key and all that follows: a damaged, truncated or foreign one is
    removed, not served. So is what is no file, such as a link or a pipe, which is never followed or waited for; a
    folder in an entry's place stays, since it may hold what somebody needs.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        # What the folder holds is read at the first write, and again whenever this much has been added.
        self._size = limit
        self._unseen = 0
        self._trouble: str | None = None
        self._said: set[str] = set()

    @property
    def trouble(self) -> str | None:
        """Why what was last to be kept could not be; None where it was, or nothing was to be kept yet."""
        return self._trouble

    def get(self, key: str) -> Any:
        """The value, or `MISSING`."""
        path = self._path(key)
        try:
            value = decode(_checked(self._read(path), key))
        except FileNotFoundError:
            return MISSING
        except (OSError, ValueError):
            value = MISSING
        # In a read-only folder entries keep their age, and the whole ones are served all the same.
        with contextlib.suppress(OSError):
            path.unlink() if value is MISSING else os.utime(path, follow_symlinks=False)
        return value

    def keep(self, key: str, value: Any, function: str) -> None:
        """`put`, where a result is of use even if it cannot be kept: `trouble` and the log then say so, once."""
        try:
            self.put(key, value, function)
        except (OSError, ValueError) as error:
            said = f"Results are not kept in {self.folder}, and are computed again when needed: {_reason(error)}"
            if said not in self._said:
                self._said.add(said)
                _log.warning("%s", said)
            self._trouble = said
        else:
            self._trouble = None

    def put(self, key: str, value: Any, function: str) -> None:
        """Write a value, unless it has no form on disk or alone passes the limit.

        Raises `OSError` where the folder cannot be written to.
        """
        try:
            content = encode(value, {"function": function, "made": repr(time.time())})
        except Unstorable:
            return
        if len(content) + DIGEST > self._limit:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f".{key}.{secrets.token_hex(8)}.tmp"
        try:
            # Never through a link that somebody has laid there.
            with temporary.open("xb") as file:
                file.write(_digest(content, key) + content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path(key))
        finally:
            temporary.unlink(missing_ok=True)
        self._bound(len(content) + DIGEST)

    def entries(self) -> list[StoreEntry]:
        """What the store holds, least recently used first; a damaged entry's function is called "(damaged)"."""
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(OSError):
                status = path.lstat()
                function, made = _about(path, status)
                found.append(StoreEntry(path, function, status.st_size, made, status.st_mtime))
        return sorted(found, key=lambda entry: entry.used)

    def damaged(self) -> list[StoreEntry]:
        """The entries that would not be served."""
        return [entry for entry in self.entries() if not self._whole(entry.path)]

    def clear(self, older_than_days: float = 0.0) -> int:
        """Remove entries that were not used for so many days (0: all); gives how many."""
        before = time.time() - older_than_days * 86400
        gone = [entry for entry in self.entries() if entry.used <= before or older_than_days == 0]
        removed = self.remove(gone)
        self._remove_abandoned()
        return removed

    def remove(self, entries: list[StoreEntry]) -> int:
        """Remove entries; one that is gone already, or is a folder, is let be. Gives how many were removed.

        Raises `OSError` where the folder cannot be changed.
        """
        removed = 0
        for entry in entries:
            if not _is_folder(entry.path):
                with contextlib.suppress(FileNotFoundError):
                    entry.path.unlink()
                    removed += 1
        return removed

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _whole(self, path: Path) -> bool:
        try:
            decode(_checked(self._read(path), path.stem))
        except FileNotFoundError:
            # Another process has just removed it.
            return True
        except (OSError, ValueError):
            return False
        return True

    def _bound(self, added: int) -> None:
        """Keep the total within the limit.

        The sum is counted along, and the folder read where the limit may be passed, or after a sixteenth of it, since
        other processes write here too.
        """
        with self._lock:
            self._size += added
            self._unseen += added
            if self._size <= self._limit and self._unseen <= self._limit // 16:
                return
            self._remove_abandoned()
            found = self._files()
            self._size, self._unseen = sum(status.st_size for _, status in found), 0
            for path, status in sorted(found, key=lambda one: one[1].st_mtime_ns):
                if self._size <= self._limit:
                    break
                # In a folder of several users another's may have to stay.
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
                    self._size -= status.st_size

    def _read(self, path: Path) -> bytes:
        """The content of an entry. Raises `OSError`, and `ValueError` for what is no file, or passes the limit."""
        with _opened_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > self._limit:
                raise ValueError("the entry is larger than the store")
            return file.read(size + 1)

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(OSError):
                found.append((path, path.lstat()))
        return [(path, status) for path, status in found if stat.S_ISREG(status.st_mode)]

    def _remove_abandoned(self) -> None:
        for path in self.folder.glob(".*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - path.lstat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()


def default() -> Store:
    """The store that the environment names."""
    return _opened(settings.folder_of_results(), megabytes("LOUPE_CACHE_MB"))


def trouble() -> str | None:
    """Why not all results are kept in the store that the environment names; None where they are."""
    return default().trouble


_stores: dict[tuple[Path, int], Store] = {}


def _opened(folder: Path, limit: int) -> Store:
    return _stores.setdefault((folder, limit), Store(folder, limit))


def _opened_file(path: Path) -> BinaryIO:
    """A file for reading. Raises `ValueError` for a link, a pipe, a device: nothing is followed or waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _UNFOLLOWED)
    except OSError as error:
        # So a link is refused, and so a socket.
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise ValueError("the entry is no file") from error
        raise
    file = open(descriptor, "rb")  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise ValueError("the entry is no file")
    return file


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _reason(error: OSError | ValueError) -> str:
    """What went wrong, and what would be right, where that is known."""
    if not isinstance(error, OSError):
        return f"{error}."
    known = {
        errno.ENOSPC: "the disk is full. Make room, or bound it with LOUPE_CACHE_MB.",
        errno.EDQUOT: "the disk's quota is full. Make room, or bound it with LOUPE_CACHE_MB.",
        errno.EROFS: "it can only be read. Start with LOUPE_CACHE set to a folder that can be written to.",
        errno.EACCES: "it may not be written to. Start with LOUPE_CACHE set to a folder of your own.",
        errno.EPERM: "it may not be written to. Start with LOUPE_CACHE set to a folder of your own.",
        errno.ENOTDIR: "it is no folder. Start with LOUPE_CACHE set to one.",
        errno.EEXIST: "it is no folder. Start with LOUPE_CACHE set to one.",
        errno.EISDIR: f"a folder is in an entry's place ({Path(error.filename2 or error.filename or '').name}). Remove "
        "it.",
    }
    return known.get(error.errno or 0, f"{error.strerror or error}.")


def _digest(content: bytes, key: str) -> bytes:
    digest = hashlib.blake2b(key.encode(), digest_size=DIGEST)
    digest.update(content)
    return digest.digest()


def _about(path: Path, status: os.stat_result) -> tuple[str, float]:
    """Whose result a file is and when it was made, from its header alone, so that large stores are listed quickly."""
    try:
        with _opened_file(path) as file:
            size = int.from_bytes(file.read(DIGEST + 8)[DIGEST:], "little")
            file.seek(DIGEST)
            about = header(file.read(8 + min(size, status.st_size)))
        return about["function"], float(about["made"])
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError):
        return "(damaged)", status.st_mtime


def _checked(content: bytes, key: str) -> bytes:
    rest = content[DIGEST:]
    if content[:DIGEST] != _digest(rest, key):
        raise ValueError("the entry is damaged")
    return rest
