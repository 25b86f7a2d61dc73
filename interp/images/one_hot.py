"""Roboflow's export 'Multi-Label Classification': _classes.csv, a row for each picture and a column for each class.

Source: Roboflow's documentation; its header is 'filename, class, class, ...', and the cells are 0 and 1.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

from interp.images import files
from interp.images.records import Marks, RecordReading, Records

FORM = "a table of classes"
NAME = "_classes.csv"
LARGEST = 100_000_000


def read(folder: Path, relatives: list[str]) -> list[Records]:
    """What such files among some say; a picture's label is its first class, and its label set all of them.

    One that is none of these is left to whoever reads tables.
    """
    records: list[Records] = []
    for relative in relatives:
        if os.path.basename(relative).lower() != NAME:
            continue
        try:
            records.append(_read(folder / relative, relative))
        except (ValueError, csv.Error):
            continue
    return records


def _read(path: Path, relative: str) -> Records:
    content = files.content(path, limit=LARGEST)
    header, *rows = list(csv.reader(content.decode("utf-8-sig").splitlines(), skipinitialspace=True)) or [[]]
    classes = [name.strip() for name in header[1:]]
    if not classes or header[0].strip().lower() != "filename":
        raise ValueError("Its first row is not 'filename' and the names of classes.")
    reading = RecordReading(contents=[content])
    base = relative.rpartition("/")[0]
    for line, row in enumerate(rows, start=2):
        cells = [cell.strip() for cell in row[1:]]
        if len(cells) != len(classes) or not set(cells) <= {"0", "1"}:
            reading.problems.add("rows that are malformed", f"{relative}, line {line}", "Its cells are not 0 and 1.")
            continue
        marks = Marks()
        present = [name for name, cell in zip(classes, cells, strict=True) if cell == "1"]
        for name in present:
            marks.seen(name)
        file = f"{base}/{row[0].strip()}".lstrip("/")
        reading.add(marks.record(file, None, label=next(iter(present), None)), relative)
    if not reading.records:
        raise ValueError("No row has a cell of 0 or 1 for each class.")
    return reading.done(FORM, (relative,))
