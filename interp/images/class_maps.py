"""Masks whose values are classes by name: CVAT's labelmap.txt, Roboflow's _classes.csv, CamVid's class_dict.csv.

Source: CVAT's documentation, 'Segmentation mask 1.1'; Roboflow's export 'Semantic Segmentation Masks'.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from interp import progress
from interp.images import files, masks
from interp.images.files import PictureFile
from interp.images.masks import MaskFile
from interp.images.problems import printable, same_name
from interp.images.records import Marks, RecordReading, Records
from interp.types import Finding

FORM = "masks of named classes"
LARGEST = 1_000_000
NO_THING = frozenset({"background", "bg", "ignore", "ignored", "void", "unlabeled", "unlabelled", "unlabelled area"})
INSTANCES = frozenset({"segmentationobject", "instances"})
# Beyond so many masks none is opened, and each is taken to have all classes.
MOST = 2000


@dataclass(frozen=True, eq=False)
class ClassMap:
    """What the values of masks are called, from a file; colours are 65536·red + 256·green + blue."""

    file: str
    names: Mapping[int, str]
    colours: bool
    content: bytes

    @property
    def folder(self) -> str:
        """The folder in which, and below which, it says so."""
        return self.file.rpartition("/")[0]


def find(folder: Path, relatives: Sequence[str]) -> list[ClassMap]:
    """The files among some that name the values of masks; one that is malformed is none."""
    maps = []
    for relative in relatives:
        name = os.path.basename(relative).lower()
        reader = _READERS.get(name)
        if reader is None:
            continue
        try:
            content = files.content(folder / relative, limit=LARGEST)
            names = reader(content.decode("utf-8-sig").splitlines())
        except ValueError:
            continue
        if names:
            maps.append(ClassMap(relative, names, name != "_classes.csv", content))
    return maps


def parted(found: Sequence[PictureFile], maps: Sequence[ClassMap]) -> dict[ClassMap | None, list[PictureFile]]:
    """The masks by the map that names their values: the one nearest above them; by None those without."""
    sorted_out: dict[ClassMap | None, list[PictureFile]] = {}
    for mask in found:
        above = [one for one in maps if not one.folder or mask.relative.startswith(one.folder + "/")]
        nearest = max(above, key=lambda one: len(one.folder), default=None)
        sorted_out.setdefault(nearest, []).append(mask)
    return sorted_out


def read(map: ClassMap, found: Sequence[PictureFile], about: Mapping[str, str]) -> Records:
    """The masks as marks, one for each named value in each; `about` is what the picture of each mask is called."""
    reading = RecordReading(contents=[map.content, files.digest(found, ()).encode()])
    unnamed: Counter[int] = Counter()
    some = [one for one in found if not _of_instances(one.relative)]
    for one in progress.steps(some, "Reading masks"):
        counts: Mapping[int, int] = dict.fromkeys(map.names, 1)
        if len(some) <= MOST:
            try:
                counts = masks.read_values(one.path, one.stamp, colours=map.colours).counts
            except ValueError as error:
                reading.mark_count += 1
                reading.problems.add("masks that cannot be read", one.relative, str(error))
                continue
        unnamed.update([value for value in counts if value not in map.names and value not in (0, masks.VOID)])
        marks = Marks()
        for value, count in counts.items():
            name = map.names.get(value)
            if name is not None and same_name(name.strip("_")) not in NO_THING:
                shape = MaskFile(one.path, one.stamp, frozenset({value}), colours=map.colours)
                marks.add((shape,), float(count) if len(some) <= MOST else -1.0, name)
        reading.mark_count += len(marks.marks)
        reading.add(marks.record(about[one.relative], None, labels=len(some) <= MOST), one.relative)
    reading.findings += _findings(map, len(some), len(found) - len(some), unnamed)
    return reading.done(FORM, (*(one.relative for one in found), map.file))


def _findings(map: ClassMap, count: int, instances: int, unnamed: Counter[int]) -> list[Finding]:
    file = printable(map.file)
    things = [name for name in map.names.values() if same_name(name.strip("_")) not in NO_THING]
    kind = "colours" if map.colours else "values"
    text = f"{file} names the {kind} of {count:,} masks: {printable(', '.join(things[:5]))}{', …' * (len(things) > 5)}."
    said = [Finding("recognized", text)]
    if instances:
        text = f"{instances:,} masks of single things are not used, since those of classes are."
        said.append(Finding("left out", text))
    if unnamed:
        listed = ", ".join(f"{masks.shown(value)} (in {times:,})" for value, times in unnamed.most_common(4))
        said.append(Finding("warning", f"{file} has no name for {listed}: these are not marked."))
    if count > MOST:
        said.append(Finding("guessed", f"None of {count:,} masks was opened yet: they have no labels of their own."))
    return said


def _of_instances(relative: str) -> bool:
    return any(part.lower() in INSTANCES for part in relative.split("/")[:-1])


def _labelmap(lines: Sequence[str]) -> dict[int, str]:
    """CVAT's 'name:red,green,blue:parts:actions'."""
    names = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            name, colour, *_ = line.split(":")
            names[_colour(colour.split(","))] = name.strip()
    return names


def _roboflow(lines: Sequence[str]) -> dict[int, str]:
    """Roboflow's 'Pixel Value, Class'."""
    (first, second, *_), *rows = csv.reader(lines)
    if same_name(first) != "pixel value" or same_name(second) != "class":
        raise ValueError
    return {int(row[0]): row[1].strip() for row in rows if len(row) > 1}


def _class_dict(lines: Sequence[str]) -> dict[int, str]:
    """CamVid's 'name,r,g,b'."""
    header, *rows = csv.reader(lines)
    if [one.strip().lower() for one in header[:4]] != ["name", "r", "g", "b"]:
        raise ValueError
    return {_colour(row[1:4]): row[0].strip() for row in rows if len(row) > 3}


def _colour(parts: Sequence[str]) -> int:
    red, green, blue = (int(part) for part in parts)
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError
    return 65536 * red + 256 * green + blue


_READERS = {"labelmap.txt": _labelmap, "_classes.csv": _roboflow, "class_dict.csv": _class_dict}
