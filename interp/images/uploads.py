"""Pictures that come as bytes, such as files uploaded or pasted in a browser."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from interp.images.decoding import UnreadableImage, read
from interp.images.image_set import ImageSet
from interp.images.problems import Problem, printable


def from_files(files: Iterable[tuple[str, bytes]], *, name: str = "uploads") -> ImageSet:
    """An image set in memory from names and bytes; a file that is no readable picture is in `.problems`.

    Each is decoded once to see that it can be, so that none turns out unreadable later; kept are the bytes.
    """
    names, contents, problems = [], [], []
    digest = hashlib.blake2b(digest_size=16)
    for title, content in files:
        try:
            read(content, title)
        except UnreadableImage as error:
            problems.append(Problem(printable(title), error.reason))
            continue
        names.append(title)
        contents.append(content)
        digest.update(f"{len(title)} {len(content)} ".encode() + title.encode(errors="surrogatepass") + content)
    return ImageSet(
        name=name,
        description=f"{len(names):,} picture{'s' * (len(names) != 1)} given as files; kept in memory only.",
        fingerprint=f"uploads {digest.hexdigest()}",
        names=names,
        read=lambda i: read(contents[i], names[i]),
        problems=problems,
    )
