"""A set tried in a terminal: what is printed, and how it ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp.images.__main__ import main
from tests.images.drawing import coco, plain


def test_a_good_set_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain(tmp_path / "cat" / "one.png", size=(20, 10))
    plain(tmp_path / "dog" / "two.png", size=(20, 10))
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4]}
    coco(tmp_path / "marks.json", [{"id": 1, "file_name": "one.png"}], [box])
    (tmp_path / "README.txt").write_text("for people")
    assert main(["check", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "4 files: pictures of the set 2, annotation files 1, annotations and text, not used 1." in said
    assert "2 pictures: labelled by their folder 2." in said and "1 marks: used 1." in said
    assert "recognized:  marks.json: COCO, with 1 mark for 1 pictures." in said
    assert "not used:    README.txt: By its name it is for people to read." in said
    assert "2 of 2 pictures read" in said


def test_what_is_wrong_is_named_and_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain(tmp_path / "one.png")
    (tmp_path / "two.png").write_bytes(b"nothing")
    assert main(["check", str(tmp_path)]) == 1
    assert "left out:    two.png: this is not a picture" in capsys.readouterr().out
    # Without reading them nothing is known of it.
    assert main(["check", str(tmp_path), "--listing"]) == 0
    assert main(["check", str(tmp_path / "gone")]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_what_was_changed_is_said_and_the_masks_values_can_be_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = np.linspace(0, 4000, 200).reshape(10, 20).astype(np.uint16)
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for name in ("one.png", "two.png"):
        Image.fromarray(deep).save(tmp_path / "images" / name)
        mask = np.full((10, 20), 5, np.uint8)
        mask[2:4, 2:4] = 7
        Image.fromarray(mask).save(tmp_path / "masks" / name)
    assert main(["check", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "12 bits stored in 16" in said and "no value of it is 0" in said
    assert main(["check", str(tmp_path), "--marked", "7"]) == 0
    said = capsys.readouterr().out
    assert "In 2 masks the values 7 are marked." in said and "2 marks: used 2." in said
