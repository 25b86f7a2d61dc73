"""One picture file, or its bytes, as an upright RGB picture; or the reason why not, and the remedy."""

from __future__ import annotations

import io
import os
import stat
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageChops, UnidentifiedImageError

from interp.images.problems import printable
from interp.images.stamps import Stamp

# PostScript is left out because Pillow hands it to an interpreter; the rest because no photograph comes in it.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
EXTENSIONS = frozenset(".jpg .jpeg .jpe .jfif .png .webp .tif .tiff .bmp .gif .ppm .pgm .pbm .pnm".split())
LARGEST_FILE = 50_000_000
LARGEST_PICTURE = 50_000_000

TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow only warns between one and two times its own limit. The filter is set once for the process, because
# `warnings.catch_warnings` around each picture is not safe between threads.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class UnreadableImage(ValueError):
    """A picture that cannot be shown. The message begins with its name, then the reason and the remedy."""

    def __init__(self, name: str, reason: str, *, changed: bool = False) -> None:
        super().__init__(name, reason)
        self.changed = changed
        self.name = printable(name)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright RGB picture, and how it lay in its file: EXIF orientation 1 to 8, stored size (width, height)."""

    image: Image.Image
    orientation: int = 1
    remarks: tuple[str, ...] = ()

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height before the picture was turned upright."""
        width, height = self.image.size
        return (height, width) if self.orientation >= 5 else (width, height)


def decode(content: bytes | str | Path, name: str) -> Image.Image:
    """A picture from its bytes or its path, as RGB, upright.

    EXIF orientation is applied, transparency is laid over white, 16 bit become 8, of an animation the first frame is
    taken. The format is told by the content, not by the name. Colour profiles are not applied, as in the pipelines
    that classifiers are trained with. Raises `UnreadableImage` for everything else: not a picture, damaged, over 50 MB
    or over 50 million pixels (which is read from the header, before anything is decoded).
    """
    return read(content, name).image


def read(content: bytes | str | Path, name: str) -> Picture:
    """As `decode`, with the orientation that the picture had in its file."""
    try:
        with _opened(content, name) as stream, Image.open(stream, formats=FORMATS) as image:
            _refuse_large(image, name)
            before = _orientation(image) if image.format == "TIFF" else 1
            image.load()
            pending = _orientation(image)
            rgb = _rgb(image, name)
    except UnreadableImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableImage(name, _too_large("far more")) from None
    except UnidentifiedImageError:
        reason = "this is not a picture that can be read. Supply it as JPEG, PNG, WebP, TIFF, BMP or GIF."
        raise UnreadableImage(name, reason) from None
    except MemoryError:
        raise UnreadableImage(name, "the memory does not suffice to decode it. Supply a smaller copy.") from None
    except Exception as error:  # Pillow's decoders raise whatever damaged bytes lead them to.
        detail = printable(str(error)).rstrip(".") or type(error).__name__
        reason = f"the file is damaged or incomplete ({detail}). Copy it again from its source, or save it anew."
        raise UnreadableImage(name, reason) from error
    if pending in TRANSPOSITIONS:
        rgb = rgb.transpose(TRANSPOSITIONS[pending])
    # Recent versions of Pillow turn a TIFF upright while loading it, so that nothing is pending afterwards.
    return Picture(rgb, orientation=pending if pending != 1 else before)


def read_file(path: str, name: str, expected: Stamp) -> Picture:
    with _opened(path, name) as stream:
        content = stream.read()
        now = Stamp.of(os.fstat(stream.fileno()))
    if not (expected.same_file(now) and expected.unchanged(content)):
        raise UnreadableImage(name, "the file has changed since the set was opened. Open the set again.", changed=True)
    return read(content, name)


def stored_size(path: str) -> tuple[tuple[int, int], int] | None:
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size, _orientation(image)
    except Exception:
        return None


def _opened(content: bytes | str | Path, name: str) -> AbstractContextManager[BinaryIO]:
    if isinstance(content, bytes):
        _refuse_file_size(len(content), name)
        return io.BytesIO(content)
    try:
        status = Path(content).stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableImage(name, "this is a folder, not a picture. Open it as an image set.")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableImage(name, "this is a device or a pipe, not a picture. Supply an ordinary file.")
        _refuse_file_size(status.st_size, name)
        return open(content, "rb")
    except FileNotFoundError:
        what = "the link leads nowhere" if Path(content).is_symlink() else "the file is not there any more"
        raise UnreadableImage(name, f"{what}. Put the picture back, or leave it out of the set.") from None
    except PermissionError:
        reason = "this program may not read the file. Give its user the permission to."
        raise UnreadableImage(name, reason) from None


def _refuse_file_size(size: int, name: str) -> None:
    if size == 0:
        raise UnreadableImage(name, "the file is empty. Copy it again from its source.")
    if size > LARGEST_FILE:
        reason = (
            f"the file has {size / 1e6:,.0f} MB, and the limit is {LARGEST_FILE / 1e6:.0f} MB. Supply a smaller copy."
        )
        raise UnreadableImage(name, reason)


def _refuse_large(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > LARGEST_PICTURE:
        raise UnreadableImage(name, _too_large(f"{width:,} × {height:,}"))


def _too_large(pixels: str) -> str:
    limit = f"{LARGEST_PICTURE / 1e6:.0f} million"
    return f"the picture has {pixels} pixels, and the limit is {limit}. Supply a smaller copy."


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # A damaged EXIF block raises whatever it leads to, and the picture is good without it.
        return 1
    return orientation if orientation in TRANSPOSITIONS else 1


def _rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _from_numbers(image, name)
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        # Pillow inverts every CMYK JPEG as Adobe's programs write them; one without Adobe's mark is not inverted.
        return ImageChops.invert(image).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    rgb = image.convert("RGB")
    # The EXIF block stays in `info` otherwise, and whoever applies it again turns the picture twice.
    rgb.info.clear()
    return rgb


def _from_numbers(image: Image.Image, name: str) -> Image.Image:
    numbers = np.asarray(image)
    low, high = float(numbers.min()), float(numbers.max())
    if image.mode.startswith("F") and 0 <= low and high <= 1:
        grey = numbers * 255 + 0.5
    elif image.mode == "I" and 0 <= low and high <= 255:
        grey = numbers
    elif not image.mode.startswith("F") and 0 <= low and high <= 65535:
        grey = numbers.astype(np.int32) >> 8
    else:
        reason = (
            f"its values reach from {low:g} to {high:g}, and where black and white lie is not known. "
            "Save it with 8 or 16 bits."
        )
        raise UnreadableImage(name, reason)
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
