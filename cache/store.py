"""Results on disk: one file an entry, written atomically, checked when read, the least recently used going first."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cache.encoding import Unstorable, decode, encode, header
from cache.memory import MISSING

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
        self._size: int | None = None

    def get(self, key: str) -> Any:
        """The value, or `MISSING`."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return MISSING
        try:
            value = decode(_checked(content, key))
        except ValueError:
            path.unlink(missing_ok=True)
            return MISSING
        try:
            os.utime(path)
        except OSError:
            # In a read-only folder entries keep their age, and are served all the same.
            pass
        return value

    def put(self, key: str, value: Any, function: str) -> None:
        """Write a value, unless it has no form on disk. Raises `OSError` where the folder cannot be written to."""
        try:
            content = encode(value, {"function": function, "made": repr(time.time())})
        except Unstorable:
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
        """What the store holds, least recently used first."""
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            try:
                status = path.stat()
                with path.open("rb") as file:
                    size = int.from_bytes(file.read(DIGEST + 8)[DIGEST:], "little")
                    file.seek(DIGEST)
                    about = header(file.read(8 + min(size, status.st_size)))
                function, made = about["function"], float(about["made"])
            except FileNotFoundError:
                continue
            except (OSError, ValueError, KeyError, TypeError):
                function, made, status = "(damaged)", path.lstat().st_mtime, path.lstat()
            found.append(Entry(path, function, status.st_size, made, status.st_mtime))
        return sorted(found, key=lambda entry: entry.used)

    def damaged(self) -> list[Entry]:
        """The entries that would not be served."""
        return [entry for entry in self.entries() if not self._whole(entry.path)]

    def clear(self, older_than_days: float = 0.0) -> int:
        """Remove entries that were not used for so many days (0: all); gives how many."""
        before = time.time() - older_than_days * 86400
        gone = [entry for entry in self.entries() if entry.used <= before or older_than_days == 0]
        for entry in gone:
            entry.path.unlink(missing_ok=True)
        self._size = None
        return len(gone)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _whole(self, path: Path) -> bool:
        try:
            decode(_checked(path.read_bytes(), path.stem))
        except (OSError, ValueError):
            return False
        return True

    def _bound(self, added: int) -> None:
        """Keep the total within the limit; it is counted along, and the folder read only where the sum may pass it."""
        with self._lock:
            if self._size is not None and self._size + added <= self._limit:
                self._size += added
                return
            self._remove_abandoned()
            entries = [(path.stat(), path) for path in self.folder.glob(f"*{SUFFIX}") if path.is_file()]
            total = sum(status.st_size for status, _ in entries)
            for status, path in sorted(entries, key=lambda entry: entry[0].st_mtime):
                if total <= self._limit:
                    break
                path.unlink(missing_ok=True)
                total -= status.st_size
            self._size = total

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
    return _opened(folder, int(os.environ.get("LOUPE_CACHE_MB", "4096")) << 20)


_stores: dict[tuple[str, int], Store] = {}


def _opened(folder: str, limit: int) -> Store:
    return _stores.setdefault((folder, limit), Store(Path(folder), limit))


def _digest(content: bytes, key: str) -> bytes:
    digest = hashlib.blake2b(key.encode(), digest_size=DIGEST)
    digest.update(content)
    return digest.digest()


def _checked(content: bytes, key: str) -> bytes:
    rest = content[DIGEST:]
    if content[:DIGEST] != _digest(rest, key):
        raise ValueError("the entry is damaged")
    return rest
