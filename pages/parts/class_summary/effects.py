"""Edges by what channels do to each other, in the place of influence: drawn, told, and held against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import streamlit as st
from jaxtyping import Bool, Float

import cache
from interp import class_summary
from interp.class_summary import ChannelKey, ClassGraph, ClassSummary, EdgeAgreement, EdgeEffects, GraphEffects
from interp.class_summary.counted import LayerPair
from interp.set_pass import evenly
from pages.parts.class_summary import vertices
from pages.parts.class_summary.graph_view import DrawnEdge, DrawnGraph
from pages.parts.kit import controls, export, replay
from pages.parts.kit.selection import Selection

EffectMeasure = Literal["attribution", "measured"]
INFLUENCE = "Influence"
MEASURES: Mapping[str, EffectMeasure] = {"Gradient × activation": "attribution", "Zeroing": "measured"}
IMAGES = 16
"""Over so many images of the class at most, spread evenly."""
LEAST, MOST = 0.05, 150
"""Of each two layers edges are drawn from this share of the largest magnitude on, and the so many largest of them."""
TOLD = 3
"""So many of the strongest inputs, and outputs, are told of each vertex."""
SIGNS = ("drives it (above 0)", "holds it down (below 0)")

READING = (
    f"*Edges by* asks the network itself, over up to {IMAGES} images of the class, for every two vertices $i$ and $j$ "
    "of layers that follow each other, with $M_j = \\max_p Y_j(p)$, the largest activation of the upper one. "
    "*Gradient × activation* is $\\sum_p X_i(p)\\, \\partial M_j / \\partial X_i(p)$ (Shrikumar et al. 2016; between "
    "layers Olah et al. 2018), *Zeroing* is $M_j(X) - M_j(X \\text{ with } X_i = 0)$, both the mean over the images, "
    "in the upper channel's own measure. Width is the magnitude beside the largest between the same two layers, "
    "since layers differ in scale: widths of different layers are not to be compared. What is dashed is below 0: the "
    f"lower channel holds the upper one down. Below {LEAST:.0%} of the largest nothing is drawn. *Pitfalls:* the "
    "first is a slope, right for small changes only, and 0 past a rectifier that is off; the second takes the channel "
    "to a value that it may never have, and says nothing of several taken away at once. Both look at the upper "
    "channel's largest activation alone. The vertices are those that influence chose: how far it agrees "
    "with these here says little of all channels."
)


@dataclass(frozen=True)
class _Pair:
    """Two channels of layers that follow each other: what the one does to the other, and beside the largest."""

    lower: ChannelKey
    upper: ChannelKey
    value: float
    weight: float


def choose() -> str:
    """Draw the choice of what edges are; gives `INFLUENCE` or one of `MEASURES`."""
    help = (
        "Influence: in how many images the lower channel is among the five strongest inputs by convolution. The others "
        f"run the network, over {IMAGES} images of the class: what its slope gives to the upper channel, and by how "
        "much that falls without it."
    )
    return controls.one_of("Edges by", "cs.edges", [INFLUENCE, *MEASURES], help=help)


def ask(selection: Selection, graph: ClassGraph, number: int) -> cache.Job:
    """Ask for both measures of the graph of a class."""
    own = np.flatnonzero(np.asarray(selection.labels.indices) == number)
    some = tuple(own[evenly(len(own), IMAGES)].tolist())
    given = (selection.classifier, selection.photos, graph, some)
    return selection.scope.compute("effects", class_summary.effects_in_graph, *given)


def drawn(shown: DrawnGraph, found: GraphEffects, chosen: str) -> DrawnGraph:
    """The graph with the edges of a measure, as far as they are known; its vertices stay where they are."""
    pairs = [one for effects in found.values() for one in _strongest(effects, MEASURES[chosen])]
    lines = _lines(pairs)
    edges = tuple(
        DrawnEdge(
            vertices.name_of(one.lower),
            vertices.name_of(one.upper),
            one.weight,
            negative=one.value < 0,
            said=f"{_named(one.lower)} → {_named(one.upper)}: {_signed(one.value)}",
        )
        for one in pairs
    )
    told = tuple(replace(one, lines=(*one.lines, *lines.get((one.layer, one.channel), ()))) for one in shown.vertices)
    return replace(shown, edges=edges, vertices=told, signs=SIGNS, standing=shown.edges)


def said(shown: DrawnGraph, job: cache.Job, chosen: str) -> None:
    """What the edges are, as far as they are known."""
    found: GraphEffects = job.latest({})
    if not found:
        return
    images = next(iter(found.values())).images
    count = sum(one.measured.size for one in found.values())
    far = "" if job.state == "done" else f" So far {len(found)} pairs of layers are known."
    st.markdown(
        f"Edges by **{chosen[0].lower()}{chosen[1:]}**, over {images} {'image' if images == 1 else 'images'} of the "
        f"class: {len(shown.edges):,} of {count:,} pairs of channels, those from {LEAST:.0%} of the largest magnitude "
        f"between the same two layers on{_capped(found, chosen)}.{far}"
    )


def agreements(summary: ClassSummary, number: int, found: GraphEffects) -> None:
    """How far influence and both measures agree, layer by layer, and the numbers of all pairs."""
    own = cache.figure(_influences, summary, number, found)
    compared: dict[LayerPair, EdgeAgreement] = cache.figure(_compared, own, found)
    st.markdown(class_summary.agreement_said(compared.values()))
    if not found:
        return
    rows = [
        {
            "layers": " → ".join(pair),
            "pairs": one.pairs,
            "influence, zeroing": one.influence_measured,
            "gradient, zeroing": one.attribution_measured,
            "influence, gradient": one.influence_attribution,
            "largest by zeroing": float(np.abs(found[pair].measured).max()),
        }
        for pair, one in compared.items()
    ]
    with st.expander("How the measures agree", key="cs-agree", on_change="rerun") as opened:
        if opened.open:
            st.caption(
                "Spearman's rank correlations over all pairs of channels of the graph that do anything to each other; "
                "none of fewer than 6 pairs, or where a measure is the same everywhere."
            )
            replay.once(_table, rows)
            export.download("Pairs of channels as CSV", "loupe-edges.csv", lambda: list(_rows(own, found)))


def _influences(summary: ClassSummary, number: int, found: GraphEffects) -> dict[LayerPair, np.ndarray]:
    """Of the same pairs of channels, in how many images the one influences the other."""
    return {pair: summary.influences[pair][number][np.ix_(one.sources, one.targets)] for pair, one in found.items()}


def _compared(own: Mapping[LayerPair, np.ndarray], found: GraphEffects) -> dict[LayerPair, EdgeAgreement]:
    return {pair: class_summary.agreement(own[pair], one) for pair, one in found.items()}


def _table(rows: list[dict[str, str | int | float]]) -> None:
    config = {name: st.column_config.NumberColumn(format="%.2f") for name in list(rows[0])[2:5]}
    config["largest by zeroing"] = st.column_config.NumberColumn(format="%.3g")
    st.dataframe(export.shown(rows), hide_index=True, column_config=config, placeholder="–", height="content")


def _rows(own: Mapping[LayerPair, np.ndarray], found: GraphEffects) -> Iterator[dict[str, str | int | float]]:
    for pair, one in found.items():
        for row, source in enumerate(one.sources):
            for column, target in enumerate(one.targets):
                yield {
                    "lower layer": pair[0], "lower channel": source, "upper layer": pair[1], "upper channel": target,
                    "influence": int(own[pair][row, column]),
                    "gradient × activation": float(one.attribution[row, column]),
                    "zeroing": float(one.measured[row, column]),
                }  # fmt: skip


def _strongest(effects: EdgeEffects, measure: EffectMeasure) -> list[_Pair]:
    values = getattr(effects, measure)
    largest = np.abs(values).max()
    rows, columns = np.nonzero(_kept(values, MOST))
    below, above = effects.pair
    return [
        _Pair(
            (below, effects.sources[row]),
            (above, effects.targets[column]),
            float(values[row, column]),
            float(abs(values[row, column]) / largest),
        )
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def _kept(values: Float[np.ndarray, "i j"], most: int) -> Bool[np.ndarray, "i j"]:
    """Those that are large enough to be drawn, and among so many largest."""
    magnitude = np.abs(values)
    kept = (magnitude > 0) & (magnitude >= LEAST * magnitude.max())
    if kept.sum() > most:
        kept.ravel()[np.argsort(-magnitude, axis=None, kind="stable")[most:]] = False
    return kept


def _capped(found: GraphEffects, chosen: str) -> str:
    large = [int(_kept(getattr(one, MEASURES[chosen]), one.measured.size).sum()) for one in found.values()]
    return f", the {MOST} largest of each two layers at most" if max(large) > MOST else ""


def _lines(pairs: list[_Pair]) -> dict[ChannelKey, list[str]]:
    """The strongest inputs and outputs of each vertex, in words."""
    found: dict[ChannelKey, list[str]] = {}
    for begin, mine, other in (("from", "upper", "lower"), ("to", "lower", "upper")):
        own: dict[ChannelKey, list[tuple[ChannelKey, float]]] = {}
        for one in sorted(pairs, key=lambda one: -one.weight):
            own.setdefault(getattr(one, mine), []).append((getattr(one, other), one.value))
        for key, ends in own.items():
            some = ", ".join(f"{end[1]} {_signed(value)}" for end, value in ends[:TOLD])
            found.setdefault(key, []).append(f"{begin} {ends[0][0][0]}: {some}")
    return found


def _named(key: ChannelKey) -> str:
    return f"{key[0]} {key[1]}"


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")
