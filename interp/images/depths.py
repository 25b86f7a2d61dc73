"""Pictures of more than 8 bits a colour, brought to 8: where white lies is what the file says, or a guess that is said.

Sources: PNG (Third Edition) 11.3.2.7 for sBIT, and TIFF 6.0 for BitsPerSample, MaxSampleValue and SMaxSampleValue.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from interp.images.unreadable import UnreadableImage

BITS_PER_SAMPLE, PHOTOMETRIC, MAX_SAMPLE, S_MAX_SAMPLE = 258, 262, 281, 341
FULL = 65535


def grey(image: Image.Image, content: bytes, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    """A picture of one colour in 16 or 32 bits, or in floating point from 0 to 1, as RGB; and what was guessed.

    Raises `UnreadableImage` where the values tell nothing of where black and white lie.
    """
    numbers = np.asarray(image)
    low, high = float(numbers.min()), float(numbers.max())
    remarks: tuple[str, ...] = ()
    if image.mode.startswith("F") and 0 <= low and high <= 1:
        eight = (numbers * 255 + 0.5).astype(np.uint8)
    elif not image.mode.startswith("F") and 0 <= low and high <= FULL:
        bits, remarks = _used(int(high), _declared(image, content), image.mode)
        eight = _eight(numbers, bits)
        if image.format == "TIFF" and _tag(image, PHOTOMETRIC) == 0:
            # Pillow inverts what counts from white to black with 8 bits, and leaves it with 16.
            eight = 255 - eight
    else:
        reason = (
            f"its values reach from {low:g} to {high:g}, and where black and white lie is not known. "
            "Save it with 8 or 16 bits."
        )
        raise UnreadableImage(name, reason)
    return Image.fromarray(eight).convert("RGB"), remarks


def colours(image: Image.Image, content: bytes, name: str) -> tuple[str, ...]:
    """What is to be said of a picture in colour that Pillow has brought from 16 bits to their upper 8.

    Raises `UnreadableImage` where only the lower 12 bits seem to be used, so that nothing but black is left.
    """
    if not _has_deep_colours(image, content) or _declared(image, content) == 16:
        return ()
    extrema = [one for one, band in zip(image.getextrema(), image.getbands(), strict=True) if band != "A"]
    high = max(int(one[1]) for one in extrema if isinstance(one, tuple))
    if high == 0:
        return (
            "It is black in all of its upper 8 bits. If it holds 8 bits stored in 16, save it with 8 bits a colour.",
        )
    if high <= 15:
        reason = (
            "its colours have 16 bits, of which only the lower 12 are used, so that it would be black. "
            "Divide its values by 16, and save it with 8 bits a colour."
        )
        raise UnreadableImage(name, reason)
    return ()


def _used(high: int, declared: int | None, mode: str) -> tuple[int, tuple[str, ...]]:
    """How many bits the values take, of which the highest is given, and what is to be said of it."""
    stored = 16 if mode.startswith("I;") else 32
    if declared is not None and high < 1 << declared:
        said = f"The file says that {declared} bits of its values are used; they were stretched to the whole range."
        return declared, (said,) if declared < 16 else ()
    for bits in (8, 12):
        if 0 < high < 1 << bits and declared is None:
            said = (
                f"Its values reach {high:,} of {FULL:,}, so it was taken for {bits} bits stored in {stored}, and "
                f"stretched. If it is a dark picture of 16 bits, save it with 8."
            )
            return bits, (said,)
    if 0 < high < 1 << 14 and declared is None:
        said = (
            f"Its values reach {high:,} of {FULL:,}, and it was taken for a dark picture of 16 bits. "
            "If fewer bits are used, stretch them and save it again."
        )
        return 16, (said,)
    return 16, ()


def _eight(numbers: np.ndarray, bits: int) -> UInt8[np.ndarray, "rows columns"]:
    if bits < 8:
        return (numbers.astype(np.uint16) * 255 // ((1 << bits) - 1)).astype(np.uint8)
    return (numbers >> (bits - 8)).astype(np.uint8)


def _declared(image: Image.Image, content: bytes) -> int | None:
    """How many bits are used, where the file says so."""
    if image.format == "PNG":
        return next((max(found) for kind, found in _chunks(content) if kind == b"sBIT" and found), None)
    if image.format == "TIFF":
        stored, highest = _tag(image, BITS_PER_SAMPLE), _tag(image, S_MAX_SAMPLE)
        if 8 < stored < 16:
            return stored
        most = _tag(image, MAX_SAMPLE)
        # What is MaxSampleValue's default says nothing, as it is also written where nobody has looked.
        highest = highest if highest > 0 else most if most < FULL else 0
        return highest.bit_length() if 0 < highest <= FULL else None
    if image.format == "JPEG2000":
        return 16 if _precision(content) < 16 else None
    # Pillow has scaled a PGM from the highest value that its header names.
    return 16 if image.format == "PPM" else None


def _has_deep_colours(image: Image.Image, content: bytes) -> bool:
    if image.format == "PNG":
        return content[24] == 16 and content[25] in (2, 4, 6)
    if image.format == "TIFF":
        return image.mode in ("RGB", "RGBA", "LA") and _tag(image, BITS_PER_SAMPLE) == 16
    return image.format == "JPEG2000" and image.mode in ("RGB", "RGBA", "LA") and _precision(content) == 16


def _precision(content: bytes) -> int:
    """The bits of a JPEG 2000's first colour, from its codestream's header."""
    at = content.find(b"\xff\x4f\xff\x51")
    return (content[at + 42] & 127) + 1 if at >= 0 and len(content) > at + 42 else 0


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG before its pixels."""
    at = 8
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind == b"IDAT":
            return
        yield kind, content[at + 8 : at + 8 + min(length, 4)]
        at += 12 + length


def _tag(image: Image.Image, number: int) -> int:
    """The first number of a TIFF's tag, -1 where it has none."""
    found = image.tag_v2.get(number, -1) if hasattr(image, "tag_v2") else -1  # pyright: ignore[reportAttributeAccessIssue]
    found = found[0] if isinstance(found, tuple) and found else found
    return int(found) if isinstance(found, (int, float)) and abs(found) < 1 << 40 else -1
