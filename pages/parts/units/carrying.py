"""Which few units carry a class, chosen one after the other; and how it falls as more and more are removed."""

from __future__ import annotations

import streamlit as st

import cache
from interp import units
from interp.figures import unit_curves as figures
from interp.types import Layer
from interp.units import GreedySet
from pages.parts.kit import charts, controls, export, problems, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units import asking, importance, ticking

FEW, CURVES = "The few", "Drop curves"
MOST = 8
REMOVED, ALONE = "Removed", "Kept alone"

READING = (
    "**The few** are chosen one after the other: at each step, of the 30 units whose removal alone lowers the class "
    "most, the one whose removal beside those before lowers its balanced accuracy most (of equal ones its mean logit), "
    "on one half of the images; what is said is read on the other half. **Drop curves** remove more and more units in "
    "one order: by effect alone, by mean attribution to the class, by class selectivity, by the largest IoU with any "
    "concept (which is of all images, and knows nothing of the class), and at random (five orders, their mean and "
    "range). An order that says what the class rests on falls long before the random ones. With *kept alone* the first "
    "units of the order stay and all others go. Balanced accuracy of 50% is what saying nothing of the class gives."
)


def draw(selection: Selection, layer: Layer) -> None:
    """The expander with both; nothing is computed before it is opened."""
    if not importance.labelled(selection):
        return
    with st.expander("Which few units carry a class?", key="un-carry", on_change="rerun") as opened:
        if not opened.open:
            selection.scope.release("carry")
            return
        target = importance.choose_class(selection)
        shown = controls.one_of("Find", "un.carry", (FEW, CURVES))
        (_few if shown == FEW else _curves)(selection, layer, target)


def _few(selection: Selection, layer: Layer, target: int) -> None:
    given = (selection.classifier, selection.photos, layer.name, target)
    job = selection.scope.gather("carry", units.greedily, *given, most=MOST, kept=cache.CachedItems())
    name = plain(selection.classifier.labels[target])
    if not waiting.settled(job):
        so_far: tuple[int, ...] = job.latest(())
        if so_far:
            st.markdown(f"So far *{name}* misses most: {ticking.named(so_far)}.")
        return
    found: GreedySet = job.value
    st.markdown(
        f"*{name}* misses most, one after the other: **{ticking.named(found.units)}**. Read on {found.images[2]:,} "
        f"other images, its balanced accuracy goes from **{found.balanced[0]:.1%}** to **{found.balanced[-1]:.1%}** "
        f"without all {len(found.units)}; the accuracy over all classes from {found.accuracy[0]:.1%} to "
        f"{found.accuracy[-1]:.1%}. They were chosen on {found.images[0]:,} images."
    )
    ticking.bar(layer, found.units, "these")
    replay.once(_steps, found)
    problems.left_out(found.problems)
    export.download("Steps as CSV", "loupe-few-units.csv", lambda: steps(found))


def _steps(found: GreedySet) -> None:
    charts.draw(figures.greedy_steps(found), config=export.PLOT)


def steps(found: GreedySet) -> list[dict]:
    """A row for each step: the unit that goes, and what the class is then."""
    return [
        {
            "units removed": number,
            "unit": None if number == 0 else found.units[number - 1],
            "balanced accuracy, chosen on": float(found.ranked[number]),
            "balanced accuracy, other half": float(found.balanced[number]),
            "mean logit, other half": float(found.logit[number]),
            "accuracy over all classes": float(found.accuracy[number]),
        }
        for number in range(len(found.balanced))
    ]


def _curves(selection: Selection, layer: Layer, target: int) -> None:
    alone = controls.one_of("The first units are", "un.kept", (REMOVED, ALONE)) == ALONE
    asking.concepts(selection)
    dissection = asking.results(selection, layer).dissection
    known = dissection is not None and bool(dissection.concepts)
    scores = {"IoU": dissection.iou().max(axis=1)} if known and dissection is not None else None
    given = (selection.classifier, selection.photos, layer.name, target)
    how = {"scores": scores, "complement": alone, "kept": cache.CachedItems()}
    job = selection.scope.gather("carry", units.curves_of_class, *given, **how)
    done = waiting.settled(job)
    found = job.latest({})
    if not found:
        return
    images = next(iter(found.values())).images
    st.caption(f"Read on {images:,} images{'' if done else ', so far'}; ranked on the other half.")
    replay.once(_drawn, found)
    export.download("Curves as CSV", "loupe-drop-curves.csv", lambda: rows(found))


def _drawn(found: dict[str, units.DropCurve]) -> None:
    charts.draw(figures.drop_curves(found), config=export.PLOT)


def rows(found: dict[str, units.DropCurve]) -> list[dict]:
    """A row for each order and size."""
    return [
        {
            "order": name,
            "units": size,
            "kept alone": one.complement,
            "balanced accuracy": float(one.balanced[place]),
            "recall": float(one.recall[place]),
            "accuracy over all classes": float(one.accuracy[place]),
            "mean logit": float(one.logit[place]),
        }
        for name, one in found.items()
        for place, size in enumerate(one.sizes)
    ]
