import re
from pathlib import Path

import numpy as np
import pytest

from interp import images
from tests.images.drawing import plain

BAD = {
    "empty": (b"", "index.csv: the file is empty; a table is expected"),
    "line ends": (b"\r\n \r\n", "index.csv: the file is empty"),
    "other columns": (b"size,label\n3,cat\n", "index.csv, line 1: its columns are 'size, label'; a table is expected"),
    "Cyrillic": ("file,label\na.png,кошка\n".encode("cp1251"), "index.csv: the text is not UTF-8, nor surely of any"),
    "workbook": (b"PK\x03\x04abc", "index.csv: this is an Excel workbook or an archive, and no text; save it as CSV"),
    "bytes": (bytes(range(32)) * 9, "index.csv: this is no text, but bytes; save it as CSV in UTF-8"),
    "endless field": (b'file\na.png\n"' + b"x" * 200_000, "index.csv, line [23]: field larger than field limit"),
    "open quote": (b'file,label\na.png,"cat\na.png,dog\n', "index.csv, line 2: a quote is opened there and not closed"),
    "only missing": (b"file\nb.png\n", "None of the pictures that it names is here"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_index_is_named_and_costs_no_picture(tmp_path: Path, case: str) -> None:
    content, reason = BAD[case]
    plain(tmp_path / "cat" / "a.png")
    (tmp_path / "index.csv").write_bytes(content)
    photos = images.load(tmp_path)
    assert photos.labels == ("cat",)
    [problem] = [one for one in photos.problems if one.name == "index.csv"]
    assert re.search(reason, problem.reason)
    assert [one.name for one in photos.account.unused] == ["index.csv"] and sum(photos.account.files.values()) == 2


def test_rows_of_other_lengths_are_taken(tmp_path: Path) -> None:
    plain(tmp_path / "a.png")
    plain(tmp_path / "b.png")
    (tmp_path / "index.csv").write_text("file,label\na.png\nb.png,cat,more,and more\n\n")
    assert images.load(tmp_path).labels == (None, "cat")


def test_columns_of_numbers_are_kept_and_gaps_are_nan(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        plain(tmp_path / name)
    (tmp_path / "index.csv").write_text(
        "file,label,age,weight,note,empty,ends\na.png,cat,3,1.5,old,,inf\nb.png,dog,,-2e3,4,,1\nc.png,cat,7,,,,2\n"
    )
    photos = images.load(tmp_path)
    assert list(photos.numbers) == ["age", "weight"]
    np.testing.assert_array_equal(photos.numbers["age"], [3, np.nan, 7])
    np.testing.assert_array_equal(photos.numbers["weight"], [1.5, -2000, np.nan])
    np.testing.assert_array_equal(images.subset(photos, [2, 0]).numbers["age"], [7, 3])


SEVERAL = {
    "pipes in 'label'": ("file,label\na.png,cat| dog\nb.png,\nc.png,fish\n", [{"cat", "dog"}, None, {"fish"}]),
    "semicolons in 'labels'": ("file,labels\na.png,cat;dog;cat\nb.png,dog\nc.png,;\n", [{"cat", "dog"}, {"dog"}, None]),
    "one each in 'labels'": ("file,labels\na.png,cat\nb.png,dog\nc.png,cat\n", [{"cat"}, {"dog"}, {"cat"}]),
    "numbered columns": ("file,label1,label2\na.png,cat,dog\nb.png,,\nc.png,,fish\n", [{"cat", "dog"}, None, {"fish"}]),
    "a second column": ("file,label,label_2\na.png,cat,dog\nb.png,,\nc.png,fish,\n", [{"cat", "dog"}, None, {"fish"}]),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_several_labels_of_a_picture(tmp_path: Path, case: str) -> None:
    content, expected = SEVERAL[case]
    for name in ("a.png", "b.png", "c.png"):
        plain(tmp_path / name)
    (tmp_path / "index.csv").write_text(content)
    photos = images.load(tmp_path)
    assert photos.label_sets is not None and list(photos.label_sets) == expected
    assert photos.labels[0] == "cat" and photos.numbers == {}
    part = images.subset(photos, [2, 0])
    assert part.label_sets == (photos.label_sets[2], photos.label_sets[0])
    assert ("up to 2 in one picture" in photos.description) == any(one and len(one) > 1 for one in expected)


def test_one_label_of_a_picture_with_commas_is_one(tmp_path: Path) -> None:
    plain(tmp_path / "a.png")
    (tmp_path / "index.csv").write_text('file,label\na.png,"tench, Tinca tinca"\n')
    photos = images.load(tmp_path)
    assert photos.labels == ("tench, Tinca tinca",) and photos.label_sets is None
