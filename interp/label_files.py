"""Files of labels in the forms that people have them: lists, tables, JSON, Python's notation, YAML's `names`.

What could be read in two ways is refused with a sentence that says so.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from interp.label_notation import (
    WORDNET_ID,
    Labels,
    Pairs,
    numbered,
    of_json,
    of_notation,
    of_python_or_json,
    of_yaml,
)
from interp.text_files import read_text, shown
from interp.types import Finding

LARGEST = 16 << 20
NAME_COLUMNS = ("label", "labels", "name", "names", "class", "classes", "class_name", "classname", "category", "title")
INDEX_COLUMNS = ("index", "idx", "id", "class_id", "class_index", "class_idx", "label_id", "number", "no", "nr")


def read(path: Path) -> Labels:
    """The labels of a file. Raises `ValueError`, or `FileNotFoundError`, that names it and says what would be right."""
    try:
        text, encoding = read_text(path, LARGEST, "a text file with one label a line")
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file of labels at {shown(path)}.") from None
    where = shown(path)
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text):
        raise ValueError(f"{where} is no text: give one label a line, a CSV of index and label, JSON, or YAML.")
    form, found = _understood(text, path, where)
    labels = checked(found.names, where)
    said = f"{path.name}: {form}; {len(labels)} labels, from {shown(labels[0])!r} to {shown(labels[-1])!r}."
    guess = () if encoding is None else (Finding("guessed", f"{path.name} was read as {encoding}."),)
    return Labels(labels, found.wordnet_ids, (Finding("recognized", said), *guess, *found.findings))


def checked(labels: Sequence[str], where: str) -> tuple[str, ...]:
    """Labels without gaps. Raises `ValueError` for an empty list, or an empty label."""
    if not labels:
        raise ValueError(f"{where} is empty: it must hold one label for each class.")
    if "" in labels:
        raise ValueError(f"{where} has an empty label in place {labels.index('') + 1}: give each class a name.")
    return tuple(labels)


def _understood(text: str, path: Path, where: str) -> tuple[str, Labels]:
    suffix = path.suffix.lower()
    plain = text.strip()
    if suffix == ".json":
        return "JSON", of_notation(of_json(plain, where), where)
    if suffix in (".yaml", ".yml") or re.search(r"^names:", plain, re.MULTILINE):
        return "YAML", of_notation(of_yaml(plain, where), where)
    assigned = re.sub(r"^[A-Za-z_]\w*\s*=\s*(?=[\[{(])", "", plain)
    if assigned.startswith(("{", "[", "(")) and not _listed_lines(assigned):
        return "in Python's or JSON's notation", of_notation(of_python_or_json(assigned, where), where)
    return _of_lines(text.rstrip().split("\n"), suffix, where)


def _listed_lines(text: str) -> bool:
    """Whether lines begin with brackets but are no notation: `[CLS]` or `(unknown)` among other names."""
    first = text.split("\n", 1)[0].strip()
    return (
        not text.startswith("{") and first[-1] in "])" and not text.rstrip().endswith(("]", ")")) and "," not in first
    )


# Lines: one label each, or a table.


def _of_lines(lines: Sequence[str], suffix: str, where: str) -> tuple[str, Labels]:
    stripped = [line.strip() for line in lines if len(lines) > 1 or line.strip()]
    for line in stripped:
        if line.startswith("{") or line.endswith("{") or line in ("}", "},", "[", "]", "<html>"):
            raise ValueError(
                f"{where}: {shown(line)!r} is no label, but part of a table in some notation. Give one label a line, a "
                "CSV of index and label, JSON, or YAML."
            )
    if not stripped or "" in stripped:
        return "one label a line", Labels(tuple(stripped))
    for read in (_wordnet_lines, _table, _numbered_lines, _lines_with_numbers_last):
        found = read(stripped, suffix, where)
        if found is not None:
            return found
    return "one label a line", Labels(tuple(_unquoted(stripped)))


def _wordnet_lines(lines: Sequence[str], suffix: str, where: str) -> tuple[str, Labels] | None:
    """`n01440764 tench, Tinca tinca`: an id, then the name."""
    found = [re.fullmatch(r"(n\d{8})[\s,;:]+(.+)", line) for line in lines]
    pairs = [(one[1], one[2]) for one in found if one is not None]
    if len(pairs) != len(lines):
        return None
    ids, names = zip(*pairs, strict=True)
    if len(pairs) > 1 and all(re.match(r"\d+\s", name) for name in names):
        raise ValueError(
            f"{where} gives each class a WordNet id and a number of its own, and it is not said which of the two the "
            "network goes by. Give the labels alone, in class order."
        )
    return "WordNet ids and labels", Labels(tuple(_unquoted(names)), tuple(ids))


def _numbered_lines(lines: Sequence[str], suffix: str, where: str) -> tuple[str, Labels] | None:
    """`0 bee` or `0: bee`; of two ways round, of commas and of semicolons `_table` takes care."""
    found = [re.fullmatch(r"""(["']?)(\d{1,9})\1(?:\s*[:=)]\s*|\s*[-.]\s+|\s+)(.+?),?""", line) for line in lines]
    pairs: Pairs = [(int(one[2]), one[3]) for one in found if one is not None]
    numbers = [index for index, _ in pairs]
    if len(pairs) != len(lines) or numbers not in (list(range(len(lines))), list(range(1, len(lines) + 1))):
        return None
    if len({label for _, label in pairs}) < len(pairs) or len(pairs) == 1:
        # Names that differ by their number alone, as coins do.
        return None
    names, findings = numbered(pairs, where)
    return "index and label on each line", Labels(tuple(_unquoted([str(name) for name in names])), findings=findings)


def _lines_with_numbers_last(lines: Sequence[str], suffix: str, where: str) -> tuple[str, Labels] | None:
    """`airfield 0`, counting from 0 in their order; names that differ by their number alone stay as they are."""
    found = [re.fullmatch(r"(\S.*?)[\s:=]+(\d{1,9})", line) for line in lines]
    pairs = [(one[1], int(one[2])) for one in found if one is not None]
    names = [name for name, _ in pairs]
    if len(lines) < 2 or [index for _, index in pairs] != list(range(len(lines))) or len(set(names)) < len(names):
        return None
    return "label and index on each line", Labels(tuple(_unquoted(names)))


def _table(lines: Sequence[str], suffix: str, where: str) -> tuple[str, Labels] | None:
    """A table of index and label, in any order of columns, with or without a header; None where it is none."""
    for separator in ("\t", ";", ","):
        try:
            read = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
        except csv.Error:
            continue
        rows = [[cell.strip() for cell in row] for row in read]
        rows = [row[:-1] if row[-1:] == [""] else row for row in rows]
        widths = {len(row) for row in rows}
        if len(rows) == len(lines) and (len(widths) == 1 or _indexed(rows)):
            found = _from_rows(rows, separator, suffix, where)
            if found is not None:
                return found
    return None


def _indexed(rows: Sequence[Sequence[str]]) -> bool:
    return sum(bool(row) and row[0].isdecimal() for row in rows) >= max(1, len(rows) - 1)


def _from_rows(rows: list[list[str]], separator: str, suffix: str, where: str) -> tuple[str, Labels] | None:
    header, body = [], rows
    if _is_header(rows):
        header, body = [cell.lower() for cell in rows[0]], rows[1:]
    if not body:
        return None
    if max(map(len, rows)) == 1:
        known = header and header[0] in NAME_COLUMNS
        return (f"one label a line below {rows[0][0]!r}", Labels(tuple(row[0] for row in body))) if known else None
    width = len(header or body[0])
    if len({len(row) for row in body} | {width}) > 1:
        # Commas that nobody has put into quotes: what stands behind the index is the label.
        body = [[row[0], f"{separator} ".join(row[1:])] for row in body]
        width = 2
        if header and len(header) != 2:
            raise _no_table(where)
    columns = [_whole(cells) for cells in zip(*body, strict=True)]
    index = _index_column(columns, header)
    ids = next((place for place, cells in enumerate(columns) if all(map(WORDNET_ID.fullmatch, cells))), None)
    others = [place for place in range(width) if place not in (index, ids)]
    if len(others) > 1:
        others = [place for place in others if header and header[place] in NAME_COLUMNS][:1]
    if index is None and ids is None and not header:
        if any(all(cell.isdecimal() for cell in cells) for cells in columns) and len(body) > 1:
            raise ValueError(f"{where} must number its {len(body)} labels from 0 to {len(body) - 1}, each once.")
        # Names with commas in them, as ImageNet's have, unless the file says that it is a table.
        if suffix in (".csv", ".tsv"):
            raise _no_table(where)
        return None
    if not others:
        raise _no_table(where)
    return _arranged(columns, index, ids, others[0], "a table with a header" if header else "a table", where)


def _whole(cells: Sequence[str]) -> Sequence[str]:
    """Cells of whole numbers without the point that spreadsheets give them: '3' for '3.0'."""
    whole = [re.fullmatch(r"(\d{1,9})(?:\.0*)?", cell) for cell in cells]
    return cells if None in whole else [one[1] for one in whole if one is not None]


def _arranged(
    columns: Sequence[Sequence[str]], index: int | None, ids: int | None, name: int, form: str, where: str
) -> tuple[str, Labels]:
    order, findings = list(range(len(columns[name]))), ()
    if index is not None:
        found, findings = numbered(list(zip(columns[index], order, strict=True)), where)
        order = [place for place in found if isinstance(place, int)]
    names = tuple(columns[name][place] for place in order)
    known = tuple(columns[ids][place] for place in order) if ids is not None else None
    return f"{form} of {'index and ' if index is not None else ''}label", Labels(names, known, findings)


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: by their usual names, or where only the rows below have an index."""
    first = [cell.lower() for cell in rows[0]]
    if any(cell in (*NAME_COLUMNS, *INDEX_COLUMNS) for cell in first) and not any(cell.isdecimal() for cell in first):
        return True
    below = rows[1:]
    if len(first) < 2 or not below or any(len(row) != len(first) for row in below):
        return False
    return any(not first[place].isdecimal() and _counts([row[place] for row in below]) for place in range(len(first)))


def _index_column(columns: Sequence[Sequence[str]], header: Sequence[str]) -> int | None:
    named = [place for place, cell in enumerate(header) if cell in INDEX_COLUMNS]
    if named and all(cell.isdecimal() for cell in columns[named[0]]):
        return named[0]
    counting = [place for place, cells in enumerate(columns) if _counts(cells)]
    return counting[0] if counting else None


def _counts(cells: Sequence[str]) -> bool:
    """Whether a column numbers its rows, from 0 or from 1 on, in any order."""
    if not all(cell.isdecimal() and cell.isascii() and len(cell) < 10 for cell in cells):
        return False
    numbers = sorted(map(int, cells))
    return numbers in (list(range(len(cells))), list(range(1, len(cells) + 1)))


def _no_table(where: str) -> ValueError:
    return ValueError(
        f"{where}: it cannot be told which of its columns are the labels. Give two columns, index and label, with a "
        "header, or one label a line."
    )


def _unquoted(lines: Sequence[str]) -> list[str]:
    """Lines without the quotes, and commas, that all of them have."""
    plain = [line.removesuffix(",").strip() for line in lines]
    for quote in "\"'":
        if all(len(line) > 1 and line[0] == line[-1] == quote and quote not in line[1:-1] for line in plain):
            return [line[1:-1].strip() for line in plain]
    return plain if all(line.endswith(",") for line in lines[:-1]) and len(lines) > 1 else list(lines)
