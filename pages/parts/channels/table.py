"""The numbers of all channels, to read and to take along."""

from __future__ import annotations

import numpy as np
import streamlit as st
from jaxtyping import Float

from interp.channels import ChannelAttribution, Effects
from pages.parts.channels.subject import Subject
from pages.parts.kit import export, replay


def draw(subject: Subject, measured: Effects | None) -> None:
    """Draw the numbers of all channels, in an expander; `measured` is None as long as it is not there."""
    with st.expander("The numbers of all channels", key="ch-numbers", on_change="rerun") as opened:
        if not opened.open:
            return
        replay.once(_table, subject.attribution, measured)
        with st.container(horizontal=True):
            export.download("All channels as CSV", "loupe-channels.csv", lambda: rows(subject.attribution, measured))
            export.download(
                "All positions as NPZ", "loupe-channels.npz", lambda: _arrays(subject.attribution, measured)
            )


def rows(found: ChannelAttribution, measured: Effects | None) -> list[dict[str, float]]:
    """A row for each channel, those with the largest attribution first."""
    table = columns(found, measured)
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def columns(found: ChannelAttribution, measured: Effects | None) -> dict[str, Float[np.ndarray, " k"] | list[int]]:
    """The numbers by their names: the means over the photographs, and the spread where there are several."""
    values = found.values.numpy()
    order = np.argsort(-values.mean(axis=0), kind="stable")
    table: dict[str, Float[np.ndarray, " k"] | list[int]] = {"channel": order.tolist()}
    table["attribution"] = values.mean(axis=0)[order]
    if len(values) > 1:
        table["standard deviation"] = values.std(axis=0)[order]
    if measured is not None:
        table["measured effect"] = measured.values.numpy().mean(axis=0)[order]
    table["largest activation"] = found.activations.amax(dim=(0, 2, 3)).numpy()[order]
    return table


def _table(found: ChannelAttribution, measured: Effects | None) -> None:
    st.dataframe(columns(found, measured), hide_index=True, height=320)


def _arrays(found: ChannelAttribution, measured: Effects | None) -> dict[str, np.ndarray]:
    arrays = {"attribution": found.values, "by_position": found.by_position, "activations": found.activations}
    if measured is not None:
        arrays["effect"] = measured.values
    return {name: one.numpy() for name, one in arrays.items()}
