"""A JPEG that lacks its end mark: whether the picture itself is whole.

A decoder that meets the end too early goes on with bits of its own. Whether it did is found out by giving it different
ones: with nothing missing they are never looked at, and all give the same pixels.
"""

from __future__ import annotations

import hashlib
import io
import re

from PIL import Image, ImageChops

END = b"\xff\xd9"
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _INTERVAL = 0xDA, 0xDD
# Between the marks of a scan: 0xFF is followed by 0 where it is data, by 0xD0 to 0xD7 at a restart.
_NEXT_MARK = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_BITS = tuple(hashlib.blake2b(bytes([i])).digest().replace(b"\xff", b"\xfe") for i in range(4)) + (b"\xaa" * 64,)


def completed(content: bytes) -> bytes | None:
    """The same JPEG with its end mark, where that is all it lacks; None where data of the picture are missing too."""
    # Zeros are what a download that was broken off leaves behind; one may be data.
    body = content.rstrip(b"\0") if content.endswith(b"\0\0") else content
    body = body.removesuffix(b"\xff")
    restarts = _restarts(body)
    if restarts is None:
        return None
    tails = [*_BITS, *(bytes([0xFF, 0xD0 + k]) + _BITS[0] for k in range(8 * restarts))]
    try:
        whole = _decoded(body + END)
        alike = all(ImageChops.difference(whole, _decoded(body + tail + END)).getbbox() is None for tail in tails)
    except Exception:  # Pillow's decoders raise whatever damaged bytes lead them to.
        return None
    return body + END if alike else None


def _decoded(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content), formats=("JPEG",))
    image.load()
    return image


def _restarts(body: bytes) -> bool | None:
    """Whether the scans have restarts, where all scans have begun that the picture needs; None where they have not.

    Every coefficient of every component must have been sent to its last bit.
    """
    at, restarts, frame = 2, False, None
    components: set[int] = set()
    lacking: set[tuple[int, int]] = set()
    while at + 4 <= len(body):
        mark, length = body[at + 1], int.from_bytes(body[at + 2 : at + 4], "big")
        segment = body[at + 4 : at + 2 + length]
        if body[at] != 0xFF or length < 2:
            return None
        if mark == _INTERVAL:
            restarts = restarts or any(segment)
        if mark in _FRAMES:
            frame, components = mark, set(segment[6::3])
            lacking = {(one, k) for one in components for k in range(64)}
        at += 2 + length
        if mark == _SCAN:
            if len(segment) < 4 or at > len(body):
                return None
            lacking -= _sent(segment)
            following = _NEXT_MARK.search(body, at)
            at = following.start() if following else len(body)
    known = frame == _PROGRESSIVE or frame in _SEQUENTIAL
    return restarts if known and components and not lacking else None


def _sent(scan: bytes) -> set[tuple[int, int]]:
    """The coefficients that a scan sends to their last bit, by its header."""
    first, last, precision = scan[-3:]
    if precision & 15:
        return set()
    return {(one, k) for one in scan[1:-3:2] for k in range(first, last + 1)}
