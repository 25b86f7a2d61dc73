"""The bytes of one file, read once, and whether it is still the file that was listed."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path
from typing import NamedTuple

from interp.images.unreadable import UnreadableImage, refuse_file_size

CHANGED = "the file has changed since the set was opened. Open the set again."
# Opening a pipe must not wait for whoever writes into it. Windows has no pipes among its files.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


SECOND = 1_000_000_000
# A file that changed so shortly before it was looked at may change again and look the same: the clocks of file systems
# tick in milliseconds, those of older and shared ones in seconds.
UNSETTLED, UNSETTLED_COARSE = SECOND // 20, 2 * SECOND


class Stamp(NamedTuple):
    """What tells one state of a file from another: size, times of change in ns (of content, of anything), inode.

    A file that is put back with its old time has another time of change of its inode. `digest` is of the content of a
    file that had changed so shortly before that its times cannot tell.
    """

    bytes: int
    modified: int
    changed: int
    inode: int
    digest: bytes = b""

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The stamp of a file whose status was read."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def same_file(self, other: Stamp) -> bool:
        """Whether size, times and inode agree."""
        return self[:4] == other[:4]


def settled(changed: int, now: int) -> bool:
    """Whether that time of change tells a file from any that takes its place after `now` (both ns since 1970)."""
    return changed < now - (UNSETTLED_COARSE if changed % SECOND == 0 else UNSETTLED)


def with_digest(path: str | Path, stamp: Stamp) -> Stamp:
    """The stamp, with a digest of the content where the file changed only just now and can be read."""
    if settled(stamp.changed, time.time_ns()):
        return stamp
    try:
        return stamp._replace(digest=_digest(content(path, "", stamp)))
    except UnreadableImage:
        return stamp


def _digest(read: bytes) -> bytes:
    return hashlib.blake2b(read, digest_size=16).digest()


def content(path: str | Path, name: str, expected: Stamp | None = None) -> bytes:
    """All bytes of an ordinary file of at most 50 MB, in memory.

    With `expected` the file must have had this stamp before its bytes were read and after. Raises `UnreadableImage`
    otherwise, for pipes, devices and folders (which are not opened), and for what may not be read or is not there.
    """
    try:
        _refuse_special(os.stat(path), name)
        descriptor = os.open(path, _FLAGS)
        with open(descriptor, "rb") as stream:
            before = os.fstat(descriptor)
            # Between the two calls another file may have taken the place.
            _refuse_special(before, name)
            refuse_file_size(before.st_size, name)
            _refuse_changed(before, expected, name)
            read = stream.read(before.st_size + 1)
            _refuse_changed(os.fstat(descriptor), expected, name)
    except FileNotFoundError:
        what = "the link leads nowhere" if os.path.islink(path) else "the file is not there any more"
        reason = f"{what}. Put the picture back, or leave it out of the set."
        raise UnreadableImage(name, reason, changed=True) from None
    except PermissionError:
        reason = "this program may not read the file. Give its user the permission to."
        raise UnreadableImage(name, reason) from None
    except OSError as error:
        reason = f"the file cannot be read ({error.strerror or type(error).__name__}). Look whether its disk is there."
        raise UnreadableImage(name, reason) from None
    if len(read) != before.st_size:
        reason = "the file was written to while it was read. Open the set again."
        raise UnreadableImage(name, reason, changed=True)
    if expected is not None and expected.digest and _digest(read) != expected.digest:
        raise UnreadableImage(name, CHANGED, changed=True)
    return read


def _refuse_special(status: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise UnreadableImage(name, "this is a folder, not a picture. Open it as an image set.")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableImage(name, "this is a device or a pipe, not a picture. Supply an ordinary file.")


def _refuse_changed(status: os.stat_result, expected: Stamp | None, name: str) -> None:
    if expected is not None and not expected.same_file(Stamp.of(status)):
        raise UnreadableImage(name, CHANGED, changed=True)
