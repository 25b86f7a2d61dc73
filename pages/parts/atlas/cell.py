"""The cell that was clicked: what it argues for, the real patches nearest to it, and where to go on with them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from interp.atlas import AtlasCells
from pages.parts.atlas import asking
from pages.parts.atlas.asking import AtlasResults
from pages.parts.atlas.drawing import largest
from pages.parts.atlas.map_view import CellPlace
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import clicks, export, waiting
from pages.parts.kit.text import plain, shortened

CLASSES, CHANNELS = 5, 5
SIDE = 96


def panel(found: AtlasResults, place: CellPlace | None, *, prefix: str = "at") -> None:
    """Draw what is known of a cell; without one, that it can be clicked."""
    if place is None:
        st.caption(":material/touch_app: Click a cell: the real patches behind it are shown here, with their images.")
        return
    level = found.mapped.level(place[0])
    number = level.at(*place[1:])
    st.markdown(_said(found, level, number, place))
    rows = [int(one) for one in level.nearest[number] if one >= 0]
    job = asking.cell_patches(found.selection, found.mapped, rows, f"{prefix}-patches")
    squares = list(job.latest([None] * len(rows))) if job.state != "failed" else [None] * len(rows)
    clicks.listen({f"{prefix}-patch": lambda text: _take(prefix, text)})
    picturecards.draw(squares, [_card(found, row, prefix) for row in rows], side=SIDE)
    waiting.settled(job)
    _onwards(found, rows, prefix)


def _said(found: AtlasResults, level: AtlasCells, number: int, place: CellPlace) -> str:
    grid, row, column = place
    count, label = int(level.count[number]), int(level.label[number])
    head = f"#### Row {row + 1}, column {column + 1} of {grid} × {grid}\n\n{count:,} samples"
    if not found.labels:
        return f"{head}. The classifier has no classes. Strongest channels: {_channels(level, number)}."
    named = "argue for no class" if label < 0 else f"argue most for **{plain(found.labels[label])}**"
    classes = ", ".join(
        f"{plain(found.labels[one])} {brought:+.2g}" for one, brought in largest(level.attribution[number], CLASSES)
    )
    return (
        f"{head} {named}; two of them differ in their class with a chance of {level.mixedness[number]:.0%}. In logits, "
        f"on average: {classes}. Strongest channels of the mean: {_channels(level, number)}."
    )


def _channels(level: AtlasCells, number: int) -> str:
    return ", ".join(str(one) for one in np.argsort(-level.mean[number], kind="stable")[:CHANNELS])


def _card(found: AtlasResults, row: int, prefix: str) -> PictureCard:
    photos, image = found.selection.photos, int(found.mapped.samples.images[row])
    label = photos.labels[image]
    click = f"{prefix}-patch:{image}"
    return PictureCard(
        shortened(label or photos.names[image], 16), "", click, _opened(prefix) == image, photos.names[image]
    )


def _take(prefix: str, text: str) -> None:
    if text.isdecimal():
        st.session_state[f"{prefix}-image"] = int(text)


def _opened(prefix: str) -> int:
    return st.session_state.get(f"{prefix}-image", -1)


def _onwards(found: AtlasResults, rows: list[int], prefix: str) -> None:
    """The ways on: to the explanation of the image that was clicked, or of the first, and its channels."""
    images = [int(found.mapped.samples.images[row]) for row in rows]
    if not images:
        return
    position = _opened(prefix) if _opened(prefix) in images else images[0]
    name = plain(shortened(found.selection.photos.names[position], 24))
    ways = [("Saliency", "blur_on", "saliency"), ("Channels", "account_tree", "channel_attribution")]
    ways = ways * bool(found.labels) + [("Units", "apps", "units")]
    st.caption(f"On with {name}; click another patch to choose its image.")
    with st.container(horizontal=True):
        for title, icon, page in ways:
            key = f"{prefix}-to-{page}"
            if st.button(title, icon=f":material/{icon}:", key=key, on_click=_choose, args=(position,)):
                st.switch_page(f"pages/{page}.py")


def _choose(position: int) -> None:
    st.session_state["image"], st.session_state["beside"] = position, []


def table(found: AtlasResults) -> list[dict]:
    """A row for each cell of each level."""
    labels, rows = found.labels, []
    for level in found.mapped.levels:
        for one in range(len(level)):
            label = int(level.label[one])
            row = {
                "grid": level.grid,
                "row": int(level.row[one]),
                "column": int(level.column[one]),
                "samples": int(level.count[one]),
                "label": labels[label] if label >= 0 else None,
                "mixedness": float(level.mixedness[one]),
            }
            row |= {f"attribution: {labels[k]}": brought for k, brought in sorted(largest(level.attribution[one]))}
            rows.append(row)
    return rows


def downloads(found: AtlasResults) -> None:
    """Draw the buttons for the numbers behind the map."""
    with st.container(horizontal=True):
        export.download("Cells as CSV", "loupe-atlas.csv", lambda: table(found))
        export.download("Samples as NPZ", "loupe-atlas.npz", lambda: _arrays(found))


def _arrays(found: AtlasResults) -> dict[str, np.ndarray]:
    mapped = found.mapped
    arrays = {
        "images": mapped.samples.images,
        "positions": mapped.samples.places,
        "places": mapped.places,
        "labels": mapped.labels,
    }
    for level in mapped.levels:
        arrays |= {f"mean_{level.grid}": level.mean, f"attribution_{level.grid}": level.attribution}
        arrays |= {f"members_{level.grid}": level.members, f"count_{level.grid}": level.count}
    return arrays
