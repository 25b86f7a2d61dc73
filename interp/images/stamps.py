"""When a file last changed, in every way that the system tells, so that another file in its place is noticed."""

from __future__ import annotations

import hashlib
import os
import time
from typing import NamedTuple

# A file that changed so shortly before it was looked at may change again and look the same: clocks of file systems tick
# in milliseconds, those of shared ones in seconds.
UNSETTLED_NANOSECONDS = 2_000_000_000


class Stamp(NamedTuple):
    """Size in bytes, times of change of the content and of its entry (nanoseconds), and number of a file.

    The content's time can be set by hand, as `cp -p` does; the entry's cannot. `digest` is of the content, for a file
    that had changed so shortly before that its times cannot tell.
    """

    bytes: int
    modified: int
    changed: int
    inode: int
    digest: bytes = b""

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """What `os.stat` says."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def same_file(self, other: Stamp) -> bool:
        """Whether size, times and number agree."""
        return self[:4] == other[:4]

    def settled(self, now: int | None = None) -> bool:
        """Whether the times tell the file from any that takes its place after `now` (nanoseconds since 1970)."""
        seen = time.time_ns() if now is None else now
        return max(self.modified, self.changed) < seen - UNSETTLED_NANOSECONDS

    def unchanged(self, content: bytes) -> bool:
        """Whether the content is the one that the digest is of; true without a digest."""
        return not self.digest or self.digest == content_digest(content)


def content_digest(content: bytes) -> bytes:
    """A digest of a file's content."""
    return hashlib.blake2b(content, digest_size=16).digest()
