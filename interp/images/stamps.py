"""The bytes of one file, read once, and whether it is still the file that was listed."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from interp.images.unreadable import UnreadableImage, refuse_file_size

# Opening a pipe must not wait for whoever writes into it. Windows has no pipes among its files.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Stamp(NamedTuple):
    """What tells one state of a file from another: size, times of change in ns (of content, of anything), inode.

    A file that is put back with its old time has another time of change of its inode.
    """

    bytes: int
    modified: int
    changed: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The stamp of a file whose status was read."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


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
        raise UnreadableImage(name, f"{what}. Put the picture back, or leave it out of the set.") from None
    except PermissionError:
        reason = "this program may not read the file. Give its user the permission to."
        raise UnreadableImage(name, reason) from None
    except OSError as error:
        reason = f"the file cannot be read ({error.strerror or type(error).__name__}). Look whether its disk is there."
        raise UnreadableImage(name, reason) from None
    if len(read) != before.st_size:
        raise UnreadableImage(name, "the file was written to while it was read. Open the set again.")
    return read


def _refuse_special(status: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise UnreadableImage(name, "this is a folder, not a picture. Open it as an image set.")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableImage(name, "this is a device or a pipe, not a picture. Supply an ordinary file.")


def _refuse_changed(status: os.stat_result, expected: Stamp | None, name: str) -> None:
    if expected is not None and Stamp.of(status) != expected:
        raise UnreadableImage(name, "the file has changed since the set was opened. Open the set again.")
