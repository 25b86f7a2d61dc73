"""What the map of an activation atlas shows, and what of it could not be drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CellPlace = tuple[int, int, int]
"""A cell's place: the grid of its level, its row and its column."""


@dataclass(frozen=True)
class DrawnCell:
    """A cell of a level, in `row` and `column` from 0, row 0 at the top.

    `count` samples lie in it. `mixedness` in [0, 1] is 0 where all have one label. `label` is an index into the atlas's
    labels, or -1 for none. `top` are classes and what the cell's mean argues for each, in logits, the largest first:
    the first five are shown and searched, a path's curves read them all. `value` is the attribution to the class that
    the reader has chosen, if any. A cell is `marked` where its inverted picture drives it no more than real patches do.
    """

    row: int
    column: int
    count: int
    mixedness: float
    label: int = -1
    top: tuple[tuple[int, float], ...] = ()
    value: float | None = None
    marked: bool = False


@dataclass(frozen=True)
class DrawnLevel:
    """A grid of `grid` × `grid` places, with those cells that hold samples.

    `inverted` and `patches` are their pictures: sheets of square tiles, each as a data URL, with the tiles in the order
    of the cells, `columns` a row, each `tile` pixels wide, `sheet` tiles in each but the last; all in one where that is
    None. A sheet is "" while there is none yet, and without any there are no such pictures. `ready` says of each cell
    whether its inverted picture is made; None: all are, on the sheets that are there.
    """

    grid: int
    cells: tuple[DrawnCell, ...]
    tile: int
    columns: int
    inverted: tuple[str, ...] = ()
    patches: tuple[str, ...] = ()
    sheet: int | None = None
    ready: tuple[bool, ...] | None = None

    @property
    def per_sheet(self) -> int:
        """So many tiles a full sheet has."""
        return self.sheet or max(1, len(self.cells))


@dataclass(frozen=True)
class MapPoint:
    """A place on the map that is lit, from 0 to 1 from the left and from the top; `group` is named in the legend."""

    x: float
    y: float
    group: str = ""


@dataclass(frozen=True)
class DrawnAtlas:
    """Levels from coarse to fine, the names of the classes, and places that are lit.

    `value_title` says what the cells' `value` is; its scale is from -`value_end` to `value_end`, where None is the
    largest magnitude. Raises `ValueError` for what cannot be drawn: no level, or one that is not finer than the last; a
    place outside its grid, or twice; a number that is not finite, or outside its range; a class without a name;
    pictures that are too few, or not in a data URL, which the browser would have to ask somebody for.
    """

    levels: tuple[DrawnLevel, ...]
    labels: tuple[str, ...]
    points: tuple[MapPoint, ...] = ()
    value_title: str = ""
    value_end: float | None = None

    def __post_init__(self) -> None:
        if not self.levels:
            raise ValueError("An atlas has no level: give at least one.")
        last = 0
        for level in self.levels:
            if level.grid <= last:
                raise ValueError(
                    f"A level of {level.grid} × {level.grid} follows one of {last}: give them coarse to fine."
                )
            last = level.grid
            _check_level(level, len(self.labels))
        for i, point in enumerate(self.points):
            if not (0 <= point.x <= 1 and 0 <= point.y <= 1):
                raise ValueError(f"Point {i} lies at ({point.x}, {point.y}), outside of the map, which is from 0 to 1.")
        if self.value_end is not None and not (math.isfinite(self.value_end) and self.value_end > 0):
            raise ValueError(f"The end of the values' scale is {self.value_end}: give a finite one above 0.")


def places_of(atlas: DrawnAtlas) -> set[CellPlace]:
    """The places of all cells, on all levels."""
    return {(level.grid, cell.row, cell.column) for level in atlas.levels for cell in level.cells}


def _check_level(level: DrawnLevel, classes: int) -> None:
    name = f"level {level.grid} × {level.grid}"
    if level.tile < 1 or level.columns < 1 or (level.sheet is not None and level.sheet < 1):
        raise ValueError(f"The tiles of {name} are {level.tile} pixels wide, {level.columns} a row: give at least 1.")
    places = set()
    for cell in level.cells:
        place = (cell.row, cell.column)
        if not (0 <= cell.row < level.grid and 0 <= cell.column < level.grid):
            raise ValueError(f"The cell at row {cell.row}, column {cell.column} lies outside of {name}.")
        if place in places:
            raise ValueError(f"The cell at row {cell.row}, column {cell.column} is twice in {name}.")
        places.add(place)
        _check_cell(cell, f"cell at row {cell.row}, column {cell.column} of {name}", classes)
    if level.ready is not None and len(level.ready) != len(level.cells):
        raise ValueError(f"{len(level.ready)} cells of {name} are ready or not; it has {len(level.cells)}.")
    sheets = -(-len(level.cells) // level.per_sheet)
    for what, urls in (("inverted pictures", level.inverted), ("real patches", level.patches)):
        if urls and len(urls) != sheets:
            raise ValueError(
                f"The {what} of {name} are on {len(urls)} sheets; its {len(level.cells)} cells need {sheets}."
            )
        _check_urls(urls, f"{what} of {name}")


def _check_cell(cell: DrawnCell, name: str, classes: int) -> None:
    if cell.count < 1:
        raise ValueError(f"The {name} holds {cell.count} samples: leave out those without any.")
    if not 0 <= cell.mixedness <= 1:
        raise ValueError(f"The mixedness of the {name} is {cell.mixedness}, which is not from 0 to 1.")
    if not -1 <= cell.label < classes:
        raise ValueError(f"The label of the {name} is {cell.label}; there are {classes} names.")
    if unknown := [number for number, _ in cell.top if not 0 <= number < classes]:
        raise ValueError(f"The {name} argues for class {unknown[0]}; there are {classes} names.")
    attributions = [attribution for _, attribution in cell.top]
    _check_finite([*attributions, *([] if cell.value is None else [cell.value])], name)
    if attributions != sorted(attributions, reverse=True):
        raise ValueError(f"The top classes of the {name} are not in order: the largest comes first.")


def _check_finite(numbers: Iterable[float], name: str) -> None:
    for number in numbers:
        if not math.isfinite(number):
            raise ValueError(f"An attribution of the {name} is {number}, which is not finite.")


def _check_urls(urls: Sequence[str], name: str) -> None:
    if wrong := [url for url in urls if url and not url.startswith("data:image/")]:
        raise ValueError(f"A sheet of {name} is no data URL: {wrong[0][:40]!r}.")
