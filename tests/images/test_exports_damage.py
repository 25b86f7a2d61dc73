"""Damaged and hostile annotation files: they are refused by a sentence, in no time and little memory."""

import base64
import io
import json
import random
import resource
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.images import annotations, cvat
from interp.images.files import Boundary
from interp.images.shapes import polygon
from tests.images import forms
from tests.images.drawing import plain

SIZE, BOX = (30, 20), (9, 5, 21, 16)
FILES = {form: (name, content(SIZE, BOX)) for form, (name, content) in (forms.SEEN_UPRIGHT | forms.EITHER_WAY).items()}
ODD = [
    None,
    True,
    False,
    [],
    {},
    "",
    "x",
    "120",
    float("nan"),
    float("inf"),
    -float("inf"),
    1e300,
    -1,
    0,
    2**63,
    10**40,
    [[[]]],
    {"x": None},
    "\ud800",
    "\0",
    [1, 2],
    [None],
]


def read(path: Path) -> None:
    """Opens a file: what it holds or a `ValueError` that has a sentence, within two seconds and 300 MB."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        annotations.read(path, Boundary(None))
    except ValueError as error:
        assert str(error).endswith((".", ")")) or path.name in str(error), error
        str(error).encode("utf-8")
    assert time.process_time() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Bytes flipped, taken away, doubled or cut off."""
    some = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(some))
        kind = chance.randrange(5)
        if kind == 0:
            some[place] = chance.randrange(256)
        elif kind == 1:
            del some[place : place + chance.randint(1, 20)]
        elif kind == 2:
            some[place:place] = some[place : place + 50]
        elif kind == 3:
            some[place:place] = str(chance.choice([-1, 10**20, 1e300, 0, 99999999])).encode()
        else:
            del some[max(place, 2) :]
        if len(some) < 3:
            return bytes(some)
    return bytes(some)


def swapped(document: object, chance: random.Random) -> object:
    """One value somewhere in a JSON document made another."""
    places: list[tuple] = []

    def walk(value: object) -> None:
        held = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, one in list(held):
            places.append((value, key))
            walk(one)

    walk(document)
    for _ in range(chance.randint(1, 3)):
        container, key = chance.choice(places)
        container[key] = chance.choice(ODD)
    return document


@pytest.mark.parametrize("form", FILES)
def test_random_damage_gives_a_sentence(tmp_path: Path, form: str) -> None:
    name, content = FILES[form]
    chance = random.Random(form)
    for _ in range(100):
        (tmp_path / name).write_bytes(damaged(content, chance))
        read(tmp_path / name)


@pytest.mark.parametrize("form", [form for form, (name, _) in FILES.items() if name.endswith(".json")])
def test_values_of_other_types_give_a_sentence(tmp_path: Path, form: str) -> None:
    name, content = FILES[form]
    chance = random.Random(form)
    plain(tmp_path / "a.png", size=SIZE)
    for trial in range(150):
        (tmp_path / name).write_text(json.dumps(swapped(json.loads(content), chance)))
        read(tmp_path / name)
        if trial % 3 == 0:
            # However little is left of the file, the picture stays, and every mark is accounted for.
            photos = images.load(tmp_path)
            assert len(photos) == 1 and photos.account is not None
            assert sum(photos.account.files.values()) == 2 and all(count > 0 for count in photos.account.marks.values())
            mask = photos[0].marked()
            assert mask is None or mask.shape == SIZE[::-1]
            assert all(label is None or label.encode() is not None for label in (*photos.labels, *photos.mark_labels))


def nested(depth: int) -> list:
    found: list = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize("depth", [100, 900, 940, 960, 980, 990, 2000])
def test_deep_nesting_gives_a_sentence(tmp_path: Path, depth: int) -> None:
    text = "[" * depth + "]" * depth
    for form, (name, content) in FILES.items():
        if name.endswith(".json"):
            for number in ("9", "30", "5.0", '"bee"'):
                (tmp_path / name).write_text(content.decode().replace(number, text, 1))
                read(tmp_path / name)
        elif name.endswith(".xml"):
            (tmp_path / name).write_text(content.decode().replace(">", ">" + "<a>" * depth + "</a>" * depth, 1))
            read(tmp_path / name)
        assert form


@pytest.mark.parametrize("form", FILES)
def test_long_texts_give_a_sentence(tmp_path: Path, form: str) -> None:
    name, content = FILES[form]
    for old, new in ((b"bee", b"b" * 10_000_000), (b"a.png", b"a" * 10_000_000), (b"5", b"5" * 4_000_000)):
        (tmp_path / name).write_bytes(content.replace(old, new, 1))
        read(tmp_path / name)


def test_a_mask_within_a_file_may_be_no_bomb(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(stream, "PNG")
    shape = forms.labelme_shape("mask", [[0, 0], [1, 1]], mask=base64.b64encode(stream.getvalue()).decode())
    (tmp_path / "a.json").write_bytes(forms.labelme("a.png", SIZE, [shape]))
    read(tmp_path / "a.json")
    plain(tmp_path / "a.png", size=SIZE)
    photos = images.load(tmp_path)
    assert len(photos) == 1 and photos.account is not None and photos.account.marks == {"that cannot be drawn": 1}


@pytest.mark.parametrize("runs", ["-1, 133", "4611686018427387904, " * 3 + "4611686018427387904", "", "x", "132", "0"])
def test_run_lengths_of_cvat_that_do_not_fill_their_rectangle(tmp_path: Path, runs: str) -> None:
    plain(tmp_path / "a.png", size=SIZE)
    mask = f'<mask label="bee" rle="{runs}" left="9" top="5" width="12" height="11"/>'
    (tmp_path / "annotations.xml").write_bytes(forms.cvat("a.png", SIZE, mask))
    photos = images.load(tmp_path)
    marks = {"that cannot be drawn": 1}
    assert photos.account is not None and photos.account.marks == marks
    assert photos[0].mask is None and photos.labels == (None,) and photos.label_sets == (frozenset({"bee"}),)


def test_random_polygons_draw_without_error() -> None:
    chance = np.random.default_rng(0)
    for _ in range(200):
        numbers = (chance.choice([0.0, 1e9, -1e9, 5.5, 1e-9], 8) * chance.random(8)).tolist()
        assert polygon(numbers).draw(30, 20).shape == (20, 30)


def lists(root: Path) -> list[Path]:
    """A folder with all kinds of lists, names and masks; gives them."""
    for name in ("bee/a.png", "bee/b.png", "moth/c.png"):
        plain(root / "images" / name, size=SIZE)
    marks = np.zeros(SIZE[::-1], np.uint8)
    marks[5:16, 9:21] = 1
    for name in ("a", "b", "c"):
        (root / "masks").mkdir(exist_ok=True)
        Image.fromarray(marks).save(root / "masks" / f"{name}.png")
    written = {
        "labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\nbee:1,1,1::\n",
        "class_dict.csv": "name,r,g,b\nbee,1,1,1\n",
        "_classes.csv": "filename, bee, moth\na.png, 1, 0\nb.png, 0, 1\n",
        "images.txt": "1 bee/a.png\n2 bee/b.png\n",
        "bounding_boxes.txt": "1 1.0 2.0 3.0 4.0\n2 1 2 3 4\n",
        "image_class_labels.txt": "1 1\n2 1\n",
        "classes.txt": "1 bee\n2 moth\n",
        "data.yaml": "names: [bee, moth]\n",
        "labels/a.txt": "0 0.5 0.5 0.25 0.25\n",
        "labels/b.txt": "1 0.1 0.1 0.9 0.1 0.9 0.9\n",
    }
    for name, text in written.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    return [*(root / name for name in written), *(root / "masks" / f"{name}.png" for name in "abc")]


@pytest.mark.parametrize("seed", range(25))
def test_damaged_lists_and_masks_cost_no_picture(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    files = lists(tmp_path)
    whole = {file: file.read_bytes() for file in files}
    for _ in range(4):
        for file in chance.sample(files, 4):
            file.write_bytes(damaged(whole[file], chance) if chance.random() < 0.8 else b"")
        photos = images.load(tmp_path)
        assert photos.names[:3] == ("bee/a.png", "bee/b.png", "moth/c.png") and photos.account is not None
        assert sum(photos.account.files.values()) == len(files) + 3
        assert sum(photos.account.labels.values()) == len(photos)
        assert all(count > 0 for count in photos.account.marks.values())
        for position in range(3):
            mask = photos[position].mask
            assert mask is None or mask.shape == SIZE[::-1]


def test_the_masks_of_one_file_have_no_more_pixels_than_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cvat, "MOST_PIXELS", 300)
    plain(tmp_path / "a.png", size=SIZE)
    mask = '<mask label="bee" rle="0, 132" left="9" top="5" width="12" height="11"/>'
    (tmp_path / "annotations.xml").write_bytes(forms.cvat("a.png", SIZE, mask * 3))
    photos = images.load(tmp_path)
    assert photos.account is not None and photos.account.marks == {"used": 2, "that cannot be drawn": 1}
    assert "more than 300 pixels together" in photos.problems[0].reason
