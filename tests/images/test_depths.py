"""Pictures of 16 bits: which of them are used, by the file's word or by a guess that is said."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from interp.images import UnreadableImage
from interp.images.decoding import read

TWELVE = np.array([[0, 16, 2048, 4095]], np.uint16)


def png(values: np.ndarray, *, significant: int | None = None) -> bytes:
    """Written by hand, as Pillow writes neither sBIT nor 16 bits in colour."""
    colour = values.ndim == 3

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 2 if colour else 0, 0, 0, 0)
    bits = b"" if significant is None else chunk(b"sBIT", bytes([significant] * (3 if colour else 1)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + bits + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def tiff(values: np.ndarray, **tags: int) -> bytes:
    stream = io.BytesIO()
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for number, value in tags.items():
        info[int(number[1:])] = value
        info.tagtype[int(number[1:])] = 3
    Image.fromarray(values).save(stream, "TIFF", tiffinfo=info)
    return stream.getvalue()


def grey(content: bytes) -> tuple[list[int], str]:
    picture = read(content, "scan")
    assert picture.image.mode == "RGB"
    return np.asarray(picture.image)[0, :, 0].tolist(), " ".join(picture.remarks)


@pytest.mark.parametrize("made", [png, tiff])
def test_twelve_bits_in_sixteen_are_stretched_and_it_is_said(made) -> None:
    # 16 / 16 = 1, 2048 / 16 = 128, 4095 / 16 = 255.9.
    found, said = grey(made(TWELVE))
    assert found == [0, 1, 128, 255]
    assert "reach 4,095 of 65,535" in said and "12 bits stored in 16" in said and "save it with 8" in said


@pytest.mark.parametrize("made", [png, tiff])
def test_eight_bits_in_sixteen_are_stretched_and_it_is_said(made) -> None:
    found, said = grey(made(np.array([[0, 7, 255]], np.uint16)))
    assert found == [0, 7, 255] and "8 bits stored in 16" in said


def test_one_value_above_twelve_bits_makes_it_sixteen() -> None:
    found, said = grey(png(np.array([[0, 4096, 256]], np.uint16)))
    assert found == [0, 16, 1] and "dark picture of 16 bits" in said
    assert grey(png(np.array([[0, 65535, 16384]], np.uint16))) == ([0, 255, 64], "")
    assert grey(png(np.zeros((1, 3), np.uint16))) == ([0, 0, 0], "")


def test_significant_bits_decide() -> None:
    # A dark picture of 16 bits: 4095 / 256 = 15.99.
    assert grey(png(TWELVE, significant=16)) == ([0, 0, 8, 15], "")
    # Ten bits, 1023 the highest: 16 / 4, 512 / 4, 1023 / 4.
    found, said = grey(png(np.array([[16, 512, 1023]], np.uint16), significant=10))
    assert found == [4, 128, 255] and "says that 10 bits" in said
    # As the standard has it, the significant bits are the upper ones: 12 bits scaled to 16 need no stretching.
    assert grey(png(np.array([[0, 32768, 65520]], np.uint16), significant=12)) == ([0, 128, 255], "")
    # Four bits: 255 * 5 / 15 = 85.
    assert grey(png(np.array([[0, 5, 15]], np.uint16), significant=4))[0] == [0, 85, 255]


def test_a_tiff_says_its_highest_value() -> None:
    assert grey(tiff(TWELVE, t341=65535)) == ([0, 0, 8, 15], "")
    found, said = grey(tiff(np.array([[0, 512, 1023]], np.uint16), t341=1023))
    assert found == [0, 128, 255] and "says that 10 bits" in said
    assert grey(tiff(np.array([[0, 512, 1023]], np.uint16), t281=1023))[0] == [0, 128, 255]
    # The default, which is also written where nobody has looked.
    assert "12 bits stored" in grey(tiff(TWELVE, t281=65535))[1]
    # What the values contradict counts as not said.
    assert grey(tiff(np.array([[0, 65535]], np.uint16), t341=1023))[0] == [0, 255]


def test_a_tiff_of_twelve_bits() -> None:
    # Two values of 12 bits in three bytes: 0x0FF and 0xFFF, then 0x800 and 0x000.
    rows = bytes([0x0F, 0xFF, 0xFF, 0x80, 0x00, 0x00])
    entries = [(256, 4), (257, 1), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 6)]
    content = b"II*\0" + struct.pack("<I", 14) + rows + struct.pack("<H", len(entries))
    content += b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in entries) + b"\0" * 4
    found, said = grey(content)
    assert found == [15, 255, 128, 0] and "says that 12 bits" in said


def test_a_tiff_that_counts_from_white() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.array([[0, 65535, 256]], np.uint16)).save(stream, "TIFF", tiffinfo={262: 0})
    assert grey(stream.getvalue())[0] == [255, 0, 254]


def test_a_pgm_says_its_highest_value() -> None:
    assert grey(b"P5 3 1 4095\n" + np.array([0, 2048, 4095], ">u2").tobytes()) == ([0, 128, 255], "")
    assert grey(b"P5 3 1 65535\n" + np.array([0, 2048, 4095], ">u2").tobytes()) == ([0, 8, 15], "")


@pytest.mark.parametrize("highest", [4095, 256])
def test_dark_colours_of_sixteen_bits_are_refused(highest: int) -> None:
    values = np.zeros((2, 2, 3), np.uint16)
    values[0, 0] = highest
    with pytest.raises(UnreadableImage, match="scan: .*lower 12 are used.*Divide its values by 16"):
        read(png(values), "scan")
    assert read(png(values, significant=16), "scan").remarks == ()
    values[1, 1, 2] = 4096
    assert np.asarray(read(png(values), "scan").image)[1, 1].tolist() == [0, 0, 16]


def test_black_in_sixteen_bits_is_black_and_questioned() -> None:
    picture = read(png(np.full((2, 2, 3), 255, np.uint16)), "scan")
    assert not np.asarray(picture.image).any() and "8 bits stored in 16" in picture.remarks[0]
