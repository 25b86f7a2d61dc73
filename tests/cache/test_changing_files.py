"""Files that change while their set is open: no answer is ever about other pixels than those that lie there."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import numpy as np
from PIL import Image

import cache
from interp import images
from interp.images import ImageSet, UnreadableImage

NAMES = [f"{place}.bmp" for place in range(5)]
# Each picture is of one grey; all files are of one size, so that only their content and their times tell them apart.
SIZE = (4, 4)


def greys(photos: ImageSet) -> dict[str, float]:
    """The grey of each picture; -1 for one that cannot be read."""
    return {name: _grey(photos, place) for place, name in enumerate(photos.names)}


def _grey(photos: ImageSet, place: int) -> float:
    try:
        return float(np.asarray(photos[place].image).mean())
    except UnreadableImage:
        return -1.0


def truth(folder: Path) -> dict[str, float]:
    """The same from the files themselves, as they are now."""
    return {path.name: _read(path) for path in sorted(folder.glob("*.bmp"))}


def _read(path: Path) -> float:
    try:
        with Image.open(path) as image:
            return float(np.asarray(image.convert("RGB")).mean())
    except OSError:
        return -1.0


def content(grey: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", SIZE, (grey, grey, grey)).save(buffer, "BMP")
    return buffer.getvalue()


def change(folder: Path, kept: dict[str, tuple[bytes, tuple[int, int]]], rng: random.Random) -> None:
    """One thing that happens to a file: swapped in place or for another, put back with its time, touched, cut, gone."""
    path = folder / rng.choice(NAMES)
    happens = rng.choice(["write", "replace", "keep", "restore", "touch", "cut", "remove", "add", "same time"])
    if not path.exists():
        path.write_bytes(content(rng.randrange(256)))
    status = path.stat()
    times = status.st_atime_ns, status.st_mtime_ns
    if happens == "write":
        path.write_bytes(content(rng.randrange(256)))
    elif happens == "replace":
        (folder / "other").write_bytes(content(rng.randrange(256)))
        os.replace(folder / "other", path)
    elif happens == "keep":
        kept[path.name] = path.read_bytes(), times
    elif happens == "restore" and path.name in kept:
        # As 'cp -p' and rsync do.
        before, then = kept[path.name]
        path.write_bytes(before)
        os.utime(path, ns=then)
    elif happens == "same time":
        path.write_bytes(content(rng.randrange(256)))
        os.utime(path, ns=times)
    elif happens == "touch":
        path.touch()
    elif happens == "cut":
        os.truncate(path, status.st_size // 2)
    elif happens == "remove":
        path.unlink()


def test_no_answer_is_about_other_pixels(tmp_path: Path) -> None:
    folder, rng, kept = tmp_path / "set", random.Random(0), {}
    folder.mkdir()
    for place, name in enumerate(NAMES):
        (folder / name).write_bytes(content(40 * place))
    photos, listed, opened, refused = images.load(folder), truth(folder), 0, 0
    for _ in range(200):
        if not any(folder.glob("*.bmp")):
            (folder / NAMES[0]).write_bytes(content(rng.randrange(256)))
        change(folder, kept, rng)
        if rng.random() < 0.5:
            if photos.changed():
                photos, listed, opened = images.load(folder), truth(folder), opened + 1
            assert cache.get(cache.call(greys, photos)) == truth(folder)
            continue
        # Who does not look is told of the pictures as they were listed, or that they are others by now.
        found = cache.get(cache.call(greys, photos))
        refused += list(found.values()).count(-1.0)
        assert all(grey in (-1, listed[name]) for name, grey in found.items())
    assert opened > 60 and refused > 20


def test_a_picture_that_takes_the_place_of_another_is_refused_until_the_set_is_opened_again(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    path = folder / "one.bmp"
    path.write_bytes(content(10))
    before, first = path.stat(), images.load(folder)
    assert cache.get(cache.call(greys, first)) == {"one.bmp": 10.0}
    path.write_bytes(content(200))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert first.changed()
    second = images.load(folder)
    assert second.fingerprint != first.fingerprint
    assert cache.get(cache.call(greys, second)) == {"one.bmp": 200.0}
    path.write_bytes(content(10))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cache.get(cache.call(greys, images.load(folder))) == {"one.bmp": 10.0}


def test_a_folder_below_in_which_something_is_added_or_removed_has_changed(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "cat" / "deep"
    folder.mkdir(parents=True)
    (folder / "one.bmp").write_bytes(content(1))
    photos = images.load(tmp_path / "set")
    assert not photos.changed()
    (folder / "two.bmp").write_bytes(content(2))
    assert photos.changed() and len(images.load(tmp_path / "set")) == 2
    photos = images.load(tmp_path / "set")
    (folder / "one.bmp").unlink()
    assert photos.changed()


def test_annotations_that_change_change_the_set(tmp_path: Path) -> None:
    (tmp_path / "one.bmp").write_bytes(content(1))
    (tmp_path / "one.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    photos = images.load(tmp_path)
    assert photos.annotated == {0} and not photos.changed()
    (tmp_path / "one.txt").write_text("0 0.5 0.5 1 0.5\n")
    assert photos.changed()
    assert images.load(tmp_path).fingerprint != photos.fingerprint
