"""Which picture is meant."""

import unicodedata

import pytest

from interp.images.joining import Joiner, stem, tail
from interp.images.places import Places

PICTURES = [
    "train/images/a.jpg",
    "valid/images/a.jpg",
    "train/images/Käfer 1.JPG",
    "b/only.png",
    "twins/x.jpg",
    "twins/x.png",
    "c/same.jpg",
    "d/same.jpg",
]
FOUND = {
    ("train/images/a.jpg", ""): 0,
    ("train/labels/a", ""): 0,
    ("valid/labels/a", ""): 1,
    ("a.jpg", "train"): 0,
    ("a", "valid/labels"): 1,
    ("../images/a.jpg", "valid"): 1,
    (unicodedata.normalize("NFD", "Käfer 1.JPG"), "train"): 2,
    ("käfer 1.jpg", ""): 2,
    ("C:\\Users\\x\\b\\only.png", ""): 3,
    ("/home/x/b/only.png", ""): 3,
    ("https://host.example/b/only.png", ""): 3,
    ("elsewhere/only.png", ""): 3,
    ("0a1b2c3d-only.png", ""): 3,
    ("only", ""): 3,
    ("twins/x.jpg", ""): 4,
    ("twins/x.png", ""): 5,
    ("c/same.jpg", ""): 6,
    ("same", "d"): 7,
    ("gone.png", ""): None,
    ("b/a.jpg", ""): None,
    ("", ""): None,
    ("..", ""): None,
    ("only.png/", ""): 3,
}


@pytest.mark.parametrize("given", FOUND)
def test_the_picture_that_is_meant(given: tuple[str, str]) -> None:
    assert Joiner(PICTURES).find(*given) == FOUND[given]


@pytest.mark.parametrize("given", ["a.jpg", "same.jpg", "twins/x", "x"])
def test_several_that_could_be_meant_are_said(given: str) -> None:
    with pytest.raises(ValueError, match="2 pictures are called so. Give the folder along with the name"):
        Joiner(PICTURES).find(given)


def test_tails_and_stems() -> None:
    assert tail("file:///C:/a/./b/../c.png") == "a/b/c.png" and tail("  ./a.png ") == "a.png"
    assert stem("a.b.jpg") == "a.b" and stem("a.v2") == "a.v2" and stem(".jpg") == ".jpg"


def said(*relatives: str) -> list[tuple[str | None, str | None]]:
    return [(next(iter(labels.values()), None), group) for labels, group in Places(relatives)]


def test_places_by_hand() -> None:
    assert said("a.png", "n01440764_1.jpg") == [(None, None), ("n01440764", None)]
    assert said("cat/a.png", "dog/a.png") == [("cat", None), ("dog", None)]
    assert said("train/a.png", "val/a.png") == [(None, "train"), (None, "val")]
    assert said("train/cat/a.png", "Test/dog/a.png") == [("cat", "train"), ("dog", "Test")]
    assert said("data/train/cat/a.png", "data/val/dog/a.png") == [("cat", "train"), ("dog", "val")]
    assert said("train/images/a.png", "valid/images/b.png") == [(None, "train"), (None, "valid")]
    assert said("images/train/a.png", "images/val2017/b.png") == [(None, "train"), (None, "val2017")]
    # Where not all are splits the names are classes'.
    assert said("test/a.png", "cat/a.png") == [("test", None), ("cat", None)]
    assert said("fish/tench/a.png", "fish/shark/a.png") == [("tench", "fish"), ("shark", "fish")]
