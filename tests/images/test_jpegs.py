"""A JPEG that lacks its end mark is read where the picture is whole, and never where it is not."""

import io

import numpy as np
import pytest
from PIL import Image

from interp.images import UnreadableImage, jpegs
from interp.images.decoding import read

RNG = np.random.default_rng(3)
NOISE = Image.fromarray(RNG.integers(0, 255, (45, 61, 3), dtype=np.uint8))
SMOOTH = Image.fromarray(
    np.stack(np.broadcast_arrays(np.arange(61) * 4, np.arange(45)[:, None] * 5, 128), axis=2).astype(np.uint8)
)
FLAT = Image.new("RGB", (61, 45), (128, 128, 128))
KINDS = {
    "baseline": {},
    "optimized": {"optimize": True},
    "whole colours": {"subsampling": 0, "quality": 95},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 2},
    "restarts in rows": {"restart_marker_rows": 1, "progressive": True},
}


def encoded(image: Image.Image, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("image", [NOISE, SMOOTH, FLAT, NOISE.convert("L")], ids=["noise", "smooth", "flat", "grey"])
@pytest.mark.parametrize("kind", KINDS)
def test_only_the_end_mark_may_be_missing(kind: str, image: Image.Image) -> None:
    content = encoded(image, **KINDS[kind])
    whole = np.asarray(read(content, "whole").image)
    # Zeros at the end may be the picture's own, and are taken for what a broken download leaves.
    for lacking in (b"", b"\xff") if not content.endswith(b"\0\0\xff\xd9") else ():
        picture = read(content[:-2] + lacking, "cut")
        assert (np.asarray(picture.image) == whole).all()
        assert "lacks the end mark" in picture.remarks[0]
    first = max(2, content.index(b"\xff\xda"))
    places = {
        *range(2, first, 50),
        *range(first, len(content) - 2, 50),
        *range(max(first, len(content) - 42), len(content) - 2),
    }
    for place in sorted(places):
        for filler in (b"", b"\0" * 40):
            completed = jpegs.completed(content[:place] + filler)
            if completed is not None:
                # Whatever is accepted must be the picture. Bits of padding may be missing, and in a flat picture,
                # which has nothing to refine, the last scans.
                assert (np.asarray(read(completed, "completed").image) == whole).all(), place
                assert image is FLAT or place > len(content) - 8, place


def test_scans_that_are_missing_are_missed() -> None:
    content = encoded(SMOOTH, progressive=True)
    scans = [at for at in range(len(content)) if content[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for at in scans[1:]:
        # All tables of the next scan are cut, too, so that the file ends where a scan does.
        end = content.rindex(b"\xff\xc4", 0, at) if b"\xff\xc4" in content[scans[0] : at] else at
        assert jpegs.completed(content[:end]) is None
        assert jpegs.completed(content[:at]) is None


def test_a_restart_that_is_missing_is_missed() -> None:
    content = encoded(SMOOTH, restart_marker_blocks=2)
    marks = [at for at in range(len(content)) if content[at] == 0xFF and content[at + 1] in range(0xD0, 0xD8)]
    assert len(marks) > 4
    for at in marks:
        assert jpegs.completed(content[:at]) is None
        assert jpegs.completed(content[: at + 2]) is None


def test_a_cut_picture_is_refused_as_before() -> None:
    content = encoded(NOISE)
    with pytest.raises(UnreadableImage, match="holiday.jpg: .*damaged or incomplete"):
        read(content[: len(content) // 2], "holiday.jpg")
    assert jpegs.completed(b"\xff\xd8") is None
    assert jpegs.completed(b"\xff\xd8\xff\xda\0\3") is None
