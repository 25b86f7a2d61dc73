"""The same images scored in several ways, by method or by classifier: flows between cases, counts, disagreements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Int

import cache
from interp import shared_interest
from interp.figures import interest as figures
from interp.shared_interest import CASES, Comparison
from pages.parts.kit import charts, markup, replay, waiting
from pages.parts.kit.export import PLOT
from pages.parts.shared_interest import gallery
from pages.parts.shared_interest.scored_set import NAMES, ScoredSet

EACH = 8


def draw(scope: cache.Scope, slot: str, ways: Sequence[ScoredSet], titles: Sequence[str]) -> None:
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
    charts.draw(figures.sankey(comparison), config=PLOT)
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


def _disputed(scope: cache.Scope, slot: str, ways: Sequence[ScoredSet], comparison: Comparison) -> None:
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
            one.scored.explanation,
            one.scored.scoring,
            comparison.positions[order],
            "area",
        )
        found.append(job.value if waiting.settled(job) else ("",) * len(order))
    replay.once(_pairs, tuple(ways), comparison, order, tuple(found))


def _pairs(
    ways: Sequence[ScoredSet], comparison: Comparison, order: Int[np.ndarray, " m"], found: Sequence[Sequence[str]]
) -> None:
    images = []
    for place, number in enumerate(order.tolist()):
        position = int(comparison.positions[number])
        several = [
            _way(one, title, position, pictures[place])
            for one, title, pictures in zip(ways, comparison.titles, found, strict=True)
        ]
        images.append((ways[0].photos.names[position], several))
    markup.draw("pairs.html", images=images, ways=len(ways))


def _way(scored_set: ScoredSet, title: str, position: int, url: str) -> dict[str, Any]:
    row = scored_set.where(position)
    assert row is not None, "only images that all have scored are compared"
    label, prediction = scored_set.class_names(row)
    height, width = scored_set.classifier.input_size
    return {
        "position": position,
        "title": title,
        "url": url,
        "ratio": width / height,
        "case": NAMES[scored_set.cases[row]],
        "iou": scored_set.scored.overlap.iou[row],
        "mark": "" if not label else "✓ " if scored_set.scored.correct[row] else "✗ ",
        "prediction": prediction,
    }
