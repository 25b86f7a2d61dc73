"""The network without some units: what becomes of each class, beside random sets that are as active."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from interp import units
from interp.figures import units as figures
from interp.types import Layer
from interp.units import Ablated
from pages.parts.kit import charts, controls, export, problems, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units import asking, carrying, changes, importance, ticking

DRAWS = 20
MOST = 64
GONE = ("Units", "A concept", ticking.TICKED)
REPLACED = ("Zero", "Mean")
UNLABELLED = (
    "None of the images has a label among the classes, so nothing can be said of accuracy: what is shown is how "
    "predictions change, not whether they get worse."
)

READING = (
    "**Without it.** The units are set to zero, or to their mean over the set, at every position, and the network runs "
    "on from their layer: so the accuracy of each class is measured without them, not estimated. Beside it stand 20 "
    "sets of as many other units, each unit replaced by one of the ten that are nearest to it in mean activation: only "
    "a class that falls more than without such sets has lost something of its own. *Balanced accuracy* is the mean of "
    "recall and true-negative rate, so that a network that calls everything by one class is not called good at it "
    "(Zhou, Sun, Bau and Torralba 2018). That a class stands without a unit does not say that the unit is of no use to "
    "it: others may carry the same. *Single predictions* are images that are called something else: the class before "
    "and after, with the probability of each at its time. In matrices of many classes those stand that change most.\n\n"
    + carrying.READING
)


def view(selection: Selection, picture, side) -> None:
    """The units to remove, and what becomes of the classes without them."""
    classifier = selection.classifier
    with picture:
        if not classifier.labels:
            st.info("Nothing becomes of classes where there are none: this view needs a classifier with a head.")
            return
    with side:
        layer = asking.choose_layer(classifier)
        by = controls.one_of("Remove", "un.remove", GONE)
        to = controls.one_of("Set to", "un.to", REPLACED)
    choose = {GONE[0]: _of_numbers, GONE[1]: _of_concept, GONE[2]: _of_ticked}[by]
    with picture:
        place, waits = st.container(), st.container()
        with waits:
            chosen = choose(selection, layer, side)
        if not chosen:
            return
        if not importance.labelled(selection):
            with place:
                st.caption(UNLABELLED)
                changes.draw(selection, layer, chosen, to.lower(), draws=DRAWS)
            return
        how = {"to": to.lower(), "draws": DRAWS, "kept": cache.CachedItems()}
        given = (classifier, selection.photos, layer.name, chosen)
        job = selection.scope.gather("without", units.ablating, *given, **how)
        with place:
            done = waiting.settled(job)
            found: Ablated | None = job.latest(None)
            if found is not None:
                _draw(selection, found, done)
            changes.draw(selection, layer, chosen, to.lower())
            carrying.draw(selection, layer)


def _of_numbers(selection: Selection, layer: Layer, side) -> tuple[int, ...]:
    """The units that were written, or the chosen one; what is wrong is said."""
    with side:
        given = controls.text("Units", "un.removed", placeholder="the chosen one", help="Numbers, such as 3, 17.")
        number = asking.choose_unit(layer)
    parts = given.replace(";", " ").replace(",", " ").split()
    wrong = [part for part in parts if not part.isdecimal() or len(part) > 6 or int(part) >= layer.channels]
    if wrong:
        st.warning(
            f"{plain(wrong[0])!r} is no unit of {plain(layer.name)}: give numbers from 0 to {layer.channels - 1}."
        )
    return tuple(sorted({int(part) for part in parts if part not in wrong})) if parts else (number,)


def _of_ticked(selection: Selection, layer: Layer, side) -> tuple[int, ...]:
    """The units that were ticked."""
    with side:
        ticking.put_back(layer)
    return ticking.chosen(layer)


def _of_concept(selection: Selection, layer: Layer, side) -> tuple[int, ...]:
    """The units that detect a concept which is chosen, a planted cue where there is one."""
    with side:
        bound = asking.bound()
    asking.concepts(selection)
    dissection = asking.results(selection, layer).dissection
    if dissection is None:
        return ()
    labels = dissection.labels(bound)
    found = sorted({int(one) for one in labels if one >= 0}, key=lambda one: dissection.concepts[one])
    if not found:
        st.info("No unit of this layer detects a concept: lower the bound, or choose another layer.")
        return ()
    names = {": ".join(dissection.concepts[one]): one for one in found}
    cue = next((name for name in names if name.startswith("cue")), next(iter(names)))
    with side:
        chosen = names[controls.listed("Concept", "un.gone", list(names), default=cue)]
    own = np.flatnonzero(labels == chosen)
    best = own[np.argsort(-dissection.iou()[own, chosen], kind="stable")][:MOST]
    if len(own) > MOST:
        st.caption(f"The {MOST} with the largest IoU of {len(own)} units that detect it.")
    return tuple(int(one) for one in sorted(best))


def _draw(selection: Selection, found: Ablated, done: bool) -> None:
    labels = selection.classifier.labels
    some = "" if done else f" of {len(selection.photos):,}, so far"
    named = ", ".join(map(str, found.units[:12])) + (", …" if len(found.units) > 12 else "")
    word = "unit" if len(found.units) == 1 else f"{len(found.units)} units"
    random = np.array([one.accuracy for one in found.without_drawn])
    beside = ""
    if len(random):
        beside = f"; without as many random ones {random.mean():.1%} ({random.min():.1%} to {random.max():.1%})"
    st.markdown(
        f"Without {word} ({named}) of {plain(found.layer.name)}, accuracy over {len(found.labels):,} images{some} goes "
        f"from **{found.whole.accuracy:.1%}** to **{found.without.accuracy:.1%}**{beside}. {_hardest(found, labels)}"
    )
    for remark in found.remarks:
        st.caption(plain(remark, limit=400))
    replay.once(_bars, found, labels)
    _confusions(found, labels)
    problems.left_out(found.problems)
    export.download("Classes as CSV", "loupe-without-units.csv", lambda: rows(found, labels))


def _hardest(found: Ablated, labels: tuple[str, ...]) -> str:
    """The class that loses most, and how many of the random sets leave it more."""
    fall = found.whole.balanced - found.without.balanced
    if not (fall > 0).any():
        return "No class's balanced accuracy falls."
    worst = int(np.nanargmax(fall))
    said = (
        f"Hardest hit is *{plain(labels[worst])}*: balanced accuracy {found.whole.balanced[worst]:.1%} to "
        f"{found.without.balanced[worst]:.1%}"
    )
    share = found.below()[worst]
    return f"{said}." if np.isnan(share) else f"{said}, lower than without {share:.0%} of the random sets."


def _bars(found: Ablated, labels: tuple[str, ...]) -> None:
    charts.draw(figures.without(found, labels), config=export.PLOT)


def _confusions(found: Ablated, labels: tuple[str, ...]) -> None:
    """The classes that are affected, all where they are few, as they are and without the units."""
    shown = figures.affected(found.confusion_before, found.confusion_after)
    if not len(shown):
        st.caption("Nothing is called something else, so there is no class to show in a matrix.")
        return
    there = int((found.confusion_before.sum(axis=0) + found.confusion_before.sum(axis=1) > 0).sum())
    if len(shown) < there:
        st.caption(f"The {len(shown)} classes whose counts change most, of {there:,}; the others are put together.")
    before, after = st.columns(2)
    for place, title, counts in (
        (before, "As it is", found.confusion_before),
        (after, "Without them", found.confusion_after),
    ):
        with place:
            st.markdown(f"**{title}**")
            replay.once(_confusion, counts, labels, shown)


def _confusion(counts: np.ndarray, labels: tuple[str, ...], shown: np.ndarray) -> None:
    charts.draw(figures.confusions(counts, labels, shown), config=export.PLOT)


def rows(found: Ablated, labels: tuple[str, ...]) -> list[dict]:
    """A row for each class that has images."""
    random = found.random_balanced
    return [
        {
            "class": labels[one],
            "images": int(found.whole.images[one]),
            "accuracy before": float(found.before[one]),
            "accuracy after": float(found.after[one]),
            "balanced before": float(found.whole.balanced[one]),
            "balanced after": float(found.without.balanced[one]),
            "balanced, random sets, mean": float(random[:, one].mean()) if len(random) else None,
            "share of random sets that leave it more": float(found.below()[one]) if len(random) else None,
            "change of mean logit": float(found.without.logit[one] - found.whole.logit[one]),
        }
        for one in np.flatnonzero(found.whole.images)
    ]
