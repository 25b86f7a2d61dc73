"""Columns of groups with bands between them, drawn in the browser: hover follows the strongest way through a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from streamlit.components.v2 import component

_HERE = Path(__file__).parent
_FLOW = component(
    "loupe_flow",
    css=(_HERE / "flow_view.css").read_text("utf-8"),
    js=(_HERE / "flow_view.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class FlowNode:
    """A group, what is in none (`rest`), or a class: `picture` is a data URL, else `short` stands in its place.

    `value` stands under it, `lines` are shown when it is pointed at.
    """

    kind: Literal["group", "rest", "class"]
    picture: str
    short: str
    value: str
    lines: tuple[str, ...]
    colour: str = ""


@dataclass(frozen=True)
class DrawnColumn:
    """A layer, or the classes: its name, what stands under it, and its nodes from the top."""

    title: str
    under: str
    nodes: tuple[FlowNode, ...]


@dataclass(frozen=True)
class FlowBand:
    """What node `source` of a column brings to node `target` of the next one; `title` says it in words."""

    column: int
    source: int
    target: int
    value: float
    title: str


def draw_flow(columns: Sequence[DrawnColumn], bands: Sequence[FlowBand], *, key: str, label: str) -> None:
    """Draw a flow from the left, the lowest layer, to the right. `label` says to screen readers what is drawn."""
    _FLOW(
        key=key,
        data={
            "columns": [asdict(one) for one in columns],
            "bands": [asdict(one) for one in bands],
            "label": label,
        },
    )
