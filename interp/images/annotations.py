"""Files of annotations, told apart by what they hold: COCO, VOC, CVAT, LabelMe, Label Studio, VIA, YOLO, masks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interp import progress
from interp.images import (
    class_maps,
    coco,
    cub,
    cvat,
    files,
    label_studio,
    labelme,
    mask_folders,
    one_hot,
    via,
    voc,
    xml_files,
    yolo,
)
from interp.images.files import Boundary, Listing
from interp.images.joining import Joiner
from interp.images.problems import Problems, printable
from interp.images.records import Reading, Records

LARGEST_FOUND = 100_000_000
"""Larger files are read only where they are named: what lies beside pictures is read without being asked for."""
# Of a folder's files of one kind so many are tried before the rest is taken to be something else, too.
TRIED = 20
KNOWN = "COCO, LabelMe, Label Studio, VIA, Pascal VOC, CVAT and YOLO are read"
# Where several files mark the same picture, the first of these counts.
ORDER = ("COCO", cvat.FORM, label_studio.FORM, via.FORM, voc.FORM, labelme.FORM, yolo.FORM, cub.FORM, one_hot.FORM)
_LAST = ("caption", "keypoint", "panoptic", "stuff")


@dataclass
class Found:
    """What annotation files hold: the records of each form, the surest first, and the files that are none, with why."""

    records: list[Records] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)


def read(path: Path, boundary: Boundary, *, marked: frozenset[int] | None = None) -> Found:
    """What one annotation file, or a folder of such files or of masks, says.

    `marked` are the values of masks that mean that something is marked. Raises `ValueError` for anything else, and for
    a file that is malformed.
    """
    if path.is_dir():
        return _folder(path, boundary, marked)
    readings = _Readings(path.parent, limit=coco.LARGEST_JSON)
    suffix = path.suffix.lower()
    if suffix not in (".json", ".xml", ".txt"):
        raise ValueError(
            f"{printable(path.name)}: annotations are read from a JSON file (COCO, LabelMe, Label Studio, VIA), an XML "
            "file (Pascal VOC, CVAT), a text file of YOLO, or a folder of these or of masks that are called as the "
            "pictures are."
        )
    if suffix == ".txt":
        if not yolo.looks_like(files.content(path, limit=yolo.LARGEST)):
            raise ValueError(f"{printable(path.name)}: a YOLO file is expected: a class's number and shares a line.")
        return Found([yolo.read(path.parent, [path.name], None)])
    readings.read(path.name)
    return Found(readings.done())


def found_in(folder: Path, listing: Listing, joiner: Joiner) -> Found:
    """What the files beside pictures say; a file of none of the known forms is unused, and no error."""
    found = Found()
    readings = _Readings(folder, LARGEST_FOUND, "Name it as the set's annotations to have it read.")
    documents = [one for one in listing.annotations if _extension(one) in (".json", ".xml")]
    for group in _grouped(documents):
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
    found.records = [*readings.done(), *one_hot.read(folder, listing.annotations)]
    texts = [one for one in listing.annotations if _extension(one) in (".txt", ".yaml", ".yml", ".names")]
    found.records += cub.read(folder, texts)
    known = {one for records in found.records for one in records.files}
    _read_yolo(folder, [one for one in texts if one not in known], joiner, found)
    found.records.sort(key=lambda one: (ORDER.index(one.form), any(word in one.files[0].lower() for word in _LAST)))
    return found


def _read_yolo(folder: Path, texts: Sequence[str], joiner: Joiner, found: Found) -> None:
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


def _folder(folder: Path, boundary: Boundary, marked: frozenset[int] | None) -> Found:
    problems = Problems()
    listing = files.list_folder(folder, boundary, problems)
    masks = [file for file in listing.pictures if mask_folders.may_be_mask(file.relative)]
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
        maps = class_maps.found(folder, listing.annotations)
        found.records += mask_folders.read_all(masks, maps, marked=marked)
    return found


@dataclass
class _Readings:
    """The files read so far, those of one form together where each has one picture."""

    folder: Path
    limit: int
    larger: str = "Split it into smaller ones."
    each: dict[str, Reading] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    whole: list[Records] = field(default_factory=list)

    def read(self, relative: str) -> None:
        """Add a JSON or an XML file. Raises `ValueError` that says why it is none that is known."""
        content = files.content(self.folder / relative, limit=self.limit, larger=self.larger)
        name = printable(relative.rpartition("/")[2])
        try:
            (self._json if _extension(relative) == ".json" else self._xml)(content, relative, name)
        except RecursionError:
            raise ValueError(f"{name}: its lists are nested too deep to be annotations.") from None

    def done(self) -> list[Records]:
        """What was read."""
        together = [reading.done(form, tuple(self.names[form])) for form, reading in self.each.items()]
        return [*self.whole, *together]

    def _json(self, content: bytes, relative: str, name: str) -> None:
        document = coco.parsed(content, name)
        if coco.looks_like(document):
            self.whole.append(coco.read(document, content, relative))
        elif labelme.looks_like(document):
            self._add(labelme.FORM, labelme.read, document, relative, content)
        elif label_studio.looks_like(document):
            self._add(label_studio.FORM, label_studio.read, document, relative, content)
        elif via.pictures(document):
            self._add(via.FORM, via.read, document, relative, content)
        else:
            raise ValueError(f"{name}: {coco.why_not(document)}")

    def _xml(self, content: bytes, relative: str, name: str) -> None:
        root = xml_files.parsed(content, name)
        if root.tag == "annotation":
            self._add(voc.FORM, voc.read, root, relative, content)
        elif root.tag == "annotations" and (root.find("image") is not None or root.find("track") is not None):
            self._add(cvat.FORM, cvat.read, root, relative, content)
        else:
            raise ValueError(f"{name}: it begins with <{printable(root.tag)[:40]}>; {voc.EXPECTED}")

    def _add(self, form: str, reader: Callable, document: object, relative: str, content: bytes) -> None:
        reading = self.each.setdefault(form, Reading())
        reader(document, relative, reading)
        reading.contents.append(os.fsencode(relative) + b"\0" + content)
        self.names.setdefault(form, []).append(relative)


def _grouped(relatives: Iterable[str]) -> list[list[str]]:
    """The files by folder and extension."""
    groups: dict[tuple[str, str], list[str]] = {}
    for relative in relatives:
        groups.setdefault((relative.rpartition("/")[0], _extension(relative)), []).append(relative)
    return list(groups.values())


def _extension(relative: str) -> str:
    return os.path.splitext(relative)[1].lower()
