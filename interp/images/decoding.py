"""One picture file, or its bytes, as an upright RGB picture; or the reason why not, and the remedy."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageChops, UnidentifiedImageError

from interp.images import depths, dicom, formats, jpegs, stamps
from interp.images.formats import EXTENSIONS
from interp.images.problems import printable
from interp.images.stamps import Stamp
from interp.images.unreadable import (
    LARGEST_FILE,
    LARGEST_PICTURE,
    UnreadableImage,
    refuse_file_size,
    refuse_size,
    too_large,
)

__all__ = [
    "EXTENSIONS",
    "LARGEST_FILE",
    "LARGEST_PICTURE",
    "TRANSPOSITIONS",
    "DecodedImage",
    "Stamp",
    "UnreadableImage",
    "decode",
    "read",
    "read_file",
    "stored_size",
]

TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
REDUCED_PREVIEW, SUBFILE_TYPE = 1, 254
STRIP = 256

# Pillow only warns between one and two times its own limit. The filter is set once for the process, because
# `warnings.catch_warnings` around each picture is not safe between threads.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An upright RGB picture, and how it lay in its file: EXIF orientation 1 to 8, stored size (width, height).

    `remarks` are sentences on what was guessed or changed in reading it, and how to have it otherwise.
    """

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
    that classifiers are trained with. Raises `UnreadableImage` for everything else: not a picture, damaged, over 50 MB,
    over 50 million pixels, or one side over 200 times the other (which is read from the header, before anything is
    decoded).
    """
    return read(content, name).image


def read(content: bytes | str | Path, name: str) -> DecodedImage:
    """As `decode`, with the orientation that the picture had in its file, and what is to be said of its reading."""
    if not isinstance(content, bytes):
        content = stamps.content(content, name)
    refuse_file_size(len(content), name)
    try:
        if dicom.is_dicom(content):
            image, remarks = dicom.read(content, name)
            return DecodedImage(image, remarks=remarks)
        if reason := formats.refusal(content, name):
            raise UnreadableImage(name, reason)
        return _completed(content, name)
    except UnreadableImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableImage(name, too_large("far more")) from None
    except UnidentifiedImageError:
        raise UnreadableImage(name, formats.described(content, name)) from None
    except MemoryError:
        raise UnreadableImage(name, "the memory does not suffice to decode it. Supply a smaller copy.") from None
    except Exception as error:  # Decoders raise whatever damaged bytes lead them to.
        detail = printable(str(error)).rstrip(".") or type(error).__name__
        reason = f"the file is damaged or incomplete ({detail}). Copy it again from its source, or save it anew."
        raise UnreadableImage(name, reason) from error


def read_file(path: str | Path, name: str, expected: Stamp) -> DecodedImage:
    """As `read`, for a file that must still be the one that had this stamp; what was checked is what is decoded."""
    return read(stamps.content(path, name, expected), name)


def stored_size(path: str | Path) -> tuple[tuple[int, int], int] | None:
    """Width and height of the picture as stored, and its EXIF orientation, from its head; None where it has none."""
    try:
        with open(path, "rb") as stream:
            known = formats.readable(stream.read(formats.HEAD))
            stream.seek(0)
            with Image.open(stream, formats=known) as image:
                return image.size, _orientation(image)
    except Exception:  # Whoever reads the picture hears why it cannot be.
        return None


def _completed(content: bytes, name: str) -> DecodedImage:
    """The picture; of a JPEG that lacks nothing but its end mark, too."""
    try:
        return _decoded(content, name)
    except OSError as error:
        if isinstance(error, UnidentifiedImageError) or not content.startswith(b"\xff\xd8"):
            raise
        whole = jpegs.completed(content)
        if whole is None:
            raise
    picture = _decoded(whole, name)
    said = "Its file lacks the end mark of a JPEG; the picture is whole. Save it anew, for programs that insist on it."
    return DecodedImage(picture.image, picture.orientation, (*picture.remarks, said))


def _decoded(content: bytes, name: str) -> DecodedImage:
    with Image.open(io.BytesIO(content), formats=formats.readable(content)) as image:
        refuse_size(*image.size, name)
        if image.format == "JPEG2000":
            for size in formats.jpeg2000_sizes(content):
                refuse_size(*size, name)
        if image.format == "TIFF" and image.tag_v2.get(SUBFILE_TYPE) == REDUCED_PREVIEW:  # pyright: ignore[reportAttributeAccessIssue]
            reason = "its first page is a small preview, as in a camera's raw file: develop it, and save it as JPEG."
            raise UnreadableImage(name, reason)
        before = _orientation(image) if image.format == "TIFF" else 1
        image.load()
        pending = _orientation(image)
        frames = _frames(image)
        rgb, remarks = _rgb(image, content, name)
    if pending in TRANSPOSITIONS:
        rgb = rgb.transpose(TRANSPOSITIONS[pending])
    # Recent versions of Pillow turn a TIFF upright while loading it, so that nothing is pending afterwards.
    return DecodedImage(rgb, pending if pending != 1 else before, remarks + frames)


def _frames(image: Image.Image) -> tuple[str, ...]:
    # A telephone's JPEG holds a second picture beside the photograph, of its depth or its highlights.
    if image.format in ("JPEG", "MPO") or not getattr(image, "is_animated", False):
        return ()
    return ("It holds several frames or pages; the first is taken. Save the others as pictures of their own.",)


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # A damaged EXIF block raises whatever it leads to, and the picture is good without it.
        return 1
    return orientation if orientation in TRANSPOSITIONS else 1


def _rgb(image: Image.Image, content: bytes, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    if image.mode.startswith(("I", "F")):
        return depths.grey(image, content, name)
    remarks = depths.colours(image, content, name)
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        # Pillow inverts every CMYK JPEG as Adobe's programs write them; one without Adobe's mark is not inverted.
        return ImageChops.invert(image).convert("RGB"), remarks
    if image.has_transparency_data:
        return _over_white(image), remarks
    rgb = image.convert("RGB")
    # The EXIF block stays in `info` otherwise, and whoever applies it again turns the picture twice.
    rgb.info.clear()
    return rgb, remarks


def _over_white(image: Image.Image) -> Image.Image:
    """Without its transparency; strip by strip, since four layers of a large picture would take a gigabyte."""
    width, height = image.size
    rgb = Image.new("RGB", image.size)
    for top in range(0, height, STRIP):
        layer = image.crop((0, top, width, min(top + STRIP, height))).convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        rgb.paste(Image.alpha_composite(paper, layer).convert("RGB"), (0, top))
    return rgb
