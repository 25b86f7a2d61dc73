"""What the columns of a table are: told by their usual names, and where those leave it open by what they hold."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from interp.images.problems import printable
from interp.images.table_text import (
    EXPECTED,
    FILE_COLUMNS,
    LOOKED_AT,
    SAMPLE,
    Sheet,
    counted,
    looks_like_a_picture,
    plain,
)
from interp.types import Finding

# In the order in which they count.
LABEL_COLUMNS = (
    *("label", "labelname", "classname", "class", "category", "categoryname", "target", "targetname", "species"),
    *("diagnosis", "dx", "breed", "variety", "genus", "disease", "finding", "emotion", "groundtruth", "truelabel"),
    *("classlabel", "cls", "gt", "y"),
)
SEVERAL_COLUMNS = ("labels", "tags", "classes", "categories", "findinglabels", "findings")
INDEX_COLUMNS = (
    *("classindex", "classidx", "classid", "labelid", "labelindex", "labelidx", "categoryid", "targetid"),
    *("index", "idx"),
)
WORDNET_COLUMNS = ("wnid", "synset", "wordnetid", "synsetid")
GROUP_COLUMNS = ("group", "split", "subset", "partition", "set")
ONE_OF_SEVERAL = re.compile(r"(label|class|tag|category)\d+")
WHOLE = re.compile(r"\d+(?:\.0*)?")
# What stands for a gap in columns of numbers.
SPLITS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation", "unassigned"})
# Text that is no label, where nothing says which column is.
NO_LABELS = frozenset(
    "source license url date time note notes comment comments remark description caption text author mask".split()
)
GAPS = frozenset({"", "nan", "na", "n/a", "null", "none", "#n/a", "#value!", "#name?", "#ref!", "#div/0!"})
SHOWN = 8
_TRUTH = {"true": 1.0, "false": 0.0}


@dataclass
class Columns:
    """The place of each column by what it is; `several` are those of more than one label, `flags` those of 0 and 1."""

    file: int
    label: int | None = None
    wnid: int | None = None
    index: int | None = None
    group: int | None = None
    several: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    flags: tuple[int, ...] = ()
    findings: list[Finding] = field(default_factory=list)


def number(text: str, *, commas: bool = False) -> float | None:
    """A finite number, 1 for true and 0 for false, None for other text; with `commas` a comma may be the point."""
    try:
        value = float(text.replace(",", ".", 1) if commas else text)
    except ValueError:
        return _TRUTH.get(text.casefold())
    return value if math.isfinite(value) else None


class Reader:
    """Finds out what each column of one sheet is. `taken` are places that are boxes or sizes already."""

    def __init__(self, sheet: Sheet, name: str, is_picture: Callable[[str], bool], taken: frozenset[int]) -> None:
        self._sheet, self._name, self._is_picture = sheet, name, is_picture
        self._left = {place: plain(column) for place, column in enumerate(sheet.columns) if place not in taken}
        self._findings: list[Finding] = []
        self._sample = sheet.rows[:SAMPLE]
        self._values: dict[int, set[str]] = {}

    def columns(self) -> Columns:
        """All columns. Raises `ValueError` where none holds the pictures' files."""
        self._drop_repeated()
        found = Columns(self._file())
        found.wnid = self._named(WORDNET_COLUMNS, "the WordNet id")
        self._drop_row_numbers()
        found.group = self._named(GROUP_COLUMNS, "the group")
        if found.group is None and not self._sheet.header:
            found.group = self._unnamed_group()
        several = [place for place, one in self._left.items() if ONE_OF_SEVERAL.fullmatch(one)]
        several += [place for place, one in self._left.items() if one in SEVERAL_COLUMNS]
        self._take(several)
        found.label = self._label(found, several)
        if found.index is None:
            found.index = self._named(INDEX_COLUMNS, "the class index")
        found.several = tuple(several)
        self._say_commas()
        found.numbers = tuple(place for place in self._left if self._numeric(place))
        found.flags = tuple(place for place in found.numbers if {number(one) for one in self.values(place)} <= {0, 1})
        self._take(found.numbers)
        if found.label is None and found.wnid is None and found.index is None and not several and not found.flags:
            found.label = self._only_text()
        self._name_the_rest()
        found.findings = self._findings
        return found

    def cells(self, place: int) -> list[str]:
        """All cells of a column, without spaces around them."""
        return [row[place].strip() if place < len(row) else "" for row in self._sheet.rows]

    def values(self, place: int) -> set[str]:
        """The different cells of a column that are no gaps."""
        if place not in self._values:
            cells = {row[place] for row in self._sheet.rows if place < len(row)}
            self._values[place] = {cell for one in cells if (cell := one.strip()).casefold() not in GAPS}
        return self._values[place]

    def _say(self, kind: str, text: str, setting: str | None = None) -> None:
        assert kind in ("recognized", "guessed", "left out", "changed")
        self._findings.append(Finding(kind, printable(f"{self._name}: {text}"), setting))

    def _called(self, place: int) -> str:
        if not self._sheet.columns[place]:
            return f"the column without a name (number {place + 1})"
        return repr(printable(self._sheet.columns[place])[:60])

    def _take(self, places: Sequence[int]) -> None:
        for place in places:
            self._left.pop(place, None)

    def _drop_repeated(self) -> None:
        seen: dict[str, int] = {}
        for place, column in enumerate(self._sheet.columns):
            if column and column in seen and place in self._left:
                self._left.pop(place)
                self._say("left out", f"two columns are called {self._called(place)}; the first of them counts.")
            seen.setdefault(column, place)

    def _file(self) -> int:
        """The column of the usual names that names most pictures; of equal ones the first of those names."""
        named = [place for name in FILE_COLUMNS for place, one in self._left.items() if one == name]
        vague = ("id", "key", "name", "url", "uri")
        # The other columns are looked at where those named leave it open.
        places = named if any(self._hits(place, self._is_picture) for place in named) else list(self._left)[:LOOKED_AT]
        hits = {place: self._hits(place, self._is_picture) for place in places}
        shown = {place: self._hits(place, looks_like_a_picture) for place in places}
        best = max(named, key=lambda place: (hits[place], shown[place]), default=None)
        if best is None or (not hits[best] and not shown[best] and self._left[best] in vague):
            likely = max(places, key=lambda place: (hits[place], shown[place]), default=None)
            if likely is not None and max(hits[likely], shown[likely]) * 2 > len(self._sample):
                best = likely
        if best is None:
            columns = printable(", ".join(self._sheet.columns))[:100]
            raise ValueError(f"{self._name}, line 1: its columns are {columns!r}; {EXPECTED}")
        self._take([best])
        others = [place for place in named if place != best and self._left[place] not in vague]
        if best not in named and self._sheet.header:
            self._say("guessed", f"{self._called(best)} holds the files, for its cells name pictures.", "'file'")
        elif others and best in named:
            self._say("guessed", f"{self._called(best)} holds the files, not {self._called(others[0])}.", "'file'")
        elif self._sheet.columns[best] != "file":
            self._say("recognized", f"{self._called(best)} holds the files.")
        return best

    def _hits(self, place: int, test: Callable[[str], bool]) -> int:
        return sum(test(row[place]) for row in self._sample if place < len(row) and row[place].strip())

    def _named(self, names: Sequence[str], what: str) -> int | None:
        found = [place for name in names for place, one in self._left.items() if one == name]
        if not found:
            return None
        self._left.pop(found[0])
        if len(found) > 1:
            others = ", ".join(map(self._called, found[1:]))
            said = f"{self._called(found[0])} is {what}; {others} could be it too, and comes after it in order."
            self._say("guessed", said, f"one column for {what} alone")
        elif self._sheet.columns[found[0]].casefold() != names[0]:
            self._say("recognized", f"{self._called(found[0])} is {what}.")
        return found[0]

    def _label(self, found: Columns, several: Sequence[int]) -> int | None:
        """The column of the label; of several that could be it text comes before numbers, which are class indices."""
        named = [place for name in LABEL_COLUMNS for place, one in self._left.items() if one == name]
        text = [place for place in named if not all(map(WHOLE.fullmatch, self.values(place)))]
        indices = [place for place in named if place not in text]
        ordered = [*text, *indices]
        if not ordered:
            if not self._sheet.header:
                return self._unnamed_label()
            return None
        label, *others = ordered
        self._take([label])
        if text and indices and not any(one in INDEX_COLUMNS for one in self._left.values()):
            found.index = indices[0]
            self._take([indices[0]])
            others.remove(indices[0])
            self._say("guessed", f"{self._called(label)} is the label, and {self._called(indices[0])} its number.")
        if others:
            left = ", ".join(map(self._called, others))
            why = "names come before numbers" if label in text and others[0] in indices else "comes after it in order"
            said = f"{self._called(label)} is the label, not {left}, which could be it too ({why})."
            self._say("guessed", said, "one column 'label'")
        elif plain(self._sheet.columns[label]) != "label" and found.index is None:
            self._say("recognized", f"{self._called(label)} is the label.")
        return label

    def _unnamed_group(self) -> int | None:
        for place in self._left:
            if self.values(place) and {one.casefold() for one in self.values(place)} <= SPLITS:
                self._take([place])
                self._say("guessed", f"{self._called(place)} is the group, for it holds splits.")
                return place
        return None

    def _unnamed_label(self) -> int | None:
        """Of columns without names the first that holds text, else a single one of whole numbers."""
        for place in self._left:
            values = self.values(place)
            if self._hits(place, looks_like_a_picture) * 2 > len(self._sample):
                continue
            if values and not all(number(one) is not None for one in values):
                self._take([place])
                self._say("guessed", f"{self._called(place)} is the label.", "a first line such as file,label")
                return place
        whole = [place for place in self._left if self.values(place) and all(map(WHOLE.fullmatch, self.values(place)))]
        if len(whole) != 1 or len(self._left) > 1 or self._are_names(whole[0]):
            return None
        self._take(whole)
        self._say("guessed", f"{self._called(whole[0])} is the label.", "a first line such as file,label")
        return whole[0]

    def _drop_row_numbers(self) -> None:
        """A column without a name, or called 'index', that counts the rows tells nothing of the pictures."""
        rows = len(self._sheet.rows)
        for place, one in list(self._left.items()):
            if one in ("", "index", "idx", "id", "no", "nr", "unnamed0") and rows > 1:
                cells = self.cells(place)
                if cells in ([str(i) for i in range(rows)], [str(i + 1) for i in range(rows)]):
                    if one in ("index", "idx") and not any(
                        other in (*LABEL_COLUMNS, *SEVERAL_COLUMNS, *WORDNET_COLUMNS) for other in self._left.values()
                    ):
                        continue
                    self._left.pop(place)
                    self._say("left out", f"{self._called(place)} only counts the rows.", "'class_index'")

    def _numeric(self, place: int) -> bool:
        """Whether a column holds a number somewhere and nothing else, gaps aside."""
        commas = self._sheet.delimiter != ","
        if not self._sheet.columns[place]:
            return False
        cells = self.values(place)
        return bool(cells) and all(number(cell, commas=commas) is not None for cell in cells)

    def _only_text(self) -> int | None:
        """The one column that is left, where its cells come again and again as labels do."""
        if len(self._left) != 1:
            return None
        place = next(iter(self._left))
        if not self.values(place) or self._left[place] in NO_LABELS or self._are_names(place):
            return None
        self._left.pop(place)
        self._say("guessed", f"{self._called(place)} is the label, for there is no other column of text.", "'label'")
        return place

    def _are_names(self, place: int) -> bool:
        """Whether the cells of a column are no labels: most name pictures, or stand in one row only."""
        rows = len(self._sheet.rows)
        if self._hits(place, looks_like_a_picture) * 2 > len(self._sample):
            return True
        return rows > 3 and len(self.values(place)) > rows // 2

    def _say_commas(self) -> None:
        if self._sheet.delimiter == ",":
            return
        places = [
            place for place in self._left if any("," in one for one in self.values(place)) and self._numeric(place)
        ]
        if places:
            shown = ", ".join(map(self._called, places[:SHOWN]))
            self._say("changed", f"commas in the numbers of {shown} are read as points: '1,5' is 1.5.")

    def _name_the_rest(self) -> None:
        left = [place for place in self._left if self._sheet.columns[place] or self.values(place)]
        if left:
            shown = ", ".join(map(self._called, left[:SHOWN])) + (" …" if len(left) > SHOWN else "")
            self._say("left out", f"{counted(len(left), 'column')} of neither labels nor numbers: {shown}.")
