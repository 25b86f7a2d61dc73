"""What maps show, and the compact form in which each part of it travels to the browser.

A part is a *feed*: a small JSON header, then bytes, under the digest of both. The browser keeps feeds by their
digests, so a rerun names them and need not send them again. Objects here encode themselves once; keep them (make them
in a function that the cache calls), and a rerun costs next to nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float, Integer, UInt16

from interp.figures.thumbnails import Sheets
from pages.parts.embedding.maps import colours

LEVELS = 65535
"""Positions are sent as whole numbers from 0 to this, relative to their range on each axis: 64-fold enlarged, a step
is still smaller than a pixel of a map 1,000 pixels wide, so a screen shows no more."""

NONE = 65535
"""Stands for a point without class or value."""

MOST_FRAMES = 5_000_000
"""Bytes that all frames of one drawing may take; of more, evenly spread ones are sent."""


_SHEETS: WeakKeyDictionary[Sheets, tuple[Feed, ...]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Feed:
    """A part of a drawing as the browser takes it: `content` begins with the digest."""

    digest: str
    content: bytes = field(repr=False)


def feed(header: dict[str, Any], body: bytes = b"") -> Feed:
    """The digest (40 ASCII characters), the header's length (4 bytes), the header (JSON), the body, aligned to 4."""
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 4)
    content = len(head).to_bytes(4, "little") + head + body
    digest = hashlib.blake2b(content, digest_size=20).hexdigest()
    return Feed(digest, digest.encode() + content)


def quantized(
    points: Float[np.ndarray, "s n d"],
) -> tuple[UInt16[np.ndarray, "s n d"], Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    """Positions as 16-bit numbers with the lowest and highest of each axis; the error is at most range / 131,070."""
    dims = points.shape[-1]
    flat = points.reshape(-1, dims)
    # Axis by axis, which numpy does ten times as fast as all at once.
    low = np.array([flat[:, axis].min() if len(flat) else 0.0 for axis in range(dims)], np.float64)
    high = np.array([flat[:, axis].max() if len(flat) else 0.0 for axis in range(dims)], np.float64)
    factor = LEVELS / np.where(high > low, high - low, 1)
    steps = np.empty(points.shape, "<u2")
    # One frame after the other: temporary arrays of a whole film are slow.
    for part, one in zip(steps, points, strict=True):
        part[:] = (one - low) * factor + 0.5
    return steps, low, high


@dataclass(frozen=True, eq=False)
class Panel:
    """One map of all images, in the plane or in space.

    `note` is what the reader must know about it, a short line under the title. `frames` are earlier positions, drawn
    as a film that ends at `points`; with `frame_fit` 'each' every frame is scaled to fill the panel (an optimization
    that starts at a dot), with 'all' they share one scale (maps that are aligned with each other).
    Raises `ValueError` for shapes that do not fit and positions that are not finite.
    """

    title: str
    points: Float[np.ndarray, "n 2"] | Float[np.ndarray, "n 3"]
    note: str = ""
    frames: Float[np.ndarray, "s n 2"] | None = None
    frame_names: tuple[str, ...] = ()
    frame_fit: Literal["each", "all"] = "all"
    _feeds: dict[int, Feed] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or self.points.shape[1] not in (2, 3):
            raise ValueError(f"{self.title}: points have shape {self.points.shape}; give n × 2 or n × 3.")
        if not np.isfinite(self.points).all():
            raise ValueError(f"{self.title}: some positions are not finite, so they have no place on a map.")
        if self.frames is None:
            return
        if self.frames.ndim != 3 or self.frames.shape[1:] != (len(self.points), 2) or self.points.shape[1] != 2:
            raise ValueError(
                f"{self.title}: frames have shape {self.frames.shape} and points {self.points.shape}; "
                "give s × n × 2 and n × 2."
            )
        if len(self.frame_names) != len(self.frames):
            raise ValueError(f"{self.title}: {len(self.frame_names)} names for {len(self.frames)} frames.")
        if not np.isfinite(self.frames).all():
            raise ValueError(f"{self.title}: some positions in the frames are not finite.")

    def feed(self, most: int = MOST_FRAMES) -> Feed:
        """All positions, the film's frames in at most `most` bytes."""
        if most not in self._feeds:
            self._feeds[most] = self._encoded(most)
        return self._feeds[most]

    def _encoded(self, most: int) -> Feed:
        film, names = self._film()
        room = max(2, most // max(1, 4 * len(self.points)))
        kept = np.arange(len(film))
        if len(film) > max(room, 1) and len(film) > 1:
            kept = np.unique(np.linspace(0, len(film) - 1, room).round().astype(int))
        steps, low, high = quantized(film[kept])
        header = {
            "dims": self.points.shape[1],
            "count": len(self.points),
            "names": [names[i] for i in kept],
            "of": len(film),
            "low": low.tolist(),
            "high": high.tolist(),
        }
        return feed(header, steps.tobytes())

    def _film(self) -> tuple[np.ndarray, tuple[str, ...]]:
        if self.frames is None or not len(self.frames):
            return self.points[None], ("",)
        film, names = self.frames, self.frame_names
        tolerance = 1e-4 * float(np.ptp(self.points, axis=0).max(initial=0))
        if not np.allclose(film[-1], self.points, rtol=0, atol=tolerance):
            film, names = np.concatenate([film, self.points[None]]), (*names, "result")
        return (_filling(film) if self.frame_fit == "each" else film), names


def _filling(film: Float[np.ndarray, "s n 2"]) -> Float[np.ndarray, "s n 2"]:
    """Each frame moved and scaled, without distortion, so that its longer side is 1 and its centre the origin."""
    low, high = film.min(axis=1, keepdims=True), film.max(axis=1, keepdims=True)
    side = (high - low).max(axis=2, keepdims=True)
    return (film - (low + high) / 2) / np.where(side > 0, side, 1)


@dataclass(frozen=True, eq=False)
class HoverTexts:
    """What is said of each image when one points at it: its name and, under it, lines of text (label, prediction).

    Texts are shown as they are, whatever they hold. Raises `ValueError` where their numbers differ.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.texts and len(self.texts) != len(self.names):
            raise ValueError(f"{len(self.texts)} texts for {len(self.names)} names: give one for each, or none.")

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def feed(self) -> Feed:
        """Names and texts."""
        return feed({"names": self.names, "texts": self.texts})


@dataclass(frozen=True, eq=False)
class Classes:
    """Points coloured by class: the class of each (−1: none), and the classes' names.

    `colours` (#rrggbb) are chosen where none are given. Raises `ValueError` for an index without a name.
    """

    indices: Integer[np.ndarray, " n"]
    names: tuple[str, ...]
    title: str = "Class"
    colours: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.indices) and not -1 <= self.indices.min() <= self.indices.max() < len(self.names):
            raise ValueError(
                f"Classes run from {self.indices.min()} to {self.indices.max()}, and there are {len(self.names)} names."
            )
        if len(self.names) >= NONE:
            raise ValueError(f"{len(self.names):,} classes are more than the {NONE - 1:,} that can be coloured.")
        if self.colours is not None and len(self.colours) != len(self.names):
            raise ValueError(f"{len(self.colours)} colours for {len(self.names)} classes: give one for each.")

    def __len__(self) -> int:
        return len(self.indices)

    @cached_property
    def feed(self) -> Feed:
        """Each point's class, with names, colours and how many points each has."""
        header = {
            "kind": "classes",
            "title": self.title,
            "names": self.names,
            "colours": self.colours or colours.palette(len(self.names)),
            "counts": np.bincount(self.indices[self.indices >= 0], minlength=len(self.names)).tolist(),
        }
        return feed(header, np.where(self.indices < 0, NONE, self.indices).astype("<u2").tobytes())


@dataclass(frozen=True, eq=False)
class NumberScale:
    """Points coloured by a number, NaN for none; `low` and `high` are the ends of the scale (left out: of the values).

    Values beyond an end have its colour.
    """

    values: Float[np.ndarray, " n"]
    title: str
    low: float | None = None
    high: float | None = None

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def feed(self) -> Feed:
        """Each point's place on the scale, with the scale's ends and colours."""
        known = np.isfinite(self.values)
        some = self.values[known]
        low = float(some.min(initial=np.inf)) if self.low is None and len(some) else self.low or 0.0
        high = float(some.max(initial=-np.inf)) if self.high is None and len(some) else self.high or 0.0
        shares = (np.where(known, self.values, low) - low) / (high - low if high > low else 1.0)
        steps = np.rint(shares.clip(0, 1) * (NONE - 1))
        header = {
            "kind": "scale",
            "title": self.title,
            "colours": colours.SCALE,
            "low": low,
            "high": high,
            "missing": int((~known).sum()),
        }
        return feed(header, np.where(known, steps, NONE).astype("<u2").tobytes())


def sheet_feeds(sheets: Sheets) -> tuple[Feed, ...]:
    """One feed for each sheet of thumbnails: which images lie on it, then the JPEG. Encoded once for an object."""
    if sheets not in _SHEETS:
        parts = [sheets.shown[at : at + sheets.each] for at in range(0, len(sheets.shown), sheets.each)]
        _SHEETS[sheets] = tuple(
            feed(
                {"size": sheets.size, "columns": sheets.columns, "count": len(part)},
                part.astype("<i4").tobytes() + content,
            )
            for part, content in zip(parts, sheets.files, strict=True)
        )
    return _SHEETS[sheets]
