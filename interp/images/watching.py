"""Whether the files of an image set are still those that were listed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence

from interp.images.files import PictureFile
from interp.images.stamps import Stamp

# So many files are looked at in one go, in turn: about five milliseconds.
AT_ONCE = 2000
# Between two looks; many visitors ask at once.
SECONDS = 0.5


class Watch:
    """The folders and files that a set was made of, with their times when it was listed.

    A picture that is added or removed changes its folder; one that is overwritten is found within as many looks as the
    set has times 2,000 files, and at once when it is read.
    """

    def __init__(self, folders: Mapping[str, int], files: Sequence[PictureFile]) -> None:
        self._folders = dict(folders)
        self._files = files
        self._lock = threading.Lock()
        self._next = 0
        self._looked = 0.0
        self._changed = False

    def note_change(self) -> None:
        """Note that something was found to have changed, by whoever has read it."""
        self._changed = True

    def changed(self) -> bool:
        """Whether anything has changed since the set was listed."""
        with self._lock:
            small = len(self._files) <= AT_ONCE
            if not self._changed and (small or time.monotonic() - self._looked > SECONDS):
                self._changed = self._look()
                self._looked = time.monotonic()
            return self._changed

    def _look(self) -> bool:
        if any(_modified(path) != before for path, before in self._folders.items()):
            return True
        part = self._files[self._next : self._next + AT_ONCE]
        self._next = self._next + AT_ONCE if self._next + AT_ONCE < len(self._files) else 0
        return any(not _same(one.path, one.stamp) for one in part)


def _modified(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _same(path: str, before: Stamp) -> bool:
    try:
        return Stamp.of(os.stat(path)).same_file(before)
    except OSError:
        return False
