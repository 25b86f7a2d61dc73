"""Pictures that are masks: which of their values mean that something is marked."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import Bool, Integer
from PIL import Image

from interp.images import stamps
from interp.images.problems import printable
from interp.images.stamps import Stamp
from interp.images.unreadable import UnreadableImage, refuse_size

FORMATS = ("PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP")
EXTENSIONS = frozenset(".png .bmp .tif .tiff .gif .jpg .jpeg .webp".split())
VOID = 255
# Of a soft edge, or of JPEG, nearly all pixels are nearly black or nearly white.
NEARLY, MOST = 24, 0.9
FEW = 64

Decoded = TypeVar("Decoded")
MaskKind = Literal["nothing", "binary", "soft", "trimap", "matte", "classes", "all"]
SAID: dict[MaskKind, str] = {
    "nothing": "0 alone: nothing is marked",
    "binary": "0 and one other value: what is not 0 is marked",
    "soft": "from black to white with soft edges: what is over the middle is marked",
    "trimap": "1, 2 and 3, without 0: read as Oxford-IIIT Pet's trimaps, in which 1 is marked, 2 is background and 3 "
    "the border, which is not marked",
    "matte": "0, 255 and one value between them: read as a trimap, in which 255 alone is marked",
    "classes": "several values: all but 0 are marked",
    "all": "no 0, so that no background is known",
}


@dataclass(frozen=True)
class MaskFile:
    """A picture whose values say what is marked, and its stamp when the set was opened.

    `marked` are the values that mean it; None leaves it to the values that are found. A `trimap` is 1 where something
    is, though neither 0 nor 2 need be in it. With `colours` the values are colours, also where the file has a palette.
    """

    path: str
    stamp: Stamp | None = None
    marked: frozenset[int] | None = None
    trimap: bool = False
    colours: bool = False

    def read(self) -> Bool[np.ndarray, "rows columns"]:
        """The marked pixels. Raises `ValueError` that names a file that cannot be read, or whose values say nothing."""
        name = printable(Path(self.path).name)
        values = read_values(self.path, self.stamp, colours=self.colours)
        if self.marked is not None:
            return np.isin(values.numbers, list(self.marked))
        kind = "trimap" if self.trimap and _within_trimap(values) else kind_of(values)
        if kind == "all":
            raise ValueError(f"{name}: {no_background(values)}")
        return inside(values, kind)


@dataclass(frozen=True, eq=False)
class Values:
    """The values of a mask: grey levels, a palette's numbers, or colours as 65536·red + 256·green + blue.

    `counts` says how many pixels have each; `palette` whether they are a palette's numbers.
    """

    numbers: Integer[np.ndarray, "rows columns"]
    counts: dict[int, int]
    palette: bool = False

    @property
    def shares(self) -> str:
        """The most frequent values with their shares, for a sentence."""
        total = self.numbers.size
        most = sorted(self.counts.items(), key=lambda one: -one[1])[:4]
        more = ", ..." if len(self.counts) > len(most) else ""
        return ", ".join(f"{shown(value)} ({count / total:.0%})" for value, count in most) + more


def read_values(path: str, expected: Stamp | None = None, *, colours: bool = False) -> Values:
    """What a mask holds, with `colours` as colours in any case.

    Raises `ValueError` that names the file and says why it cannot be read, or that it changed.
    """
    numbers, palette = decoded(
        path,
        expected,
        lambda image: (
            _coloured(np.asarray(image.convert("RGB"))) if colours else _numbers(image),
            image.mode == "P" and not colours,
        ),
    )
    found, counts = np.unique(numbers, return_counts=True)
    return Values(numbers, dict(zip(found.tolist(), counts.tolist(), strict=True)), palette)


def decoded(path: str, expected: Stamp | None, of: Callable[[Image.Image], Decoded]) -> Decoded:
    """What `of` makes of a mask's picture.

    Raises `ValueError` that names the file and says why it cannot be read, or that it changed.
    """
    name = printable(Path(path).name)
    try:
        content = stamps.content(path, name, expected)
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            refuse_size(*image.size, name)
            return of(image)
    except UnreadableImage as error:
        raise ValueError(f"{name}: the mask cannot be used: {error.reason}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    except Exception as error:  # As for pictures: damaged bytes lead Pillow's decoders anywhere.
        raise ValueError(f"{name}: the mask cannot be read. Save it as PNG again.") from error


def kind_of(values: Values) -> MaskKind:
    """What the values of a mask mean, as `SAID` puts it."""
    found = sorted(values.counts)
    if found == [0]:
        return "nothing"
    if len(found) == 2 and found[0] == 0:
        return "binary"
    if not values.palette and _soft(values):
        return "matte" if len(found) == 3 and 0 in found and VOID in found else "soft"
    if 0 in found or (values.palette and VOID in found):
        return "classes"
    return "trimap" if _within_trimap(values) and {1, 2} <= set(found) else "all"


def inside(values: Values, kind: MaskKind) -> Bool[np.ndarray, "rows columns"]:
    """The marked pixels of a mask of that kind."""
    numbers = values.numbers
    if kind == "soft":
        return 2 * numbers >= max(values.counts)
    if kind == "trimap":
        return numbers == 1
    if kind == "matte":
        return numbers == VOID
    if kind == "classes" and (values.palette or max(values.counts) == VOID):
        return (numbers != 0) & (numbers != VOID)
    return numbers != 0


def no_background(values: Values) -> str:
    """Why a mask without background is not used, and what would settle it."""
    return (
        f"no value of it is 0, so that no background is known: it has {values.shares}. Say which values are marked, or "
        "save it with 0 as background."
    )


def marks_most(drawn: Sequence[Bool[np.ndarray, "_ _"]]) -> str | None:
    """A sentence where masks mark so much of their pictures that the background may be what is marked; or None."""
    some = [one for one in drawn if one.any()]
    if not some:
        return None
    shares = [float(one.mean()) for one in some]
    if min(shares) > 0.9 or (min(shares) > 0.5 and min(_border(one) for one in some) > 0.8):
        median = float(np.median(shares))
        return f"They mark {median:.0%} of a picture, its border included: it may be the background that is marked."
    return None


def joint(values: Sequence[Values]) -> tuple[str, bool]:
    """What some masks of a set have for values, as a sentence's end, and whether those without 0 are trimaps."""
    without = [one for one in values if 0 not in one.counts]
    together = {value for one in without for value in one.counts}
    trimap = {1, 2} <= together <= {1, 2, 3}
    kinds: Counter[MaskKind] = Counter("trimap" if trimap and one in without else kind_of(one) for one in values)
    void = " (255 is void, and not marked)" if any(_has_void(one) for one in values) else ""
    return "; ".join(f"{SAID[kind]}{f' ({count:,} of them)' * (len(kinds) > 1)}" for kind, count in kinds.items()) + (
        void
    ), trimap


def _has_void(values: Values) -> bool:
    return kind_of(values) == "classes" and VOID in values.counts


def _within_trimap(values: Values) -> bool:
    return set(values.counts) <= {1, 2, 3}


def _soft(values: Values) -> bool:
    """Whether nearly all pixels are nearly black or nearly white, and the rest lies between them."""
    low, high = min(values.counts), max(values.counts)
    if len(values.counts) < 3 or high < 128 or high > VOID or low > NEARLY:
        return False
    white = sum(count for value, count in values.counts.items() if value >= high - NEARLY)
    between = sum(count for value, count in values.counts.items() if NEARLY < value < high - NEARLY)
    if len(values.counts) == 3 and 0 in values.counts:
        # A class and void, or a trimap of 0, 128 and 255, or an edge of one grey.
        [middle] = set(values.counts) - {0, high}
        return high == VOID and abs(middle - 128) <= 8
    return between <= (1 - MOST) * values.numbers.size and between <= white


def _border(mask: Bool[np.ndarray, "rows columns"]) -> float:
    """The share of the picture's border that is marked."""
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return float(border.mean())


def _numbers(image: Image.Image) -> Integer[np.ndarray, "rows columns"]:
    array = np.asarray(image)
    if image.mode in ("LA", "RGBA", "PA"):
        colour, alpha = array[..., :-1], array[..., -1:]
        # Where one colour lies everywhere, what is transparent tells the background.
        plain = (colour == colour[:1, :1]).all() and alpha.min() < alpha.max()
        array = alpha if plain else colour * (alpha > 0)
    if array.ndim == 3 and (image.format in ("JPEG", "WEBP") or (array == array[..., :1]).all()):
        array = array.astype(np.float32).mean(axis=2).round() if image.format in ("JPEG", "WEBP") else array[..., 0]
    if array.ndim == 3:
        return _coloured(array)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("some of the mask's values are not numbers. Save it as PNG, with 0 as background.")
        array = array * VOID if 0 <= array.min() and array.max() <= 1 else array
        return array.round().astype(np.int64)
    return array.astype(np.int64) if array.dtype.kind != "u" or array.dtype.itemsize > 1 else array.astype(np.int16)


def _coloured(array: np.ndarray) -> Integer[np.ndarray, "rows columns"]:
    red, green, blue = (array[..., place].astype(np.int64) for place in range(3))
    return 65536 * red + 256 * green + blue


def shown(value: int) -> str:
    """A value as people know it: a number, or a colour as in HTML."""
    return str(value) if value < 65536 else f"#{value:06x}"
