"""A folder's `index.csv`: one row for each picture, with its labels and group.

Several labels of a picture stand in one cell of 'label' or 'labels', between `|` or `;`, or in columns of their own,
'label1', 'label2' and so on.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from interp.images import files
from interp.images.problems import Problems, printable

LARGEST_CSV = 100_000_000
EXPECTED = (
    "a table is expected whose first line has 'file', and any of 'class_index', 'wnid', 'label', 'labels', 'group'."
)
KNOWN = ("file", "wnid", "label", "labels", "class_index", "group")
SEPARATORS = ("|", ";")
ONE_OF_SEVERAL = re.compile(r"label[ _-]?\d+", re.IGNORECASE)


class Row(NamedTuple):
    """One picture as the table has it, with the line it stands in; `numbers` are from columns of nothing else.

    `label_set` is None where the table gives one label a picture, and where a picture's cells for several are empty.
    """

    line: int
    file: str
    labels: dict[str, str | None]
    group: str | None
    numbers: dict[str, float]
    label_set: frozenset[str] | None = None


class _Cells(NamedTuple):
    row: dict[str, str | None]
    label_set: frozenset[str] | None


def read(path: Path, problems: Problems) -> tuple[list[Row], bytes]:
    """The rows of the table, and its bytes. Rows without a file, or with an impossible class index, are problems.

    Raises `ValueError` that names the file, and the line where it is known, for what is no such table.
    """
    content = files.content(path, limit=LARGEST_CSV)
    name = printable(path.name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{name}: the text is not UTF-8; save it so. Besides, {EXPECTED}") from None
    table = csv.DictReader(io.StringIO(text, newline=""))
    try:
        columns = [column.strip() for column in table.fieldnames or ()]
        table.fieldnames = columns
        if "file" not in columns:
            raise ValueError(f"{name}, line 1: its columns are {printable(', '.join(columns))[:100]!r}; {EXPECTED}")
        rows = [(table.line_num, row) for row in table]
    except csv.Error as error:
        raise ValueError(f"{name}, line {table.reader.line_num}: {error}; {EXPECTED}") from None
    several = _columns_of_several(columns, rows)
    known = {*KNOWN, *several}
    numeric = [column for column in columns if column and column not in known and _numeric(column, rows)]
    read = (_row(line, _with_several(row, several), numeric, name, problems) for line, row in rows)
    return [row for row in read if row is not None], content


def _columns_of_several(columns: Sequence[str], rows: Sequence[tuple[int, dict[str, str | None]]]) -> dict[str, str]:
    """The columns that hold several labels, each with what stands between two in one cell."""
    found = {column: "" for column in columns if ONE_OF_SEVERAL.fullmatch(column)}
    for column in {"label", "labels"}.intersection(columns):
        cells = [row.get(column) or "" for _, row in rows]
        between = next((one for one in SEPARATORS if any(one in cell for cell in cells)), "")
        if between or found or column == "labels":
            found[column] = between
    return found


def _with_several(row: dict[str, str | None], several: Mapping[str, str]) -> _Cells:
    """A row whose `label` is the first of several, and all of them."""
    cells = [((row.get(column) or ""), between) for column, between in sorted(several.items())]
    parts = [part.strip() for cell, between in cells for part in (cell.split(between) if between else [cell])]
    labels = [part for part in parts if part]
    if not several:
        return _Cells(row, None)
    own = None if "label" in several else row.get("label")
    return _Cells({**row, "label": own or (labels[0] if labels else None)}, frozenset(labels) or None)


def _numeric(column: str, rows: Sequence[tuple[int, dict[str, str | None]]]) -> bool:
    """Whether a column holds a number somewhere and nothing else, gaps aside."""
    values = [text for _, row in rows if (text := (row.get(column) or "").strip())]
    return bool(values) and all(_number(text) is not None for text in values)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _row(line: int, cells: _Cells, numeric: Sequence[str], name: str, problems: Problems) -> Row | None:
    row = cells.row
    values = {key: (row.get(key) or "").strip() or None for key in KNOWN}
    file, index = values["file"], values["class_index"]
    if file is None:
        problems.add("lines without a file", f"{name}, line {line}", "The column 'file' is empty.")
        return None
    if index is not None and not (index.isascii() and index.isdigit()):
        reason = f"The class index is {index[:40]!r}; give a whole number from 0 on. The picture counts as unlabelled."
        problems.add("impossible class indices", f"{name}, line {line}", reason)
        values["class_index"] = None
    labels = {form: values[form] for form in ("wnid", "label", "class_index")}
    found = {column: number for column in numeric if (number := _number((row.get(column) or "").strip())) is not None}
    return Row(line, file, labels, values["group"], found, cells.label_set)
