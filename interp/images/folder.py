"""A folder of pictures, or an annotation file that names them, as an image set."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from interp.images import annotations, decoding, files, index, voc
from interp.images.annotation import Annotation
from interp.images.files import Boundary, Locator, PictureFile, Stems
from interp.images.image_set import LABEL_FORMS, ImageSet
from interp.images.problems import Problems, printable
from interp.images.records import Record, Records

INDEX = "index.csv"
# Folders that hold pictures of all classes: their names are no labels.
NO_CLASS = frozenset({"images", "JPEGImages"})
NAMED_LIKE_IMAGENET = re.compile(r"(n\d{8})_")
SHOWN_LABELS = 3


class Entry(NamedTuple):
    """One picture of the set that is being put together."""

    file: PictureFile
    labels: dict[str, str | None]
    group: str | None = None
    annotation: Annotation | None = None
    numbers: Mapping[str, float] = MappingProxyType({})
    label_set: frozenset[str] | None = None


@dataclass
class Draft:
    """A set that is being put together: its entries, what was left out, and the annotation bytes it rests on."""

    entries: list[Entry] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    contents: list[bytes] = field(default_factory=list)


def from_folder(folder: Path, boundary: Boundary, marks: Path | None) -> ImageSet:
    """The pictures of a folder: by its index.csv, by Pascal VOC's layout, or all that lie in it and below.

    Without an index a picture's label is the folder it lies in, and its group the folder above that; in one folder
    it is the WordNet id that its name begins with, if there is one. Annotations come from `marks`, or from the
    folder's only `*.coco.json`, its VOC files, or VOC's own folder 'Annotations'.
    """
    draft = Draft()
    if (folder / INDEX).exists():
        _read_index(folder, boundary, draft)
        own = _own_coco(folder, boundary, draft.problems)
    else:
        own = _read_listing(folder, boundary, draft, separate=marks is not None)
        if isinstance(own, Records) and not draft.entries:
            return _from_records(own, folder.name, [folder, folder.parent / "JPEGImages"], boundary, draft)
    records = annotations.read(marks, boundary) if marks is not None else own
    if isinstance(records, Path):
        records = annotations.read(records, boundary)
    if not draft.entries:
        listed = "; ".join(f"{one.name}: {one.reason}" for one in draft.problems.listed()[:3])
        raise ValueError(
            f"{printable(folder.name)}: the folder contains no pictures. Put JPEG, PNG, WebP, TIFF, BMP or GIF files "
            f"there, or into one subfolder for each class.{' Left out: ' + listed if listed else ''}"
        )
    if records is not None:
        _mark(draft, records)
    return _assemble(draft, folder.name)


def from_annotations(path: Path, boundary: Boundary, pictures: Path | None) -> ImageSet:
    """The pictures that a COCO or Pascal VOC file names.

    They are looked for beside the file and in 'images' beside it, in COCO's and VOC's own layouts, and in `pictures`.
    """
    parent = path.parent.parent
    split = path.stem.rsplit("_", 1)[-1]
    beside = [path.parent, path.parent / "images"]
    above = [parent / "images", parent / split, parent / "images" / split, parent / "JPEGImages"]
    given = [] if pictures is None else [pictures, pictures / "images"]
    folders = [folder for folder in (*given, *beside, *above) if boundary.admits(folder)]
    return _from_records(annotations.read(path, boundary), path.name, folders, boundary, Draft())


def _from_records(records: Records, name: str, folders: list[Path], boundary: Boundary, draft: Draft) -> ImageSet:
    locator = Locator(folders, boundary)
    draft.problems.extend(records.problems)
    draft.contents.extend(records.contents)
    for record in records.records:
        file = _located(locator, record.file, record.file, draft.problems)
        if file is not None:
            draft.entries.append(Entry(file, _labels(record), None, record.annotation, label_set=record.label_set))
    if not draft.entries:
        problems = "; ".join(f"{one.name}: {one.reason}" for one in draft.problems.listed()[:3])
        raise ValueError(
            f"{printable(name)}: none of the {len(records.records):,} pictures that it names was found. Put them "
            f"beside it or into a folder 'images' there, or name their folder. {problems}"
        )
    return _assemble(draft, name)


def _located(locator: Locator, file: str, place: str, problems: Problems) -> PictureFile | None:
    try:
        found = locator.find(file)
    except ValueError as error:
        problems.add("paths that lead out of the folder", place, str(error))
        return None
    if found is None:
        problems.add("missing pictures", place, f"The picture {printable(file)!r} was not found.")
    return found


def _labels(record: Record) -> dict[str, str | None]:
    return {"wnid": record.wnid, "label": record.label}


def _read_index(folder: Path, boundary: Boundary, draft: Draft) -> None:
    if not boundary.admits(folder / INDEX):
        raise ValueError(f"{INDEX}: the link leads outside the folder that this server offers. Put the file itself.")
    rows, content = index.read(folder / INDEX, draft.problems)
    draft.contents.append(content)
    locator = Locator([folder, folder / "images"], boundary)
    for row in rows:
        file = _located(locator, row.file, f"{INDEX}, line {row.line}", draft.problems)
        if file is not None:
            draft.entries.append(Entry(file, row.labels, row.group, numbers=row.numbers, label_set=row.label_set))


def _read_listing(folder: Path, boundary: Boundary, draft: Draft, *, separate: bool) -> Path | Records | None:
    """Fill the draft with what lies in the folder; gives the annotations found there, unless they come separately."""
    voc_layout = (folder / "JPEGImages").is_dir() and boundary.admits(folder / "JPEGImages")
    listing = files.list_folder(folder / "JPEGImages" if voc_layout else folder, boundary, draft.problems)
    draft.entries = [_by_place(file) for file in listing.pictures]
    if separate:
        return None
    if voc_layout:
        boxes = folder / "Annotations"
        return boxes if boxes.is_dir() and boundary.admits(boxes) else None
    boxes = [relative for relative in listing.annotations if relative.lower().endswith(".xml")]
    if boxes:
        return voc.read_all(folder, boxes)
    return _own_coco(folder, boundary, draft.problems)


def _own_coco(folder: Path, boundary: Boundary, problems: Problems) -> Path | None:
    listed = sorted(path for path in folder.glob("*.coco.json") if not path.name.startswith("."))
    found = [path for path in listed if boundary.admits(path) and path.is_file()]
    if len(found) > 1:
        reason = f"The folder holds {len(found)} annotation files, and none was taken. Open the one that you want."
        problems.add("annotation files", found[0].name, reason)
    return found[0] if len(found) == 1 else None


def _by_place(file: PictureFile) -> Entry:
    *parents, name = file.relative.split("/")
    while parents and parents[-1] in NO_CLASS:
        parents.pop()
    named = None if parents else NAMED_LIKE_IMAGENET.match(name)
    wnid = named[1] if named else None
    return Entry(
        file, {"wnid": wnid, "label": parents[-1] if parents else None}, parents[-2] if len(parents) > 1 else None
    )


def _mark(draft: Draft, records: Records) -> None:
    """Give the entries their annotations; an entry without a label takes the annotation's."""
    draft.problems.extend(records.problems)
    draft.contents.extend(records.contents)
    stems = Stems([entry.file for entry in draft.entries])
    for record in records.records:
        try:
            position = stems.find(record.file)
        except ValueError as error:
            draft.problems.add("ambiguous annotations", record.file, str(error))
            continue
        if position is None:
            draft.problems.add(
                "annotations without a picture", record.file, "It is annotated, but no picture of the set is called so."
            )
            continue
        entry = draft.entries[position]
        own = any(entry.labels.values())
        draft.entries[position] = entry._replace(
            labels=entry.labels if own else _labels(record),
            annotation=record.annotation or entry.annotation,
            label_set=entry.label_set if own else record.label_set,
        )


def _assemble(draft: Draft, name: str) -> ImageSet:
    entries = draft.entries
    paths = tuple(entry.file.path for entry in entries)
    names = tuple(entry.file.relative for entry in entries)
    forms = {form: tuple(_shown(entry.labels.get(form)) for entry in entries) for form in LABEL_FORMS}
    sets = tuple(_shown_set(entry.label_set) for entry in entries)
    marked = {i: entry.annotation for i, entry in enumerate(entries) if entry.annotation is not None}
    return ImageSet(
        name=printable(name),
        description=_description(entries, name, len(marked)),
        fingerprint=f"files {files.digest((entry.file for entry in entries), draft.contents)}",
        names=names,
        read=lambda i: decoding.read(paths[i], names[i]),
        label_forms={form: labels for form, labels in forms.items() if any(labels)},
        label_sets=None if all(one is None for one in sets) else sets,
        groups=tuple(_shown(entry.group) for entry in entries),
        annotations=marked,
        numbers=_columns(entries),
        problems=draft.problems.listed(),
    )


def _columns(entries: Sequence[Entry]) -> dict[str, tuple[float, ...]]:
    names = dict.fromkeys(name for entry in entries for name in entry.numbers)
    return {printable(name): tuple(entry.numbers.get(name, math.nan) for entry in entries) for name in names}


def _shown(label: str | None) -> str | None:
    return None if label is None else printable(label)


def _shown_set(labels: frozenset[str] | None) -> frozenset[str] | None:
    return None if labels is None else frozenset(map(printable, labels))


def _description(entries: Sequence[Entry], name: str, marked: int) -> str:
    most = max((len(entry.label_set) for entry in entries if entry.label_set), default=1)
    named = [label for entry in entries for label in list(filter(None, entry.labels.values()))[:1]]
    kinds = sorted({*named, *(label for entry in entries if most > 1 for label in entry.label_set or ())})
    shown = ", ".join(kinds[:SHOWN_LABELS]) + (", ..." if len(kinds) > SHOWN_LABELS else "")
    pictures = "1 picture" if len(entries) == 1 else f"{len(entries):,} pictures"
    labels = f"with {len(kinds):,} different labels ({shown})" if kinds else "without labels"
    labels += f", up to {most} in one picture" if most > 1 else ""
    annotated = f"; {marked:,} with annotations" if marked else ""
    return printable(f"{pictures} from {name}, {labels}{annotated}.")
