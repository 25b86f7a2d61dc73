"""A page with nothing but an atlas's map, for the tests that look at it in a browser."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from interp.images.data_urls import data_url
from pages.parts.atlas.map_view import DrawnAtlas, DrawnCell, DrawnLevel, MapPoint, draw_atlas, standalone

LABELS = ("sea", "<b>hand</b>", "tag")
MISSING = (0, 0)  # of the finer level
TILE = 16


def sheet(colours: np.ndarray, tile: int, columns: int) -> str:
    """A sheet with a tile of each colour."""
    rows = -(-len(colours) // columns)
    tiles = np.zeros((rows * columns, 3), np.uint8)
    tiles[: len(colours)] = colours
    grown = tiles.reshape(rows, columns, 3).repeat(tile, 0).repeat(tile, 1)
    return data_url(np.ascontiguousarray(grown), "png")


def level(grid: int, red: int, tile: int = TILE) -> DrawnLevel:
    """Inverted pictures are of one red and ever greener, real patches all blue; left are seas, right are hands.

    Of a small level's cells, those on the diagonal are marked.
    """
    places = [(i, j) for i in range(grid) for j in range(grid) if grid == 2 or (i, j) != MISSING]
    along = {j: j / (grid - 1) for j in range(grid)}
    cells = tuple(
        DrawnCell(i, j, 1 + i, j / grid, int(2 * j >= grid), _top(along[j]), along[j] - 0.5, i == j and grid < 9)
        for i, j in places
    )
    green = np.linspace(0, 200, len(cells)).astype(int)
    made = np.stack([np.full(len(cells), red), green, np.zeros(len(cells), int)], 1)
    real = np.tile([0, 0, 255], (len(cells), 1))
    columns = min(len(cells), 32)
    return DrawnLevel(grid, cells, tile, columns, (sheet(made, tile, columns),), (sheet(real, tile, columns),))


def _top(share: float) -> tuple[tuple[int, float], ...]:
    """Attributions from a sea to a hand; the tag's is the least."""
    found = [(0, 2 - 3 * share), (1, -1 + 3 * share), (2, -1.5)]
    return tuple(sorted(found, key=lambda one: -one[1]))


def small() -> DrawnAtlas:
    """Two levels, the finer one without its first cell, and two places that are lit."""
    points = (MapPoint(0.7, 0.3, "here"), MapPoint(0.8, 0.8, "there"))
    return DrawnAtlas((level(2, 250), level(8, 120)), LABELS, points, "Attribution to hand")


def unmade(atlas: DrawnAtlas) -> DrawnAtlas:
    """Without inverted pictures, as they are still to be made."""
    return replace(atlas, levels=tuple(replace(one, inverted=()) for one in atlas.levels))


def half(atlas: DrawnAtlas) -> DrawnAtlas:
    """With the inverted pictures of the upper half alone, on sheets of 16."""
    fine = atlas.levels[1]
    count = len(fine.cells)
    colours = np.tile([120, 0, 0], (16, 1))
    made = tuple(sheet(colours, TILE, 4) if i < 2 else "" for i in range(4))
    patches = tuple(sheet(colours[:, ::-1], TILE, 4) for _ in range(4))
    ready = tuple(i < 31 for i in range(count))
    part = replace(fine, inverted=made, patches=patches, ready=ready, sheet=16, columns=4)
    return replace(atlas, levels=(atlas.levels[0], part))


def hear(what: object) -> None:
    st.session_state["told"] = [*st.session_state.get("told", []), what]


def chosen(place: tuple[int, int, int] | None) -> None:
    st.session_state["chosen"] = place
    hear(place)


if __name__ == "__main__":
    st.set_page_config(layout="wide")
    case = st.query_params.get("case")
    crowd = DrawnAtlas((level(10, 250), level(40, 120, 64)), LABELS)
    atlas = crowd if case == "crowd" else half(small()) if case == "half" else small()
    draw_atlas(
        atlas if st.toggle("Pictures", True) else unmade(atlas),
        key="atlas",
        label="Atlas",
        on_cell=chosen,
        on_path=hear,
        chosen=st.session_state.get("chosen"),
        height=600,
        file_name="scenes",
        title="Atlas of scenes",
    )
    st.download_button("HTML", lambda: standalone(atlas, "Atlas of scenes"), "atlas.html")
    st.text(json.dumps(st.session_state.get("told", [])))
