from pathlib import Path

import pytest

from interp import images
from interp.images import xml_files
from tests.images.drawing import plain, voc

BOX = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox>"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><annotation><filename>&c;</filename></annotation>'
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>'

BAD_FILES = {
    "empty": ("", "one.xml, line 1: this is not valid XML"),
    "cut short": ("<annotation>\n<object>\n", "one.xml, line 3: this is not valid XML"),
    "text": ("tench 1 2 3 4", "one.xml, line 1: this is not valid XML"),
    "another root": ("<html><body/></html>", "one.xml: it begins with <html>; a Pascal VOC file is expected"),
    "billion laughs": (LAUGHS, "one.xml: it declares a document type, which is refused"),
    "external entity": (OUTSIDE, "one.xml: it declares a document type, which is refused"),
    "undefined entity": ("<annotation>&x;</annotation>", "one.xml, line 1: this is not valid XML"),
    "unknown encoding": ('<?xml version="1.0" encoding="klingon"?><annotation/>', "one.xml.*encoding"),
    "binary": ("\x00\x01\x02", "one.xml, line 1: this is not valid XML"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_what_is_no_voc_file_is_refused_by_name(tmp_path: Path, case: str) -> None:
    content, reason = BAD_FILES[case]
    plain(tmp_path / "one.png")
    (tmp_path / "one.xml").write_text(content)
    with pytest.raises(ValueError, match=reason):
        images.load(tmp_path / "one.xml")
    # Among pictures it is listed, and the pictures stay.
    photos = images.load(tmp_path)
    assert photos.names == ("one.png",) and photos.problems[0].name == "one.xml"


BAD_BOXES = {
    "no box": "",
    "half a box": "<bndbox><xmin>1</xmin></bndbox>",
    "texts": BOX.replace("<xmin>1", "<xmin>left"),
    "not a number": BOX.replace("<xmin>1", "<xmin>nan"),
    "outside": BOX.replace("<xmin>1", "<xmin>900").replace("<xmax>3", "<xmax>950"),
    "turned round": BOX.replace("<xmax>3", "<xmax>-3"),
}


@pytest.mark.parametrize("case", BAD_BOXES)
def test_a_bad_box_is_named_and_the_rest_goes_on(tmp_path: Path, case: str) -> None:
    plain(tmp_path / "one.png", size=(20, 10))
    (tmp_path / "one.xml").write_text(
        "<annotation><filename>one.png</filename><size><width>20</width><height>10</height></size>"
        f"<object><name>bad</name>{BAD_BOXES[case]}</object><object><name>good</name>{BOX}</object></annotation>"
    )
    photos = images.load(tmp_path / "one.xml")
    assert photos.labels == ("good",) and photos[0].mask is not None and photos[0].mask.sum() == 9
    assert [problem.name for problem in photos.problems] == ["one.xml, object 1"]


def test_coordinates_count_from_one_and_include_the_last(tmp_path: Path) -> None:
    plain(tmp_path / "one.png", size=(20, 10))
    voc(tmp_path / "one.xml", "one.png", [("cat", 2, 3, 2, 3)], (20, 10))
    mask = images.load(tmp_path / "one.xml")[0].mask
    assert mask is not None and mask.sum() == 1 and mask[2, 1]


def test_a_size_of_zero_is_as_none(tmp_path: Path) -> None:
    plain(tmp_path / "one.png", size=(20, 10))
    voc(tmp_path / "one.xml", "one.png", [("cat", 2, 3, 20, 10)], (0, 0))
    assert images.load(tmp_path / "one.xml")[0].mask is not None


def test_deep_nesting_does_not_overflow(tmp_path: Path) -> None:
    root = xml_files.parsed(b"<annotation>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</annotation>", "deep.xml")
    assert root.tag == "annotation"
    del root


def test_all_objects_of_a_picture_are_its_label_set(tmp_path: Path) -> None:
    plain(tmp_path / "one.png")
    plain(tmp_path / "two.png")
    voc(tmp_path / "one.xml", "one.png", [("cat", 1, 1, 2, 2), ("dog", 1, 1, 4, 4), ("cat", 2, 2, 3, 3)], (8, 6))
    photos = images.load(tmp_path)
    assert photos.label_sets == (frozenset({"cat", "dog"}), None) and photos.labels == ("dog", None)
