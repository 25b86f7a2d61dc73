"""Which formats are read, and what the others are called."""

import importlib
import io
import re
import struct
import time

import numpy as np
import pytest
from PIL import Image, features

from interp.images import UnreadableImage, formats
from interp.images.decoding import read

COLOURS = np.zeros((32, 48, 3), np.uint8)
COLOURS[:, :24] = (200, 30, 60)
COLOURS[16:, 24:] = (20, 90, 220)


def encoded(format: str, **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(COLOURS).save(stream, format, **options)
    return stream.getvalue()


def assert_like(content: bytes, *, within: float) -> None:
    picture = read(content, "picture")
    assert picture.image.mode == "RGB" and picture.remarks == ()
    assert np.abs(np.asarray(picture.image).astype(int) - COLOURS).mean() < within


@pytest.mark.skipif(not features.check_module("avif"), reason="this Pillow was built without AVIF")
def test_avif() -> None:
    content = encoded("AVIF", quality=95)
    assert formats.is_avif(content) and not formats.is_heic(content)
    assert_like(content, within=4)


@pytest.mark.skipif(not features.check_codec("jpg_2000"), reason="this Pillow was built without JPEG 2000")
def test_jpeg_2000_as_a_file_and_as_a_codestream() -> None:
    content = encoded("JPEG2000")
    assert_like(content, within=0.01)
    assert_like(content[content.index(b"\xff\x4f\xff\x51") :], within=0.01)


@pytest.mark.skipif(not features.check_codec("jpg_2000"), reason="this Pillow was built without JPEG 2000")
def test_a_jpeg_2000_larger_than_its_file_says_is_refused() -> None:
    content = bytearray(encoded("JPEG2000"))
    at = content.index(b"\xff\x4f\xff\x51")
    content[at + 8 : at + 16] = struct.pack(">II", 60_000, 40_000)
    with pytest.raises(UnreadableImage, match="60,000 × 40,000 pixels, and the limit is 50 million"):
        read(bytes(content), "picture")


def test_heic() -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs pillow-heif, which reads HEIC")
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(COLOURS)).save(stream, quality=95)
    content = stream.getvalue()
    assert formats.is_heic(content) and not formats.is_avif(content)
    assert_like(content, within=4)
    # Without what cuts the coded picture to its size, the header's size counts.
    header = re.compile(rb"(ispe....)........", re.DOTALL)
    lying = header.sub(rb"\1" + struct.pack(">II", 9000, 7000), content).replace(b"clap", b"free")
    with pytest.raises(UnreadableImage, match="9,000 × 7,000 pixels, and the limit is 50 million"):
        read(lying, "picture")


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 40


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(
        UnreadableImage, match="^x.heic: this is HEIC: install pillow-heif on the server, or supply JPEG"
    ):
        read(HEIC, "x.heic")
    with pytest.raises(UnreadableImage, match="^x: this is DICOM: install pydicom on the server, or export it as PNG"):
        read(bytes(128) + b"DICM" + bytes(100), "x")
    monkeypatch.setattr(features, "check_module", lambda name: False)
    monkeypatch.setattr(features, "check_codec", lambda name: False)
    with pytest.raises(UnreadableImage, match="this is AVIF, which the server's Pillow cannot read: install Pillow"):
        read(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "x.avif")
    with pytest.raises(UnreadableImage, match="this is JPEG 2000.*supply PNG or JPEG"):
        read(b"\xff\x4f\xff\x51" + bytes(60), "x.jp2")


NAMED = {
    "drawing.svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing: export it"),
    "page.pdf": (b"%PDF-1.7\n", "a PDF document"),
    "figure.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript drawing"),
    "array.npy": (b"\x93NUMPY\1\0", "a NumPy array: save it as a picture"),
    "layers.psd": (b"8BPS\0\1" + bytes(30), "a Photoshop document"),
    "photo.cr2": (b"II*\0\x10\0\0\0CR\2\0" + bytes(30), "a camera's raw file: develop it"),
    "photo.nef": (b"MM\0*\0\0\0\x08" + bytes(30), "a camera's raw file"),
    "photo.cr3": (b"\0\0\0\x18ftypcrx \0\0\0\1", "a camera's raw file"),
    "film.mp4": (b"\0\0\0\x18ftypisom\0\0\2\0", "a video .MP4"),
    "film.avi": (b"RIFF\0\0\0\0AVI LIST", "a video .AVI"),
    "film.webm": (b"\x1aE\xdf\xa3" + bytes(9), "a video .Matroska"),
    "icon.ico": (b"\0\0\1\0\1\0", "an icon"),
    "next.jxl": (b"\xff\x0a" + bytes(9), "a JPEG XL picture"),
    "all.zip": (b"PK\3\4" + bytes(9), "a ZIP archive: unpack it"),
    "brain.nii": (bytes(344) + b"n+1\0", "a NIfTI volume"),
    "stars.fits": (b"SIMPLE  =                    T", "a FITS file"),
    "._cat.jpg": (b"\0\5\x16\7\0\2", "what macOS keeps beside a file"),
    "cat.jpg": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS.*git lfs pull"),
    "dog.jpg": (b"<!DOCTYPE html>\n<html>", "a web page.*download it again"),
    "scan.dcm": (b"\x08\0\x05\0CS" + bytes(200), "by its name this is DICOM.*DICM at byte 128"),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_not_read_is_called_by_its_name(name: str) -> None:
    content, reason = NAMED[name]
    with pytest.raises(UnreadableImage, match=reason):
        read(content, name)


def test_a_raw_file_is_not_taken_for_its_preview() -> None:
    stream = io.BytesIO()
    Image.fromarray(COLOURS).save(stream, "TIFF", tiffinfo={254: 1})
    with pytest.raises(UnreadableImage, match="a small preview, as in a camera's raw file"):
        read(stream.getvalue(), "without-extension")


def test_numbers_written_out_as_text_are_read_while_they_are_few() -> None:
    assert np.asarray(read(b"P2 2 1 15\n0 15\n", "a.pgm").image)[0, :, 0].tolist() == [0, 255]
    begun = time.perf_counter()
    with pytest.raises(UnreadableImage, match="as text .ASCII PPM.*up to 2 MB; it has 24 MB. Save it as PNG"):
        read(b"P3 2000 1000 255\n" + b"255 " * 6_000_000, "a.ppm")
    assert time.perf_counter() - begun < 1


def test_every_extension_that_can_be_read_is_listed() -> None:
    assert {".avif", ".heic", ".heif", ".jp2", ".j2k", ".jpx", ".dcm", ".jpg", ".png", ".tif"} <= formats.EXTENSIONS
    assert not {".svg", ".pdf", ".eps", ".npy"} & formats.EXTENSIONS
