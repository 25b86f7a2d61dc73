"""The sums of what lies in a folder: nothing is lost, whatever lies there."""

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.images.account import Account
from tests.images import forms
from tests.images.drawing import plain

SIZE, BOX = (16, 12), (2, 3, 9, 8)
WRITTEN = {**forms.SEEN_UPRIGHT, **forms.EITHER_WAY}


def put(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def annotation(chance: random.Random, name: str) -> tuple[str, bytes]:
    """A file of annotations for a picture, in any form: with a name of its own, and now and then damaged."""
    form = chance.choice(sorted(WRITTEN))
    file, content = WRITTEN[form][0], WRITTEN[form][1](SIZE, BOX)
    stem = name.rpartition(".")[0]
    content = content.replace(b"a.png", name.encode())
    file = file.replace("a.", f"{stem}.") if file.startswith("a.") else f"{chance.choice('xyz')}-{file}"
    kind = chance.randrange(8)
    if kind == 0:
        content = content[: chance.randrange(len(content))]
    elif kind == 1:
        content = content.replace(name.encode(), b"gone.png").replace(b"1", b"-7")
    elif kind == 2:
        content = bytes(chance.randrange(256) for _ in range(50))
    elif kind == 3:
        content = content.replace(b'"bee"', b"null").replace(b"9", b"1e99")
    return file, content


def built(root: Path, chance: random.Random) -> int:
    """A folder of all kinds of things; gives how many pictures, which are no masks, there must be."""
    folders = chance.sample(["", "train/", "val/", "images/", "bee/", "moth/", "train/bee/", "a b/ü/", ".git/"], 3)
    visible = [one for one in folders if not one.startswith(".")]
    pictures = 0
    for folder in folders:
        for number in range(chance.randint(1, 4)):
            name = f"{chance.choice(['p', 'Käfer ', 'IMG_'])}{number}.{chance.choice(['png', 'PNG', 'bmp', 'jpg'])}"
            if not (root / folder / name).exists():
                plain(root / folder / name, size=SIZE)
                pictures += folder in visible
            for _ in range(chance.randint(0, 2)):
                file, content = annotation(chance, name)
                where = chance.choice([folder, folder, "annotations/", "labels/", ""])
                put(root / where / file, content)
            if folder in visible and chance.random() < 0.2:
                mask = Image.fromarray((np.indices(SIZE[::-1]).sum(0) % 7 == 0).astype(np.uint8) * 255)
                (root / "masks" / folder).mkdir(parents=True, exist_ok=True)
                mask.save(root / "masks" / folder / f"{name.rpartition('.')[0]}.png")
    for name in chance.sample(
        ["README", "notes.txt", "t.csv", "labels.tsv", "data.yaml", "classes.txt", ".hidden", "Thumbs.db", "x.mp4"], 4
    ):
        put(root / chance.choice(visible) / name, chance.choice(["", "a,b\n1,2\n", "names: [bee, moth]\n", "\0\xff"]))
    if chance.random() < 0.3:
        put(root / "labels.csv", "file,label\np0.png,bee\np1.jpg,moth\ngone.png,bee\n")
    if chance.random() < 0.2:
        (root / "link.png").symlink_to(root / "nowhere")
    if chance.random() < 0.2:
        os.mkfifo(root / "pipe.json")
    return pictures


def walked(root: Path) -> int:
    """The files of a folder, without those in hidden folders."""
    found = 0
    for _, folders, files in os.walk(root):
        folders[:] = [one for one in folders if not one.startswith(".")]
        found += len(files)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_the_sums_add_up_in_random_folders(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    pictures = built(tmp_path, chance)
    photos = images.load(tmp_path)
    account = photos.account
    assert isinstance(account, Account)
    masks = account.files.get("masks", 0)
    # Masks without a partner, or that look like pictures, are pictures: none is lost.
    everything = sum(1 for path in (tmp_path / "masks").rglob("*.png")) if (tmp_path / "masks").exists() else 0
    assert len(photos) == account.files["pictures of the set"] == pictures + everything - masks
    assert sum(account.labels.values()) == len(photos)
    assert sum(account.files.values()) == walked(tmp_path), account.sentences
    assert all(count > 0 for count in (*account.files.values(), *account.labels.values(), *account.marks.values()))
    assert account.files.get("annotations and text, not used", 0) == sum(
        1 for one in account.unused if not one.name.startswith("masks/")
    )
    assert all(one.reason and one.name.isprintable() for one in (*account.unused, *photos.problems))
    marked = 0
    for sample in photos:
        drawn = sample.marked()
        assert drawn is None or drawn.shape == sample.image.size[::-1]
        marked += 0 if sample.marking is None else len(sample.marking.annotation.marks)
    assert marked == account.marks.get("used", 0)


def test_the_marks_of_a_mixture_by_hand(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png"):
        plain(tmp_path / name, size=SIZE)
    # Two good boxes and one of nothing in 'a'; one of a picture that is not there.
    left, top, right, bottom = BOX
    box = [left, top, right - left, bottom - top]
    document = json.loads(forms.coco("a.png", SIZE, BOX))
    document["images"] += [{"id": 2, "file_name": "gone.png", "width": 16, "height": 12}]
    document["annotations"] += [
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": box},
        {"id": 3, "image_id": 1, "category_id": 1, "bbox": [1, 1, 0, 0]},
        {"id": 4, "image_id": 2, "category_id": 1, "bbox": box},
        {"id": 5, "image_id": 77, "category_id": 1, "bbox": box},
    ]
    (tmp_path / "marks.json").write_text(json.dumps(document))
    # The second file of 'a' comes too late; 'b' has a box that fits its picture in no way; 'c' one that is used.
    (tmp_path / "a.xml").write_bytes(forms.voc("a.png", SIZE, BOX))
    (tmp_path / "b.xml").write_bytes(forms.voc("b.png", (16, 99), BOX))
    (tmp_path / "c.json").write_bytes(
        forms.labelme("c.png", SIZE, [forms.labelme_shape("rectangle", [[2, 3], [9, 8]]), {"label": "x"}])
    )
    (tmp_path / ".note").touch()
    account = images.load(tmp_path).account
    assert account is not None
    assert account.marks == {
        "used": 3,
        "that cannot be drawn": 3,
        "without a picture": 1,
        "of pictures that another file marks": 1,
        "that do not fit their picture": 1,
    }
    assert account.labels == {
        "labelled by COCO": 1,
        "labelled by Pascal VOC": 1,
        "labelled by LabelMe": 1,
        "without a label": 1,
    }
    assert account.files == {
        "pictures of the set": 4,
        "annotation files": 3,
        "annotations and text, not used": 1,
        "hidden files": 1,
    }
    assert [one.name for one in account.unused] == ["a.xml"]
    assert account.sentences[0].startswith("9 files: pictures of the set 4, ")


def test_an_index_is_counted_once_whatever_it_says(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        plain(tmp_path / name, size=SIZE)
    (tmp_path / "index.csv").write_text("file,score\na.png,0.5\nb.png,0.25\n")
    photos = images.load(tmp_path)
    assert photos.account is not None and photos.account.files == {
        "pictures of the set": 2,
        "pictures that are not listed": 1,
        "tables of labels": 1,
    }
    assert photos.account.labels == {"without a label": 2}


def test_annotations_that_are_named_leave_the_others_aside(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        plain(tmp_path / "set" / name, size=SIZE)
    (tmp_path / "set" / "one.json").write_bytes(forms.coco("a.png", SIZE, BOX))
    (tmp_path / "set" / "two.json").write_bytes(forms.coco("b.png", SIZE, BOX))
    (tmp_path / "set" / "index.csv").write_text("file,label\na.png,bee\nb.png,moth\n")
    photos = images.load(tmp_path / "set", annotations=tmp_path / "set" / "two.json")
    assert photos.annotated == {1} and photos.labels == ("bee", "moth")
    assert [(one.name, one.reason) for one in photos.account.unused] == [
        ("one.json", "Other annotations were named: it was not looked at.")
    ]
    assert sum(photos.account.files.values()) == 5
