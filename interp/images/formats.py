"""Which formats are read, told by the content, and what the others are called."""

from __future__ import annotations

import importlib
import re
from typing import NamedTuple

from PIL import Image, features

# PostScript is left out because Pillow hands it to an interpreter; the rest because no photograph comes in it.
BASIC = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
EXTENSIONS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .apng .webp .tif .tiff .bmp .gif .ppm .pgm .pbm .pnm "
    ".avif .heic .heif .hif .jp2 .j2k .j2c .jpc .jpf .jpx .dcm .dicom".split()
)
_SUFFIXES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG\r\n\x1a\n": ".png",
    b"GIF8": ".gif",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"P6": ".ppm",
    b"P5": ".pgm",
}
LARGEST_ASCII = 2_000_000
OTHERWISE = "this is not a picture that can be read. Supply it as JPEG, PNG, WebP, TIFF, BMP or GIF."
HEAD = 4096

_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF = {b"avif", b"avis"}
_RAW = frozenset("cr2 cr3 crw nef nrw arw srf sr2 dng raf rw2 orf pef srw 3fr iiq x3f kdc dcr mrw raw".split())


class Named(NamedTuple):
    """A format that is not read: by what its content begins, its name in a sentence, and the remedy."""

    begins: bytes
    what: str
    remedy: str


_PICTURE = "export it as PNG"
_NAMED = (
    Named(b"%PDF", "a PDF document", "export its page as PNG"),
    Named(b"%!PS", "a PostScript drawing", _PICTURE),
    Named(b"\xc5\xd0\xd3\xc6", "a PostScript drawing", _PICTURE),
    Named(b"8BPS", "a Photoshop document", _PICTURE),
    Named(b"8BPB", "a Photoshop document", _PICTURE),
    Named(b"gimp xcf", "a GIMP document", _PICTURE),
    Named(b"\x93NUMPY", "a NumPy array", "save it as a picture: PIL.Image.fromarray(array).save('name.png')"),
    Named(b"\x00\x00\x01\x00", "an icon (ICO)", _PICTURE),
    Named(b"icns", "an icon (ICNS)", _PICTURE),
    Named(b"\xff\x0a", "a JPEG XL picture", "save it as PNG or JPEG"),
    Named(b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", "save it as PNG or JPEG"),
    Named(b"II\xbc", "a JPEG XR picture", "save it as PNG or JPEG"),
    Named(b"\xff\xd8\xff\xf7", "a JPEG-LS picture", "save it as PNG"),
    Named(b"BPG\xfb", "a BPG picture", "save it as PNG or JPEG"),
    Named(b"qoif", "a QOI picture", "save it as PNG"),
    Named(b"\x76\x2f\x31\x01", "an OpenEXR picture", "map its range to 8 bits and save it as PNG"),
    Named(b"#?RADIANCE", "a Radiance HDR picture", "map its range to 8 bits and save it as PNG"),
    Named(b"DDS ", "a DirectDraw texture", _PICTURE),
    Named(b"\x01\xda", "an SGI picture", "save it as PNG"),
    Named(b"AT&TFORM", "a DjVu document", "export its page as PNG"),
    Named(b"IIRO", "a camera's raw file", "develop it, and save it as JPEG"),
    Named(b"IIRS", "a camera's raw file", "develop it, and save it as JPEG"),
    Named(b"IIU\x00", "a camera's raw file", "develop it, and save it as JPEG"),
    Named(b"FUJIFILMCCD-RAW", "a camera's raw file", "develop it, and save it as JPEG"),
    Named(b"FOVb", "a camera's raw file", "develop it, and save it as JPEG"),
    Named(b"SIMPLE  =", "a FITS file", "map its range to 8 or 16 bits and save it as PNG"),
    Named(b"\x89HDF", "an HDF5 file", "export its pictures as PNG"),
    Named(b"CDF", "a NetCDF file", "export its pictures as PNG"),
    Named(b"NRRD", "an NRRD volume", "export its slices as PNG"),
    Named(b"ObjectType", "a MetaImage volume", "export its slices as PNG"),
    Named(b"II+\x00", "a BigTIFF picture", "save it as an ordinary TIFF or as PNG"),
    Named(b"MM\x00+", "a BigTIFF picture", "save it as an ordinary TIFF or as PNG"),
    Named(b"\x1aE\xdf\xa3", "a video (Matroska or WebM)", "export its frames as JPEG or PNG"),
    Named(b"\x00\x00\x01\xba", "a video (MPEG)", "export its frames as JPEG or PNG"),
    Named(b"\x00\x00\x01\xb3", "a video (MPEG)", "export its frames as JPEG or PNG"),
    Named(b"FLV", "a video (Flash)", "export its frames as JPEG or PNG"),
    Named(b"PK\x03\x04", "a ZIP archive", "unpack it, and supply the pictures in it"),
    Named(b"Rar!", "a RAR archive", "unpack it, and supply the pictures in it"),
    Named(b"7z\xbc\xaf", "a 7-Zip archive", "unpack it, and supply the pictures in it"),
    Named(b"\x1f\x8b", "a gzip archive", "unpack it, and supply the picture in it"),
    Named(b"\x00\x05\x16\x07", "what macOS keeps beside a file, not the picture", "supply the file of the same name"),
    Named(
        b"version https://git-lfs", "a pointer of Git LFS, not the picture", "fetch the pictures with `git lfs pull`"
    ),
)


def is_heic(content: bytes) -> bool:
    """Whether these bytes say of themselves that they are HEIC or HEIF."""
    return bool(_brands(content) & _HEIC) and not is_avif(content)


def is_avif(content: bytes) -> bool:
    """Whether these bytes say of themselves that they are AVIF."""
    brands = _brands(content)
    return bool(brands & _AVIF) and not (brands & (_HEIC - {b"mif1", b"msf1"}))


def is_jpeg2000(content: bytes) -> bool:
    """Whether these bytes begin as JPEG 2000 does, as a file or as a bare codestream."""
    return content.startswith((b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"))


def readable(content: bytes) -> tuple[str, ...]:
    """The names of Pillow's decoders that these bytes may be given to; it tells one from another by the content."""
    if is_jpeg2000(content):
        return ("JPEG2000",) if features.check_codec("jpg_2000") else ()
    if is_avif(content):
        return ("AVIF",) if features.check_module("avif") else ()
    if is_heic(content):
        return ("HEIF",) if _registered() else ()
    return BASIC


def suffix_of(head: bytes) -> str | None:
    """The usual suffix of a picture that begins so; None where it begins as none that is read."""
    for begins, suffix in _SUFFIXES.items():
        if head.startswith(begins):
            return suffix
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    named = ((is_heic, ".heic"), (is_avif, ".avif"), (is_jpeg2000, ".jp2"))
    return next((suffix for test, suffix in named if test(head)), None)


def refusal(content: bytes, name: str) -> str | None:
    """Why these bytes are not given to a decoder, though one of them would take them; None where they are."""
    if content[:2] in (b"P1", b"P2", b"P3") and len(content) > LARGEST_ASCII:
        return (
            f"its numbers are written out as text (ASCII PPM), and such files are read up to "
            f"{LARGEST_ASCII / 1e6:.0f} MB; it has {len(content) / 1e6:,.0f} MB. Save it as PNG, or as binary PPM (P6)."
        )
    if content[:4] in (b"II*\0", b"MM\0*") and (_suffix(name) in _RAW or content[8:10] == b"CR"):
        return "this is a camera's raw file: develop it, and save it as JPEG."
    if (is_heic(content) or is_avif(content) or is_jpeg2000(content)) and not readable(content):
        return described(content, name)
    return None


def described(content: bytes, name: str) -> str:
    """What these bytes are, as far as their beginning tells, and what would be right: for what cannot be read."""
    if is_heic(content):
        return "this is HEIC: install pillow-heif on the server, or supply JPEG."
    if is_avif(content):
        return "this is AVIF, which the server's Pillow cannot read: install Pillow 11.3 or later, or supply JPEG."
    if is_jpeg2000(content):
        return "this is JPEG 2000, which the server's Pillow was built without: supply PNG or JPEG."
    for test in (_drawing_or_text, _boxed):
        if found := test(content[:HEAD]):
            return found
    for one in _NAMED:
        if content.startswith(one.begins):
            return f"this is {one.what}: {one.remedy}."
    if content[344:348] in (b"n+1\0", b"ni1\0"):
        return "this is a NIfTI volume: export its slices as PNG."
    if content[-18:-2] == b"TRUEVISION-XFILE":
        return "this is a Targa picture: save it as PNG."
    if _suffix(name) in _RAW:
        return "by its name this is a camera's raw file: develop it, and save it as JPEG."
    if _suffix(name) in ("dcm", "dicom"):
        return "by its name this is DICOM, and its content lacks the mark DICM at byte 128. Export it again, or as PNG."
    return OTHERWISE


def _drawing_or_text(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text:
        return "this is an SVG drawing: export it as PNG."
    if text.startswith((b"<!doctype html", b"<html")):
        return "this is a web page, as servers send in the place of a picture that is not there: download it again."
    if text.startswith(b"<?xml"):
        return "this is an XML file, not a picture."
    return None


def _boxed(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "this is a video (AVI): export its frames as JPEG or PNG."
    if head[4:12] == b"ftypcrx ":
        return "this is a camera's raw file: develop it, and save it as JPEG."
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return "this is a video (MP4 or QuickTime): export its frames as JPEG or PNG."
    return None


def _brands(content: bytes) -> set[bytes]:
    if content[4:8] != b"ftyp":
        return set()
    length = min(int.from_bytes(content[:4], "big"), 256)
    return {content[8:12], *(content[at : at + 4] for at in range(16, length - 3, 4))}


def _suffix(name: str) -> str:
    return name.lower().rpartition(".")[2]


def _registered() -> bool:
    """Whether pillow-heif is installed; Pillow then knows its decoder."""
    try:
        package = importlib.import_module("pillow_heif")
    except ImportError:
        return False
    if "HEIF" not in Image.OPEN:
        package.register_heif_opener()
    return True


def jpeg2000_sizes(content: bytes) -> list[tuple[int, int]]:
    """The sizes of all codestreams in these bytes, and of their tiles: the file's own header may claim another."""
    sizes: list[tuple[int, int]] = []
    for found in re.finditer(rb"\xff\x4f\xff\x51", content):
        numbers = [
            int.from_bytes(content[at : at + 4], "big") for at in range(found.start() + 8, found.start() + 40, 4)
        ]
        right, bottom, left, top, across, down, _, _ = numbers
        sizes += [(right - left, bottom - top), (min(across, right), min(down, bottom))]
    return sizes
