"""A photograph's cells drawn twice: as a mosaic of pictures, and coloured by what each adds to the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st
from jaxtyping import Float, Int, UInt8

from interp.channels import CellGrid
from interp.figures import style
from pages.parts.kit import markup

TILE = 96
"""Pixels of a picture in a cell, enough for it to be enlarged when it is pointed at."""

HueCount = Literal["one", "two"]


@dataclass(frozen=True, eq=False)
class Mosaic:
    """What is drawn of a grid of cells.

    `shown` is which of `pictures` each cell shows, by its key; a cell whose picture is not there shows the photograph.
    `sides` are the shares of a cell's side that its picture takes. `titles` says of each cell what is read when it is
    pointed at, row by row, and `chosen` is the cell that was clicked.
    """

    grid: CellGrid
    photograph: UInt8[np.ndarray, "h w 3"]
    pictures: Mapping[int, UInt8[np.ndarray, "_ _ 3"]]
    shown: Int[np.ndarray, "u v"]
    sides: Float[np.ndarray, "u v"]
    titles: tuple[str, ...]
    title: str
    chosen: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Coloured:
    """What the cells' colours say: a number in logits for each, in one colour (above zero only) or in two.

    `ends` names what the largest value speaks for, and the smallest.
    """

    values: Float[np.ndarray, "u v"]
    colours: HueCount
    title: str
    ends: tuple[str, str]

    @property
    def end(self) -> float:
        """Where the colour scale ends, in logits."""
        values = self.values if self.colours == "two" else -self.values.clip(min=0)
        return float(np.abs(values).max())


def draw(mosaic: Mosaic, coloured: Coloured) -> None:
    """Draw both grids as one element; a click on a cell says `cell:` with its row and column."""
    st.html(html(mosaic, coloured))


def html(mosaic: Mosaic, coloured: Coloured) -> str:
    """Both grids; each distinct picture is in it once."""
    height, width = mosaic.photograph.shape[:2]
    rows, columns = (mosaic.grid.edges(1000, 0), mosaic.grid.edges(1000, 1))
    layout = (
        f"aspect-ratio:{width}/{height};grid-template-columns:{_tracks(columns)};grid-template-rows:{_tracks(rows)}"
    )
    used = sorted(set(mosaic.shown.flatten().tolist()) & set(mosaic.pictures))
    places = [(row, column) for row in range(len(rows)) for column in range(len(columns))]
    cells = [
        {
            "row": row,
            "column": column,
            "title": title,
            "read": title.replace("\n", "; "),
            "chosen": (row, column) == mosaic.chosen,
            **_tile(mosaic, row, column, (rows[row], columns[column])),
            "value": f"row {row}, column {column}: {coloured.values[row, column]:+.3g} logits",
            "colour": colour,
        }
        for (row, column), title, colour in zip(places, mosaic.titles, _colours(coloured), strict=True)
    ]
    return markup.html(
        "mosaic.html",
        mosaic=mosaic,
        coloured=coloured,
        cells=cells,
        layout=layout,
        photo=markup.url(markup.blocks(mosaic.photograph, 300 if width < 100 else width)),
        grounds=[(one, mosaic.pictures[one]) for one in used],
        tile=TILE,
        stops=_stops(coloured),
    )


def _tracks(edges: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"minmax(0,{stop - start}fr)" for start, stop in edges)


def _tile(
    mosaic: Mosaic, row: int, column: int, window: tuple[tuple[int, int], tuple[int, int]]
) -> dict[str, int | str | None]:
    """Which picture a cell shows, None for the photograph's part, and in what size."""
    side = float(mosaic.sides[row, column])
    size = "" if side >= 1 else f"--s:{side:.2f};"
    picture = int(mosaic.shown[row, column])
    if picture in mosaic.pictures:
        return {"picture": picture, "style": size}
    return {"picture": None, "style": f"{size}background-image:var(--photo);{_part(window)}"}


def _part(window: tuple[tuple[int, int], tuple[int, int]]) -> str:
    """The style by which an element's ground is the window's part of a picture of 1000 × 1000."""
    (top, bottom), (left, right) = window
    down, across = bottom - top, right - left
    x, y = (100 * start / max(1000 - length, 1) for start, length in ((left, across), (top, down)))
    return f"background-size:{1e5 / across:.1f}% {1e5 / down:.1f}%;background-position:{x:.1f}% {y:.1f}%"


def _colours(coloured: Coloured) -> list[str]:
    """The cells' colours over the photograph, row by row."""
    values = coloured.values.flatten() / (coloured.end or 1.0)
    if coloured.colours == "one":
        values = values.clip(min=0)
    return [_css(one) for one in style.colours(style.signed_glaze(), (values + 1) / 2)]


def _css(colour: UInt8[np.ndarray, " rgba"]) -> str:
    red, green, blue, opacity = colour.tolist()
    return f"rgba({red},{green},{blue},{opacity / 255:.2f})"


def _stops(coloured: Coloured) -> str:
    """The scale's colours from its lower end to its upper one."""
    lowest = 0.5 if coloured.colours == "one" else 0.0
    return ",".join(_css(one) for one in style.colours(style.signed_glaze(), np.linspace(lowest, 1, 11)))
