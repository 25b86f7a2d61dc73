"""'Like this cell': the set's images in which the layer does what it does in one cell of a photograph."""

from __future__ import annotations

from collections import Counter

import numpy as np
import streamlit as st
from jaxtyping import Float, UInt8
from torch import Tensor

from interp import units
from interp.channels.cells import block_of, edges
from interp.figures import cell_frames
from interp.figures import units as figures
from interp.images.picture_bytes import bytes_of
from interp.models import inputs
from interp.passes.receptive_fields import ReceptiveFields, receptive_fields
from interp.types import Layer
from interp.units import CellLikeness, Counted, LikeCells
from interp.units.likeness import Measure, strongest_channels
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import (
    address,
    charts,
    clicks,
    controls,
    export,
    markup,
    over_set,
    pickers,
    problems,
    replay,
    waiting,
)
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened
from pages.parts.units import asking

CELL = "un.cell"
ANYWHERE, SAME = "Anywhere", "Same place"
MEASURES: dict[str, Measure] = {"As strong": "strength", "Same pattern": "pattern"}
AMONG = {"All": None, "Strongest 20": 20, "Strongest 5": 5}
FINEST = ("14", "10", "7", "4")
TOLD = 5
TOP = 24

READING = (
    "**Like this cell.** A layer is a grid of positions; of a fine one, blocks of positions are joined to cells, and "
    "activations are averaged over a block. Let $v$ be the vector of all channels' activations in the chosen cell, and "
    "$a$ that of a cell of another image. *As strong* ranks by $2\\,a \\cdot v / (|a|^2 + |v|^2)$ (Dice's coefficient "
    "for real numbers), which is 1 only where every channel is as active as here; *same pattern* by the cosine "
    "$a \\cdot v / (|a|\\,|v|)$, which is 1 also where all are weaker by one factor. With *strongest 20* or *5* both "
    "vectors have the channels alone that are largest in the chosen cell, and what else is there does not count. Of "
    "each image its best cell counts, or (*same place*) the one cell at the same row and column: what is found "
    "anywhere but not there shows that place alone is not what is alike. Beside it stands how similar the best cell of "
    "any image is, in the mean: in layers where every image is much like every other, a high similarity says little. "
    "The inner frame is the cell, the outer one all that it depends on, where that is not the whole picture. That the "
    "layer does the same there does not say that the same is seen there, nor what the classifier makes of it."
)


def view(selection: Selection, picture, side) -> None:
    """The photograph with its grid, the chosen cell, and the images that are like it."""
    classifier = selection.classifier
    with side:
        position = pickers.image(selection.photos)
        layer = asking.choose_layer(classifier)
        where = controls.one_of("Where", "un.where", (ANYWHERE, SAME), help="The best cell of each image, or the same.")
        by = controls.one_of("Alike", "un.alike", list(MEASURES))
        among = controls.one_of("Channels", "un.among", list(AMONG))
        most = controls.one_of("Cells a side, at most", "un.cells", FINEST)
    with picture:
        clicks.listen({"cell": _take, "like": _follow(selection)})
        if layer.height * layer.width <= 1:
            st.info(f"{plain(layer.name)} has a single position, so there is no cell to choose: choose another layer.")
            return
        block = block_of(layer.height, layer.width, int(most))
        asked = (classifier, selection.photos, position, layer.name, block)
        cells: Tensor = waiting.value(selection.scope.compute("cell", units.cell_vectors, *asked))
        image = waiting.value(selection.scope.read("image", inputs.read, classifier, selection.photos, (position,)))
        spot = _spot(cells)
        shown, facts = st.columns([3, 2])
        with shown:
            replay.once(_grid, bytes_of(image.pixels[0]), layer, block, cells.norm(dim=0).numpy(), spot)
        vector = cells[:, spot[0], spot[1]].numpy()
        with facts:
            _facts(cells, spot, vector)
        if not np.abs(vector).any():
            st.info("Nothing is active in this cell, so nothing can be like it: click another one.")
            return
        used = AMONG[among]
        item = CellLikeness(
            layer.name,
            vector,
            spot if where == SAME else None,
            None if used is None or not (vector > 0).any() else strongest_channels(vector, used),
            MEASURES[by],
            block,
            own=position,
            told=strongest_channels(vector, TOLD),
            top=TOP,
        )
        _found(selection, layer, item)


def _take(value: str) -> None:
    st.session_state[CELL] = value


def _follow(selection: Selection):
    """What makes a cell of another image, which was clicked, the chosen one."""

    def follow(value: str) -> None:
        position, _, place = value.partition(",")
        if position.isdecimal() and int(position) < len(selection.photos):
            st.session_state["image"], st.session_state[CELL] = int(position), place

    return follow


def _spot(cells: Float[Tensor, "k rows columns"]) -> tuple[int, int]:
    """The cell that was clicked, which the address keeps; else the one with the longest vector, off the border."""
    rows, columns = cells.shape[1:]

    def inside(text: str) -> bool:
        row, _, column = text.partition(",")
        return text == "" or (row.isdecimal() and column.isdecimal() and int(row) < rows and int(column) < columns)

    text = address.seed(CELL, "", valid=inside, parse=str)
    address.publish(CELL, text or None)
    if text:
        row, column = text.split(",")
        return int(row), int(column)
    strength = cells.norm(dim=0)
    if min(rows, columns) > 2:
        # At the border some channels see the padding rather than the picture.
        strength[[0, -1]] = strength[:, [0, -1]] = -1
    row, column = divmod(int(strength.argmax()), columns)
    return row, column


def _grid(
    photograph: UInt8[np.ndarray, "h w 3"],
    layer: Layer,
    block: int,
    norms: Float[np.ndarray, "rows columns"],
    spot: tuple[int, int],
) -> None:
    height, width = photograph.shape[:2]
    rows, columns = edges(layer.height, block, 1000), edges(layer.width, block, 1000)
    tracks = [" ".join(f"minmax(0,{stop - start}fr)" for start, stop in one) for one in (columns, rows)]
    cells = [
        {
            "place": f"{row},{column}",
            "chosen": (row, column) == spot,
            "title": f"row {row}, column {column}: norm {norms[row, column]:.3g}",
        }
        for row in range(len(rows))
        for column in range(len(columns))
    ]
    markup.draw(
        "grid.html",
        photo=markup.url(markup.blocks(photograph, 300 if width < 100 else width)),
        title="Click a cell",
        layout=f"aspect-ratio:{width}/{height};grid-template-columns:{tracks[0]};grid-template-rows:{tracks[1]}",
        cells=cells,
    )


def _facts(cells: Float[Tensor, "k rows columns"], spot: tuple[int, int], vector: Float[np.ndarray, " k"]) -> None:
    rows, columns = cells.shape[1:]
    strong = strongest_channels(vector, TOLD)
    listed = "".join(f"\n- unit {one}: {vector[one]:.3g}" for one in strong)
    st.markdown(
        f"**Row {spot[0]}, column {spot[1]}** of {rows} × {columns} cells. {int((vector > 0).sum()):,} of "
        f"{len(vector):,} channels are above 0; the length of the vector is {np.linalg.norm(vector):.3g}."
        + (f" Strongest:\n{listed}" if strong else "")
    )


def _found(selection: Selection, layer: Layer, item: CellLikeness) -> None:
    fields = waiting.value(selection.scope.shared.compute("fields", receptive_fields, selection.classifier, layer.name))
    job = over_set.ask(selection.scope, "like", units.UnitPass(), selection.classifier, selection.photos, [item])
    place = st.container()
    done = waiting.settled(job)
    counted: tuple[Counted[LikeCells], ...] = job.latest(())
    if not counted or not counted[0].value.count:
        if done:
            problems.left_out(counted[0].problems if counted else ())
            st.info("There is no other image in this set that could be read.")
        return
    with place:
        _gallery(selection, fields, item, counted[0].value, done)
    problems.left_out(counted[0].problems)
    _numbers(selection, item, counted[0].value)


def _gallery(selection: Selection, fields: ReceptiveFields, item: CellLikeness, found: LikeCells, done: bool) -> None:
    photos = selection.photos
    there = [row for row in range(len(found.images)) if found.images[row] >= 0]
    some = "" if done else f" of {len(photos) - 1:,}, so far"
    st.markdown(
        f"**The {len(there)} most similar of {found.count:,} other images**{some}: from {found.values[0]:.3f} to "
        f"{found.values[there[-1]]:.3f}. The best cell of any image has {found.mean:.3f} in the mean. "
        + (_classes(selection, [int(found.images[row]) for row in there]) if done else "")
    )
    each = tuple((int(found.images[row]), *found.places[row].tolist()) for row in there)
    job = selection.scope.gather(
        "framed", cell_frames.framed_cells, selection.classifier, photos, fields, item.block, each
    )
    squares: tuple = job.value if waiting.there(job, 1.0) else job.latest(())
    cards = []
    for row, (position, down, across) in zip(there, each, strict=True):
        label, name = asking.label_of(selection, position), photos.names[position]
        cards.append(
            PictureCard(
                f"{found.values[row]:.3f}",
                shortened(label or name, 18),
                f"like:{position},{down},{across}",
                about=f"{name}, row {down}, column {across}",
            )
        )
    picturecards.draw([*squares, *[None] * (len(cards) - len(squares))], cards, side=118)
    if waiting.settled(job):
        st.caption("A click makes that cell the chosen one.")


def _classes(selection: Selection, positions: list[int]) -> str:
    """Which label is most frequent among images, beside how frequent it is in the set."""
    labels = selection.photos.labels
    [(label, count)] = Counter(labels[one] for one in positions).most_common(1)
    if label is None or count < 2:
        return ""
    share = sum(one == label for one in labels) / len(labels)
    named = asking.label_of(selection, labels.index(label)) or label
    return f"{count} of them are labelled *{plain(named)}*, as {share:.0%} of the set are."


def _numbers(selection: Selection, item: CellLikeness, found: LikeCells) -> None:
    with st.expander("How similar all images are, and the numbers", key="un-like", on_change="rerun") as opened:
        if not opened.open:
            return
        replay.once(_spread, found)
        rows = table(selection, item, found)
        st.dataframe(export.shown(rows), hide_index=True)
        export.download("Images as CSV", "loupe-like-cell.csv", lambda: rows)


def _spread(found: LikeCells) -> None:
    charts.draw(figures.likenesses(found), config=export.PLOT)


def table(selection: Selection, item: CellLikeness, found: LikeCells) -> list[dict]:
    """A row for each image: its cell, the similarity, and how active the chosen cell's strongest channels are in it."""
    photos = selection.photos
    return [
        {
            "image": photos.names[image],
            "label": asking.label_of(selection, image),
            "similarity": float(found.values[row]),
            "row": int(found.places[row, 0]),
            "column": int(found.places[row, 1]),
        }
        | {
            f"unit {unit} (here {item.vector[unit]:.3g})": float(found.strengths[row, number])
            for number, unit in enumerate(item.told)
        }
        for row, image in enumerate(found.images.tolist())
        if image >= 0
    ]
