"""Results on disk: one file an entry, written atomically, checked when read, the least recently used going first."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cache.encoding import Unstorable, decode, encode, header
from cache.memory import MISSING, megabytes

SUFFIX = ".loupe"
DIGEST = 32
# A temporary file this old belongs to a process that was killed while it wrote.
ABANDONED_SECONDS = 600


@dataclass(frozen=True)
class Entry:
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
    removed, not served.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        # What the folder holds is read at the first write, and again whenever this much has been added.
        self._size = limit
        self._unseen = 0

    def get(self, key: str) -> Any:
        """The value, or `MISSING`."""
        path = self._path(key)
        try:
            value = decode(_checked(path.read_bytes(), key))
        except FileNotFoundError:
            return MISSING
        except (OSError, ValueError):
            value = MISSING
        # In a read-only folder entries keep their age, and the whole ones are served all the same.
        with contextlib.suppress(OSError):
            _remove(path) if value is MISSING else os.utime(path)
        return value

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
        temporary = self.folder / f".{key}.{os.getpid()}.{threading.get_ident()}.tmp"
        try:
            with temporary.open("wb") as file:
                file.write(_digest(content, key) + content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path(key))
        finally:
            temporary.unlink(missing_ok=True)
        self._bound(len(content) + DIGEST)

    def entries(self) -> list[Entry]:
        """What the store holds, least recently used first; a damaged entry's function is called "(damaged)"."""
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                function, made = _about(path, status)
                found.append(Entry(path, function, status.st_size, made, status.st_mtime))
        return sorted(found, key=lambda entry: entry.used)

    def damaged(self) -> list[Entry]:
        """The entries that would not be served."""
        return [entry for entry in self.entries() if not self._whole(entry.path)]

    def clear(self, older_than_days: float = 0.0) -> int:
        """Remove entries that were not used for so many days (0: all); gives how many."""
        before = time.time() - older_than_days * 86400
        gone = [entry for entry in self.entries() if entry.used <= before or older_than_days == 0]
        self.remove(gone)
        self._remove_abandoned()
        return len(gone)

    def remove(self, entries: list[Entry]) -> None:
        """Remove entries; one that is gone already is let be."""
        for entry in entries:
            _remove(entry.path)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _whole(self, path: Path) -> bool:
        try:
            decode(_checked(path.read_bytes(), path.stem))
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
                path.unlink(missing_ok=True)
                self._size -= status.st_size

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return [(path, status) for path, status in found if stat.S_ISREG(status.st_mode)]

    def _remove_abandoned(self) -> None:
        for path in self.folder.glob(".*.tmp"):
            try:
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()
            except FileNotFoundError:
                continue


def default() -> Store:
    """The store that the environment names."""
    cache_home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = os.environ.get("LOUPE_CACHE") or str(Path(cache_home) / "loupe")
    return _opened(folder, megabytes("LOUPE_CACHE_MB", 4096))


_stores: dict[tuple[str, int], Store] = {}


def _opened(folder: str, limit: int) -> Store:
    return _stores.setdefault((folder, limit), Store(Path(folder).expanduser(), limit))


def _digest(content: bytes, key: str) -> bytes:
    digest = hashlib.blake2b(key.encode(), digest_size=DIGEST)
    digest.update(content)
    return digest.digest()


def _about(path: Path, status: os.stat_result) -> tuple[str, float]:
    """Whose result a file is and when it was made, from its header alone, so that large stores are listed quickly."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(DIGEST + 8)[DIGEST:], "little")
            file.seek(DIGEST)
            about = header(file.read(8 + min(size, status.st_size)))
        return about["function"], float(about["made"])
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError):
        return "(damaged)", status.st_mtime


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _checked(content: bytes, key: str) -> bytes:
    rest = content[DIGEST:]
    if content[:DIGEST] != _digest(rest, key):
        raise ValueError("the entry is damaged")
    return rest
