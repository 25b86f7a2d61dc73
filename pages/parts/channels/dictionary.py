"""What a photograph's cells hold, in words and numbers: their norms, attributions and strongest channels."""

from __future__ import annotations

import streamlit as st

from interp.channels import CellGrid
from interp.channels.cells import NO_CHANNEL, Order
from pages.parts.kit import export

ORDERS: dict[str, Order] = {"Activation": "activation", "Attribution for": "for", "Attribution against": "against"}
TOLD = 3
"""So many channels are named of each cell, in each order."""


def titles(grid: CellGrid) -> tuple[str, ...]:
    """What is read of each cell when it is pointed at, row by row."""
    of_each = {name: grid.strongest(order, TOLD) for name, order in ORDERS.items()}
    lines = []
    for row in range(grid.shape[0]):
        for column in range(grid.shape[1]):
            text = [
                f"row {row}, column {column}: norm {grid.norms[row, column]:.3g}, attribution "
                f"{grid.attribution[row, column]:+.3g} logits"
            ]
            for name, found in of_each.items():
                pairs = zip(found.channels[:, row, column].tolist(), found.values[:, row, column].tolist(), strict=True)
                named = ", ".join(f"{one} ({value:.3g})" for one, value in pairs if one != NO_CHANNEL)
                text.append(f"{name}: {named or 'no channel'}")
            lines.append("\n".join(text))
    return tuple(lines)


def download(grid: CellGrid) -> None:
    """Draw the buttons that give the numbers of all cells."""
    with st.container(horizontal=True):
        export.download("Cells as CSV", "cells.csv", lambda: rows(grid))
        arrays = {"activations": grid.activations, "attribution": grid.by_channel, "norms": grid.norms}
        export.download("NPZ, all channels", "cells.npz", lambda: {name: one.numpy() for name, one in arrays.items()})


def rows(grid: CellGrid) -> list[dict[str, int | float | str]]:
    """A row of numbers for each cell: where it is, its norm and attribution, and its strongest channels."""
    of_each = {name: grid.strongest(order, TOLD) for name, order in ORDERS.items()}
    found: list[dict[str, int | float | str]] = []
    for row in range(grid.shape[0]):
        for column in range(grid.shape[1]):
            one: dict[str, int | float | str] = {"row": row, "column": column}
            one["norm"] = float(grid.norms[row, column])
            one["attribution"] = float(grid.attribution[row, column])
            for name, strongest in of_each.items():
                for place in range(len(strongest.channels)):
                    channel = int(strongest.channels[place, row, column])
                    there = channel != NO_CHANNEL
                    one[f"{name} {place + 1}: channel"] = channel if there else ""
                    one[f"{name} {place + 1}: value"] = float(strongest.values[place, row, column]) if there else ""
            found.append(one)
    return found
