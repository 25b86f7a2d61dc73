"""A table's text as rows of cells: its encoding, its delimiter, and whether its first line names the columns."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from interp.images.decoding import EXTENSIONS
from interp.text_files import decoded
from interp.types import Finding

EXPECTED = (
    "a table is expected with a column of the pictures' files, called 'file', and any of 'label', 'labels', "
    "'class_index', 'wnid', 'group'."
)
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}
FILE_COLUMNS = (
    *("file", "filename", "filepath", "path", "image", "imagefile", "imagefilename", "imagename", "imagepath"),
    *("imageindex", "imageid", "img", "imgname", "imgpath", "imgid", "picture", "photo", "photoid", "name", "idcode"),
    *("uri", "url", "imageurl", "isicid", "patientid", "id", "key"),
)
# Lines that the delimiter is found out from.
SAMPLE = 200
MOST_COLUMNS = 20_000
# Columns in which files are looked for where none is called so.
LOOKED_AT = 200
# What begins a file that is no text, and what it is.
_OTHER = {
    b"PK\x03\x04": "an Excel workbook or an archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a compressed file",
    b"SQLite": "a database",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True)
class Sheet:
    """A table as it is written: the names of its columns, its rows, the line that each ends in, and how it is read.

    `columns` are as written, without spaces around them; where no line names them they are 'column 1' and so on.
    """

    columns: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str
    header: bool
    findings: tuple[Finding, ...]


def plain(column: str) -> str:
    """A column's name without case, spaces, underscores and other marks, as the lists of usual names have it."""
    return re.sub(r"[\W_]+", "", column.casefold())


def looks_like_a_picture(cell: str) -> bool:
    """Whether a cell ends as the names of pictures do."""
    return os.path.splitext(cell.strip().strip("\"'").split("?")[0])[1].lower() in EXTENSIONS


def counted(count: int, what: str) -> str:
    """A number of things, in words."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def parse(content: bytes, name: str, is_picture: Callable[[str], bool]) -> Sheet:
    """The rows of a table; `is_picture` tells whether a cell names a picture of the set.

    Raises `ValueError` that names the file, and the line where it is known, for what is no table.
    """
    text, encoding = _text(content, name)
    findings = [] if encoding is None else [_guessed_encoding(name, encoding)]
    declared = re.match(r'\s*"?sep=(.)"?\r?\n', text)
    skipped = 0
    if declared:
        skipped, text = text[: declared.end()].count("\n"), text[declared.end() :]
    sample = list(_sampled(text))
    if not any(line.strip() for line in sample):
        raise ValueError(f"{name}: the file is empty; {EXPECTED}")
    delimiter = declared[1] if declared and declared[1] in DELIMITERS else _delimiter(sample, is_picture)
    if delimiter != ",":
        findings.append(Finding("recognized", f"{name}: its columns are separated by {DELIMITERS[delimiter]}."))
    rows, lines = _rows(text, delimiter, name, is_picture, skipped)
    if not rows:
        raise ValueError(f"{name}: the file is empty; {EXPECTED}")
    header = _is_header(rows[0], is_picture)
    if not header:
        said = f"{name}: its first line names a picture, and is taken for a row: the columns have no names."
        findings.append(Finding("guessed", said, "a first line such as file,label"))
    width = max(map(len, rows[:SAMPLE]))
    columns = tuple(cell.strip() for cell in rows[0]) if header else tuple(f"column {i + 1}" for i in range(width))
    if header:
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise ValueError(f"{name}: below the line of its columns are no rows; give one for each picture.")
    return Sheet(columns, rows, lines, delimiter, header, tuple(findings))


def _guessed_encoding(name: str, encoding: str) -> Finding:
    said = f"{name} was read as {encoding}, for it is not UTF-8. If names look wrong, save it again as UTF-8."
    return Finding("guessed", said)


def _text(content: bytes, name: str) -> tuple[str, str | None]:
    kind = next((kind for start, kind in _OTHER.items() if content.startswith(start)), None)
    if kind is not None:
        raise ValueError(f"{name}: this is {kind}, and no text; save it as CSV in UTF-8. Besides, {EXPECTED}")
    text, encoding = decoded(content, likely=True)
    if text is None:
        raise ValueError(
            f"{name}: the text is not UTF-8, nor surely of any other code; save it so. Besides, {EXPECTED}"
        )
    head = text[:100_000]
    if len(re.findall(r"[\x00-\x08\x0e-\x1f]", head)) * 20 > len(head):
        raise ValueError(f"{name}: this is no text, but bytes; save it as CSV in UTF-8. Besides, {EXPECTED}")
    return text, encoding


def _sampled(text: str) -> Iterator[str]:
    """The first lines that are not empty."""
    stream = io.StringIO(text[:1_000_000], newline="")
    kept = (line for line in stream if line.strip())
    for _, line in zip(range(SAMPLE), kept, strict=False):
        yield line


def _delimiter(sample: Sequence[str], is_picture: Callable[[str], bool]) -> str:
    """The one with which the first line names a column of files; else the cells name pictures; then the steadiest."""
    read: dict[str, list[list[str]]] = {}
    for delimiter in DELIMITERS:
        try:
            read[delimiter] = list(csv.reader(sample, delimiter=delimiter, skipinitialspace=True))
        except csv.Error:
            continue
    # One column is what every wrong delimiter gives.
    wide = {delimiter: rows for delimiter, rows in read.items() if max(map(len, rows)) > 1}
    # Spaces belong to names, unless every line is parted alike by them, and nothing else parts it.
    spaced = wide.pop(" ", [])
    if not wide and len(set(map(len, spaced))) == 1 and not any(map(is_picture, sample)):
        wide[" "] = spaced
    named = {one: rows for one, rows in wide.items() if any(plain(cell) in FILE_COLUMNS for cell in rows[0])}

    def fits(delimiter: str) -> tuple[float, float, int]:
        rows = wide[delimiter]
        cells = 0.0 if named else sum(any(map(is_picture, row[:LOOKED_AT])) for row in rows) / len(rows)
        width, times = Counter(map(len, rows)).most_common(1)[0]
        return (float(cells > 0.5), times / len(rows) if width > 1 else 0.0, width)

    return max(named or wide, key=fits, default=",")


def _is_header(first: Sequence[str], is_picture: Callable[[str], bool]) -> bool:
    return any(plain(cell) in FILE_COLUMNS for cell in first) or not any(map(is_picture, first[:LOOKED_AT]))


def _rows(
    text: str, delimiter: str, name: str, is_picture: Callable[[str], bool], skipped: int
) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    before = 0
    try:
        for row in reader:
            line = reader.line_num
            if line > before + 1 and _swallowed(row, delimiter, is_picture):
                raise ValueError(
                    f"{name}, line {before + 1 + skipped}: a quote is opened there and not closed in its line, so that "
                    f"what stands in the next is taken for a part of it; close it, or write it twice where it belongs "
                    "to the text."
                )
            before = line
            if len(row) > MOST_COLUMNS:
                raise ValueError(
                    f"{name}, line {line + skipped}: it has {len(row):,} columns, and {MOST_COLUMNS:,} are the most. "
                    "Give one line for each picture."
                )
            if row and (row[0] or (any(row) and any(map(str.strip, row)))):
                rows.append(row)
                lines.append(line + skipped)
    except csv.Error as error:
        raise ValueError(f"{name}, line {reader.line_num + skipped}: {error}; {EXPECTED}") from None
    return rows, lines


def _swallowed(row: Sequence[str], delimiter: str, is_picture: Callable[[str], bool]) -> bool:
    """Whether a cell that goes over several lines holds rows of the table: lines one cell of which names a picture."""
    inner = [line for cell in row for line in re.split(r"[\r\n]+", cell)[1:]]
    return any(is_picture(part) for line in inner for part in line.split(delimiter))
