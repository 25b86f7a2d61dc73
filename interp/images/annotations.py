"""Files of annotations, told apart by what they hold: those of `FORMS`, and masks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from interp import progress
from interp.images import class_maps, coco, cub, cvat, files, label_studio, labelme, one_hot, via, voc, xml_files, yolo
from interp.images.files import Boundary, Listing
from interp.images.joining import Joiner
from interp.images.mask_folders import may_be_mask
from interp.images.mask_folders import read_all as read_masks
from interp.images.problems import Problems, printable
from interp.images.records import RecordReading, Records

LARGEST_FOUND = 100_000_000
"""Larger files are read only where they are named: what lies beside pictures is read without being asked for."""
# Of a folder's files of one kind so many are tried before the rest is taken to be something else, too.
TRIED = 20
_LAST = ("caption", "keypoint", "panoptic", "stuff")


class Form(NamedTuple):
    """A form of annotations; where several files mark the same picture, the one of the lowest `rank` counts.

    `alone` is the extension of a file that can be read without others. JSON and XML are read by `read`, other files by
    `among(folder, relatives)`, which gives the records of those that are of this form.
    """

    name: str
    rank: int
    alone: str = ""
    looks_like: Callable[[Any], object] = lambda document: False
    read: Callable[[Any, str, RecordReading], None] = lambda document, relative, reading: None
    among: Callable[[Path, list[str]], list[Records]] = lambda folder, relatives: []


# COCO's files and YOLO's have readers of their own below: each of COCO's is a whole set, and YOLO's need the pictures.
FORMS = (
    Form("COCO", 1, ".json"),
    Form(labelme.FORM, 6, ".json", labelme.looks_like, labelme.read),
    Form(label_studio.FORM, 3, ".json", label_studio.looks_like, label_studio.read),
    Form(via.FORM, 4, ".json", via.pictures, via.read),
    Form(voc.FORM, 5, ".xml", voc.looks_like, voc.read),
    Form(cvat.FORM, 2, ".xml", cvat.looks_like, cvat.read),
    Form(yolo.FORM, 7, ".txt"),
    Form(cub.FORM, 8, among=cub.read),
    Form(one_hot.FORM, 9, among=one_hot.read),
)
RANKS = {one.name: one.rank for one in FORMS}
ALONE = {suffix: ", ".join(one.name for one in FORMS if one.alone == suffix) for suffix in (".json", ".xml", ".txt")}
KNOWN = " and ".join(", ".join(ALONE.values()).rsplit(", ", 1)) + " are read"


@dataclass
class AnnotationFiles:
    """What annotation files hold: the records of each form, the surest first, and the files that are none, with why."""

    records: list[Records] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)


def read(path: Path, boundary: Boundary, *, marked: frozenset[int] | None = None) -> AnnotationFiles:
    """What one annotation file, or a folder of such files or of masks, says.

    `marked` are the values of masks that mean that something is marked. Raises `ValueError` for anything else, and for
    a file that is malformed.
    """
    if path.is_dir():
        return _folder(path, boundary, marked)
    readings = _Readings(path.parent, limit=coco.LARGEST_JSON)
    suffix = path.suffix.lower()
    if suffix not in ALONE:
        raise ValueError(
            f"{printable(path.name)}: annotations are read from a JSON file ({ALONE['.json']}), an XML file "
            f"({ALONE['.xml']}), a text file of {ALONE['.txt']}, or a folder of these or of masks that are called as "
            "the pictures are."
        )
    if suffix == ".txt":
        if found := _among(path.parent, [path.name]):
            return AnnotationFiles(found)
        if not yolo.looks_like(files.content(path, limit=yolo.LARGEST)):
            raise ValueError(f"{printable(path.name)}: a YOLO file is expected: a class's number and shares a line.")
        return AnnotationFiles([yolo.read(path.parent, [path.name], None)])
    readings.read(path.name)
    return AnnotationFiles(readings.done())


def found_in(folder: Path, listing: Listing, joiner: Joiner) -> AnnotationFiles:
    """What the files beside pictures say; a file of none of the known forms is unused, and no error."""
    found = AnnotationFiles()
    readings = _Readings(folder, LARGEST_FOUND, "Name it as the set's annotations to have it read.")
    for group in _grouped(one for one in listing.annotations if _extension(one) in (".json", ".xml")):
        failures: dict[str, str] = {}
        for tried, relative in enumerate(progress.steps(group, "Reading annotations")):
            if tried == len(failures) == TRIED:
                reason = f"The first {TRIED} of its kind in this folder are in none of the forms that are read."
                failures |= dict.fromkeys(group[tried:], reason)
                break
            try:
                readings.read(relative)
            except ValueError as error:
                failures[relative] = str(error)
        found.unused |= failures
    found.records = [*readings.done(), *_among(folder, listing.annotations)]
    texts = [one for one in listing.annotations if _extension(one) in (".txt", ".yaml", ".yml", ".names")]
    known = {one for records in found.records for one in records.files}
    _read_yolo(folder, [one for one in texts if one not in known], joiner, found)
    found.records.sort(key=lambda one: (RANKS[one.form], any(word in one.files[0].lower() for word in _LAST)))
    return found


def _read_yolo(folder: Path, texts: Sequence[str], joiner: Joiner, found: AnnotationFiles) -> None:
    """Read the text files that lie beside pictures, or in a parallel folder, if they hold boxes."""
    beside = [one for one in texts if os.path.basename(one).lower() in yolo.BESIDE]
    rows = []
    names = yolo.names_file(texts)
    keypoints = yolo.has_keypoints(folder, names)
    for group in _grouped([one for one in texts if _extension(one) == ".txt" and one not in beside]):
        named = [one for one in group if _has_picture(one, joiner)]
        looks = [_yolo_content(folder / one, keypoints) for one in named[:TRIED]]
        # A picture without anything in it has an empty file; a few may be damaged, whose lines are named.
        if looks.count(True) > looks.count(False):
            rows += named
    if rows:
        found.records.append(yolo.read(folder, rows, names))
    used = {*rows, *((names,) if rows and names else ())}
    for one in texts:
        if one in beside and rows:
            found.unused[one] = "It belongs to YOLO's format, and holds no marks."
        elif one not in used:
            found.unused[one] = _why_not(one)


def _why_not(text: str) -> str:
    """What a text is taken for that holds no marks."""
    folders, _, name = text.lower().rpartition("/")
    if "imagesets" in folders.split("/") or name in yolo.BESIDE:
        return "It lists pictures of a part of the set: lay them into folders such as 'train' and 'val' for groups."
    if name.startswith("readme") or name in ("license.txt", "licence.txt"):
        return "By its name it is for people to read."
    return f"It is text, and holds no boxes of a picture that is called so ({KNOWN})."


def _yolo_content(path: Path, keypoints: bool) -> bool | None:
    """Whether a text file holds boxes; None where it is empty, or cannot be read."""
    try:
        content = files.content(path, limit=yolo.LARGEST)
    except ValueError:
        return None
    return yolo.looks_like(content, keypoints=keypoints) if content.strip() else None


def _has_picture(relative: str, joiner: Joiner) -> bool:
    try:
        return joiner.find(os.path.splitext(relative)[0]) is not None
    except ValueError:
        return True


def _folder(folder: Path, boundary: Boundary, marked: frozenset[int] | None) -> AnnotationFiles:
    problems = Problems()
    listing = files.list_folder(folder, boundary, problems)
    masks = [file for file in listing.pictures if may_be_mask(file.relative)]
    stems = Joiner([os.path.splitext(one)[0] + ".png" for one in listing.annotations])
    found = found_in(folder, listing, stems)
    if not found.records and not masks:
        reasons = {one.name: one.reason for one in problems.listed()} | found.unused
        listed = "; ".join(f"{printable(name)}: {reason}" for name, reason in list(reasons.items())[:3])
        raise ValueError(
            f"{printable(folder.name)}: the folder holds neither annotations nor masks (.png) that could be read. "
            f"{KNOWN}.{' ' + listed if listed else ''}"
        )
    if not found.records:
        found.records += read_masks(masks, class_maps.find(folder, listing.annotations), marked=marked)
    return found


@dataclass
class _Readings:
    """The files read so far, those of one form together where each has one picture."""

    folder: Path
    limit: int
    larger: str = "Split it into smaller ones."
    each: dict[str, tuple[RecordReading, list[str]]] = field(default_factory=dict)
    whole: list[Records] = field(default_factory=list)

    def read(self, relative: str) -> None:
        """Add a JSON or an XML file. Raises `ValueError` that says why it is none that is known."""
        content = files.content(self.folder / relative, limit=self.limit, larger=self.larger)
        name, suffix = printable(relative.rpartition("/")[2]), _extension(relative)
        parsed, why_not = (coco.parsed, coco.why_not) if suffix == ".json" else (xml_files.parsed, voc.why_not)
        try:
            document: Any = parsed(content, name)
            form = next((one for one in FORMS if one.alone == suffix and one.looks_like(document)), None)
            if coco.looks_like(document):
                self.whole.append(coco.read(document, content, relative))
            elif form is None:
                raise ValueError(f"{name}: {why_not(document)}")
            else:
                reading, names = self.each.setdefault(form.name, (RecordReading(), []))
                form.read(document, relative, reading)
                reading.contents.append(os.fsencode(relative) + b"\0" + content)
                names.append(relative)
        except RecursionError:
            raise ValueError(f"{name}: its lists are nested too deep to be annotations.") from None

    def done(self) -> list[Records]:
        """What was read."""
        return [*self.whole, *(reading.done(form, tuple(names)) for form, (reading, names) in self.each.items())]


def _among(folder: Path, relatives: list[str]) -> list[Records]:
    return [records for form in FORMS for records in form.among(folder, relatives)]


def _grouped(relatives: Iterable[str]) -> list[list[str]]:
    """The files by folder and extension."""
    groups: dict[tuple[str, str], list[str]] = {}
    for relative in relatives:
        groups.setdefault((relative.rpartition("/")[0], _extension(relative)), []).append(relative)
    return list(groups.values())


def _extension(relative: str) -> str:
    return os.path.splitext(relative)[1].lower()
