"""YOLO's format: a text file for each picture, a line for each box or polygon, in shares of the picture.

Source: Ultralytics' documentation, 'Object detection' and 'Instance segmentation' datasets; Darknet's obj.names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from interp import label_files, progress
from interp.images import files
from interp.images.problems import printable
from interp.images.records import Marks, RecordReading, Records
from interp.images.shapes import MOST_CORNERS, Box, Polygon, polygon, polygon_area
from interp.types import Finding

FORM = "YOLO"
KEYPOINTS = re.compile(rb"^kpt_shape\s*:", re.MULTILINE)
LARGEST = 5_000_000
# Where the classes' names stand, the surest first.
NAMED_IN = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml", "obj.names", "classes.txt", "classes.names")
# Files of the format that hold neither marks nor names.
BESIDE = frozenset({"obj.data", "train.txt", "val.txt", "valid.txt", "test.txt", "darknet.labels", "_darknet.labels"})


def looks_like(content: bytes, *, keypoints: bool = False) -> bool:
    """Whether a text file has nothing but lines of a class's number and four or more shares."""
    lines = [line for line in content.split(b"\n") if line.strip()]
    return bool(lines) and all(_numbers(line, keypoints) is not None for line in lines)


def has_keypoints(folder: Path, names: str | None) -> bool:
    """Whether the file of the classes' names says that what follows a box are keypoints."""
    try:
        return names is not None and KEYPOINTS.search(files.content(folder / names, limit=LARGEST)) is not None
    except ValueError:
        return False


def names_file(texts: Sequence[str]) -> str | None:
    """Which of some files has the classes' names: by its name, the one nearest to the top."""
    found = [one for one in texts if os.path.basename(one).lower() in NAMED_IN]
    found = found or [one for one in texts if one.lower().endswith((".yaml", ".yml", ".names"))]
    ranked = {name: rank for rank, name in enumerate(NAMED_IN)}
    key = lambda one: (one.count("/"), ranked.get(os.path.basename(one).lower(), len(ranked)), one)  # noqa: E731
    return min(found, key=key, default=None)


def read(folder: Path, relatives: Sequence[str], names: str | None) -> Records:
    """What the files say, by their paths in the folder; `names` is the file of the classes' names, if there is one.

    A class without a name is called by its number. A line that cannot be read is a problem, and the others count.
    """
    reading = RecordReading()
    called, keypoints = _names(folder, names, reading), has_keypoints(folder, names)
    for relative in progress.steps(list(relatives), "Reading boxes"):
        try:
            content = files.content(folder / relative, limit=LARGEST)
        except ValueError as error:
            reading.problems.add("annotation files that cannot be read", relative, str(error))
            continue
        reading.contents.append(os.fsencode(relative) + b"\0" + content)
        marks = Marks()
        for row, line in enumerate(content.split(b"\n"), start=1):
            if line.strip():
                reading.mark_count += 1
                _line(line, f"{relative}, line {row}", called, marks, reading, keypoints)
        reading.add(marks.record(relative.removesuffix(".txt"), None, shares=True), relative)
    used = (*relatives, *([names] if names and called else ()))
    return reading.done(FORM, used)


def _names(folder: Path, names: str | None, reading: RecordReading) -> tuple[str, ...]:
    if names is None:
        text = "No file names the YOLO classes, so they are called by their numbers: put a data.yaml with names: there."
        reading.findings.append(Finding("guessed", text))
        return ()
    try:
        found = label_files.read(folder / names).names
    except (ValueError, OSError) as error:
        # Where the server keeps its pictures is nobody's business.
        reason = str(error).replace(f"{folder}/", "")
        reading.problems.add("files of class names", names, f"{reason} The classes are names by their numbers.")
        return ()
    text = f"{printable(names)} names the {len(found):,} YOLO classes, from {found[0]!r} to {found[-1]!r}."
    reading.findings.append(Finding("recognized", text))
    reading.contents.append(repr(found).encode("utf-8", "surrogatepass"))
    return found


def _line(line: bytes, place: str, names: Sequence[str], marks: Marks, reading: RecordReading, keypoints: bool) -> None:
    numbers = _numbers(line, keypoints)
    if numbers is None:
        reading.unread(place, "It is no class's number with the shares of a box or a polygon.")
        return
    index, shares = int(numbers[0]), numbers[1:]
    if names and index >= len(names):
        reading.problems.add("boxes of an unknown class", place, f"There is no class {index}: {len(names)} have names.")
    label = names[index] if index < len(names) else str(index)
    marks.seen(label)
    # A fifth share is how sure a network was of its box.
    if len(shares) in (4, 5):
        x, y, width, height = shares[:4]
        shape: Box | Polygon = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        area = width * height if width > 0 and height > 0 else 0.0
    else:
        shape = polygon(shares)
        area = polygon_area(shape)
    if not area:
        reading.unread(place, "It encloses no area.")
        return
    marks.add((shape,), area, label)


def _numbers(line: bytes, keypoints: bool) -> list[float] | None:
    """A class's number, then a box as x, y, width and height, or a polygon's corners; None for any other line.

    With `keypoints` what follows four numbers are these, and no corners.
    """
    try:
        numbers = [float(one) for one in line.split()]
    except ValueError:
        return None
    if keypoints:
        del numbers[5:]
    shares = numbers[1:]
    box, outline = len(shares) in (4, 5), len(shares) >= 6 and len(shares) % 2 == 0
    if not (box or outline) or not numbers[0].is_integer() or not 0 <= numbers[0] < 1e6:
        return None
    if len(shares) > 2 * MOST_CORNERS:
        return None
    return numbers if all(-0.1 <= one <= 1.1 for one in shares) else None
