"""A layer as a sheet of its units: what each sees where it is strongest, and which concept it detects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from interp.figures import units as figures
from interp.units import LayerDissection, LayerTally, LayerWords
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import charts, clicks, controls, export, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units import asking, drawn, importance, ticking, unit, words
from pages.parts.units.asking import UnitResults

EACH = 24
SHOWN = 4
FEW = 5
"""What is in fewer images than these says little of a unit: the card says so."""
ORDERS = ("IoU", "Odds", "Selectivity", "Density", "Number", importance.ORDER)
HELP = (
    "IoU: how well the unit's mask fits its concept. Odds: that as a multiple of chance. Selectivity: how much one "
    "class prevails. Density: the share of positions where it is active, the most sparing units first. "
    "Effect: what a class loses without the unit."
)

READING = (
    "**All units.** Each card shows what a unit sees, its receptive field, where it is strongest in the four images of "
    "the set that excite it most, and the concept that its mask overlaps with most. Its mask in an image is where its "
    "activation, enlarged to the picture, is over a threshold that only 0.5% of its activations in the whole set "
    "exceed. IoU is the area that both masks share, over all images, divided by the area that either covers,\n\n"
    r"$$\mathrm{IoU}_{k,c} = \frac{\sum_i |M_k(i) \cap L_c(i)|}{\sum_i |M_k(i) \cup L_c(i)|}$$"
    "\n\n(Bau, Zhou, Khosla, Oliva and Torralba 2017, Network dissection). Beside it stand its *odds*: by how much it "
    "is larger than it would be, on average, if each image had the concept's masks of another image. The bound from "
    "which on a unit is called a detector is arbitrary; odds near 1 say that the place in the picture explains it all. "
    "Dissection finds only what is in the list of concepts, names one where a unit may answer to several, and says "
    "nothing of what the network does with the unit. Large concepts reach large IoUs more easily than small ones.\n\n"
    + importance.READING
)


def view(selection: Selection, picture, side) -> None:
    """The sheet, the chart of all layers, and the chosen unit."""
    classifier = selection.classifier
    with side:
        layer = asking.choose_layer(classifier)
        number = asking.choose_unit(layer)
        bound = asking.bound()
        offered = ORDERS if importance.labelled(selection) else ORDERS[:-1]
        order = controls.one_of("Order", "un.order", offered, help=HELP)
        if order == importance.ORDER:
            importance.choose_class(selection)
        ticks = ticking.clicking()
        drawn.choose()
        in_words = words.choose()
        help = "Show units of this concept alone, or, where cards say words, those with it in their description."
        wanted = controls.text("Concept", "un.concept", placeholder="all", help=help)
    with picture:
        clicks.listen({"unit": asking.take, "tick": ticking.turned(layer)})
        asking.concepts(selection)
        sheet, chart, waits = st.container(), st.container(), st.container()
        asked = asking.results(selection, layer)
        if asked.tally is None:
            return
        with waits:
            told = words.told(selection, asked) if in_words and asked.done else None
        with sheet:
            _sheet(selection, asked, SheetOptions(number, bound, order, wanted, ticks, told))
        with chart:
            _layers(asked, bound)
        st.markdown(f"#### {plain(layer.name)}, unit {number}")
        unit.facts(selection, asked, number, bound)
        importance.best(selection, asked, bound, drawn=order == importance.ORDER)
        _table(selection, asked, bound)


class SheetOptions(NamedTuple):
    """How the sheet is wanted: the chosen unit, the bound of detectors, the order, what is searched for.

    `ticks` says whether a click ticks units, and `told` has descriptions, where cards say words.
    """

    number: int
    bound: float
    order: str
    wanted: str
    ticks: bool
    told: LayerWords | None


def _sheet(selection: Selection, asked: UnitResults, options: SheetOptions) -> None:
    number, bound, order, wanted, ticks, told = options
    tally, dissection = asked.tally, asked.dissection
    assert tally is not None
    units = words.named(ordered(tally, dissection, order, "" if told else wanted, bound), told, wanted)
    st.markdown(_sentence(selection, asked, options, len(units)))
    if order == importance.ORDER:
        units = importance.in_order(selection, asked.layer, units)
    ticking.bar(asked.layer, units if wanted else (), "all that are found")
    if not units:
        return
    pages = -(-len(units) // EACH)
    page = st.pagination(pages, default=1, key=f"un-page-{asked.layer.name}-{order}") if pages > 1 else 1
    shown = units[(page - 1) * EACH : page * EACH]
    cards = [words.card(card(tally, dissection, one, bound, chosen=one == number), told, one) for one in shown]
    if order == importance.ORDER:
        cards = importance.told(selection, asked.layer, shown, cards)
    cards = ticking.marked(asked.layer, cards, ticks)
    if drawn.wanted():
        place = st.container()
        squares = drawn.squares(selection, asked.layer, shown)
        with place:
            picturecards.draw(squares, cards, side=118)
        return
    wanted_crops = _crops(asked, tally, shown)
    job = selection.scope.read("crops", figures.crops, selection.classifier, selection.photos, wanted_crops)
    squares = job.value if waiting.there(job, 1.0) else (None,) * len(shown)
    picturecards.draw(squares, cards, side=118)
    waiting.settled(job)


def ordered(tally: LayerTally, dissection: LayerDissection | None, order: str, wanted: str, bound: float) -> list[int]:
    """The units to show, in order: of the wanted concept alone, where one is named."""
    count = len(tally.total)
    iou = None if dissection is None or not dissection.concepts else dissection.iou()
    keys = {
        "Number": np.arange(count),
        "Selectivity": -np.nan_to_num(tally.selectivity[0], nan=-1.0),
        "Density": np.where(tally.density > 0, tally.density, 2.0),
    }
    if iou is not None and dissection is not None:
        best = iou.argmax(axis=1)
        keys["IoU"] = -iou.max(axis=1)
        keys["Odds"] = -np.where(iou.max(axis=1) > bound, dissection.odds()[np.arange(count), best], 0)
    found = np.argsort(keys.get(order, -tally.values[:, 0]), kind="stable").tolist()
    if not wanted or dissection is None:
        return found
    labels = dissection.labels(bound)
    named = [" ".join(dissection.concepts[one]).casefold() if one >= 0 else "" for one in labels]
    return [one for one in found if wanted.casefold() in named[one]]


def card(
    tally: LayerTally, dissection: LayerDissection | None, number: int, bound: float, *, chosen: bool = False
) -> PictureCard:
    """What stands under a unit's crops."""
    title, about = f"Unit {number}", [f"largest activation {tally.values[number, 0]:.3g}"]
    about.append(f"active at {tally.density[number]:.1%} of all positions")
    if dissection is None or not dissection.concepts:
        return PictureCard(title, f"up to {tally.values[number, 0]:.3g}", f"unit:{number}", chosen, "; ".join(about))
    iou, odds = dissection.iou()[number], dissection.odds()[number]
    best = int(iou.argmax())
    category, name = dissection.concepts[best]
    images = int(dissection.counts.of_concept[best])
    there = "1 image" if images == 1 else f"{images:,} images"
    about.append(f"{category}: {name}, in {there}, IoU {iou[best]:.3f}, {odds[best]:.1f} times chance")
    few = f" · {there} only" if images < FEW else ""
    line = f"{name} {iou[best]:.2f}{few}" if iou[best] > bound else "no label"
    return PictureCard(title, line, f"unit:{number}", chosen, "; ".join(about))


def _crops(asked: UnitResults, tally: LayerTally, shown: Sequence[int]) -> tuple:
    return tuple(
        tuple(
            (int(image), asked.fields.box(*place.tolist()))
            for image, place in zip(tally.images[one, :SHOWN], tally.places[one, :SHOWN], strict=True)
        )
        for one in shown
    )


def _sentence(selection: Selection, asked: UnitResults, options: SheetOptions, count: int) -> str:
    bound, wanted = options.bound, options.wanted
    tally, dissection = asked.tally, asked.dissection
    assert tally is not None
    some = "" if asked.done else f" of {len(selection.photos):,}, so far"
    seen = f"over {tally.count:,} images{some}"
    if dissection is None or not dissection.concepts:
        return f"**{len(tally.total):,} units** of {plain(asked.layer.name)}, {seen}."
    labels = dissection.labels(bound)
    found = {dissection.concepts[one] for one in labels if one >= 0}
    said = (
        f"**{int((labels >= 0).sum()):,} of {len(labels):,} units** of {plain(asked.layer.name)} detect a concept (IoU "
        f"over {bound:g}), {len(found):,} different ones, {seen}."
    )
    if dissection.known < dissection.images:
        said += f" Concepts are known of {dissection.known:,} of these, and overlaps are counted there alone."
    if not wanted:
        return said
    what = "are of a concept called like" if options.told is None else "have in their description"
    return f"{said} {count:,} {what} *{plain(wanted)}*."


def _layers(asked: UnitResults, bound: float) -> None:
    if asked.all_dissected and any(one.concepts for one in asked.all_dissected):
        st.markdown("**Detectors in all layers**")
        replay.once(_chart, asked.all_dissected, bound)


def _chart(layers: tuple[LayerDissection, ...], bound: float) -> None:
    charts.draw(figures.detectors(layers, bound), config=export.PLOT)


def _table(selection: Selection, asked: UnitResults, bound: float) -> None:
    with st.expander("The numbers of all units", key="un-numbers", on_change="rerun") as opened:
        if not opened.open:
            return
        rows = table(asked, selection.classifier.labels, bound)
        rows = words.columns(rows, words.told(selection, asked) if asked.done else None)
        st.dataframe(export.shown(rows), hide_index=True, height=320)
        export.download("Units as CSV", "loupe-units.csv", lambda: rows)


def table(asked: UnitResults, labels: Sequence[str], bound: float) -> list[dict]:
    """A row for each unit."""
    tally, dissection = asked.tally, asked.dissection
    assert tally is not None
    selectivity, classes = tally.selectivity
    rows = [
        {
            "unit": one,
            "largest activation": float(tally.values[one, 0]),
            "mean activation": float(tally.mean[one]),
            "density": float(tally.density[one]),
            "class selectivity": None if np.isnan(selectivity[one]) else float(selectivity[one]),
            "class": labels[classes[one]] if classes[one] >= 0 else None,
        }
        for one in range(len(tally.total))
    ]
    if dissection is not None and dissection.concepts:
        iou, odds = dissection.iou(), dissection.odds()
        for row, best in zip(rows, iou.argmax(axis=1), strict=True):
            category, name = dissection.concepts[best]
            row |= {"category": category, "concept": name, "IoU": float(iou[row["unit"], best])}
            row |= {"odds": float(odds[row["unit"], best]), "detector": bool(iou[row["unit"], best] > bound)}
    return rows
