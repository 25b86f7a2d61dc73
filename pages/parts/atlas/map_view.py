"""The map of an activation atlas: levels appear as one comes nearer, a click tells Python which cell.

Zoom, switches, colours, search and export are the browser's alone; Python hears the chosen cell, and a path's cells.
"""

from __future__ import annotations

import functools
import hashlib
import html
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from interp.figures.style import SERIES, UNLABELLED
from pages.parts.atlas.map_drawn import CellPlace, DrawnAtlas, DrawnCell, DrawnLevel, MapPoint, places_of

__all__ = [
    "CellPlace", "DrawnAtlas", "DrawnCell", "DrawnLevel", "MapPoint", "draw_atlas", "heard_cell", "heard_path",
    "sentence", "standalone",
]  # fmt: skip

_HERE = Path(__file__).parent
# They share one scope, in this order.
_SCRIPTS = (
    "elements", "grounds", "levels", "sight", "colours", "paint", "backing", "words", "card", "legend",
    "search", "strip", "path", "cursor", "export", "moves", "tools", "view",
)  # fmt: skip
_CSS = (_HERE / "map_view.css").read_text("utf-8")
_JS = "\n".join((_HERE / f"map_{name}.js").read_text("utf-8") for name in _SCRIPTS)
_MAP = component("loupe_atlas", css=_CSS, js=f"{_JS}\n{(_HERE / 'map_mount.js').read_text('utf-8')}")
# Apart, as Streamlit sends an element again when anything of it is another: a click is no reason to send pictures.
_PART = component("loupe_atlas_part", js=(_HERE / "map_parts.js").read_text("utf-8"))
_LARGEST_SERIAL = 2**53
_LONGEST_PATH = 10_000
_DIGITS = 4
# For labels and groups of points; grey is for the rest.
_COLOURS = tuple(colour for colour in SERIES if colour != UNLABELLED.colour)
# Nothing but what the file itself holds.
_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


def draw_atlas(
    atlas: DrawnAtlas,
    *,
    key: str,
    label: str,
    on_cell: Callable[[CellPlace | None], None],
    on_path: Callable[[tuple[CellPlace, ...]], None] | None = None,
    chosen: CellPlace | None = None,
    height: int = 680,
    file_name: str = "atlas",
    title: str = "",
) -> None:
    """Draw the map. `on_cell` hears once, before the page is drawn again, which cell is chosen, or that none is.

    `chosen` is the one that is, None or a place that the atlas lacks: none; the page keeps it. `on_path` hears the
    cells under a line that was drawn across the map, in order, none where it was taken away. `height` is the map's in
    pixels, at most. `label` says to screen readers what is drawn; the picture that the button 'PNG' saves is named by
    `file_name` without its ending, and has `title` above it, or else `label`. Zoom, switches, search and path outlive a
    redraw with other pictures, numbers or points, as long as the levels' grids are the same.
    """
    places = places_of(atlas)
    hear_cell = functools.partial(_hear_cell, key, places, on_cell)
    hear_path = functools.partial(_hear_path, key, places, on_path)
    shown, parts = _drawn(atlas, key)
    shown |= {
        "chosen": list(chosen) if chosen in places else None,
        "seen": {what: st.session_state.get(_seen(key, what), 0) for what in ("cell", "path")},
        "hears": ["cell", *([] if on_path is None else ["path"])],
        "height": height,
        "label": label,
        "title": title or label,
        "file": file_name,
    }
    with st.container(gap=None):
        for name, part in parts:
            _PART(key=f"{key}-{name}", data=part, height=0)
        _MAP(
            key=key, data=shown, default={"cell": None, "path": None},
            on_cell_change=hear_cell, on_path_change=hear_path,
        )  # fmt: skip


def standalone(atlas: DrawnAtlas, title: str) -> str:
    """The map as one HTML file that zooms as the page's does, and asks nobody for anything."""
    shown, parts = _drawn(atlas, "atlas")
    shown |= {"chosen": None, "seen": {}, "hears": [], "height": 2000, "label": title, "title": title, "file": "atlas"}
    # No text in it can end the element that holds it.
    held = json.dumps({"shown": shown, "parts": [part for _, part in parts]}, ensure_ascii=False).replace(
        "<", "\\u003c"
    )
    script = f"{_JS}\n{(_HERE / 'map_standalone.js').read_text('utf-8')}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; padding: 12px; background: light-dark(#ffffff, #171614); }}
{_CSS}
</style>
</head>
<body class="alone">
<h1>{html.escape(title)}</h1>
<script type="application/json" id="held">{held}</script>
<script type="module">
{script}
</script>
</body>
</html>
"""


def sentence(atlas: DrawnAtlas) -> str:
    """What is drawn, for who does not see it."""
    levels = [
        f"{len(level.cells):,} cell{'' if len(level.cells) == 1 else 's'} on a grid of {level.grid} × {level.grid}"
        for level in atlas.levels
    ]
    said = f"{'; '.join(levels)}."
    found = Counter(cell.label for cell in atlas.levels[-1].cells if cell.label >= 0)
    if not found:
        return said
    names = ", ".join(f"{atlas.labels[number]} ({count})" for number, count in found.most_common(3))
    return f"{said} Most cells of the finest are labelled {names}."


def heard_cell(message: Any) -> tuple[int, CellPlace | None] | None:
    """A message's number, and the cell chosen or None for none; None for one that no browser of ours writes."""
    number = _serial(message, "cell")
    if number is None or message["cell"] is None:
        return None if number is None else (number, None)
    place = _place(message["cell"])
    return None if place is None else (number, place)


def heard_path(message: Any) -> tuple[int, tuple[CellPlace, ...]] | None:
    """A message's number, and the cells of a path, each once; None for one that no browser of ours writes."""
    number = _serial(message, "path")
    if number is None or not isinstance(message["path"], list) or len(message["path"]) > _LONGEST_PATH:
        return None
    found = [_place(one) for one in message["path"]]
    places = tuple(place for place in found if place is not None)
    return (number, places) if len(places) == len(found) == len(set(places)) else None


def _serial(message: Any, what: str) -> int | None:
    if not isinstance(message, dict) or what not in message:
        return None
    number = message.get("id")
    return number if type(number) is int and 0 < number < _LARGEST_SERIAL else None


def _place(said: Any) -> CellPlace | None:
    if not isinstance(said, list) or len(said) != 3 or any(type(one) is not int for one in said):
        return None
    grid, row, column = said
    return (grid, row, column) if 0 <= row < grid and 0 <= column < grid else None


def _hear_cell(key: str, places: set[CellPlace], on_cell: Callable[[CellPlace | None], None]) -> None:
    said = heard_cell(st.session_state[key].get("cell"))
    if said is None or not _newer(key, "cell", said[0]):
        return
    # A click may be on its way while another atlas is drawn.
    if said[1] is None or said[1] in places:
        on_cell(said[1])


def _hear_path(key: str, places: set[CellPlace], on_path: Callable[[tuple[CellPlace, ...]], None] | None) -> None:
    said = heard_path(st.session_state[key].get("path"))
    if said is not None and _newer(key, "path", said[0]) and on_path is not None and places.issuperset(said[1]):
        on_path(said[1])


def _newer(key: str, what: str, number: int) -> bool:
    """Whether a message was not heard before; it is from now on."""
    if number <= st.session_state.get(_seen(key, what), 0):
        return False
    st.session_state[_seen(key, what)] = number
    return True


def _seen(key: str, what: str) -> str:
    return f"{key}-{what}-seen"


def _drawn(atlas: DrawnAtlas, key: str) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """The atlas as the browser takes it: what is small, and the parts that travel apart, with their names."""
    values = [abs(cell.value) for level in atlas.levels for cell in level.cells if cell.value is not None]
    groups = list(dict.fromkeys(point.group for point in atlas.points))
    levels, parts = [], []
    for i, level in enumerate(atlas.levels):
        cells = _cells(level)
        # Parts of what was drawn before may still be on the page: each says to which cells it belongs.
        of = hashlib.blake2b(json.dumps(cells).encode(), digest_size=12).hexdigest()
        levels.append(
            {"grid": level.grid, "tile": level.tile, "columns": level.columns, "sheet": level.per_sheet, "of": of}
        )
        parts += [(f"{name}-{i}", {"key": key, "of": of, **part}) for name, part in _parts(level, cells)]
    shown = {
        "key": key,
        "levels": levels,
        "labels": list(atlas.labels),
        "points": [[round(point.x, 5), round(point.y, 5), groups.index(point.group)] for point in atlas.points],
        "groups": groups,
        "colours": _COLOURS,
        "rest": UNLABELLED.colour,
        "value": {"title": atlas.value_title, "end": atlas.value_end or max(values, default=0) or 1}
        if values
        else None,
        "sentence": sentence(atlas),
    }
    return shown, parts


def _cells(level: DrawnLevel) -> dict[str, list[Any]]:
    return {
        "row": [cell.row for cell in level.cells],
        "column": [cell.column for cell in level.cells],
        "count": [cell.count for cell in level.cells],
        "mixedness": [_short(cell.mixedness) for cell in level.cells],
        "label": [cell.label for cell in level.cells],
        "classes": [[number for number, _ in cell.top] for cell in level.cells],
        "attributions": [[_short(attribution) for _, attribution in cell.top] for cell in level.cells],
    }


def _parts(level: DrawnLevel, cells: dict[str, list[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Numbers, values and sheets of a level, each to be sent again when it alone is another."""
    yield "cells", {"what": "cells", "cells": cells}
    values = [None if cell.value is None else _short(cell.value) for cell in level.cells]
    if any(value is not None for value in values):
        yield "values", {"what": "values", "values": values}
    yield "marks", {"what": "marks", "marks": [i for i, cell in enumerate(level.cells) if cell.marked]}
    size = level.per_sheet
    for what, urls in (("inverted", level.inverted), ("patches", level.patches)):
        for j, url in enumerate(urls):
            made = level.ready[j * size : (j + 1) * size] if what == "inverted" and level.ready is not None else None
            if url:
                ready = None if made is None else "".join("1" if one else "0" for one in made)
                yield f"{what}-{j}", {"what": what, "sheet": j, "url": url, "ready": ready}


def _short(number: float) -> float:
    return round(number, _DIGITS - 1 - math.floor(math.log10(abs(number)))) if number else 0.0
