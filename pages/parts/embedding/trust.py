"""How far to trust the maps: the numbers behind them, curves, and what neighbours share before anything is drawn."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from interp import embedding
from interp.embedding import LabelledRows, Projection
from interp.figures import embedding as figures
from interp.types import Classifier
from pages.parts.embedding import representations
from pages.parts.kit import charts, export, replay, waiting
from pages.parts.kit.export import PLOT
from pages.parts.kit.text import plain

SHARING = (
    "How many of an image's ten nearest neighbours in the features, not on a map, are of its own class or group. "
    "*pixels* is the baseline: what images have in common before any classifier has seen them."
)


def numbers(projections: tuple[Projection, ...], headed: tuple[str, ...]) -> None:
    """How well each map keeps neighbours, as a table, and the curves behind it in an expander."""
    replay.once(_numbers, projections, headed)
    explained = any(one.quality.explained is not None for one in projections)
    diverging = any(one.quality.divergence is not None for one in projections)
    curves = ["explained variance"] * explained + ["KL divergence"] * diverging
    if not curves:
        return
    with st.expander(f"Curves: {' and '.join(curves)}", key="curves", on_change="rerun") as place:
        if place.open:
            replay.once(_curves, projections, headed)


def _numbers(projections: tuple[Projection, ...], headed: tuple[str, ...]) -> None:
    rows = [
        {
            "map": title,
            "neighbours kept": one.quality.preservation,
            "trustworthiness": one.quality.trustworthiness,
            "continuity": one.quality.continuity,
            "KL divergence": one.quality.divergence,
            "explained variance": _explained(one),
        }
        for title, one in zip(headed, projections, strict=True)
    ]
    filled = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    st.dataframe(
        export.shown([{name: row[name] for name in filled} for row in rows]),
        hide_index=True,
        placeholder="–",
        column_config={
            "neighbours kept": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            "trustworthiness": st.column_config.NumberColumn(format="%.3f"),
            "continuity": st.column_config.NumberColumn(format="%.3f"),
            "KL divergence": st.column_config.NumberColumn(
                format="%.3f", help="What t-SNE minimizes, in nats. Comparable only at the same perplexity."
            ),
            "explained variance": st.column_config.NumberColumn(format="percent", help="PCA: of the axes drawn."),
        },
    )


def _explained(projection: Projection) -> float | None:
    explained = projection.quality.explained
    return None if explained is None else float(explained[: projection.points.shape[1]].sum())


def _curves(projections: tuple[Projection, ...], headed: tuple[str, ...]) -> None:
    for title, one in zip(headed, projections, strict=True):
        explained = one.quality.explained
        if explained is None:
            continue
        st.markdown(f"**{plain(title)}**: the variance on each axis; the dark ones are drawn.")
        if not len(explained):
            st.info("The features do not vary, so no axis explains anything.")
            continue
        charts.draw(figures.explained_variance(explained, one.points.shape[1]), config=PLOT)
    films = {
        title: one.frames for title, one in zip(headed, projections, strict=True) if one.quality.divergence is not None
    }
    if films:
        st.markdown("**t-SNE**: KL divergence, without exaggeration, as the optimization goes on.")
        charts.draw(figures.divergence(films), config=PLOT)


def sharing(scope: cache.Scope, classifier: Classifier, known: LabelledRows, pooled: str) -> None:
    """How far neighbours share label and group, layer by layer, in an expander; computed when it is opened."""
    classes = _classes(known)
    if not classes:
        return
    with st.expander("Do neighbours share a class, layer by layer?", key="sharing", on_change="rerun") as place:
        if not place.open:
            return
        st.markdown(SHARING)
        layers = representations.film(classifier, pooled)
        job = representations.ask(scope, "film", classifier, known.photos, layers)
        if not waiting.settled(job):
            return
        agreeing = cache.call(embedding.agreements, job.value, tuple(classes), tuple(classes.values()))
        compared = scope.ask("sharing", agreeing, disk=False, queue=cache.Queue.PROJECTIONS)
        if waiting.settled(compared):
            replay.once(_sharing, compared.value, tuple(str(one.layer) for one in layers))


def _classes(known: LabelledRows) -> dict[str, np.ndarray]:
    """Labels and groups as indices, where some images share one."""
    kinds = {"label": known.labels, "group": known.grouped[0]}
    return {
        kind: classes
        for kind, classes in kinds.items()
        if len(set(classes[classes >= 0].tolist())) > 1 and np.bincount(classes[classes >= 0]).max() > 1
    }


def _sharing(found: dict[str, tuple[embedding.ClassAgreement, ...]], layers: tuple[str, ...]) -> None:
    for kind, shares in found.items():
        best = int(np.argmax([one.share for one in shares]))
        at, first, last = shares[best], shares[0], shares[-1]
        ends = f"{first.share:.0%} in the {layers[0]}, {last.share:.0%} in the {layers[-1]}"
        most = "" if best in (0, len(shares) - 1) else f", most at {plain(layers[best])} ({at.share:.0%})"
        st.markdown(f"**Same {kind}**: {ends}{most}; by chance {at.chance:.0%}. {at.count:,} images.")
    charts.draw(figures.agreements(found, layers), config=PLOT)
