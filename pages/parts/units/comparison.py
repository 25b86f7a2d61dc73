"""'Two classifiers': detectors of both, the concepts that one alone detects, and where a concept appears in each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

import cache
from interp import models
from interp.figures import unit_comparison as figures
from interp.figures import units as crops
from interp.types import Classifier, Layer
from interp.units import LayerDissection
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import charts, classifiers, controls, export, layers, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units import asking
from pages.parts.units.asking import UnitResults

RIVAL, LAYER = "un.rival", "un.layer2"
BEST = 4

READING = (
    "**Two classifiers.** Both are dissected over the same images and concepts; the two charts of detectors have the "
    "same upper end. *Where does it appear?* shows, for each layer, the unit whose IoU with the concept is largest, "
    "and dotted what that IoU would be if images had each other's masks: a unit far over it finds the concept. A "
    "classifier that was trained with a planted cue is expected to have detectors of it where the honest one has none; "
    "that one has a detector does not say that it uses it: *Without it* measures that. Layers of one name are at the "
    "same place only where both are of one architecture. A larger layer has more units, and so a larger largest IoU by "
    "chance; thresholds, and so masks, are each network's own."
)


@dataclass(frozen=True)
class ComparedUnits:
    """One of the two: what is selected, with which layer, and what is known of its units."""

    selection: Selection
    layer: Layer
    results: UnitResults

    @property
    def name(self) -> str:
        """The classifier's name."""
        return self.selection.classifier.name


def view(selection: Selection, picture, side) -> None:
    """The two, one above the other."""
    with side:
        name = classifiers.choose_second(selection.classifier, RIVAL)
        layer = asking.choose_layer(selection.classifier)
        second = st.container()
        bound = asking.bound()
    with picture:
        if name is None:
            st.info("Choose a second classifier: its units are set beside those of the first, over the same images.")
            return
        loading = classifiers.ask(selection.scope, name, slot="rival")
        rival: Classifier = waiting.value(loading)
        if not rival.has_maps:
            st.info(f"{plain(rival.name)} has no layer with a map, so it has no units to compare: choose another.")
            return
        with second:
            other = _layer_of(rival, layer)
        asking.concepts(selection)
        place = st.container()
        labels = cache.lookup(models.match_set, rival, selection.photos)
        chosen = (
            (selection, layer, ""),
            (replace(selection, classifier=rival, labels=labels), other, ", second"),
        )
        both = [ComparedUnits(one, own, asking.results(one, own, beside)) for one, own, beside in chosen]
        with place:
            _draw(both[0], both[1], bound, side)


def _layer_of(rival: Classifier, layer: Layer) -> Layer:
    """Draw the picker of the second classifier's layer: that of the same name, where there is one."""
    names = [one.name for one in layers.offered(rival)]
    default = layer.name if layer.name in names else names[max(0, len(names) - 2)]
    return rival.layer(controls.listed(f"Layer of {plain(rival.name)}", LAYER, names, default=default))


def _draw(first: ComparedUnits, second: ComparedUnits, bound: float, side) -> None:
    for one in (first, second):
        st.markdown(_sentence(one, bound))
    sides = [one for one in (first, second) if one.results.all_dissected and one.results.all_dissected[0].concepts]
    if len(sides) < 2:
        return
    replay.once(_charts, *(one.results.all_dissected for one in sides), (first.name, second.name), bound)
    st.markdown("**Concepts that one of the two layers detects**")
    rows = concepts(first, second, bound)
    if rows:
        alone = sum(row["detected by"] != "both" for row in rows)
        st.markdown(f"{len(rows)} concepts, {alone} of them by one alone, which come first.")
        st.dataframe(export.shown(rows), hide_index=True, height=min(320, 38 * (len(rows) + 1)))
        export.download("Concepts as CSV", "loupe-two-classifiers.csv", lambda: rows)
    else:
        st.caption("No concept is over the bound in either of them.")
    _appearance(first, second, bound, side, rows)


def _sentence(one: ComparedUnits, bound: float) -> str:
    dissection = one.results.dissection
    some = "" if one.results.done else " so far"
    if dissection is None or not dissection.concepts:
        return f"**{plain(one.name)}**, {plain(one.layer.name)}: {one.layer.channels:,} units."
    labels = dissection.labels(bound)
    found = len({label for label in labels.tolist() if label >= 0})
    return (
        f"**{plain(one.name)}**, {plain(one.layer.name)}: {int((labels >= 0).sum()):,} of {len(labels):,} units detect "
        f"{found:,} concepts (IoU over {bound:g}), over {dissection.images:,} images{some}."
    )


def _charts(
    first: tuple[LayerDissection, ...], second: tuple[LayerDissection, ...], names: tuple[str, str], bound: float
) -> None:
    for name, figure in zip(names, figures.detectors_of_both(first, second, bound), strict=True):
        st.markdown(f"**Detectors in all layers: {plain(name)}**")
        charts.draw(figure, config=export.PLOT)


def concepts(first: ComparedUnits, second: ComparedUnits, bound: float) -> list[dict]:
    """A row for each concept that one of the two chosen layers detects: those that one alone detects first."""
    known = [one.results.dissection for one in (first, second)]
    assert known[0] is not None and known[1] is not None
    rows = []
    for concept in dict.fromkeys((*known[0].concepts, *known[1].concepts)):
        told = [_of(one, concept, bound) for one in known if one is not None]
        if not any(count for count, _ in told):
            continue
        alone = [side.name for side, (count, _) in zip((first, second), told, strict=True) if count]
        row: dict = {"category": concept[0], "concept": concept[1]}
        row["detected by"] = "both" if len(alone) == 2 else alone[0]
        for side, (count, iou) in zip((first, second), told, strict=True):
            row |= {f"units, {side.name}": count, f"largest IoU, {side.name}": iou}
        rows.append(row)
    return sorted(rows, key=lambda row: (row["detected by"] == "both", row["detected by"], row["category"]))


def _of(dissection: LayerDissection, concept: tuple[str, str], bound: float) -> tuple[int, float]:
    """How many units have the concept as their label, and the largest IoU with it of any; 0 for an unknown one."""
    if concept not in dissection.concepts:
        return 0, 0.0
    place = dissection.concepts.index(concept)
    return int((dissection.labels(bound) == place).sum()), float(dissection.iou()[:, place].max())


def _appearance(first: ComparedUnits, second: ComparedUnits, bound: float, side, rows: list[dict]) -> None:
    """Where a concept appears in each of the two, layer by layer; its best units in the chosen layers.

    It opens with the planted cue, or else with what only one of them detects.
    """
    sides = (first, second)
    every = [one.results.all_dissected for one in sides]
    names = {": ".join(one): one for one in dict.fromkeys((*every[0][0].concepts, *every[1][0].concepts))}
    first_row = f"{rows[0]['category']}: {rows[0]['concept']}" if rows else next(iter(names))
    cue = next((name for name, one in names.items() if one[0] == "cue"), first_row)
    with side:
        concept = names[controls.listed("Concept", "un.gone", list(names), default=cue)]
    st.markdown(f"**Where does {plain(concept[1])} appear?**")
    titles = (first.name, second.name)
    replay.once(_lines, *every, titles, concept, bound)
    with st.expander("Its best unit in every layer", key="un-appears", on_change="rerun") as opened:
        if opened.open:
            told = best_units(sides, concept, bound)
            st.dataframe(export.shown(told), hide_index=True)
            export.download("Units as CSV", "loupe-where-it-appears.csv", lambda: told)
    for number, (place, one) in enumerate(zip(st.columns(2), sides, strict=True)):
        with place:
            _units(one, concept, number)


def _lines(
    first: tuple[LayerDissection, ...],
    second: tuple[LayerDissection, ...],
    titles: tuple[str, str],
    concept: tuple[str, str],
    bound: float,
) -> None:
    charts.draw(figures.appearance((first, second), titles, concept, bound), config=export.PLOT)


def best_units(sides: tuple[ComparedUnits, ComparedUnits], concept: tuple[str, str], bound: float) -> list[dict]:
    """A row for each layer of each classifier: the unit that fits a concept best, and how many detect it."""
    rows = []
    for one in sides:
        for dissection in one.results.all_dissected:
            if concept not in dissection.concepts:
                continue
            unit, iou, odds = figures.best_unit(dissection, concept)
            count, _ = _of(dissection, concept, bound)
            rows.append(
                {
                    "classifier": one.name,
                    "layer": dissection.layer,
                    "best unit": unit,
                    "IoU": iou,
                    "odds": odds,
                    "units that detect it": count,
                }
            )
    return rows


def _units(one: ComparedUnits, concept: tuple[str, str], number: int) -> None:
    """The units of the chosen layer that fit the concept best, with what they see."""
    tally, dissection = one.results.tally, one.results.dissection
    if tally is None or dissection is None or concept not in dissection.concepts:
        return
    place = dissection.concepts.index(concept)
    iou, odds = dissection.iou()[:, place], dissection.odds()[:, place]
    best = np.argsort(-iou, kind="stable")[:BEST].tolist()
    boxes = tuple(
        tuple(
            (int(image), one.results.fields.box(*where.tolist()))
            for image, where in zip(tally.images[unit, :4], tally.places[unit, :4], strict=True)
        )
        for unit in best
    )
    asked = (one.selection.classifier, one.selection.photos, boxes)
    job = one.selection.scope.read(f"crops {number}", crops.crops, *asked)
    squares = job.value if waiting.there(job, 1.0) else (None,) * len(best)
    st.markdown(f"{plain(one.name)}, {plain(one.layer.name)}")
    cards = [PictureCard(f"Unit {unit}", f"IoU {iou[unit]:.3f}, odds {odds[unit]:.1f}") for unit in best]
    picturecards.draw(squares, cards, side=100)
    waiting.settled(job)
