"""Files and folders that this program may not read: named with the reason, and the rest goes on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from interp import images
from interp.images import ImageSet, Sample, UnreadableImage
from tests import unprivileged


def read(root: Path, name: str, annotations: str | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """The pictures of a set by name, or why one cannot be read; and what is named as left out."""
    try:
        with unprivileged.modes_hold():
            photos = images.load(name, root=root, annotations=annotations)
            found = {photos.names[i]: sample(photos, i) for i in range(len(photos))}
    finally:
        for folder, _, _ in list(os.walk(root)):
            Path(folder).chmod(0o755)
    return found, {one.name: one.reason for one in photos.problems}


def sample(photos: ImageSet, i: int) -> Sample | str:
    try:
        one = photos[i]
        # A mask is read when it is first asked for.
        _ = one.mask
        return one
    except UnreadableImage as error:
        return str(error)


def pictures(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (32, 24), "navy").save(folder / name)


def mask(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    drawn = Image.new("L", (32, 24))
    drawn.paste(255, (4, 4, 10, 10))
    drawn.save(path)


def test_a_picture(tmp_path: Path) -> None:
    pictures(tmp_path / "set", "a.png", "b.png")
    (tmp_path / "set" / "b.png").chmod(0)
    found, _ = read(tmp_path, "set")
    assert isinstance(found["a.png"], Sample) and "may not read the file" in str(found["b.png"])


def test_a_folder_of_a_class(tmp_path: Path) -> None:
    pictures(tmp_path / "set" / "bee", "a.png")
    pictures(tmp_path / "set" / "moth", "a.png")
    (tmp_path / "set" / "moth").chmod(0)
    found, problems = read(tmp_path, "set")
    assert list(found) == ["bee/a.png"] and found["bee/a.png"].label == "bee"
    assert "cannot be read (Permission denied)" in problems["moth/"]


def test_a_mask(tmp_path: Path) -> None:
    pictures(tmp_path / "set", "a.png", "b.png")
    mask(tmp_path / "masks" / "a.png")
    mask(tmp_path / "masks" / "b.png")
    (tmp_path / "masks" / "b.png").chmod(0)
    found, _ = read(tmp_path, "set", "masks")
    assert found["a.png"].mask is not None and found["b.png"].mask is None
    assert "may not read the file" in found["b.png"].unmarked


@pytest.mark.parametrize("name", ["annotations.json", "b.xml"])
def test_annotations(tmp_path: Path, name: str) -> None:
    pictures(tmp_path / "set", "a.png", "b.png")
    (tmp_path / "set" / name).write_text("{}")
    (tmp_path / "set" / name).chmod(0)
    found, problems = read(tmp_path, "set")
    assert list(found) == ["a.png", "b.png"] and "cannot be read" in problems[name]


@pytest.mark.parametrize("mode", [0, 0o444])
def test_the_set_itself(tmp_path: Path, mode: int) -> None:
    pictures(tmp_path / "set", "a.png")
    (tmp_path / "set").chmod(mode)
    with pytest.raises(ValueError, match="ermission") as said:
        read(tmp_path, "set")
    assert str(tmp_path) not in str(said.value)


def yolo(folder: Path) -> Path:
    pictures(folder / "images", "a.png", "b.png")
    (folder / "data.yaml").write_text("names: [bee, moth]\n")
    (folder / "labels").mkdir()
    for name in "ab":
        (folder / "labels" / f"{name}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    return folder


def test_one_of_yolos_files_costs_no_other(tmp_path: Path) -> None:
    (yolo(tmp_path / "set") / "labels" / "b.txt").chmod(0)
    found, problems = read(tmp_path, "set")
    assert [one.mask is not None for one in found.values()] == [True, False]
    assert "cannot be read" in problems["labels/b.txt"] and "labels/a.txt" not in problems


def test_yolos_names(tmp_path: Path) -> None:
    (yolo(tmp_path / "set") / "data.yaml").chmod(0)
    found, problems = read(tmp_path, "set")
    assert all(one.mask is not None for one in found.values()) and "cannot be read" in problems["data.yaml"]
    # Where the server keeps its pictures is nobody's business.
    assert str(tmp_path) not in problems["data.yaml"]


def test_a_folder_of_masks(tmp_path: Path) -> None:
    pictures(tmp_path / "set", "a.png")
    mask(tmp_path / "masks" / "a.png")
    (tmp_path / "masks").chmod(0)
    with pytest.raises(ValueError, match="ermission"):
        read(tmp_path, "set", "masks")


def test_a_table_of_labels(tmp_path: Path) -> None:
    pictures(tmp_path / "set", "a.png")
    (tmp_path / "set" / "index.csv").write_text("file,label\na.png,bee\n")
    (tmp_path / "set" / "index.csv").chmod(0)
    found, problems = read(tmp_path, "set")
    assert list(found) == ["a.png"] and "cannot be read" in problems["index.csv"]


def test_links_that_lead_in_circles(tmp_path: Path) -> None:
    here = tmp_path / "set"
    pictures(here / "bee", "a.png")
    for name, to in {"self": "self", "x": "y", "y": "x", "here": ".", "bee/back": "../bee", "s.png": "s.png"}.items():
        (here / name).symlink_to(to)
    found, problems = read(tmp_path, "set")
    assert list(found) == ["bee/a.png"] and len(problems) == 6
    assert all("link leads nowhere" in one or "folder that is listed" in one for one in problems.values())
