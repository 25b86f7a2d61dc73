import io
import os
import pickle
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.images import decoding, stamps
from tests.images.drawing import saved

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def encoded(image: Image.Image, format: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def pixels(content: bytes) -> np.ndarray:
    image = images.decode(content, "picture")
    assert image.mode == "RGB"
    return np.asarray(image)


@pytest.mark.parametrize("extension", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_comes_upright(tmp_path: Path, extension: str, orientation: int) -> None:
    upright = np.zeros((40, 60, 3), dtype=np.uint8)
    upright[:10, :15] = 255
    # What a camera held so would have stored: the turn that brings it upright, undone (by hand, not by Pillow).
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    path = saved(tmp_path / f"turned.{extension}", np.ascontiguousarray(stored), orientation=orientation)
    picture = decoding.read(path, "turned")
    assert picture.image.size == (60, 40)
    assert picture.stored_size == (stored.shape[1], stored.shape[0])
    assert np.abs(np.asarray(picture.image, dtype=int) - upright).mean() < 3
    assert not picture.image.getexif()


def test_sixteen_bit_grey_keeps_its_range() -> None:
    deep = Image.fromarray(RAMP.astype(np.uint16) * 257)
    for format in ("PNG", "TIFF"):
        assert (pixels(encoded(deep, format)) == RAMP[..., None]).all()


def test_sixteen_bit_colour_keeps_its_range() -> None:
    rows = b"".join(b"\0" + b"".join(struct.pack(">3H", v * 257, 0, 65535) for v in row.tolist()) for row in RAMP)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    found = pixels(png)
    assert (found[..., 0] == RAMP).all() and (found[..., 1] == 0).all() and (found[..., 2] == 255).all()


def test_floating_point_in_zero_to_one() -> None:
    content = encoded(Image.fromarray((RAMP / 255).astype(np.float32)), "TIFF")
    assert (pixels(content) == RAMP[..., None]).all()


def test_floating_point_of_unknown_range_is_refused() -> None:
    content = encoded(Image.fromarray(RAMP.astype(np.float32) - 300), "TIFF")
    with pytest.raises(images.UnreadableImage, match="values reach from -300 to -45.*8 or 16 bits"):
        images.decode(content, "scan.tif")


def test_cmyk_of_both_conventions_gives_the_same_colours() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    adobe = encoded(red, "JPEG", quality=100)
    assert np.abs(pixels(adobe).astype(int) - (255, 0, 0)).max() < 6
    at = adobe.index(b"\xff\xee")
    length = struct.unpack(">H", adobe[at + 2 : at + 4])[0]
    without_mark = adobe[:at] + adobe[at + 2 + length :]
    # Without Adobe's mark the same stored numbers mean the inverse amounts of ink: cyan and black.
    assert np.abs(pixels(without_mark).astype(int) - (0, 0, 0)).max() < 6


def test_transparency_is_laid_over_white() -> None:
    layer = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    layer.putpixel((0, 0), (255, 0, 0, 255))
    layer.putpixel((1, 0), (0, 0, 0, 128))
    for content in (encoded(layer, "PNG"), encoded(layer, "WEBP", lossless=True)):
        found = pixels(content)
        assert tuple(found[0, 0]) == (255, 0, 0) and tuple(found[3, 3]) == (255, 255, 255)
        assert 126 <= found[0, 1, 0] <= 128


def test_transparent_palette_and_grey_over_white() -> None:
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((0, 0), 0)
    found = pixels(encoded(palette, "PNG", transparency=1))
    assert tuple(found[0, 0]) == (10, 20, 30) and tuple(found[1, 1]) == (255, 255, 255)
    assert (pixels(encoded(Image.new("LA", (2, 2), (0, 0)), "PNG")) == 255).all()


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "GIF", "PPM"])
def test_grey_and_one_bit(format: str) -> None:
    grey = Image.fromarray(RAMP)
    assert (pixels(encoded(grey, format)) == RAMP[..., None]).all()
    bits = pixels(encoded(grey.point(lambda v: 255 * (v > 127), "1"), format))
    assert (bits == 255 * (RAMP[..., None] > 127)).all()


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_first_frame_of_several(format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black")]
    content = encoded(frames[0], format, save_all=True, append_images=frames[1:])
    assert (pixels(content) > 250).all()
    assert "several frames or pages; the first" in decoding.read(content, "several").remarks[0]
    assert decoding.read(encoded(frames[0], format), "one").remarks == ()


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "photograph.png"
    path.write_bytes(encoded(Image.fromarray(RAMP), "JPEG", quality=100))
    assert images.decode(path, path.name).size == (16, 16)


def test_damaged_exif_does_not_cost_the_picture() -> None:
    content = encoded(Image.fromarray(RAMP), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert pixels(content).shape == (16, 16, 3)


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = b"IHDR" + header
    begun = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return begun + struct.pack(">I", 64) + b"IDAT" + b"\0" * 64


JPEG = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)), "JPEG")
PNG = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)), "PNG")

DAMAGED = {
    "empty": (b"", "empty"),
    "truncated JPEG": (JPEG[: len(JPEG) // 2], "damaged or incomplete"),
    "truncated PNG": (PNG[: len(PNG) // 2], "damaged or incomplete"),
    "header only": (PNG[:20], "(damaged|not a picture)"),
    "text": (b"this is no photograph", "not a picture that can be read. Supply it as JPEG"),
    "HTML": (b"<html><body>404</body></html>", "a web page.*download it again"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing: export it as PNG"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript drawing"),
    "PDF": (b"%PDF-1.4\n", "a PDF document"),
    "a strip of a column": (png_claiming(1, 201), "1 × 201 pixels, .*at most 200 times the shorter"),
    "25 million columns": (png_claiming(25_000_000, 2), "25,000,000 × 2 pixels, .*at most 200 times the shorter"),
    "just over the limit": (png_claiming(8000, 6251), "8,000 × 6,251 pixels, and the limit is 50 million"),
    "over Pillow's warning": (png_claiming(10000, 10000), "pixels, and the limit is 50 million"),
    "over Pillow's limit": (png_claiming(60000, 60000), "far more pixels, and the limit is 50 million"),
    "over 50 MB": (b"\xff" * 50_000_001, "50 MB, and the limit is 50 MB"),
}


@pytest.mark.parametrize("size", [(6000, 120), (40, 5000), (200, 1), (1, 1)])
def test_what_is_long_within_the_limit_is_read(size: tuple[int, int]) -> None:
    assert images.decode(encoded(Image.new("L", size, 9), "PNG"), "long.png").size == size


def test_a_bomb_of_columns_costs_neither_time_nor_memory() -> None:
    rows = zlib.compress(bytes(2 * (1 + 3 * 25_000_000)), 9)
    chunk = b"IDAT" + rows
    bomb = (
        png_claiming(25_000_000, 2)[:33] + struct.pack(">I", len(rows)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )
    tracemalloc.start()
    begun = time.perf_counter()
    with pytest.raises(images.UnreadableImage, match="at most 200 times"):
        images.decode(bomb, "bomb.png")
    assert time.perf_counter() - begun < 0.2
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_no_picture_is_refused_by_name(case: str) -> None:
    content, reason = DAMAGED[case]
    tracemalloc.start()
    with pytest.raises(images.UnreadableImage, match=f"^holiday.jpg: .*{reason}"):
        images.decode(content, "holiday.jpg")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_what_is_no_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    for name, reason in [("", "a folder"), ("link.png", "link leads nowhere"), ("pipe.png", "device or a pipe")]:
        with pytest.raises(images.UnreadableImage, match=f"^picture: .*{reason}"):
            images.decode(tmp_path / name, "picture")
    with pytest.raises(images.UnreadableImage, match="not there any more"):
        images.decode(tmp_path / "gone.png", "gone.png")


def test_a_forbidden_file_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "secret.png", np.zeros((4, 4, 3), dtype=np.uint8))

    def forbidden(*_) -> None:
        raise PermissionError(13, "Permission denied")

    # The tests may run as root, whom no permission stops.
    monkeypatch.setattr(stamps.os, "open", forbidden)
    with pytest.raises(images.UnreadableImage, match="^secret.png: .*may not read.*permission"):
        images.decode(path, "secret.png")


def test_a_name_with_a_line_break_is_shown_on_one_line() -> None:
    with pytest.raises(images.UnreadableImage) as caught:
        images.decode(b"", "a\nb\udcff.png")
    assert str(caught.value).startswith("a\ufffdb\ufffd.png: ")


def test_the_error_survives_being_pickled() -> None:
    error = images.UnreadableImage("cat.png", "the file is empty.")
    assert str(pickle.loads(pickle.dumps(error))) == "cat.png: the file is empty."


def test_random_damage_never_escapes_as_another_error() -> None:
    rng = np.random.default_rng(1)
    for original in (JPEG, PNG, encoded(Image.fromarray(RAMP), "TIFF"), encoded(Image.fromarray(RAMP), "GIF")):
        for _ in range(60):
            content = bytearray(original)
            for place in rng.integers(0, len(content), 4):
                content[place] = rng.integers(0, 256)
            try:
                images.decode(bytes(content), "fuzzed")
            except images.UnreadableImage as error:
                assert str(error).startswith("fuzzed: ")


def test_all_real_photographs_open(imagenet: Path) -> None:
    photos = images.load(imagenet)
    assert len(photos) == 200
    for sample in photos:
        assert sample.image.mode == "RGB" and min(sample.image.size) > 10
