"""A photograph's cells drawn twice: as a mosaic of pictures, and coloured by what each adds to the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
import streamlit as st
from jaxtyping import Float, Int, UInt8

from interp.channels import CellGrid
from interp.figures import style
from pages.parts.cards.making import address
from pages.parts.channels.cards import shrunk

TILE = 96
"""Pixels of a picture in a cell, enough for it to be enlarged when it is pointed at."""

CSS = f"""<style>
.cells{{display:flex;gap:18px;flex-wrap:wrap;align-items:flex-start;font-size:12.5px;line-height:1.4}}
.cells figure{{margin:0;flex:2 1 260px;min-width:0}} .cells figure:first-child{{flex:3 1 340px}}
.cells figcaption{{margin-bottom:4px}}
.cells .grid{{display:grid;gap:1px;position:relative}}
.cells button{{padding:0;margin:0;border:0;background:none;min-width:0;min-height:0;position:relative;cursor:pointer}}
.cells i{{position:absolute;inset:calc((1 - var(--s,1)) * 50%);background-size:cover;background-position:center;
border-radius:1px;transition:transform .1s}}
.cells button:hover{{z-index:3}} .cells .mosaic button:hover i{{transform:scale(2.2);box-shadow:0 0 6px #000}}
.cells .chosen{{z-index:2;outline:2px solid {style.OUTLINE_COLOR};box-shadow:0 0 0 3.5px #000}}
.cells button:focus-visible{{z-index:2;outline:3px solid #0072B2}}
.cells .map button:hover{{outline:2px solid #fff}}
.cells .mosaic{{background:rgba(128,128,128,.18)}} .cells .map{{gap:0}}
.cells .map::before{{content:"";position:absolute;inset:0;background:var(--photo) 0 0/100% 100%;filter:grayscale(1)}}
.cells .bar{{height:12px;border-radius:3px;margin-top:8px}}
.cells .ends{{display:flex;justify-content:space-between;gap:8px}}
</style>"""

Colours = Literal["one", "two"]


@dataclass(frozen=True, eq=False)
class Mosaic:
    """What is drawn of a grid of cells.

    `shown` is which of `pictures` each cell shows, by its key; a cell whose picture is not there shows the photograph.
    `sides` are the shares of a cell's side that its picture takes. `told` says of each cell what is read when it is
    pointed at, row by row, and `chosen` is the cell that was clicked.
    """

    grid: CellGrid
    photograph: UInt8[np.ndarray, "h w 3"]
    pictures: Mapping[int, UInt8[np.ndarray, "_ _ 3"]]
    shown: Int[np.ndarray, "u v"]
    sides: Float[np.ndarray, "u v"]
    told: tuple[str, ...]
    title: str
    chosen: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Coloured:
    """What the cells' colours say: a number in logits for each, in one colour (above zero only) or in two.

    `ends` names what the largest value speaks for, and the smallest.
    """

    values: Float[np.ndarray, "u v"]
    colours: Colours
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
    small = "".join(
        f".cells .p{one}{{background-image:url({address(shrunk(mosaic.pictures[one], TILE), TILE // 2)})}}"
        for one in used
    )
    photo = address(mosaic.photograph, 300 if width < 100 else width)
    own = f"<style>.cells{{--photo:url({photo})}}{small}</style>"
    places = [(row, column) for row in range(len(rows)) for column in range(len(columns))]
    tiles = "".join(
        _tile(mosaic, row, column, (rows[row], columns[column]), told)
        for (row, column), told in zip(places, mosaic.told, strict=True)
    )
    patches = "".join(
        _patch(mosaic, row, column, colour, float(coloured.values[row, column]))
        for (row, column), colour in zip(places, _colours(coloured), strict=True)
    )
    return (
        f'{CSS}{own}<div class="cells"><figure><figcaption>{escape(mosaic.title)}</figcaption>'
        f'<div class="grid mosaic" style="{layout}">{tiles}</div></figure>'
        f"<figure><figcaption>{escape(coloured.title)}</figcaption>"
        f'<div class="grid map" style="{layout}">{patches}</div>{_legend(coloured)}</figure></div>'
    )


def _tracks(edges: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"minmax(0,{stop - start}fr)" for start, stop in edges)


def _tile(mosaic: Mosaic, row: int, column: int, window: tuple[tuple[int, int], tuple[int, int]], told: str) -> str:
    side = float(mosaic.sides[row, column])
    size = "" if side >= 1 else f"--s:{side:.2f};"
    picture = int(mosaic.shown[row, column])
    if picture in mosaic.pictures:
        inside = f'<i class="p{picture}" style="{size}"></i>'
    else:
        inside = f'<i style="{size}background-image:var(--photo);{_part(window)}"></i>'
    return f"<button{_said(mosaic, row, column, told)}>{inside}</button>"


def _part(window: tuple[tuple[int, int], tuple[int, int]]) -> str:
    """The style by which an element's ground is the window's part of a picture of 1000 × 1000."""
    (top, bottom), (left, right) = window
    down, across = bottom - top, right - left
    x, y = (100 * start / max(1000 - length, 1) for start, length in ((left, across), (top, down)))
    return f"background-size:{1e5 / across:.1f}% {1e5 / down:.1f}%;background-position:{x:.1f}% {y:.1f}%"


def _patch(mosaic: Mosaic, row: int, column: int, colour: str, value: float) -> str:
    said = _said(mosaic, row, column, f"row {row}, column {column}: {value:+.3g} logits")
    return f'<button{said} tabindex="-1" style="background:{colour}"></button>'


def _said(mosaic: Mosaic, row: int, column: int, told: str) -> str:
    """The attributes by which a cell is read and clicked."""
    chosen = ' class="chosen"' if (row, column) == mosaic.chosen else ""
    label = escape(told.replace("\n", "; "))
    return f'{chosen} data-click="cell:{row},{column}" title="{escape(told)}" aria-label="{label}"'


def _colours(coloured: Coloured) -> list[str]:
    """The cells' colours over the photograph, row by row."""
    values = coloured.values.flatten() / (coloured.end or 1.0)
    if coloured.colours == "one":
        values = values.clip(min=0)
    return [_css(one) for one in style.colours(style.signed_glaze(), (values + 1) / 2)]


def _css(colour: UInt8[np.ndarray, " rgba"]) -> str:
    red, green, blue, opacity = colour.tolist()
    return f"rgba({red},{green},{blue},{opacity / 255:.2f})"


def _legend(coloured: Coloured) -> str:
    """The scale with raw magnitudes at its ends; or that there is nothing to see."""
    if not coloured.end:
        said = "every cell is zero or against: nothing speaks for it" if coloured.values.any() else "zero in every cell"
        return f'<div class="ends"><span>{said}</span></div>'
    lowest = 0.5 if coloured.colours == "one" else 0.0
    stops = ",".join(_css(one) for one in style.colours(style.signed_glaze(), np.linspace(lowest, 1, 11)))
    best, worst = (escape(one) for one in coloured.ends)
    left = "0" if coloured.colours == "one" else f"−{coloured.end:.3g} {worst}"
    middle = "" if coloured.colours == "one" else "<span>0</span>"
    return (
        f'<div class="bar" style="background:linear-gradient(to right,{stops}),#c4c4c4"></div>'
        f'<div class="ends"><span>{left}</span>{middle}<span style="text-align:right">+{coloured.end:.3g} {best}'
        "</span></div>"
    )
