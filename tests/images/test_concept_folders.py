"""Concept data sets against an independent slow reading, and broken ones: what is said, and what goes on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.images import ImageSet
from interp.images.concept_folders import names as lists
from tests.images import concept_layouts as layouts
from tests.images.concept_layouts import SIZE, blocks, indexed, picture, slow


def masks(photos: ImageSet, position: int, category: str) -> dict[str, np.ndarray]:
    return {one.name: one.mask for one in photos[position].concepts if one.category == category}


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert set(found) == set(expected)
    for name, mask in expected.items():
        np.testing.assert_array_equal(found[name], mask)


def said(photos: ImageSet) -> str:
    account = photos.account
    assert account is not None
    problems = [f"{one.name}: {one.reason}" for one in (*photos.problems, *account.unused)]
    return "\n".join([one.text for one in account.findings] + problems)


def test_broden_is_read_as_its_rows_say(tmp_path: Path) -> None:
    names, truth = layouts.broden(tmp_path)
    photos = images.load(tmp_path)
    assert len(photos) == 4 and photos.concept_images == frozenset(range(4)) and not photos.annotated
    assert photos.labels == (None, "street", None, "street") and photos.groups == ("train", "val", "train", "val")
    for position, known in enumerate(truth):
        same(masks(photos, position, "object"), slow(known["object"], names))
        parts = slow(known["part"], names) | slow(known["more"], names) if position % 3 else {}
        same(masks(photos, position, "part"), parts)
        expected = ["object", *(["part"] if position % 3 else []), *(["scene"] if position % 2 else [])]
        assert sorted(photos[position].categories or ()) == sorted(expected + (["texture"] if not position else []))
    assert masks(photos, 1, "scene")["street"].all() and masks(photos, 0, "texture")["striped"].all()
    account = photos.account
    assert account is not None and sum(account.files.values()) == 4 + 4 + 2 * 2 + 4 and not account.unused
    assert not photos.problems


def test_the_challenge_of_ade20k_is_read_by_its_list(tmp_path: Path) -> None:
    names, truth = layouts.challenge(tmp_path)
    photos = images.load(tmp_path)
    assert photos.groups == ("training", "training", "validation") and set(photos.labels) == {None}
    order = [0, 2, 1]
    for position, one in enumerate(order):
        same(masks(photos, position, "object"), slow(truth[one], names))
    account = photos.account
    assert account is not None and account.files == {"pictures of the set": 3, "masks": 3, "annotation files": 1}


def test_ade20k_is_read_with_its_parts(tmp_path: Path) -> None:
    names, truth = layouts.full(tmp_path)
    photos = images.load(tmp_path)
    assert set(photos.labels) == {"street"} and len(photos) == 3
    for position, (objects, parts) in enumerate(truth):
        same(masks(photos, position, "object"), slow(objects, names))
        same(masks(photos, position, "part"), slow(parts, names))


def test_names_of_ade20k_come_from_matlabs_index_and_never_from_a_pickle(tmp_path: Path) -> None:
    from scipy.io import savemat

    layouts.full(tmp_path)
    lines = (tmp_path / "objectnames.txt").read_text().splitlines()
    (tmp_path / "objectnames.txt").unlink()
    savemat(tmp_path / "index_ade20k.mat", {"index": {"objectnames": np.array(lines, object)}})
    assert {one.name for one in images.load(tmp_path)[0].concepts} == {"abbey", "car", "wheel"}
    (tmp_path / "index_ade20k.mat").write_bytes(b"MATLAB 7.3")
    photos = images.load(tmp_path)
    assert {one.name for one in photos[0].concepts} == {"number 1", "number 2", "number 259"}
    assert "index_ade20k.mat: its names cannot be read" in said(photos)
    (tmp_path / "index_ade20k.mat").rename(tmp_path / "index_ade20k.pkl")
    assert "pickle, which could run code: it is not opened" in said(images.load(tmp_path))


def test_vocs_segmentations_are_concepts_and_marks(tmp_path: Path) -> None:
    names, truth = layouts.voc(tmp_path)
    photos = images.load(tmp_path)
    assert photos.names == ("2007_0.jpg", "2007_1.jpg", "2007_2.jpg") and photos.concept_images == {0, 1}
    for position, one in enumerate(truth):
        same(masks(photos, position, "object"), slow(one, names))
    # The last has no segmentation: nothing is known of it.
    assert photos[2].concepts == () and photos[2].categories == ()
    assert photos.annotated == {0, 1} and "1 of 3 pictures have no mask of 'object'" in said(photos)


DEFINITION = """
pictures = "photos"
[object]
masks = "things"
names = "things.txt"
[part]
masks = "photos"
suffix = ["_p1.png", "_p2.png"]
names = { 300 = "wheel", 301 = "door" }
unlabelled = [0, 9]
[material]
masks = "small"
names = ["wood", "steel"]
size = "any"
"""


def defined(folder: Path, definition: str = DEFINITION) -> list[dict[str, layouts.Drawn]]:
    (folder / "concepts.toml").write_text(definition)
    (folder / "things.txt").write_text("# the numbers of the masks\n1: sky\n2: tree\n3 lamp post\n")
    truth = []
    for one in range(3):
        picture(folder / f"photos/a/{one}.jpg", one)
        drawn = {"object": blocks(one, [1, 2, 3]), "p1": blocks(30 + one, [300, 9]), "p2": blocks(60 + one, [301])}
        indexed(folder / f"things/a/{one}.png", drawn["object"], palette=True)
        indexed(folder / f"photos/a/{one}_p1.png", drawn["p1"], sixteen=True)
        indexed(folder / f"photos/a/{one}_p2.png", drawn["p2"], sixteen=True)
        drawn["small"] = blocks(80 + one, [1, 2], (6, 6))
        indexed(folder / f"small/{one}.png", drawn["small"], (6, 6))
        truth.append(drawn)
    return truth


def test_a_folder_is_what_its_definition_says(tmp_path: Path) -> None:
    truth = defined(tmp_path)
    photos = images.load(tmp_path)
    assert len(photos) == 3 and set(photos.labels) == {"a"}
    for position, one in enumerate(truth):
        same(masks(photos, position, "object"), slow(one["object"], {1: "sky", 2: "tree", 3: "lamp post"}))
        same(masks(photos, position, "part"), slow(one["p1"], {300: "wheel"}) | slow(one["p2"], {301: "door"}))
        # Each pixel of 12 × 8 has the number of the pixel of 6 × 6 in which its centre lies.
        large = {}
        for x in range(SIZE[0]):
            for y in range(SIZE[1]):
                if number := one["small"].get((int((x + 0.5) * 6 / SIZE[0]), int((y + 0.5) * 6 / SIZE[1]))):
                    large[x, y] = number
        same(masks(photos, position, "material"), slow(large, {1: "wood", 2: "steel"}))
    assert not photos.problems


BROKEN_DEFINITIONS = {
    "no TOML": ("[object", "It is no valid TOML"),
    "an unknown key": (DEFINITION.replace('size = "any"', "mask_size = 3"), "mask_size is not known; the keys are"),
    "an unknown coding": (DEFINITION + 'coding = "blue"\n', "coding = 'blue' is not known; it is one of index, red-gr"),
    "an unknown size": (DEFINITION.replace('"any"', '"all"'), "size = 'all' is not known; it is one of proportional"),
    "no folder": (DEFINITION.replace('"things"', '"nothing"'), "'nothing' has no files that end in '.png'"),
    "no names": (DEFINITION.replace('"things.txt"', '"none.txt"'), "the file cannot be read .*called by their numb"),
    "a word": (DEFINITION + "[scene]\nmasks = 3\n", "'masks' is a folder"),
    "no table": ("scene = 3\n" + DEFINITION, r"a category is a table: \[scene\] with masks"),
    "a text for a number": (DEFINITION.replace("[0, 9]", '["a"]'), "'unlabelled' is a number, or a list"),
}


@pytest.mark.parametrize("case", BROKEN_DEFINITIONS)
def test_a_broken_definition_is_named_and_the_rest_goes_on(tmp_path: Path, case: str) -> None:
    definition, reason = BROKEN_DEFINITIONS[case]
    truth = defined(tmp_path, definition)
    photos = images.load(tmp_path)
    assert re.search(reason, said(photos)), said(photos)
    if case == "a text for a number":
        assert masks(photos, 0, "object") and not masks(photos, 0, "part")
    elif case != "no TOML":
        same(masks(photos, 0, "part"), slow(truth[0]["p1"], {300: "wheel"}) | slow(truth[0]["p2"], {301: "door"}))
    if case == "no names":
        assert set(masks(photos, 0, "object")) <= {"number 1", "number 2", "number 3"}


def test_a_mask_that_is_missing_leaves_its_picture_out_of_the_category_alone(tmp_path: Path) -> None:
    layouts.broden(tmp_path)
    (tmp_path / "images/own/1_part_2.png").unlink()
    (tmp_path / "images/own/3.jpg").unlink()
    photos = images.load(tmp_path)
    assert len(photos) == 3 and "own/1.jpg has this mask of 'part' by index.csv, and it is not there" in said(photos)
    assert "own/3.jpg: index.csv names it, and it is not there" in said(photos)
    assert "part" not in (photos[1].categories or ()) and not masks(photos, 1, "part") and masks(photos, 1, "object")


def test_a_mask_that_cannot_be_used_leaves_its_picture_out_of_the_category_alone(tmp_path: Path) -> None:
    defined(tmp_path, DEFINITION.replace('size = "any"\n', ""))
    (tmp_path / "things/a/0.png").write_bytes(b"no picture")
    Image.new("RGB", SIZE, (1, 2, 3)).save(tmp_path / "things/a/1.png")
    photos = images.load(tmp_path)
    for reason in ("things/a/0.png: 'object' is not known there: 0.png: the mask cannot be read",
                   "it is in colour, where numbers in grey or of a palette are expected",
                   "small/0.png: The mask is for 6 × 6 pixels, and the picture has 12 × 8"):  # fmt: skip
        assert reason in said(photos)
    for position, known in enumerate((("part",), ("part",), ("object", "part"))):
        assert photos[position].categories == known
        assert photos[position].remarks and masks(photos, position, "part")


def test_numbers_without_a_name_are_said(tmp_path: Path) -> None:
    names, truth = layouts.challenge(tmp_path)
    text = (tmp_path / "objectInfo150.txt").read_text()
    (tmp_path / "objectInfo150.txt").write_text(text.replace("2\t0.1\t2\t1\t1\tbuilding, edifice\n", ""))
    photos = images.load(tmp_path)
    assert "Masks of 'object' have numbers without a name: 2 (in 3)" in said(photos)
    same(masks(photos, 0, "object"), slow(truth[0], {k: v for k, v in names.items() if k != 2}))
    (tmp_path / "objectInfo150.txt").write_text("")
    photos = images.load(tmp_path)
    assert "objectInfo150.txt: no names were found in it" in said(photos)
    assert set(masks(photos, 0, "object")) <= {f"number {one}" for one in names}


def test_brodens_names_may_be_missing(tmp_path: Path) -> None:
    layouts.broden(tmp_path)
    (tmp_path / "label.csv").unlink()
    photos = images.load(tmp_path)
    # Those of objects are in a list of their own.
    assert set(masks(photos, 1, "object")) <= {"sky", "tree"} and not masks(photos, 1, "part")
    assert "Its scene is number 700, which has no name in label.csv" in said(photos)
    (tmp_path / "c_object.csv").unlink()
    photos = images.load(tmp_path)
    assert "label.csv is not there, or names nothing" in said(photos) and masks(photos, 1, "scene")["number 700"].all()


def test_a_set_follows_its_masks(tmp_path: Path) -> None:
    defined(tmp_path)
    before = images.load(tmp_path)
    indexed(tmp_path / "things/a/0.png", blocks(7, [3]), palette=True)
    assert images.load(tmp_path).fingerprint != before.fingerprint
    assert "What of the category 'object' is in it is not known" in before[0].remarks[0]


def test_a_part_of_a_set_keeps_its_concepts(tmp_path: Path) -> None:
    defined(tmp_path)
    photos = images.load(tmp_path)
    some = images.subset(photos, [2, 0])
    assert some.concept_images == {0, 1} and masks(some, 0, "object").keys() == masks(photos, 2, "object").keys()
    assert some.marks_fingerprint_of([0]) != some.marks_fingerprint_of([])


def test_masks_turn_with_their_picture(tmp_path: Path) -> None:
    from tests.images.drawing import saved

    drawn = blocks(1, [1])
    saved(tmp_path / "a.jpg", np.zeros((SIZE[1], SIZE[0], 3), np.uint8), orientation=6)
    indexed(tmp_path / "m/a.png", drawn)
    (tmp_path / "concepts.toml").write_text('[object]\nmasks = "m"\nnames = ["sky"]\n')
    [concept] = images.load(tmp_path)[0].concepts
    np.testing.assert_array_equal(concept.mask, np.rot90(slow(drawn, {1: "sky"})["sky"], -1))


@pytest.mark.parametrize(
    "lines, expected",
    [
        (["background", "sky"], {0: "background", 1: "sky"}),
        (["sky", "", "tree"], {1: "sky", 2: "tree"}),
        (["12\tlamp post", "3, tree"], {12: "lamp post", 3: "tree"}),
        (["name;r;g;b", "road;1;2;3"], {65536 + 512 + 3: "road"}),
        (["code,number,name", "1,40,sky"], {40: "sky"}),
    ],
)
def test_lists_of_names(lines: list[str], expected: dict[int, str]) -> None:
    assert lists.of_lines(lines) == expected


def test_lists_of_names_as_json(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    for text, expected in (('{"sky": 4}', {4: "sky"}), ('{"4": "sky"}', {4: "sky"}), ('["sky"]', {1: "sky"})):
        path.write_text(text)
        assert lists.read(path) == expected
    for text in ("[", "[]", "3", '{"sky": "tree"}'):
        path.write_text(text)
        with pytest.raises(ValueError, match="no names were found in it. Give a line for each"):
            lists.read(path)
