"""All layers of a classifier: their sizes, and how many of their channels have a picture already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

import cache
from interp import feature_visualization as fv
from interp.types import Classifier
from pages.parts.cards import making
from pages.parts.channels import subject
from pages.parts.kit import export, replay, waiting
from pages.parts.kit.selection import Selection

MOMENT = 15_000_000_000
"""The store changes with each picture that is made: it is counted again every 15 seconds at most (in nanoseconds)."""


def draw(selection: Selection) -> None:
    """The list of layers, in an expander; nothing is looked up while that is closed."""
    classifier = selection.classifier
    heading = f"All {len(classifier.layers)} layers, and which have pictures of their channels"
    with st.expander(heading, key="ch-layers", on_change="rerun", icon=":material/layers:") as opened:
        if not opened.open:
            selection.scope.release("layers")
            return
        size = " × ".join(map(str, classifier.input_size))
        st.caption(
            f"The input is 3 colours × {size} pixels. *Pictures* are those of {making.steps()} steps, as this page "
            "makes and shows them: what is counted here comes at once, and the others are made when they are looked "
            "at. Layers marked as a block's end are offered above."
        )
        names = [one.name for one in classifier.layers if one.kind != "flat"]
        ends = {one.name for one in classifier.layers if one.block_end}
        ordered = tuple(sorted(names, key=lambda name: name not in ends))
        how, now = subject.how(selection), cache.moment() // MOMENT
        job = selection.scope.look_up("layers", fv.counted, classifier, how, ordered, cache.CachedItems(), now)
        waiting.settled(job)
        made = job.latest({})
        replay.once(_table, classifier, made)


def rows(classifier: Classifier, made: Mapping[str, int]) -> list[dict[str, Any]]:
    """A row for each layer; the number of pictures is None where it is not counted, or the layer has no maps."""
    return [
        {
            "layer": one.name,
            "channels": one.channels,
            "positions": f"{one.height} × {one.width}" if one.kind != "flat" else "",
            "size": f"{one.channels} × {one.height} × {one.width}" if one.kind != "flat" else f"{one.channels}",
            "kind": one.kind,
            "end of a block": one.block_end,
            "pictures": made.get(one.name),
            "share": made[one.name] / one.channels if one.name in made else None,
        }
        for one in classifier.layers
    ]


def _table(classifier: Classifier, made: Mapping[str, int]) -> None:
    st.dataframe(
        export.shown(rows(classifier, made)),
        hide_index=True,
        height=320,
        placeholder="–",
        column_order=["layer", "size", "kind", "end of a block", "pictures", "share"],
        column_config={
            "size": st.column_config.TextColumn("Channels × rows × columns"),
            "share": st.column_config.ProgressColumn("Of all its channels", format="percent", min_value=0, max_value=1),
        },
    )
