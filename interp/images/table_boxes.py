"""Boxes in tables: which columns hold them, in the forms of the usual tools, and each row's box."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from interp.images.table_columns import number
from interp.images.table_text import Sheet, plain
from interp.types import Finding

Edges = tuple[float, float, float, float]
BoxForm = Literal["corners", "corner and size", "centre and size"]
Unit = Literal["pixels", "shares"]

# Their four columns in the order in which they are read below.
_COLUMNS: tuple[tuple[tuple[str, ...], BoxForm], ...] = (
    (("xmin", "ymin", "xmax", "ymax"), "corners"),
    (("x1", "y1", "x2", "y2"), "corners"),
    (("left", "top", "right", "bottom"), "corners"),
    (("bboxxmin", "bboxymin", "bboxxmax", "bboxymax"), "corners"),
    (("bboxx1", "bboxy1", "bboxx2", "bboxy2"), "corners"),
    (("xcenter", "ycenter", "width", "height"), "centre and size"),
    (("xcentre", "ycentre", "width", "height"), "centre and size"),
    (("cx", "cy", "w", "h"), "centre and size"),
    (("bboxx", "bboxy", "bboxwidth", "bboxheight"), "corner and size"),
    (("bboxx", "bboxy", "bboxw", "bboxh"), "corner and size"),
    (("x", "y", "w", "h"), "corner and size"),
    (("left", "top", "width", "height"), "corner and size"),
    (("x", "y", "width", "height"), "corner and size"),
    (("xmin", "ymin", "width", "height"), "corner and size"),
    (("xmin", "ymin", "w", "h"), "corner and size"),
)
_SIZES = (("imagewidth", "imageheight"), ("imgwidth", "imgheight"), ("width", "height"))
_ONE_CELL = ("bbox", "box", "boundingbox", "region")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class BoxColumns:
    """Where a table's boxes stand, four columns or one, and where the pictures' sizes; `unit` is None without boxes."""

    places: tuple[int, ...] = ()
    form: BoxForm = "corners"
    size: tuple[int, int] | None = None
    unit: Unit | None = None
    commas: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def taken(self) -> frozenset[int]:
        """The places of the columns that are used."""
        return frozenset((*self.places, *(self.size or ()))) if self.unit else frozenset()

    def given(self, row: Sequence[str]) -> bool:
        """Whether a row has anything where the box stands."""
        return self.unit is not None and any(place < len(row) and row[place].strip() for place in self.places)

    def box(self, row: Sequence[str]) -> Edges | None:
        """A row's box as left, top, right and bottom; None where there is none, or none that is possible."""
        four = self._four(row)
        if four is None:
            return None
        first, second, third, fourth = four
        if self.form == "corner and size":
            four = (first, second, first + third, second + fourth)
        elif self.form == "centre and size":
            four = (first - third / 2, second - fourth / 2, first + third / 2, second + fourth / 2)
        return four if four[2] > four[0] and four[3] > four[1] else None

    def picture_size(self, row: Sequence[str]) -> tuple[int, int] | None:
        """The width and height of the row's picture, where the table gives them."""
        if self.size is None or self.unit is None or max(self.size) >= len(row):
            return None
        sides = [number(row[place].strip(), commas=self.commas) for place in self.size]
        if any(side is None or side < 1 or side != int(side) for side in sides):
            return None
        return int(sides[0] or 0), int(sides[1] or 0)

    def _four(self, row: Sequence[str]) -> Edges | None:
        if self.unit is None or max(self.places) >= len(row):
            return None
        if len(self.places) == 1:
            found = _NUMBER.findall(row[self.places[0]])
            values = [number(one) for one in found] if len(found) == 4 else []
        else:
            values = [number(row[place].strip(), commas=self.commas) for place in self.places]
        numbers = [value for value in values if value is not None]
        return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else None


def of(sheet: Sheet, name: str) -> BoxColumns:
    """The columns of boxes of a table, if it has some; what each number is measured in is told by the largest."""
    by_name: dict[str, int] = {}
    for place, column in enumerate(sheet.columns):
        by_name.setdefault(plain(column), place)
    places, form, said = _columns(by_name, sheet)
    if not places:
        return BoxColumns()
    sizes = [(by_name[wide], by_name[high]) for wide, high in _SIZES if wide in by_name and high in by_name]
    size = next((pair for pair in sizes if not set(pair) & set(places)), None)
    commas = sheet.delimiter != "," and len(places) == 4
    found = BoxColumns(places, form, size, "pixels", commas)
    boxes = [box for row in sheet.rows if (box := found.box(row)) is not None]
    if not boxes:
        return BoxColumns()
    unit: Unit = "shares" if max(max(box) for box in boxes) <= 1 else "pixels"
    kind: Literal["recognized", "guessed"] = "recognized" if said and form == "corners" else "guessed"
    where = said or "the four columns of numbers beside each other"
    measured = "shares of the picture's sides" if unit == "shares" else "pixels"
    text = (
        f"{name}: {len(boxes):,} {'box' if len(boxes) == 1 else 'boxes'} in {where}, as {_FORMS[form]}, in {measured}."
    )
    return BoxColumns(places, form, size, unit, commas, (Finding(kind, text),))


_FORMS: Mapping[BoxForm, str] = {
    "corners": "left, top, right and bottom",
    "corner and size": "left, top, width and height",
    "centre and size": "the centre, width and height",
}


def _columns(by_name: Mapping[str, int], sheet: Sheet) -> tuple[tuple[int, ...], BoxForm, str]:
    for names, form in _COLUMNS:
        if all(one in by_name for one in names):
            places = tuple(by_name[one] for one in names)
            return places, form, ", ".join(repr(sheet.columns[place]) for place in places)
    for one in _ONE_CELL:
        place = by_name.get(one)
        if place is not None and any(place < len(row) and _is_four(row[place]) for row in sheet.rows):
            return (place,), "corner and size", repr(sheet.columns[place])
    return (_unnamed(sheet), "corners", "") if not sheet.header else ((), "corners", "")


def _is_four(cell: str) -> bool:
    return len(_NUMBER.findall(cell)) == 4 and re.fullmatch(r"[\s\[\](){},;eE\d.+-]+", cell) is not None


def _unnamed(sheet: Sheet) -> tuple[int, ...]:
    """Of columns without names four beside each other that are corners in every row which has them."""
    for start in range(len(sheet.columns) - 3):
        places = tuple(range(start, start + 4))
        found = BoxColumns(places, unit="pixels")
        given = [row for row in sheet.rows if found.given(row)]
        if given and all(found.box(row) is not None for row in given):
            return places
    return ()
