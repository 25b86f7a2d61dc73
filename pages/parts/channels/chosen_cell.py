"""The cell of a photograph that was clicked: drawn once for all that it shows, with the pictures of its channels."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

import cache
from interp import feature_visualization as fv
from interp.channels import CellGrid
from interp.channels.cells import NO_CHANNEL, Order
from interp.figures.framed import framed
from pages.parts.channels import cell
from pages.parts.channels.dictionary import ORDERS
from pages.parts.channels.subject import CHANNEL, Subject, pictures, states
from pages.parts.kit import replay
from pages.parts.kit.text import plain

TOP = 4
"""So many channels stand under each heading."""


def draw(
    subject: Subject, grid: CellGrid, row: int, spot: tuple[int, int]
) -> tuple[dict[int, fv.Picture], cache.Job | None]:
    """Draw the chosen cell; gives the pictures of its channels, and the job that makes them."""
    named, rival = titles(subject, row), subject.targets[row].negative
    sides = tuple((f"Largest {named[name]}", _strong(grid, order, spot)) for name, order in ORDERS.items())
    there = list(dict.fromkeys(one.channel for _, strong in sides for one in strong))
    found, job = pictures(subject.selection, "cell", subject.layer, there) if there else ({}, None)
    st.markdown(
        f"#### Row {spot[0]}, column {spot[1]}\n\nNorm of its activations {grid.norms[spot]:.3g}; attribution "
        f"**{grid.attribution[spot]:+.3g}** of {subject.attribution.values[row].sum():+.3g} logits. Each channel: what "
        "it looks for, where it fires; its activation and its attribution in this cell."
        + ("" if rival is None else f" Below zero it speaks for {plain(subject.classifier.labels[rival])}.")
    )
    known = (subject.attribution, subject.batch, grid, row, spot, sides, states(found, job))
    replay.once(_draw, subject, grid, row, spot, sides, found, known_by=(*known, st.session_state.get(CHANNEL)))
    return found, job


def _draw(
    subject: Subject,
    grid: CellGrid,
    row: int,
    spot: tuple[int, int],
    sides: tuple[tuple[str, tuple[cell.Strong, ...]], ...],
    found: Mapping[int, fv.Picture],
) -> None:
    photograph = fv.bytes_of(subject.batch.pixels[row])
    # At the size at which it is drawn, so that the frame does not cover a photograph of a few pixels.
    whole = cell.enlarged(photograph)
    opened = cell.Opened(
        framed(whole, grid.window(*spot, whole.shape[:2])),
        photograph[grid.window(*spot, photograph.shape[:2])],
        sides,
        {one: picture.pixels for one, picture in found.items()},
        {strong.channel: subject.lit(row, strong.channel) for _, some in sides for strong in some},
        st.session_state.get(CHANNEL),
    )
    cell.draw(opened)


def titles(subject: Subject, row: int) -> dict[str, str]:
    """The orders of channels, with the classes that they are about."""
    labels, target = subject.classifier.labels, subject.targets[row]
    first = labels[target.positive]
    against = f"against {first}" if target.negative is None else f"for {labels[target.negative]}"
    said = ("activation", f"attribution for {first}", f"attribution {against}")
    return dict(zip(ORDERS, said, strict=True))


def _strong(grid: CellGrid, order: Order, spot: tuple[int, int]) -> tuple[cell.Strong, ...]:
    row, column = spot
    there = grid.strongest(order, TOP).channels[:, row, column].tolist()
    return tuple(
        cell.Strong(one, float(grid.activations[one, row, column]), float(grid.by_channel[one, row, column]))
        for one in there
        if one != NO_CHANNEL
    )
