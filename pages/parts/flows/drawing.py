"""A flow as it is drawn: columns of lit photographs, bands, a sentence with its sums, and the table of its numbers."""

from __future__ import annotations

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from interp import feature_visualization as fv
from interp.channels import Flow
from interp.figures.grouped import colour
from interp.figures.spotlight import spotlight
from interp.images.data_urls import data_url
from interp.types import Classifier, Images, Target
from pages.parts.flows.flow_view import DrawnColumn, FlowBand, FlowNode, draw_flow
from pages.parts.kit import export
from pages.parts.kit.markup import shrunk
from pages.parts.kit.text import plain, shortened

SIDE = 96
LEAST = 0.01
"""Bands below this share of the largest are not drawn."""

READING = (
    "**Flow.** In each of a few layers the activation is split into groups of channels that are active together (as in "
    "*Groups*), and what is in none of them, the *rest*. A group's value is what it brings to the score to first "
    r"order, $\sum A_g \, \partial s / \partial A$. A band from group $g$ to group $h$ of the next layer is the part "
    r"of it that goes through $h$: $\sum A_g \, \partial s_h / \partial A$ with $s_h = \sum A' c_h$, $c_h$ being $h$'s "
    "part of the gradient in its layer, held fixed. So the bands that leave a group sum to its value, and all groups "
    "with the rest and what is named above a column, biases and what is not linear further up, to the score. Orange "
    "speaks for the score, blue against it; bands below 1% of the largest are left out of the drawing and not of the "
    "sums. *Pitfalls:* groups of two layers are found apart from each other; all is first order: it says what a small "
    "change would do, and a band is not what would be missing without it (*Effects* measures that)."
)


def draw(classifier: Classifier, image: Images, target: Target, found: Flow, *, key: str) -> None:
    """Draw the flow of one photograph with its sentence and its table."""
    name = plain(target.title(classifier.labels))
    st.markdown(sentence(name, found))
    shown = columns(classifier, fv.bytes_of(image.pixels[0]), found)
    draw_flow(shown, bands(found, shown), key=key, label=f"Flow of {name}")
    _table(classifier, found, key)


def sentence(name: str, found: Flow) -> str:
    """What the last layer's groups bring to the score, and what goes past a layer."""
    last = found.columns[-1]
    held = float(last.values[:-1].sum())
    past = max((float(one.abs().max()) for one in found.past), default=0.0)
    said = (
        f"Of the score of **{name}**, {found.score:.4g} logits, the groups of "
        f"{plain(last.groups.layer.name)} bring {held:.4g}, the rest {float(last.values[-1]):+.3g}, and biases and "
        f"what is not linear above it {last.residual:+.3g}."
    )
    if past > 0.01 * max(1.0, abs(found.score)):
        said += f" Up to {past:.3g} of a group goes past the next layer, by a skip connection around it."
    return said


def columns(classifier: Classifier, seen: UInt8[np.ndarray, "h w 3"], found: Flow) -> tuple[DrawnColumn, ...]:
    """The layers and the classes, as they are drawn."""
    drawn = []
    for column in found.columns:
        nodes = []
        for group in range(len(column.groups)):
            lit = shrunk(spotlight(seen, column.groups.maps[0, group].numpy()), SIDE)
            value = float(column.values[group])
            strongest = ", ".join(f"{k} ({share:.0%})" for k, share in column.groups.strongest(group, 4))
            lines = (
                f"Group {group + 1} of {column.groups.layer.name}",
                f"brings {value:+.3g} logits",
                f"channels {strongest or 'none'}",
            )
            nodes.append(FlowNode("group", data_url(lit, quality=80), "", f"{value:+.2f}", lines, colour(group)))
        rest = float(column.values[-1])
        lines = (f"What is in no group of {column.groups.layer.name}", f"brings {rest:+.3g} logits")
        nodes.append(FlowNode("rest", "", "rest", f"{rest:+.2f}", lines))
        under = f"beyond {column.residual:+.2f}"
        drawn.append(DrawnColumn(shortened(column.groups.layer.name, 18), under, tuple(nodes)))
    nodes = []
    for one, logit, left in zip(found.classes, found.logits.tolist(), found.class_given.tolist(), strict=True):
        label = classifier.labels[one]
        lines = (label, f"logit {logit:.4g}", f"biases and what is not linear give {left:+.3g}")
        nodes.append(FlowNode("class", "", shortened(label, 12), f"{logit:.2f}", lines))
    return (*drawn, DrawnColumn("classes", "logits", tuple(nodes)))


def bands(found: Flow, drawn: tuple[DrawnColumn, ...]) -> list[FlowBand]:
    """What is brought from column to column, but for what is too little to be seen."""
    every = [*found.bands, found.to_classes]
    made = []
    for at, one in enumerate(every):
        values = one.numpy()
        least = LEAST * float(np.abs(values).max(initial=0))
        for source, target in zip(*np.nonzero(np.abs(values) > least), strict=True):
            value = float(values[source, target])
            ends = drawn[at].nodes[source].lines[0], drawn[at + 1].nodes[target].lines[0]
            made.append(FlowBand(at, int(source), int(target), value, f"{ends[0]} → {ends[1]}: {value:+.3g} logits"))
    return made


def _table(classifier: Classifier, found: Flow, key: str) -> None:
    with st.expander("The numbers of the flow", key=f"{key}-numbers", on_change="rerun") as opened:
        if not opened.open:
            return
        names = [*(column.groups.layer.name for column in found.columns), "classes"]
        rows = []
        for at, one in enumerate([*found.bands, found.to_classes]):
            last = at + 1 == len(found.columns)
            for (source, target), value in np.ndenumerate(one.numpy()):
                to = classifier.labels[found.classes[target]] if last else _name(target, one.shape[1])
                rows.append(
                    {
                        "from layer": names[at],
                        "from": _name(source, one.shape[0]),
                        "to layer": names[at + 1],
                        "to": to,
                        "logits": float(value),
                    }
                )
        st.dataframe(export.shown(rows), hide_index=True, height=320)
        export.download("Flow as CSV", "loupe-flow.csv", lambda: rows)


def _name(number: int, count: int) -> str:
    return "rest" if number == count - 1 else f"group {number + 1}"
