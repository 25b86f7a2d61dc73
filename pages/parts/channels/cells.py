"""A photograph as a grid of cells: what the layer sees in each, and what each adds to the score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

import cache
from interp import channels
from interp import feature_visualization as fv
from interp.channels import CellGrid
from interp.channels.cells import NO_CHANNEL
from interp.types import Target
from pages.parts.cards import making
from pages.parts.channels import chosen, chosen_cell, dictionary, mosaic
from pages.parts.channels.dictionary import ORDERS
from pages.parts.channels.subject import Subject, pictures, states
from pages.parts.kit import address, clicks, controls, replay, waiting
from pages.parts.kit.text import plain, shortened

CELL = "ch.cell"
CHANNELS, INVERSIONS, PATCHES = "Channels", "Inversions", "Photograph"
EQUAL, BY_NORM = "Equal", "By norm"
ONE, TWO = "For the class", "For and against"
DIFFERENCE, FIRST, SECOND = "One against the other", "First class alone", "Second class alone"
FINEST = ("14", "10", "7", "4")

BEGUN = 8
"""The mosaic takes a picture after one of so many parts of its steps."""

INVERSION_STEPS, INVERSION_SIDE, COSINE_POWER = 64, 64, 2

READING = (
    "**Cells.** The photograph is a grid, one cell for each position of the layer; of a fine layer, blocks of "
    "positions are joined (activations are averaged over a block, attributions summed). The mosaic puts into each cell "
    "the picture of the channel that is largest there (a *semantic dictionary*: Olah et al. 2018), or an *inversion*: "
    "a picture made so that its activations $a$ point the way of the cell's whole vector $v$, by making "
    r"$a \cdot v\, \cos(a, v)^2$ large. Cells sized by norm have an area in proportion to $\|v\|$: small cells are "
    "those in which the layer sees little. Beside it the same grid is coloured by "
    r"$\sum_k a_{kuv}$, what each cell adds to the score, in logits. With a second class, red cells speak for the "
    "first and blue ones for the second; what speaks for both cancels, so each class's own map may differ much. "
    "*Pitfalls:* a cell is where the activations are, not all that they depend on: in deep layers that is most of the "
    "photograph. The largest channel is one of hundreds, and its picture stands for it only as far as it fires for "
    "nothing else. Attribution is an estimate of first order: compare it with the measured effect."
)


@dataclass(frozen=True)
class Wish:
    """What was chosen: which channel stands for a cell, as what, how large, what the colours say, how many cells."""

    order: str
    shown: str
    sizes: str
    colours: str
    most: int


def view(subject: Subject, picture, side) -> None:
    """The mosaic and the coloured grid; below, the cell that was clicked, and the numbers of all."""
    with side:
        row = _photograph(subject)
        wish = _wish(subject.targets[row])
    with picture:
        grid = cache.figure(channels.cells, subject.attribution, row, most=wish.most)
        if grid.positions == (1, 1):
            name = plain(subject.layer.name)
            st.info(f"{name} has a single position, so there is nothing to lay out: choose another.")
            return
        clicks.listen({"cell": _take, "channel": chosen.take})
        spot = _spot(grid)
        coloured = _coloured(subject, grid, row, wish)
        place, note, progress = st.container(), st.container(), st.container()
        made, job = _made(subject, grid, wish)
        found, own = chosen_cell.draw(subject, grid, row, spot)
        if wish.shown == CHANNELS:
            made = found = made | found
        with place:
            known = (subject.classifier, subject.batch, grid, row, wish, spot, coloured, states(made, own, job))
            replay.once(_mosaic, subject, grid, row, wish, made, spot, coloured, known_by=known)
        note.caption(_note(grid, wish, made, job))
        chosen.detail(subject, found)
        _onwards(subject, row, spot, wish)
        dictionary.download(grid)
        with progress:
            # One at a time, in the order in which they are made.
            for one in (own, job):
                if one is not None and not waiting.settled(one):
                    break


def _onwards(subject: Subject, row: int, spot: tuple[int, int], wish: Wish) -> None:
    """The button that leads on to the set's images that are like the chosen cell."""
    given = (subject.positions[row], subject.layer.name, spot, wish.most)
    if st.button("Images like this cell", icon=":material/image_search:", key="ch-like", on_click=_like, args=given):
        st.switch_page("pages/units.py")


def _like(position: int, layer: str, spot: tuple[int, int], most: int) -> None:
    st.session_state["image"], st.session_state["un.layer"] = position, layer
    st.session_state["un.view"], st.session_state["un.cells"] = "Like this cell", str(most)
    st.session_state["un.cell"] = f"{spot[0]},{spot[1]}"


def _photograph(subject: Subject) -> int:
    """Draw the picker of one photograph, where there are several; gives its row."""
    if len(subject.positions) == 1:
        return 0
    names = [shortened(one, 40) for one in subject.batch.names]
    options = [str(one) for one in range(len(names))]
    return int(controls.listed("Photograph", "ch.cells.row", options, named=lambda one: names[int(one)]))


def _wish(target: Target) -> Wish:
    shown = controls.one_of(
        "Cells show",
        "ch.cells.as",
        [CHANNELS, INVERSIONS, PATCHES],
        help="The picture of the cell's largest channel; a picture made for the whole vector at the cell; or what the "
        "photograph has there.",
    )
    order = controls.one_of("Largest by", "ch.cells.by", list(ORDERS), drawn=shown == CHANNELS)
    sizes = controls.one_of(
        "Cell size",
        "ch.cells.size",
        [EQUAL, BY_NORM],
        help="By norm: the area is in proportion to the length of the cell's activation vector.",
    )
    offered = (ONE, TWO) if target.negative is None else (DIFFERENCE, FIRST, SECOND)
    colours = controls.one_of("Colours", f"ch.cells.colours.{len(offered)}", offered)
    most = controls.one_of(
        "Cells a side, at most", "ch.cells.most", FINEST, help="Positions of finer layers are joined in blocks."
    )
    return Wish(order, shown, sizes, colours, int(most))


def _take(value: str) -> None:
    st.session_state[CELL] = value


def _spot(grid: CellGrid) -> tuple[int, int]:
    """The cell that was clicked, which the address keeps; else the one that adds most to the score."""

    def parse(text: str) -> str:
        if text and not _inside(grid, text):
            raise ValueError(text)
        return text

    text = address.seed(CELL, "", valid=lambda one: one == "" or _inside(grid, one), parse=parse)
    address.publish(CELL, text or None)
    if text:
        row, column = text.split(",")
        return int(row), int(column)
    row, column = divmod(int(grid.attribution.argmax()), grid.shape[1])
    return row, column


def _inside(grid: CellGrid, text: str) -> bool:
    row, _, column = text.partition(",")
    return row.isdecimal() and column.isdecimal() and int(row) < grid.shape[0] and int(column) < grid.shape[1]


def _made(subject: Subject, grid: CellGrid, wish: Wish) -> tuple[dict[int, fv.Picture], cache.Job | None]:
    """The mosaic's pictures as far as they are, by channel or by cell, and the job that makes them."""
    if wish.shown == PATCHES:
        return {}, None
    if wish.shown == CHANNELS:
        first = grid.strongest(ORDERS[wish.order], 1).channels[0].flatten().tolist()
        wanted = [one for one, _ in Counter(first).most_common() if one != NO_CHANNEL]
        if not wanted:
            return {}, None
        found, job = pictures(subject.selection, "cells", subject.layer, wanted)
        return found, job
    places = _inverted(grid)
    if not places:
        return {}, None
    layer, vectors = subject.layer.name, grid.activations.flatten(1)
    objectives = [fv.Direction(layer, vectors[:, one].clone(), cosine_power=COSINE_POWER) for one in places]
    how = making.settings(subject.selection, INVERSION_STEPS, side=INVERSION_SIDE)
    job = making.ask(subject.scope, "inversions", subject.classifier, how, objectives)
    job.wait(waiting.PATIENCE)
    return {places[one]: picture for one, picture in making.so_far(job).items()}, job


def _inverted(grid: CellGrid) -> list[int]:
    """The cells with anything to invert, row by row of the grid, those with the largest norm first."""
    norms = grid.norms.flatten()
    return [one for one in norms.argsort(descending=True).tolist() if norms[one] > 0]


def _note(grid: CellGrid, wish: Wish, made: Mapping[int, fv.Picture], job: cache.Job | None) -> str:
    said = [] if grid.block == 1 else [f"Each cell joins {grid.block} × {grid.block} positions of the layer."]
    if not bool(grid.by_channel.any()):
        said.append(
            "The attribution is zero everywhere: nothing at these positions changes the score, as in a transformer's "
            "last block, of which only the class token is read. Choose an earlier layer."
        )
    if wish.shown == INVERSIONS:
        count = len(_inverted(grid))
        finished = sum(one.step == one.steps for one in made.values())
        said.append(f"{count} inversions of {INVERSION_STEPS} steps each; {finished} are finished, and kept.")
        if count < grid.norms.numel():
            said.append("Where nothing is active there is nothing to invert.")
    elif wish.shown == CHANNELS:
        first = grid.strongest(ORDERS[wish.order], 1).channels
        count = len(set(first.flatten().tolist()) - {NO_CHANNEL})
        said.append(f"{count} {'channel is' if count == 1 else 'channels are'} the largest somewhere.")
        without = int((first == NO_CHANNEL).sum())
        if without:
            said.append(f"In {without} of {first.numel()} cells there is no such channel: they show the photograph.")
    if job is not None and job.state != "done" and wish.shown != PATCHES:
        said.append("Until its picture is there, a cell shows the photograph.")
    return " ".join([*said, "Point at a cell for its channels, or click it."])


def _mosaic(
    subject: Subject,
    grid: CellGrid,
    row: int,
    wish: Wish,
    made: Mapping[int, fv.Picture],
    spot: tuple[int, int],
    coloured: mosaic.Coloured,
) -> None:
    norms = grid.norms.numpy()
    sides = np.sqrt(norms / (norms.max() or 1.0)) if wish.sizes == BY_NORM else np.ones(grid.shape)
    if wish.shown == CHANNELS:
        shown = grid.strongest(ORDERS[wish.order], 1).channels[0].numpy()
    elif wish.shown == INVERSIONS:
        shown = np.arange(norms.size).reshape(grid.shape)
    else:
        shown = np.full(grid.shape, NO_CHANNEL)
    titles = {
        CHANNELS: f"The channel with the largest {chosen_cell.titles(subject, row)[wish.order]}",
        INVERSIONS: "Inversion of each cell's vector",
        PATCHES: "The photograph",
    }
    size = ", area by norm" if wish.sizes == BY_NORM else ""
    # A picture of the first few steps is grey: the photograph says more.
    begun = {one for one, picture in made.items() if BEGUN * picture.step >= picture.steps}
    used = {one: made[one].pixels for one in set(shown.flatten().tolist()) & begun}
    photograph = fv.bytes_of(subject.batch.pixels[row])
    title = f"{titles[wish.shown]}{size}"
    mosaic.draw(mosaic.Mosaic(grid, photograph, used, shown, sides, dictionary.titles(grid), title, spot), coloured)


def _coloured(subject: Subject, grid: CellGrid, row: int, wish: Wish) -> mosaic.Coloured:
    target, labels = subject.targets[row], subject.classifier.labels
    first = labels[target.positive]
    if target.negative is None:
        if wish.colours == ONE:
            return mosaic.Coloured(grid.attribution.numpy(), "one", f"Attribution for {first}", ("logits", ""))
        return mosaic.Coloured(grid.attribution.numpy(), "two", f"Attribution: {first}", ("logits", ""))
    second = labels[target.negative]
    if wish.colours == DIFFERENCE:
        title = f"{first} (red) against {second} (blue)"
        return mosaic.Coloured(grid.attribution.numpy(), "two", title, (first, second))
    alone = Target(target.positive if wish.colours == FIRST else target.negative)
    given = (subject.classifier, subject.batch[row : row + 1], alone)
    found = waiting.value(subject.scope.compute("alone", channels.attribute, *given, layer=subject.layer.name))
    values = channels.cells(found, most=wish.most).attribution.numpy()
    return mosaic.Coloured(values, "two", f"Attribution: {labels[alone.positive]} alone", ("logits", ""))
