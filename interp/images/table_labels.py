"""The labels, class indices and numbers in a row of a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from interp.images.problems import Problems, printable
from interp.images.table_columns import GAPS, WHOLE, Columns, number
from interp.images.table_text import Sheet, counted, plain
from interp.text_files import composed
from interp.types import Finding

SEPARATORS = ("|", ";")
ERRORS = frozenset({"#n/a", "#value!", "#name?", "#ref!", "#div/0!", "#null!", "#num!"})


class RowLabels(NamedTuple):
    """What a row says of its picture: its label in each form, its numbers, and where it has several all its labels."""

    forms: dict[str, str | None]
    numbers: dict[str, float]
    several: frozenset[str] | None


class LabelReader:
    """Reads the labels of one table's rows; impossible class indices are problems, and the picture stays."""

    def __init__(self, sheet: Sheet, columns: Columns, name: str, problems: Problems) -> None:
        self._sheet, self._columns, self._name, self._problems = sheet, columns, name, problems
        self._commas = sheet.delimiter != ","
        self._findings: list[Finding] = []
        self._seen: Counter[str] = Counter()
        self._label_is_number = self._all_numbers(columns.label)
        self._between = self._several()
        self._only = self._one_flag()
        self._numbers = [(sheet.columns[place], place) for place in columns.numbers]

    @property
    def findings(self) -> list[Finding]:
        """What was guessed and changed, once the rows are read."""
        said = {
            "error": "with an error of the spreadsheet, such as #N/A, in place of text: missing",
            "gap": "of 'nan' or the like among labels that are numbers: missing",
            "formula": 'written as a formula of text, ="…": read as that text',
        }
        found = [
            Finding("changed", f"{self._name}: {counted(self._seen[kind], 'cell')} {text}.")
            for kind, text in said.items()
            if self._seen[kind]
        ]
        return [*self._findings, *found]

    def cell(self, cells: Sequence[str], place: int | None) -> str | None:
        """The text of a cell, None where there is none."""
        if place is None or place >= len(cells):
            return None
        text = cells[place].strip()
        if text[:1] not in ("=", "#"):
            return composed(text) or None
        if text.startswith("="):
            quoted = re.fullmatch(r'="(.*)"', text)
            if quoted is not None:
                self._seen["formula"] += 1
                text = quoted[1].strip()
        if text.startswith("#") and text.casefold() in ERRORS:
            self._seen["error"] += 1
            return None
        return composed(text) or None

    def of(self, line: int, cells: Sequence[str]) -> RowLabels:
        """The labels and numbers of one row."""
        columns = self._columns
        label = self.cell(cells, columns.label)
        if label is not None and self._label_is_number:
            if label.casefold() in GAPS:
                self._seen["gap"] += 1
                label = None
            else:
                label = label.partition(".")[0]
        several = None
        if self._between:
            parts = [part for place, between in self._between for part in self._parts(self.cell(cells, place), between)]
            several = frozenset(parts) or None
            if columns.label is None or any(place == columns.label for place, _ in self._between):
                label = parts[0] if parts else None
        numbers = {
            column: value for column, place in self._numbers if (value := self._number(cells, place)) is not None
        }
        if self._only:
            label = next((self._sheet.columns[place] for place in columns.flags if self._number(cells, place)), None)
        forms = {"wnid": self.cell(cells, columns.wnid), "label": label, "class_index": self._index(line, cells)}
        return RowLabels(forms, numbers, several)

    def _number(self, cells: Sequence[str], place: int) -> float | None:
        return number(cells[place].strip(), commas=self._commas) if place < len(cells) else None

    def _index(self, line: int, cells: Sequence[str]) -> str | None:
        text = self.cell(cells, self._columns.index)
        if text is None:
            return None
        if WHOLE.fullmatch(text) and text.isascii():
            return str(int(text.partition(".")[0])) if len(text) < 12 else text.partition(".")[0]
        reason = f"The class index is {text[:40]!r}; give a whole number from 0 on. The picture counts as unlabelled."
        self._problems.add("impossible class indices", f"{self._name}, line {line}", reason)
        return None

    def _values(self, place: int) -> set[str]:
        return {row[place].strip() for row in self._sheet.rows if place < len(row)} - {""}

    def _all_numbers(self, place: int | None) -> bool:
        """Whether the labels are whole numbers, some of them written as 3.0, or with gaps among them."""
        if place is None:
            return False
        values = self._values(place)
        whole = [value for value in values if WHOLE.fullmatch(value)]
        odd = len(whole) < len(values) or any("." in value for value in whole)
        numbers = bool(whole) and odd and all(value.casefold() in GAPS or WHOLE.fullmatch(value) for value in values)
        if numbers and any("." in value for value in whole):
            said = f"{self._name}: labels that are whole numbers are read without the point: '3.0' is '3'."
            self._findings.append(Finding("changed", said))
        return numbers

    def _several(self) -> list[tuple[int, str]]:
        """The columns of several labels, each with what stands between two in one cell; none where there is one."""
        label = self._columns.label
        places = sorted(self._columns.several, key=lambda place: self._sheet.columns[place])
        found = [(place, self._separator(place)) for place in places]
        if label is not None:
            between = self._separator(label)
            if between or found:
                found.insert(0, (label, between))
        for place, between in found:
            if between:
                column = repr(printable(self._sheet.columns[place])[:60])
                said = f"{self._name}: several labels in one cell of {column} stand between {between!r}."
                kind = "recognized" if between in SEPARATORS else "guessed"
                self._findings.append(Finding(kind, said, "labels between '|'"))
        return found

    def _separator(self, place: int) -> str:
        values = self._values(place)
        if values and all(value[0] == "[" and value[-1] == "]" for value in values):
            return "[,]"
        for one in SEPARATORS:
            if one != self._sheet.delimiter and any(one in value for value in values):
                return one
        column = plain(self._sheet.columns[place])
        if place not in self._columns.several:
            return ""
        if any("," in value for value in values):
            return "," if column == "tags" or self._recur(values, ",") else ""
        return " " if column == "tags" and any(" " in value for value in values) else ""

    def _recur(self, values: set[str], between: str) -> bool:
        """Whether most parts of the cells stand in other cells too, as labels do and synonyms do not."""
        counts = Counter(part for value in values for part in {one.strip() for one in value.split(between)})
        return sum(count > 1 for count in counts.values()) * 2 > len(counts)

    def _parts(self, cell: str | None, between: str) -> list[str]:
        if cell is None:
            return []
        if between == "[,]":
            parts = [part.strip().strip("\"'") for part in cell[1:-1].split(",")]
        else:
            parts = cell.split(between) if between else [cell]
        return [part.strip() for part in parts if part.strip()]

    def _one_flag(self) -> bool:
        """Whether columns of 0 and 1 give each picture exactly one class, and nothing else gives it one."""
        columns = self._columns
        labelled = any(place is not None for place in (columns.label, columns.wnid, columns.index)) or self._between
        if len(columns.flags) < 2 or labelled:
            return False
        ones = all([self._number(row, place) for place in columns.flags].count(1) == 1 for row in self._sheet.rows)
        if ones:
            said = (
                f"{self._name}: in each row one of the {len(columns.flags)} columns of 0 and 1 is 1; its name is the "
                "label."
            )
            self._findings.append(Finding("guessed", said, "a column 'label'"))
        return ones
