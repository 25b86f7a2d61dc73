"""How far the maps of one photograph can be trusted: measured on request."""

from __future__ import annotations

import streamlit as st

import cache
from interp import evaluation
from interp.attribution import Random
from interp.figures import evidence as figures
from interp.figures import saliency
from interp.models import inputs
from pages.parts import drawn, waiting
from pages.parts.explained import PLOT, Comparison, Result
from pages.parts.text import plain

CONTROL = Random.title
COLOURS = {"supported": "green", "mixed": "orange", "not supported": "red", "unknown": "gray"}
READING = """

**Deletion and insertion** (Petsiuk et al. 2018): the most important pixels go first, or come first; a good map takes
the class's probability away at once, or brings it at once. Random pixels do so, too, merely because single pixels
destroy a picture: so a verdict compares each map with *the same map moved elsewhere*. **Randomization** (Adebayo et
al. 2018): layers forget what they have learned, from the top down; a map that stays the same explains the picture,
not the model. **The constant shift** (Kindermans et al. 2017): pictures and model are shifted by the same constant,
so that the model computes the same. **Agreement** is no proof: methods with the same weakness agree, too. **The
verdict**'s rules and thresholds stand in `interp/evaluation/verdict.py`; they were set on few photographs of one
classifier.
"""


def panel(comparison: Comparison, visitor: cache.Visitor, page: str) -> None:
    """Offer what can be measured of the maps; nothing is computed before it is asked for.

    `page` is the title of the page that it is on: what is asked for there ends when the page is left.
    """
    with st.expander("How far to trust these maps", icon=":material/balance:", key="trust", on_change="rerun") as place:
        if not place.open:
            return
        if len(comparison.positions) > 1:
            st.caption("This is measured for one photograph at a time: take the others away.")
            return
        views = {
            "Verdict": _verdicts,
            "Deletion and insertion": _curves,
            "Randomization": _randomization,
            "Agreement": _agreement,
        }
        view = st.segmented_control("What to measure", list(views), key="evidence", required=True, default="Verdict")
        views[view or "Verdict"](comparison, visitor, page)


def _rivals(comparison: Comparison) -> tuple[Result, ...]:
    return tuple(result for result in comparison.results if result[0].title != CONTROL)


def _chosen(comparison: Comparison, key: str) -> Result | None:
    """One of the methods."""
    found = {method.title: (method, heatmaps) for method, heatmaps in _rivals(comparison)}
    title = st.selectbox("Method", list(found), key=key)
    return found.get(title)


def _asked(key: str, what: str) -> bool:
    return st.toggle(f"Measure: {what}", key=key)


def _verdicts(comparison: Comparison, visitor: cache.Visitor, page: str) -> None:
    """Everything for one method, and what it comes to."""
    chosen = _chosen(comparison, "judge")
    if chosen is None:
        st.caption("There is no map to judge: choose a method.")
        return
    method, heatmaps = chosen
    runs = round(7 * max(1.0, method.cost(comparison.classifier)))
    if not _asked("judged", f"about 250 forward passes, and the map itself about {runs // 7 * 10} times again"):
        return
    mask = inputs.annotation(comparison.classifier, comparison.photos, comparison.positions[0])
    question = cache.call(
        evaluation.evidence,
        comparison.classifier,
        comparison.batch,
        comparison.targets,
        method,
        heatmaps,
        annotations=None if mask is None else mask[None],
    )
    job = visitor.ask(f"{page}/evidence", question)
    done = waiting.settled(job)
    found = job.value if done else job.partial
    if not found:
        return
    judged = evaluation.verdict(found[-1][0])
    if done:
        st.markdown(f"**{method.title}**: :{COLOURS[judged.level]}[**{judged.level}**]. {judged.text}")
    for reason in judged.reasons:
        st.markdown(f"- {plain(reason)}")


def _curves(comparison: Comparison, visitor: cache.Visitor, page: str) -> None:
    """The curves of all methods, and of five random orders."""
    maps = {method.title: heatmaps for method, heatmaps in _rivals(comparison)}
    if not _asked("curved", f"{102 * (len(maps) + 5):,} forward passes"):
        return
    question = cache.call(evaluation.compare, comparison.classifier, comparison.batch, comparison.targets, maps)
    job = visitor.ask(f"{page}/curves", question)
    done = waiting.settled(job)
    found = tuple(job.value if done else job.partial)
    if found:
        st.plotly_chart(figures.curves(found, CONTROL), config=PLOT)
        areas = [
            {"method": one.name, "deletion": float(one.deletion.area[0]), "insertion": float(one.insertion.area[0])}
            for one in found
        ]
        st.dataframe(areas, hide_index=True)


def _randomization(comparison: Comparison, visitor: cache.Visitor, page: str) -> None:
    """The map after each stage of forgetting, as a film strip."""
    chosen = _chosen(comparison, "randomized")
    if chosen is None or not _asked("forgetting", "the map again for each stage, up to 12"):
        return
    method, heatmaps = chosen
    question = cache.call(
        evaluation.cascading_randomization,
        comparison.classifier,
        comparison.batch,
        comparison.targets,
        method,
        heatmaps=heatmaps,
    )
    job = visitor.ask(f"{page}/randomization", question)
    done = waiting.settled(job)
    stages = job.value if done else job.partial
    if not stages:
        return
    strip = [("as trained", heatmaps.values[0], heatmaps.signed)]
    for stage in stages:
        alike = "constant" if bool(stage.blank[0]) else f"{stage.spearman[0]:.2f}"
        strip.append((f"{stage.layer}: {alike}", stage.heatmaps.values[0], heatmaps.signed))
    st.plotly_chart(saliency.comparison(comparison.batch.pixels[0], strip, clip=99.0), config=PLOT, key="film")
    st.caption(
        "From the top down: at each stage this layer, and all that come after it, have forgotten what they learned. "
        "The number is the rank correlation of magnitudes with the map as trained: 1 is the same map, 0 another one."
    )


def _agreement(comparison: Comparison, visitor: cache.Visitor, page: str) -> None:
    """How alike the maps are, and where most of them agree."""
    maps = {method.title: heatmaps.values for method, heatmaps in comparison.results}
    if len(maps) < 2:
        st.caption("There is only the control: choose a method.")
        return
    found = waiting.value(visitor.ask(f"{page}/agreement", cache.call(evaluation.agreement, maps), disk=False))
    kinds = {"Rank correlation": found.spearman, "Overlap of the top 5%": found.topk_iou, "SSIM": found.ssim}
    kind = st.segmented_control("By", list(kinds), key="agreement", required=True, default="Rank correlation")
    st.plotly_chart(figures.matrix(found.names, kinds[kind or "Rank correlation"][0]), config=PLOT)
    voted = waiting.value(visitor.ask(f"{page}/consensus", cache.call(evaluation.consensus, maps), disk=False))
    drawn.once(_consensus, comparison, voted)


def _consensus(comparison: Comparison, voted) -> None:
    figure = saliency.comparison(comparison.batch.pixels[0], [("Consensus", voted[0], False)], columns=4)
    st.plotly_chart(figure, config=PLOT)
    st.caption("The share of methods that have a pixel among their top 5%; the control has no vote.")
