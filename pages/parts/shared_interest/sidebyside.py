"""The same images scored in several ways, by method or by classifier: flows between cases, counts, disagreements."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from jaxtyping import Int

import cache
from interp import shared_interest
from interp.figures import interest as figures
from interp.shared_interest import CASES, Comparison
from pages.parts.kit import replay, waiting
from pages.parts.kit.export import PLOT
from pages.parts.shared_interest import gallery
from pages.parts.shared_interest.known import NAMES, Known

EACH = 8
CSS = """<style>
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(var(--wide),1fr));gap:12px;font-size:12.5px;
line-height:1.35}
.pairs .one{border:1px solid rgba(128,128,128,.3);border-radius:6px;padding:6px;min-width:0}
.pairs .ways{display:grid;gap:6px;grid-template-columns:repeat(var(--ways),minmax(0,1fr))}
.pairs button{font:inherit;color:inherit;text-align:left;background:none;border:0;padding:0;margin:0;cursor:pointer;
min-width:0}
.pairs img,.pairs .blank{display:block;width:100%;border-radius:3px;margin-bottom:3px}
.pairs .blank{background:rgba(128,128,128,.2)}
.pairs span{display:block;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
</style>"""


def draw(scope: cache.Scope, slot: str, ways: Sequence[Known], titles: Sequence[str]) -> None:
    """Draw what several scorings of one set have in common and what not; `titles` are theirs."""
    if not all(len(one) for one in ways):
        return
    scored = tuple(one.scored for one in ways)
    comparison = cache.figure(compared, scored, ways[0].thresholds, tuple(titles))
    if not len(comparison.positions):
        st.info("No image is scored in all of these ways yet.")
        return
    replay.once(_summary, comparison)
    _disputed(scope, slot, ways, comparison)


def compared(
    scored: tuple[shared_interest.Scored, ...], thresholds: shared_interest.Thresholds, titles: tuple[str, ...]
) -> Comparison:
    """The comparison under titles of our own."""
    found = shared_interest.compared(scored, thresholds)
    return Comparison(titles, found.positions, found.cases, found.iou)


def _summary(comparison: Comparison) -> None:
    agree = int(comparison.agree.sum())
    count = len(comparison.positions)
    word = "both" if len(comparison.titles) == 2 else "all of them"
    st.markdown(f"**{agree:,} of {count:,} images ({agree / count:.0%}) have the same case in {word}.**")
    st.plotly_chart(figures.sankey(comparison), config=PLOT)
    rows = []
    for way, title in enumerate(comparison.titles):
        counts = shared_interest.counts(comparison.cases[way])
        rows.append({"": title, "mean IoU": float(comparison.iou[way].mean()), **counts})
    present = [case for case in CASES if any(row[case] for row in rows)]
    st.dataframe(
        [{name: row[name] for name in ("", "mean IoU", *present)} for row in rows],
        hide_index=True,
        column_config={"mean IoU": st.column_config.NumberColumn(format="%.3f")},
    )


def _disputed(scope: cache.Scope, slot: str, ways: Sequence[Known], comparison: Comparison) -> None:
    disputed = int((~comparison.agree).sum())
    said = "Disagreements first, then those whose IoU differs most." if disputed else "All agree; most different first."
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pages = -(-len(comparison.positions) // EACH)
        page = st.pagination(pages, key=f"{slot}-page-{pages}") if pages > 1 else 1
    st.caption(f"{said} A click opens an image.")
    order = comparison.order[(page - 1) * EACH : page * EACH]
    found = []
    for number, one in enumerate(ways):
        job = scope.gather(
            f"{slot}-{number}",
            gallery.made,
            one.classifier,
            one.photos,
            one.scored.question,
            one.scored.scoring,
            comparison.positions[order],
            "area",
        )
        found.append(job.value if waiting.settled(job) else ("",) * len(order))
    replay.once(_pairs, tuple(ways), comparison, order, tuple(found))


def _pairs(
    ways: Sequence[Known], comparison: Comparison, order: Int[np.ndarray, " m"], found: Sequence[Sequence[str]]
) -> None:
    cards = []
    for place, number in enumerate(order.tolist()):
        position = int(comparison.positions[number])
        several = [
            _way(one, title, position, pictures[place])
            for one, title, pictures in zip(ways, comparison.titles, found, strict=True)
        ]
        name = escape(ways[0].photos.names[position])
        cards.append(
            f'<div class="one"><span title="{name}">{name}</span><div class="ways">{"".join(several)}</div></div>'
        )
    wide = 105 * len(ways)
    st.html(f'{CSS}<div class="pairs" style="--wide:min(100%,{wide}px);--ways:{len(ways)}">{"".join(cards)}</div>')


def _way(known: Known, title: str, position: int, picture: str) -> str:
    row = known.where(position)
    assert row is not None, "only images that all have scored are compared"
    label, prediction = known.said(row)
    height, width = known.classifier.input_size
    image = (
        f'<img src="{picture}" alt="">'
        if picture
        else f'<span class="blank" style="aspect-ratio:{width / height:.4g}"></span>'
    )
    mark = "" if not label else "✓ " if known.scored.correct[row] else "✗ "
    return (
        f'<button data-click="image:{position}" title="{escape(title)}">{image}<span><b>{escape(title)}</b></span>'
        f"<span>{NAMES[known.cases[row]]}</span><span>IoU {known.scored.overlap.iou[row]:.2f} · "
        f"{mark}{escape(prediction)}</span></button>"
    )
