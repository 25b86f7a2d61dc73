import io

import numpy as np
from PIL import Image

from interp import images


def png(grey: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (5, 4), grey).save(stream, "PNG")
    return stream.getvalue()


def test_good_files_stay_and_bad_ones_are_named() -> None:
    photos = images.from_files([("a.png", png(1)), ("bad.jpg", b"text"), ("b.png", png(2)), ("", b"")], name="mine")
    assert photos.name == "mine" and photos.names == ("a.png", "b.png")
    assert [np.asarray(sample.image)[0, 0, 0] for sample in photos] == [1, 2]
    assert [problem.name for problem in photos.problems] == ["bad.jpg", ""]
    assert "not a picture" in photos.problems[0].reason and "empty" in photos.problems[1].reason


def test_pasted_files_of_one_name_stay_apart() -> None:
    photos = images.from_files([("image.png", png(1)), ("image.png", png(2))])
    assert photos.names == ("image.png", "image.png (2)")


def test_the_fingerprint_is_of_the_bytes() -> None:
    one = images.from_files([("a.png", png(1))]).fingerprint
    assert one == images.from_files([("a.png", png(1))]).fingerprint
    assert one != images.from_files([("a.png", png(2))]).fingerprint
    assert one != images.from_files([("b.png", png(1))]).fingerprint
    assert images.from_files([("a", png(1)), ("b", png(2))]).fingerprint != one


def test_nothing_but_bad_files_is_an_empty_set() -> None:
    photos = images.from_files([("bad.jpg", b"text")])
    assert len(photos) == 0 and len(photos.problems) == 1 and photos.labels == ()
    assert len(images.from_files([])) == 0
