"""An atlas as its component draws it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from jaxtyping import Float

import cache
from interp.atlas import AtlasCells, AtlasMap
from interp.figures import atlas as figures
from pages.parts.atlas.asking import AtlasResults
from pages.parts.atlas.map_view import (
    CellPlace,
    DrawnAtlas,
    DrawnCell,
    DrawnLevel,
    MapPoint,
    draw_atlas,
    sentence,
    standalone,
)
from pages.parts.kit import address

TOP = 20
"""So many classes of each cell are sent: a line across the map needs more of them than its card."""
CELL = "at.cell"


def drawn(
    found: AtlasResults, *, points: Sequence[MapPoint] = (), value: int | None = None, value_title: str = ""
) -> DrawnAtlas:
    """The map with all pictures that are there; `value` is the class whose attribution colours cells."""
    levels = []
    for number, level in enumerate(found.mapped.levels):
        marked = _marked(found, number)
        cells = cache.figure(drawn_cells, level, value, marked)
        patches = cache.figure(figures.sheets, found.patches[number]) if number < len(found.patches) else ()
        own = None if found.inverted is None else found.inverted.levels[number]
        some = own is not None and bool(own.made.any())
        levels.append(
            DrawnLevel(
                level.grid,
                cells,
                figures.TILE,
                min(figures.COLUMNS, len(cells)),
                cache.figure(figures.sheets, own.pictures) if own is not None and some else (),
                patches,
                figures.EACH,
                tuple(own.made.tolist()) if own is not None and some else None,
            )
        )
    return DrawnAtlas(tuple(levels), found.labels, tuple(points), value_title)


def _marked(found: AtlasResults, number: int) -> tuple[int, ...]:
    """The cells whose picture is made and does not beat the real patches."""
    if found.inverted is None:
        return ()
    own = found.inverted.levels[number]
    return tuple(np.flatnonzero(own.made & ~own.beats).tolist())


def drawn_cells(level: AtlasCells, value: int | None, marked: tuple[int, ...]) -> tuple[DrawnCell, ...]:
    """The cells of a level."""
    short = set(marked)
    return tuple(
        DrawnCell(
            int(level.row[one]),
            int(level.column[one]),
            int(level.count[one]),
            float(level.mixedness[one]),
            int(level.label[one]),
            largest(level.attribution[one]),
            None if value is None else float(level.attribution[one, value]),
            one in short,
        )
        for one in range(len(level))
    )


def largest(attribution: Float[np.ndarray, " c"], count: int = TOP) -> tuple[tuple[int, float], ...]:
    """The classes with the largest attributions, the largest first."""
    order = np.argsort(-attribution, kind="stable")[:count]
    return tuple((int(one), float(attribution[one])) for one in order)


def draw(
    found: AtlasResults,
    *,
    key: str,
    points: Sequence[MapPoint] = (),
    value: int | None = None,
    cell_key: str = CELL,
    height: int = 680,
) -> CellPlace | None:
    """Draw the map; gives the cell that is chosen, which is in the address."""
    title = "" if value is None else f"Attribution to {found.labels[value]}"
    shown = drawn(found, points=points, value=value, value_title=title)
    chosen = chosen_cell(found.mapped, cell_key)
    layer, photos = found.settings.sampled.layer, found.selection.photos.name
    name = f"{found.selection.classifier.name}, {layer}, {photos}"
    about = f"Activation atlas of {name}. {sentence(shown)}"

    def take(place: CellPlace | None) -> None:
        st.session_state[cell_key] = "" if place is None else "-".join(map(str, place))

    file = f"loupe-atlas-{layer}"
    draw_atlas(
        shown, key=key, label=about, on_cell=take, chosen=chosen, height=height, file_name=file,
        title=f"Activation atlas: {name}",
    )  # fmt: skip
    st.download_button(
        "As HTML",
        lambda: standalone(shown, f"Activation atlas: {name}"),
        f"{file}.html",
        icon=":material/download:",
        on_click="ignore",
        help="One file that opens and zooms without a network.",
        key=f"{key}-html",
    )
    return chosen


def chosen_cell(mapped: AtlasMap, key: str = CELL) -> CellPlace | None:
    """The cell that the address or the last click names, if the map has it."""
    text = address.seed(key, "", valid=lambda one: isinstance(one, str), parse=str)
    address.publish(key, text or None)
    try:
        grid, row, column = map(int, text.split("-"))
        return (grid, row, column) if mapped.level(grid).at(row, column) >= 0 else None
    except ValueError:
        return None
