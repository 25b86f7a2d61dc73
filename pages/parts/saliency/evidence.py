"""How far the maps can be trusted, measure by measure: curves, randomization, shift, annotations, agreement."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from torch import Tensor

import cache
from interp import evaluation
from interp.figures import evidence as figures
from interp.figures import saliency, sentences
from interp.types import Heatmaps
from pages.parts.kit import charts, export, replay, waiting
from pages.parts.kit.export import PLOT
from pages.parts.kit.text import plain
from pages.parts.saliency import verdicts
from pages.parts.saliency.explained import MapComparison, Result, columns_for
from pages.parts.saliency.verdicts import CONTROL

READING = """

**Deletion and insertion** (Petsiuk et al. 2018): the most important pixels go first, or come first; a good map takes
the class's probability away at once, or brings it at once. Random pixels do so, too, merely because single pixels
destroy a picture: so a verdict compares each map with *the same map moved elsewhere*. **Randomization** (Adebayo et
al. 2018): layers forget what they have learned, from the top down; a map that stays the same explains the picture,
not the model. **The constant shift** (Kindermans et al. 2017): pictures and model are shifted by the same constant,
so that the model computes the same. **Agreement** is no proof: methods with the same weakness agree, too.
**Annotations** say what people find important, and a model may look elsewhere.

**The verdict**'s rules and thresholds stand in `interp/evaluation/verdict.py`. They were set on 20 scenes whose
reason is known, and tried on a few others and on photographs (`benchmarks/verdicts.py`): noise and Guided Backprop
were never *supported*, and all supported maps but one lay on the true reason. The reverse does not hold: most maps
that were *not supported* lay on it, too. So *not supported* says that this map is not borne out, not that it is wrong.
Where the reason is everywhere in the picture, as a background is, no map was supported.
"""


def panel(comparison: MapComparison, found: evaluation.Judgements, scope: cache.Scope) -> None:
    """Offer what can be measured of the maps; nothing is computed before it is asked for.

    `found` is what was judged. `page` is the title of the page that it is on: what is asked for there ends when the
    page is left.
    """
    with st.expander("How far to trust these maps", icon=":material/balance:", key="trust", on_change="rerun") as place:
        if not place.open:
            return
        alone = {
            "Deletion and insertion": _curves,
            "Randomization": _randomization,
            "Shift and residual": _shift,
            "Agreement": _agreement,
        }
        views = ["Reasons", *alone, "Annotations"]
        view = st.segmented_control(
            "What to measure", views, key="evidence", required=True, default=views[0], wrap=True
        )
        if view == "Annotations":
            _annotations(comparison, scope)
            return
        row = _photograph(comparison)
        if view in alone:
            alone[view](_alone(comparison, row), scope)
        else:
            verdicts.reasons(comparison, found, row)


def _photograph(comparison: MapComparison) -> int:
    """The row of the photograph that is looked at; asked for where there are several."""
    rows = list(range(len(comparison.batch)))
    if len(rows) == 1:
        return 0
    names = comparison.batch.names
    if st.session_state.get("evidence-of", 0) not in rows:
        st.session_state["evidence-of"] = 0
    return st.selectbox("Photograph", rows, format_func=lambda row: plain(names[row]), key="evidence-of")


def _alone(comparison: MapComparison, row: int) -> MapComparison:
    """The comparison of one of its photographs."""
    here = slice(row, row + 1)
    return replace(
        comparison,
        annotations=comparison.annotations[here],
        batch=comparison.batch[here],
        targets=comparison.targets[here],
        results=tuple((method, _part(heatmaps, here)) for method, heatmaps in comparison.results),
        remarks=(),
    )


def _part(heatmaps: Heatmaps, here: slice) -> Heatmaps:
    return replace(
        heatmaps,
        values=heatmaps.values[here],
        targets=heatmaps.targets[here],
        coarse=None if heatmaps.coarse is None else heatmaps.coarse[here],
        residual=None if heatmaps.residual is None else heatmaps.residual[here],
    )


def _rivals(comparison: MapComparison) -> tuple[Result, ...]:
    return tuple(result for result in comparison.results if result[0].title != CONTROL)


def _chosen(comparison: MapComparison, key: str) -> Result | None:
    """One of the methods."""
    found = {method.title: (method, heatmaps) for method, heatmaps in _rivals(comparison)}
    title = st.selectbox("Method", list(found), key=key)
    return found.get(title)


def _asked(key: str, what: str) -> bool:
    return st.toggle(f"Measure: {what}", key=key)


def _curves(comparison: MapComparison, scope: cache.Scope) -> None:
    """The curves of all methods, and of five random orders."""
    maps = {method.title: heatmaps for method, heatmaps in _rivals(comparison)}
    if not _asked("curved", f"{102 * (len(maps) + 5):,} forward passes"):
        return
    job = scope.compute("curves", evaluation.compare, comparison.classifier, comparison.batch, comparison.targets, maps)
    waiting.settled(job)
    found = job.parts
    if found:
        charts.draw(figures.curves(found, CONTROL), config=PLOT)
        areas = [
            {"method": one.name, "deletion": float(one.deletion.area[0]), "insertion": float(one.insertion.area[0])}
            for one in found
        ]
        st.dataframe(areas, hide_index=True)


def _randomization(comparison: MapComparison, scope: cache.Scope) -> None:
    """The map after each stage of forgetting, as a film strip."""
    chosen = _chosen(comparison, "randomized")
    if chosen is None or not _asked("forgetting", "the map again for each stage, up to 12"):
        return
    method, heatmaps = chosen
    job = scope.compute(
        "randomization",
        evaluation.cascading_randomization,
        comparison.classifier,
        comparison.batch,
        comparison.targets,
        method,
        heatmaps=heatmaps,
    )
    waiting.settled(job)
    stages = job.parts
    if not stages:
        return
    strip = [("as trained", heatmaps.values[0], heatmaps.signed)]
    for stage in stages:
        alike = "constant" if bool(stage.blank[0]) else f"{stage.spearman[0]:.2f}"
        strip.append((f"{stage.layer}: {alike}", stage.heatmaps.values[0], heatmaps.signed))
    _strip(comparison, strip, 3, "film")
    st.caption(
        "From the top down: at each stage this layer, and all that come after it, have forgotten what they learned. "
        "The number is the rank correlation of magnitudes with the map as trained: 1 is the same map, 0 another one."
    )


def _shift(comparison: MapComparison, scope: cache.Scope) -> None:
    """Each map beside that of the shifted model, and what it misses of the sum that it promises."""
    if not _asked("shifted", "each map once more on the shifted model, methods that draw random numbers twice"):
        replay.once(_sums, comparison, ())
        return
    job = scope.gather(
        "shift", evaluation.shifts, comparison.classifier, comparison.batch, comparison.targets, comparison.results
    )
    if waiting.settled(job):
        replay.once(_sums, comparison, job.value)
        replay.once(_shifted_maps, comparison, job.value)


def _sums(comparison: MapComparison, shifts: tuple[evaluation.ShiftInvariance, ...]) -> None:
    rows = []
    for place, (method, heatmaps) in enumerate(comparison.results):
        share = evaluation.relative_residual(heatmaps)
        row = {
            "method": method.title,
            "residual": None if heatmaps.residual is None else float(heatmaps.residual[0]),
            "share": None if share is None else float(share[0]),
        }
        if shifts:
            shift = shifts[place]
            row |= {
                "difference": float(shift.difference[0]),
                "another draw": float(shift.redrawn[0]),
                "rank correlation": float(shift.spearman[0]),
            }
        rows.append(row)
    number = st.column_config.NumberColumn
    st.dataframe(
        export.shown(rows),
        hide_index=True,
        placeholder="–",
        column_config={
            "residual": number(format="%.3g", help="The map's sum minus what the method promises, in logits."),
            "share": number(format="percent", help="The residual as a share of what is promised, at least one logit."),
            "difference": number(format="%.3f", help="Between the two maps: 0 is none, 1 is nothing in common."),
            "another draw": number(format="%.3f", help="The difference that other random numbers alone make."),
            "rank correlation": number(format="%.3f", help="Of the two maps: 1 for the same order of pixels."),
        },
    )
    st.caption("Methods without a residual promise no sum: nothing can be checked of it.")


def _shifted_maps(comparison: MapComparison, shifts: tuple[evaluation.ShiftInvariance, ...]) -> None:
    strip = []
    for (method, heatmaps), shift in zip(comparison.results, shifts, strict=True):
        strip.append((method.title, heatmaps.values[0], heatmaps.signed))
        strip.append((f"shifted: {float(shift.difference[0]):.2f}", shift.shifted.values[0], heatmaps.signed))
    _strip(comparison, strip, 4)
    st.caption(
        "Picture and model are shifted by the same constant, so that the model computes the same: a map that changes "
        "also shows how the picture is encoded. Methods that compare with black change by construction."
    )


def _strip(comparison: MapComparison, maps: list[tuple[str, Tensor, bool]], most: int, key: str | None = None) -> None:
    """Draw maps of the photograph, at most so many side by side."""
    columns = columns_for(comparison.width, most)
    figure = saliency.comparison(comparison.batch.pixels[0], maps, clip=99.0, columns=columns, width=comparison.width)
    st.plotly_chart(figure, config=PLOT, key=key, alt=sentences.of_maps([(title, one) for title, one, _ in maps]))


def _annotations(comparison: MapComparison, scope: cache.Scope) -> None:
    """How all maps of all photographs lie to what people marked."""
    annotations = comparison.annotations
    if not bool(annotations.any()):
        st.caption(
            "Nobody has marked anything in these photographs. Choose an image set with annotations: an export of the "
            "usual tools, masks beside the pictures, or annotations named under 'Annotations' in the sidebar."
        )
        return
    maps = {method.title: heatmaps for method, heatmaps in comparison.results}
    found = waiting.value(scope.draw("located", evaluation.located, maps, annotations))
    replay.once(_located, comparison.batch.names, found)
    export.download("Annotations as CSV", "loupe-annotations.csv", lambda: _located_rows(comparison.batch.names, found))


def _located_rows(names: tuple[str, ...], found: tuple[evaluation.Located, ...]) -> list[dict[str, object]]:
    return [
        {
            "method": one.name,
            "image": name,
            "pointing": "hit" if bool(one.pointing.hit[row]) else "miss",
            "energy inside": float(one.energy.inside[row]),
            "energy, chance": float(one.energy.chance[row]),
            "overlap": float(one.overlap.iou[row]),
            "overlap, chance": float(one.overlap.chance[row]),
        }
        for one in found
        for row, name in enumerate(names)
        if bool(one.pointing.counted[row])
    ]


def _located(names: tuple[str, ...], found: tuple[evaluation.Located, ...]) -> None:
    charts.draw(figures.located(found, CONTROL), config=PLOT)
    rows = _located_rows(names, found)
    shares = ("energy inside", "energy, chance", "overlap", "overlap, chance")
    st.dataframe(
        export.shown(rows),
        hide_index=True,
        placeholder="–",
        column_config={name: st.column_config.NumberColumn(format="%.2f") for name in shares},
    )
    counted = len({row["image"] for row in rows})
    st.caption(
        f"{counted} of {len(names)} photographs are annotated. *Pointing*: the largest value lies inside, or at most "
        "15 pixels of 224 beside. *Energy inside*: the share of |S| there; chance is the annotation's share of the "
        "picture. *Overlap*: intersection over union with as many of the largest values. A model may look beside what "
        "people have marked: these measure agreement with people, not with the model."
    )


def _agreement(comparison: MapComparison, scope: cache.Scope) -> None:
    """How alike the maps are, and where most of them agree."""
    maps = {method.title: heatmaps.values for method, heatmaps in comparison.results}
    if len(maps) < 2:
        st.caption("There is only the control: choose a method.")
        return
    found = waiting.value(scope.draw("agreement", evaluation.agreement, maps))
    kinds = {"Rank correlation": found.spearman, "Overlap of the top 5%": found.topk_iou, "SSIM": found.ssim}
    kind = st.segmented_control(
        "By", list(kinds), key="agreement", required=True, default="Rank correlation", wrap=True
    )
    charts.draw(figures.matrix(found.names, kinds[kind or "Rank correlation"][0]), config=PLOT)
    voted = waiting.value(scope.draw("consensus", evaluation.consensus, maps))
    replay.once(_consensus, comparison, voted)


def _consensus(comparison: MapComparison, voted) -> None:
    figure = saliency.comparison(comparison.batch.pixels[0], [("Consensus", voted[0], False)], columns=4)
    charts.draw(figure, config=PLOT)
    st.caption("The share of methods that have a pixel among their top 5%; the control has no vote.")
