"""Judging all maps of a comparison at once: offered below the figure, said beside each map, set out in a table."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import Any

import streamlit as st

import cache
from interp import attribution, evaluation
from pages.parts.kit import address, export, replay, waiting
from pages.parts.kit.text import plain
from pages.parts.saliency.explained import MapComparison

CONTROL = attribution.Random.title
COLOURS = {"supported": "green", "mixed": "orange", "not supported": "red", "unknown": "gray"}
KEY = "judging"


def judgements(comparison: MapComparison, scope: cache.Scope) -> evaluation.Judgements:
    """Offer to judge all the maps, and say what it costs; gives what is known so far, nothing where none is wanted."""
    address.seed(KEY, False, valid=lambda wanted: isinstance(wanted, bool), parse=lambda text: text == "1")
    st.toggle(
        "Judge these maps",
        key=KEY,
        help="Measures deletion, insertion, the constant shift and randomization of every map, the control's too, and "
        "says what they come to. What is measured is said under 'How to read this'.",
    )
    wanted = bool(st.session_state[KEY])
    address.publish(KEY, "1" if wanted else None)
    if not wanted:
        scope.release("judged")
        st.caption(_cost(comparison, scope))
        return ()
    job = scope.compute("judged", _judging(comparison))
    done = waiting.settled(job)
    found: evaluation.Judgements = job.latest(())
    if not done and job.state != "failed":
        ready = sum(bool(one.verdicts) for one in found)
        st.caption(f"{ready} of {len(comparison.results)} maps are judged; cheap methods come first.")
    return found


def _cost(comparison: MapComparison, scope: cache.Scope) -> str:
    methods = [method for method, _ in comparison.results]
    passes = len(comparison.batch) * evaluation.judging_passes(comparison.classifier, methods)
    job = scope.shared.gather("pass", attribution.measured_pass, comparison.classifier)
    job.wait(waiting.PATIENCE)
    time = f", about {waiting.duration(passes * job.value.seconds)}" if job.state == "done" else ""
    return f"Judging takes up to {passes:,.0f} forward-and-backward passes{time}."


def _judging(comparison: MapComparison) -> cache.Call:
    annotations = comparison.annotations
    return cache.call(
        evaluation.judgements,
        comparison.classifier,
        comparison.batch,
        comparison.targets,
        comparison.results,
        annotations=annotations if bool(annotations.any()) else None,
    )


def remarked(comparison: MapComparison, found: evaluation.Judgements) -> MapComparison:
    """The comparison with the verdicts that are ready as remarks on its maps."""
    remarks = tuple(
        (one.title, row, verdict.level, verdict.level) for one in found for row, verdict in enumerate(one.verdicts)
    )
    return replace(comparison, remarks=remarks)


def table(comparison: MapComparison, found: evaluation.Judgements) -> None:
    """The verdicts with the numbers behind them, a row for each map, and what the control shows."""
    if not found:
        return
    names = comparison.batch.names
    replay.once(_table, names, found)
    export.download("Verdicts as CSV", "loupe-verdicts.csv", lambda: rows(names, found))


def rows(names: tuple[str, ...], found: evaluation.Judgements) -> list[dict[str, Any]]:
    """A row for each method and photograph: verdict, numbers, reasons; None for what was not measured."""
    return [
        {
            "method": one.title,
            "image": name,
            "verdict": one.verdicts[row].level if one.verdicts else None,
            "deletion": evidence.deletion,
            "deletion, control": _mean(evidence.deletion_control),
            "insertion": evidence.insertion,
            "insertion, control": _mean(evidence.insertion_control),
            "randomization": evidence.randomization,
            "randomization, highest": evidence.randomization_highest,
            "residual": evidence.residual,
            "shift": evidence.shift,
            "shift, another draw": None if evidence.shift is None else evidence.shift_control,
            "pointing": None if evidence.pointing is None else "hit" if evidence.pointing else "miss",
            "overlap": evidence.overlap,
            "overlap, chance": None if evidence.overlap is None else evidence.overlap_chance,
            "in words": one.verdicts[row].text if one.verdicts else "Still measuring.",
            "reasons": " ".join(one.verdicts[row].reasons) if one.verdicts else "",
        }
        for one in found
        for row, (name, evidence) in enumerate(zip(names, one.evidence, strict=True))
    ]


def _mean(areas: tuple[float, ...]) -> float | None:
    return statistics.fmean(areas) if areas else None


def _table(names: tuple[str, ...], found: evaluation.Judgements) -> None:
    listed = rows(names, found)
    empty = {name for name in listed[0] if all(row[name] is None for row in listed)} - {"verdict"}
    left_out = empty | {"reasons"} | (set() if len(names) > 1 else {"image"})
    number = st.column_config.NumberColumn
    st.dataframe(
        export.shown(listed),
        hide_index=True,
        placeholder="–",
        column_order=[name for name in listed[0] if name not in left_out],
        column_config={
            "verdict": st.column_config.TextColumn(width=110),
            "in words": st.column_config.TextColumn(width="large"),
            "deletion": number(format="%.3f", help="Area under the curve; smaller is better."),
            "deletion, control": number(format="%.3f", help="The mean area of the same map moved elsewhere."),
            "insertion": number(format="%.3f", help="Area under the curve; larger is better."),
            "insertion, control": number(format="%.3f", help="The mean area of the same map moved elsewhere."),
            "randomization": number(
                format="%.2f", help="Rank correlation with the map of the model with all layers re-initialized."
            ),
            "randomization, highest": number(
                format="%.2f", help="The highest with more than half of the layers re-initialized; 1 is the same map."
            ),
            "residual": number(format="percent", help="The share of the sum it promises that the map misses."),
            "shift": number(format="%.3f", help="The difference under a constant shift: 0 none, 1 another map."),
            "shift, another draw": number(format="%.3f", help="What other random numbers alone change."),
            "overlap": number(format="%.2f", help="IoU of the annotation and as many of the largest values."),
            "overlap, chance": number(format="%.2f", help="That of as many pixels that know nothing."),
        },
    )
    control = next((one for one in found if one.title == CONTROL and one.verdicts), None)
    if control is not None:
        levels = ", ".join(dict.fromkeys(verdict.level for verdict in control.verdicts))
        st.caption(
            f"*{CONTROL}* is noise that knows nothing of the model, and is judged by the same rules: **{levels}**. "
            "Areas are better or worse only beside their own control, the same map moved elsewhere."
        )


def reasons(comparison: MapComparison, found: evaluation.Judgements, row: int) -> None:
    """The verdict on one map of one photograph, and all that it rests on."""
    judged = {one.title: one.verdicts[row] for one in found if one.verdicts}
    if not judged:
        st.caption("Turn on 'Judge these maps', below the figure: then each verdict's reasons stand here.")
        return
    title = st.selectbox("Method", list(judged), key="judged-method")
    verdict = judged[title]
    words = f"**{plain(title)}**: :{COLOURS[verdict.level]}[**{verdict.level}**]. {verdict.text}"
    st.markdown("\n".join([words, "", *(f"- {plain(reason)}" for reason in verdict.reasons)]))
