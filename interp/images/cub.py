"""The text files of CUB-200-2011: pictures, their classes and their boxes, each by the picture's number.

Source: Wah et al. 2011, 'The Caltech-UCSD Birds-200-2011 Dataset', its README.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from interp.images import files
from interp.images.problems import printable
from interp.images.records import Marks, RecordReading, Records
from interp.images.shapes import Box, clipped, finite

FORM = "CUB-200-2011"
PICTURES, BOXES, CLASSES_OF, CLASSES = "images.txt", "bounding_boxes.txt", "image_class_labels.txt", "classes.txt"
LARGEST = 50_000_000


def read(folder: Path, texts: Sequence[str]) -> list[Records]:
    """What such files among some say, where the pictures are listed beside their boxes or classes."""
    records, known = [], set(texts)
    for relative in texts:
        prefix, name = relative[: relative.rfind("/") + 1], relative.rpartition("/")[2]
        if name != PICTURES:
            continue
        beside = {one: prefix + one for one in (BOXES, CLASSES_OF, CLASSES) if prefix + one in known}
        if not (BOXES in beside or {CLASSES_OF, CLASSES} <= set(beside)):
            continue
        try:
            records.append(_read(folder, relative, beside))
        except ValueError:
            # Then it is some other list of pictures.
            continue
    return records


def _read(folder: Path, pictures: str, beside: dict[str, str]) -> Records:
    reading = RecordReading()
    held = {one: _rows(folder, path, reading) for one, path in {PICTURES: pictures, **beside}.items()}
    place = pictures.rpartition("/")[0]
    names = held.get(CLASSES, {})
    for number, file in held[PICTURES].items():
        marks = Marks()
        index = held.get(CLASSES_OF, {}).get(number)
        label = names.get(index) if index is not None else None
        box = held.get(BOXES, {}).get(number)
        if box is not None:
            reading.mark_count += 1
            try:
                left, top, width, height = finite([float(one) for one in box.split()])
                marks.add((clipped(Box(left, top, left + width, top + height), None),), width * height, label)
            except ValueError as error:
                shown = printable(box)[:60]
                reading.unread(f"{beside[BOXES]}, picture {number}", f"Its box is {shown!r}: {error}.")
        record = marks.record(f"{place}/images/{file}".lstrip("/"), None, label=label, labels=bool(names))
        reading.add(record, pictures)
    return reading.done(FORM, (pictures, *beside.values()))


def _rows(folder: Path, relative: str, reading: RecordReading) -> dict[str, str]:
    """The lines of a file, each by the number that it begins with. Raises `ValueError` where one begins otherwise."""
    content = files.content(folder / relative, limit=LARGEST)
    reading.contents.append(content)
    rows = {}
    for line in content.decode().splitlines():
        number, _, rest = line.strip().partition(" ")
        if number and not (number.isdecimal() and rest):
            raise ValueError
        rows[number] = rest.strip()
    rows.pop("", None)
    return rows
