"""Where image sets come from: `load` opens one by name or path, `available` lists what can be opened."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from interp.images import digits, folder, named_pictures, photographs, scenes
from interp.images.annotations import ALONE
from interp.images.decoding import EXTENSIONS
from interp.images.files import IGNORED, Boundary
from interp.images.image_set import ImageSet
from interp.images.places import CONTAINERS, SPLIT
from interp.images.problems import printable

# By the name that `load` takes: a title and a note for the picker, which has them in this order, and what opens it.
BUNDLED: dict[str, tuple[str, str, Callable[[], ImageSet]]] = {
    "scenes": ("Scenes of cut paper", "600 pictures whose explanation is known", scenes.load),
    "digits": ("Handwritten digits", "1,797 digits of 8 × 8 pixels, with labels", digits.load),
    "photographs": ("Photographs", "a few colour photographs, without labels", photographs.load),
    **{name: (scenes.PLANTED_TITLES[name], "", opened) for name, opened in scenes.planted_sets().items()},
}
_NAMES = ", ".join(repr(name) for name in BUNDLED if name not in scenes.PLANTED_TITLES)
MORE_SCENES = re.compile(r"scenes:(\d{1,9})")
# In a set with more subfolders than that they are classes, and not offered as sets of their own.
MOST_SETS = 30
# Pictures of an export lie so deep at most, as in obj_train_data/images/train.
DEEPEST = 2
HEAD = 4096


class SetOffer(NamedTuple):
    """An image set that can be chosen: a title to show, the source that `load` takes, and a remark."""

    title: str
    source: str
    note: str = ""


def load(
    source: str | Path,
    *,
    annotations: str | Path | None = None,
    root: str | Path | None = None,
    marked: Sequence[int] | None = None,
) -> ImageSet:
    """Open an image set; pictures are read when asked for.

    `source` is a name of `BUNDLED` (in scenes-a to scenes-d a reason is planted, in scenes-a-moved to scenes-d-moved it
    is on the other classes), 'scenes:5000' for any number of further scenes, a folder (flat, one subfolder for each
    class, with an index.csv, or the root of an export of the usual tools), or an annotation file.
    The marks of a folder are found in it; `annotations` names others in their place, a file or a folder of such files
    or of masks, and beside an annotation file the folder of the pictures. `marked` are the values of masks that mean
    that something is marked; left out, the masks' values say. With `root` all paths are relative to it and must stay
    inside it, as must all links that are followed. What was read by which rule is in the set's `account`.
    Raises `ValueError`, or `FileNotFoundError` where nothing is, with a message that names the source and the remedy.
    """
    if isinstance(source, str) and source in BUNDLED:
        return BUNDLED[source][2]()
    if isinstance(source, str) and (more := MORE_SCENES.fullmatch(source)):
        return scenes.generated(int(more[1]))
    if not str(source):
        raise ValueError(f"No image set is named. Give {_NAMES}, a folder, or an annotation file.")
    boundary = Boundary(None if root is None else Path(root))
    place = boundary.place(source, _NAMES)
    marks = None if annotations is None else boundary.place(annotations, _NAMES)
    values = None if marked is None else frozenset(marked)
    if place.is_dir():
        return folder.from_folder(place, boundary, marks, marked=values)
    if place.suffix.lower() not in ALONE:
        raise ValueError(
            f"{printable(place.name)}: this is neither a folder nor an annotation file. Give the folder of the "
            "pictures, or an annotation file (.json, .xml)."
        )
    if marks is not None and not marks.is_dir():
        raise ValueError(f"{printable(marks.name)}: beside an annotation file, give the folder of its pictures.")
    return named_pictures.from_annotations(place, boundary, marks, marked=values)


def available(root: str | Path | None) -> tuple[SetOffer, ...]:
    """What a picker can offer: the bundled sets, and under `root` the folders and annotation files, two levels deep."""
    bundled = tuple(SetOffer(title, name, note) for name, (title, note, _) in BUNDLED.items())
    if root is None:
        return bundled
    base = Path(os.path.realpath(root))
    return bundled + tuple(_offers(base, base, Boundary(base), depth=2))


def _offers(base: Path, place: Path, boundary: Boundary, *, depth: int) -> Iterator[SetOffer]:
    kept = (one for one in _entries(place) if not one.is_symlink() or boundary.admits(one.path))
    inside = sorted(kept, key=lambda one: one.name)
    folders = [Path(one.path) for one in inside if one.is_dir()]
    note = _note(inside, folders)
    if note:
        relative = place.relative_to(base).as_posix()
        # A folder called as a bundled set is told apart by the leading dot.
        source = f"./{relative}" if relative in BUNDLED else relative
        yield SetOffer(printable(base.name if place == base else relative), source, note)
    for one in inside:
        if one.is_file() and one.name.lower().endswith(".json") and _looks_like_coco(Path(one.path)):
            relative = Path(one.path).relative_to(base).as_posix()
            yield SetOffer(printable(relative), relative, "COCO annotations")
    if depth and not (note and len(folders) > MOST_SETS):
        for one in folders:
            # Of a set its splits can be had alone; its other folders hold parts of the same pictures, and marks.
            if not note or one.name.lower() not in CONTAINERS:
                yield from _offers(base, one, boundary, depth=depth - 1)


def _note(inside: list[os.DirEntry[str]], folders: list[Path]) -> str:
    """What kind of set a folder is; empty where it is none."""
    if any(one.name == folder.INDEX for one in inside):
        return "pictures with an index"
    if any(_is_picture(one) for one in inside):
        return "a folder of pictures"
    if any(one.name == "JPEGImages" for one in folders):
        return "Pascal VOC"
    parts = [one for one in folders if SPLIT.fullmatch(one.name) or one.name.lower() in CONTAINERS]
    if parts and any(_has_pictures(one, DEEPEST) for one in parts):
        return "pictures and marks, or splits of them"
    with_pictures = any(_is_picture(one) for place in folders[:MOST_SETS] for one in _entries(place))
    return "a folder for each class" if with_pictures else ""


def _has_pictures(place: Path, depth: int) -> bool:
    """Whether there are pictures in the first folders of a folder, or below them."""
    inside = _entries(place)
    if any(_is_picture(one) for one in inside):
        return True
    below = [Path(one.path) for one in inside if one.is_dir(follow_symlinks=False)][:MOST_SETS]
    return depth > 0 and any(_has_pictures(one, depth - 1) for one in below)


def _is_picture(entry: os.DirEntry[str]) -> bool:
    return os.path.splitext(entry.name)[1].lower() in EXTENSIONS


def _entries(place: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return [one for one in entries if not one.name.startswith(".") and one.name not in IGNORED]
    except OSError:
        return []


def _looks_like_coco(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD).lstrip()
    except OSError:
        return False
    return head.startswith(b"{") and any(key in head for key in (b'"images"', b'"annotations"', b'"info"'))
