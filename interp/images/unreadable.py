"""The error for a picture that cannot be shown, and the limits that every format keeps to."""

from __future__ import annotations

from interp.images.problems import printable

LARGEST_FILE = 50_000_000
LARGEST_PICTURE = 50_000_000
# A strip of 1 × 4,000 pixels whose shorter side is scaled to 256 takes 1 GB.
MOST_ELONGATED = 200


class UnreadableImage(ValueError):
    """A picture that cannot be shown. The message begins with its name, then the reason and the remedy.

    `changed` says that it was another, or there, when the set was opened.
    """

    def __init__(self, name: str, reason: str, *, changed: bool = False) -> None:
        super().__init__(name, reason)
        self.changed = changed
        self.name = printable(name)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def refuse_file_size(size: int, name: str) -> None:
    """Raise `UnreadableImage` for a file that is empty or over 50 MB."""
    if size == 0:
        raise UnreadableImage(name, "the file is empty. Copy it again from its source.")
    if size > LARGEST_FILE:
        limit = f"{LARGEST_FILE / 1e6:.0f} MB"
        raise UnreadableImage(
            name, f"the file has {size / 1e6:,.0f} MB, and the limit is {limit}. Supply a smaller copy."
        )


def refuse_size(width: int, height: int, name: str) -> None:
    """Raise `UnreadableImage` for a size beyond the limits; for a header's, before anything is decoded."""
    if width < 1 or height < 1:
        raise UnreadableImage(name, f"its header says {width:,} × {height:,} pixels. Copy it again from its source.")
    if width * height > LARGEST_PICTURE:
        raise UnreadableImage(name, too_large(f"{width:,} × {height:,}"))
    if max(width, height) > MOST_ELONGATED * min(width, height):
        reason = (
            f"the picture has {width:,} × {height:,} pixels, and the longer side may be at most {MOST_ELONGATED} times "
            "the shorter. Supply a part of it."
        )
        raise UnreadableImage(name, reason)


def too_large(pixels: str) -> str:
    """The reason for a picture of so many pixels."""
    limit = f"{LARGEST_PICTURE / 1e6:.0f} million"
    return f"the picture has {pixels} pixels, and the limit is {limit}. Supply a smaller copy."
