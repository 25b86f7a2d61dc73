"""Tables beside pictures: one row for each picture, with its labels and group, or one for each box in it.

Several labels of a picture stand in one cell of 'label' or 'labels', between `|` or `;`, or in columns of their own,
'label1', 'label2' and so on. What is read how is told by the names of the columns and by what they hold.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from interp.images import files, table_boxes, table_columns, table_labels, table_text
from interp.images.problems import Problems, printable
from interp.images.table_boxes import BoxColumns, Edges, Unit
from interp.images.table_columns import Columns
from interp.images.table_names import NameMatch, Pictures, cleaned, folder_of
from interp.images.table_text import Sheet, counted, looks_like_a_picture
from interp.types import Finding

LARGEST_CSV = 100_000_000
LONGEST_SHOWN = 200
# By what a row found its picture, where it is not its path as written, and how that is said.
_RULES = {
    "tail": "by the end of the path",
    "case": "by its name in another case",
    "name": "by its name alone, in a folder of another name",
    "suffix": "by its name with another suffix, or without one",
}


class Row(NamedTuple):
    """One row of a table: a picture with its labels, or one box in it.

    `line` is the line it ends in, `file` its name as the table has it, in '/' and without what stands before a root;
    `picture` is the path of the picture it is in the set, None where the set's pictures were not given.
    `numbers` are from columns of nothing else. `label_set` is None where the table gives one label a picture, and where
    a picture's cells for several are empty. `box` is left, top, right and bottom in the table's `unit`, and `size` the
    picture's width and height as the table gives them.
    """

    line: int
    file: str
    labels: dict[str, str | None]
    group: str | None
    numbers: dict[str, float]
    label_set: frozenset[str] | None = None
    picture: str | None = None
    box: Edges | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Table:
    """The rows of a table that are used, how many are not, its bytes, and what was understood, guessed or left out.

    `unit` says in what boxes are measured: pixels, or shares of the picture's sides; None where the table has none.
    With boxes several rows of one picture are its marks; without, each row is an entry of its own.
    """

    rows: tuple[Row, ...]
    unused: int
    content: bytes
    findings: tuple[Finding, ...]
    unit: Unit | None = None


def read(path: Path, problems: Problems, *, present: Iterable[str] | None = None, within: str = "") -> Table:
    """The rows of a table whose pictures are there; the others are named in `problems`, and counted.

    `present` are the paths of the set's pictures, relative to its folder and between '/'; None takes every row.
    `within` is the folder of the table, relative to the same. Nothing outside of `present` is ever named.
    Raises `ValueError` that names the file, and the line where it is known, for what is no such table.
    """
    content = files.content(path, limit=LARGEST_CSV)
    name = printable(path.name)
    pictures = None if present is None else Pictures(present, within)
    is_picture = looks_like_a_picture if pictures is None else _either(pictures)
    sheet = table_text.parse(content, name, is_picture)
    boxes = table_boxes.of(sheet, name)
    columns = table_columns.Reader(sheet, name, is_picture, boxes.taken).columns()
    labels = table_labels.LabelReader(sheet, columns, name, problems)
    reading = _Reading(name, sheet, columns, boxes, labels, pictures, problems)
    rows = reading.rows()
    said = (*sheet.findings, *boxes.findings, *columns.findings, *labels.findings, *reading.findings(rows))
    return Table(tuple(rows), len(sheet.rows) - len(rows), content, said, boxes.unit)


def _either(pictures: Pictures) -> Callable[[str], bool]:
    return lambda cell: looks_like_a_picture(cell) or cell in pictures


class _Reading:
    """Goes through the rows of one table, and counts what is said of all of them."""

    def __init__(
        self,
        name: str,
        sheet: Sheet,
        columns: Columns,
        boxes: BoxColumns,
        labels: table_labels.LabelReader,
        pictures: Pictures | None,
        problems: Problems,
    ) -> None:
        self._name, self._sheet, self._columns, self._boxes = name, sheet, columns, boxes
        self._labels, self._pictures, self._problems = labels, pictures, problems
        self._rules: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._root: str | None = None

    def rows(self) -> list[Row]:
        width = len(self._sheet.columns)
        rows = []
        for line, cells in zip(self._sheet.lines, self._sheet.rows, strict=True):
            if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                self._note("long", f"line {line}")
            row = self._row(line, cells)
            if row is not None:
                rows.append(row)
        return rows

    def _row(self, line: int, cells: Sequence[str]) -> Row | None:
        columns, place = self._columns, f"{self._name}, line {line}"
        written = cells[columns.file].strip() if columns.file < len(cells) else ""
        if not written:
            reason = f"The column {self._sheet.columns[columns.file]!r} is empty."
            self._problems.add("lines without a file", place, reason)
            return None
        group = self._labels.cell(cells, columns.group)
        picture = None if self._pictures is None else self._picture(written, group, line, place)
        if picture is None and self._pictures is not None:
            return None
        given = self._labels.of(line, cells)
        file = written if picture == written else cleaned(written)
        row = Row(line, file, given.forms, group, given.numbers, given.several, picture)
        if self._boxes.unit is None:
            return row
        box = self._boxes.box(cells)
        if box is None and self._boxes.given(cells):
            reason = "Its box is none: right and bottom must lie beyond left and top. The picture stays, without it."
            self._problems.add("impossible boxes", place, reason)
        return row._replace(box=box, size=self._boxes.picture_size(cells))

    def _picture(self, written: str, group: str | None, line: int, place: str) -> str | None:
        assert self._pictures is not None
        found = self._pictures.find(written, prefer=group)
        if found.elsewhere:
            found = self._without_root(written, group) or found
        if found.picture is None:
            out = found.reason.startswith("leads out")
            kind = "paths that lead out of the folder" if out else "missing pictures"
            shown = repr(written[:LONGEST_SHOWN])
            self._problems.add(kind, place, f"{'' if out else 'The picture '}{shown} {found.reason}.")
        elif found.rule in _RULES:
            self._note(found.rule, f"line {line}: {written[:LONGEST_SHOWN]!r} is {found.picture!r}")
        return found.picture

    def _without_root(self, written: str, group: str | None) -> NameMatch | None:
        """The picture by what stands behind the folder that all rows begin with: its name says nothing of them."""
        assert self._pictures is not None
        if self._root is None:
            place = self._columns.file
            folders = {folder_of(row[place]) for row in self._sheet.rows if place < len(row) and row[place].strip()}
            self._root = os.path.commonpath(folders) if all(folders) else ""
        if not self._root:
            return None
        behind = cleaned(written)[len(self._root) + 1 :]
        found = self._pictures.find(behind, prefer=group)
        if found.picture is None:
            return None
        return NameMatch(found.picture, "tail" if "/" in behind else "name")

    def _note(self, kind: str, example: str) -> None:
        self._counts[kind] += 1
        self._rules.setdefault(kind, example)

    def findings(self, rows: Sequence[Row]) -> list[Finding]:
        """What is to be said of all rows together."""
        found = []
        for rule, how in _RULES.items():
            if self._counts[rule]:
                several = counted(self._counts[rule], "row")
                text = f"{self._name}: {several} found the picture {how} ({self._rules[rule]})."
                found.append(Finding("guessed", printable(text)))
        if self._counts["long"]:
            text = (
                f"{self._name}: {counted(self._counts['long'], 'row')} with more cells than there are columns "
                f"({self._rules['long']}); what stands beyond was left out. Put text with "
                f"{table_text.DELIMITERS[self._sheet.delimiter]} in it between quotes."
            )
            found.append(Finding("left out", text))
        times = Counter(row.picture or row.file for row in rows)
        repeated = sum(count > 1 for count in times.values())
        if repeated and self._boxes.unit is None:
            text = f"{self._name}: {counted(repeated, 'picture')} in several rows; each row is an entry of its own."
            found.append(Finding("recognized", text))
        total, used = len(self._sheet.rows), len(rows)
        text = f"{self._name}: {used:,} of {counted(total, 'row')} used, for {counted(len(times), 'picture')}."
        return [*found, Finding("recognized", text)]


def by_picture(table: Table) -> list[Row]:
    """The rows of a table, those of one picture joined where they are its marks; the label is the largest box's.

    All that is marked in a picture is its `label_set`; `box` is None there, for `table.rows` has the boxes.
    """
    if table.unit is None:
        return list(table.rows)
    grouped: dict[str, list[Row]] = {}
    for row in table.rows:
        grouped.setdefault(row.picture or row.file, []).append(row)
    return [_joined(rows) for rows in grouped.values()]


def _joined(rows: Sequence[Row]) -> Row:
    largest = max(rows, key=_area)
    named = frozenset(label for row in rows for label in list(filter(None, row.labels.values()))[:1])
    return largest._replace(line=rows[0].line, box=None, label_set=named or None)


def _area(row: Row) -> float:
    return 0.0 if row.box is None else (row.box[2] - row.box[0]) * (row.box[3] - row.box[1])
