"""Which units each class misses most: the sheet in that order, and a table of each class's most important units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from jaxtyping import Int

import cache
from interp import models, units
from interp.images import ImageSet
from interp.types import Classifier, Layer
from interp.units import LayerDissection, UnitEffects
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import controls, export, problems, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units import ticking
from pages.parts.units.asking import UnitResults

ORDER = "Effect"
BEST = 5

READING = (
    "**Effect.** Each unit alone is set to zero at every position, and the network runs on from its layer. Units are "
    "ranked by what the class's balanced accuracy loses on one half of its images (of equal ones by its mean logit), "
    "and the changes that stand there are read on the other half, where the first of a ranking are not flattered; "
    "*place* is where that half would have put the unit. A class with a single image is read where it was ranked. "
    "Single units rarely matter to the overall accuracy, and may matter to single classes (Zhou et al. 2018)."
)


def counts(selection: Selection) -> Int[np.ndarray, " c"]:
    """How many images of the set have each class as their label, or among their labels."""
    return cache.lookup(_counts, selection.classifier, selection.photos)


def labelled(selection: Selection) -> bool:
    """Whether any image has a label among the classes."""
    return bool(counts(selection).any())


def choose_class(selection: Selection) -> int:
    """Draw the picker of a class of which there are images."""
    images, labels = counts(selection), selection.classifier.labels
    names = {f"{one}": f"{labels[one]} · {images[one]:,} images" for one in np.flatnonzero(images).tolist()}
    return int(controls.listed("Class", "un.class", list(names), named=names.__getitem__))


def chosen_class(selection: Selection) -> int:
    """The class that was chosen last."""
    images = counts(selection)
    kept = str(st.session_state.get("un.class", ""))
    there = kept.isdecimal() and int(kept) < len(images) and images[int(kept)]
    return int(kept) if there else int(np.flatnonzero(images)[0])


def in_order(selection: Selection, layer: Layer, shown: Sequence[int]) -> list[int]:
    """The units that the chosen class misses most first; as they come, while nothing is known. Draws progress."""
    job = _asked(selection, layer)
    waiting.settled(job)
    found: UnitEffects | None = job.latest(None)
    target = chosen_class(selection)
    if found is None or not found.ranked.images[target]:
        return list(shown)
    problems.left_out(found.problems)
    name = plain(selection.classifier.labels[target])
    where = "read on the other half of the images" if found.held_out(target) else "read on the same images, so far"
    st.caption(f"Units that *{name}* misses most first: ranked on {found.ranked.images[target]:,} images, {where}.")
    some = set(shown)
    return [one for one in found.order(target).tolist() if one in some]


def told(selection: Selection, layer: Layer, shown: Sequence[int], cards: Sequence[PictureCard]) -> list[PictureCard]:
    """Cards of units, with what the chosen class does without each."""
    found: UnitEffects | None = _asked(selection, layer).latest(None)
    target = chosen_class(selection)
    if found is None or not found.ranked.images[target]:
        return list(cards)
    recall, logit = found.changes(target)
    return [
        replace(card, line=f"{card.line} · recall {100 * recall[one]:+.1f}, logit {logit[one]:+.2f}")
        for one, card in zip(shown, cards, strict=True)
    ]


def best(selection: Selection, asked: UnitResults, bound: float, drawn: bool) -> None:
    """The table of each class's most important units, in an expander; computed once it is opened."""
    if not labelled(selection):
        return
    with st.expander("Each class's most important units", key="un-best", on_change="rerun") as opened:
        if not opened.open:
            return
        target = choose_class(selection) if not drawn else chosen_class(selection)
        job = _asked(selection, asked.layer)
        waiting.settled(job)
        found: UnitEffects | None = job.latest(None)
        if found is None or not found.images:
            return
        own = found.order(target)[:BEST].tolist()
        if found.ranked.images[target]:
            ticking.bar(asked.layer, own, f"the best {len(own)}")
        rows = table(found, asked.dissection, selection.classifier.labels, bound)
        st.dataframe(export.shown(rows), hide_index=True, height=320)
        st.caption(
            f"The {BEST} units that each class misses most when one alone is removed, over {found.images:,} images: "
            "ranked on one half, changes read on the other; *place* is what the other half alone would have said."
        )
        export.download("Important units as CSV", "loupe-important-units.csv", lambda: rows)


def table(found: UnitEffects, dissection: LayerDissection | None, labels: Sequence[str], bound: float) -> list[dict]:
    """Rows of each class's most important units, with the concept that each detects."""
    known = dissection is not None and bool(dissection.concepts)
    concepts = dissection.labels(bound) if known and dissection is not None else None
    iou = dissection.iou() if known and dissection is not None else None
    rows = []
    for target in found.classes.tolist():
        recall, logit = found.changes(target)
        places = found.places(target)
        for rank, unit in enumerate(found.order(target)[:BEST].tolist(), start=1):
            row = {"class": labels[target], "rank": rank, "unit": unit, "place": int(places[unit])}
            row |= {"change of recall": float(recall[unit]), "change of mean logit": float(logit[unit])}
            if concepts is not None and iou is not None and dissection is not None:
                label = int(concepts[unit])
                row["concept"] = ": ".join(dissection.concepts[label]) if label >= 0 else None
                row["IoU"] = float(iou[unit].max())
            row["read on other images"] = found.held_out(target)
            rows.append(row)
    return rows


def _asked(selection: Selection, layer: Layer) -> cache.Job:
    given = (selection.classifier, selection.photos, layer.name)
    return selection.scope.shared.gather("effects", units.unit_effects, *given, kept=cache.CachedItems())


def _counts(classifier: Classifier, photos: ImageSet) -> Int[np.ndarray, " c"]:
    if not classifier.labels:
        return np.zeros(0, np.int64)
    if classifier.multi_label:
        return models.match_several(classifier, photos).present.sum(axis=0)
    found = [one for one in models.match_set(classifier, photos).indices if one is not None]
    return np.bincount(np.array(found, np.int64), minlength=len(classifier.labels))
