"""One concept: its images, the best units of all layers, what their IoU hangs on, and combinations of units."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from interp import units
from interp.figures import concept as figures
from interp.types import Layer
from interp.units import AxesDissection, Combinations, ConceptSource, LayerDissection
from interp.units.fitting import FEWEST
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import charts, controls, export, problems, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened
from pages.parts.units import asking, sensitivity

SHOWN = 6
DRAWN = 3
BEST = 4
EACH_LAYER = 3
FIRST = ("cue", "object", "shape", "part")
COMBINED = {"Activations": "raw", "Thresholded units": "thresholded"}

READING = (
    "**One concept.** Its images, with the concept's mask outlined, and the units of all layers whose masks overlap "
    "with it most: IoU and odds as under 'All units'. *Several thresholds*: the mask of a unit is where its enlarged "
    "activation is among its largest 0.5%; a label that holds at that share alone says more about the share than about "
    "the unit. *Rotated bases*: the same for as many directions at right angles, drawn at random (Bau et al. 2017, "
    "section 3.2): where units' IoU lies no higher, the concept is in the layer, and not in its axes.\n\n"
    "*A combination of units* (Net2Vec; Fong and Vedaldi 2018) is learned on half of the images and read on the "
    r"others: its mask is where $\sum_k w_k\,\varphi_k + b$ is over a level, $\varphi_k$ being 1 where unit k is over "
    "its threshold, or its activation. The loss is the cross-entropy at the layer's positions, balanced by the "
    "concept's area. Beside it: the best unit at its usual threshold, and the best unit at a level fitted to the "
    "concept, both chosen on the first half, too; and combinations learned from masks of other images, which is what "
    "their place alone gives. A combination that fits says that the concept can be read off the layer linearly, not "
    "that the network uses it. The published code has no logarithm in its loss and no b, and counts only images with "
    "the concept.\n\n" + sensitivity.READING
)


def view(selection: Selection, picture, side) -> None:
    """The chosen concept."""
    classifier = selection.classifier
    with picture:
        source = asking.concepts(selection)
        if source is None:
            return
        asked = (classifier, selection.photos, source)
        seen = waiting.value(selection.scope.shared.read("concepts", units.seen_concepts, *asked))
        if not seen.concepts:
            st.info("No concept is in the images that could be read.")
            return
    with side:
        layer = asking.choose_layer(classifier)
        concept = _choose(seen)
        how = COMBINED[controls.one_of("Combine", "un.combine", list(COMBINED))]
    with picture:
        category, name = concept
        place = seen.concepts.index(concept)
        st.markdown(f"#### {plain(name)} ({plain(category)})")
        some = "" if seen.looked == len(selection.photos) else f" of {len(selection.photos):,} in the set"
        st.markdown(f"It is in **{seen.counts[place]:,}** of {seen.looked:,} images that were looked at{some}.")
        _images(selection, seen.images[place][:SHOWN], concept, source)
        done = _units(selection, layer, concept) and _axes(selection, layer, concept, source)
        too_few = seen.looked == len(selection.photos) and seen.counts[place] < FEWEST
        if done and too_few:
            st.markdown(f"**{plain(layer.name)}: a combination of units**")
            st.info(f"It is in fewer than {FEWEST} images: no combination is learned.")
        if done and (too_few or _combination(selection, layer, concept, source, how, seen.images[place])):
            sensitivity.draw(selection, layer, concept, seen.concepts, source)


def _choose(seen: units.ConceptImages) -> tuple[str, str]:
    """Draw the pickers of category and concept: a planted cue is chosen first, else the object in most images."""
    categories = list(dict.fromkeys(category for category, _ in seen.concepts))
    first = next((one for one in FIRST if one in categories), categories[0])
    category = controls.listed("Category", "un.category", categories, default=first, named=plain)
    counts = {name: count for (one, name), count in zip(seen.concepts, seen.counts, strict=True) if one == category}
    name = controls.listed("Concept", "un.named", list(counts), default=max(counts, key=lambda one: counts[one]))
    return category, name


def _images(selection: Selection, positions: tuple[int, ...], concept: tuple[str, str], source: ConceptSource) -> None:
    asked = (selection.classifier, selection.photos, positions, concept, source)
    job = selection.scope.read("masks", units.with_masks, *asked)
    if waiting.settled(job):
        squares = [figures.outlined(one.pixels, one.mask) for one in job.value]
        names = [selection.photos.names[one] for one in positions][: len(squares)]
        picturecards.draw(squares, [PictureCard(shortened(one, 16), about=one) for one in names], side=118)


def _units(selection: Selection, layer: Layer, concept: tuple[str, str]) -> bool:
    """The best units of each layer; whether all is known."""
    st.markdown("**Best units of all layers**")
    asked = asking.results(selection, layer)
    rows = [row for one in asked.all_dissected for row in best(one, concept)]
    if rows:
        rows.sort(key=lambda row: -row["IoU"])
        config = {one: st.column_config.NumberColumn(format=form) for one, form in (("IoU", "%.3f"), ("odds", "%.1f"))}
        st.dataframe(export.shown(rows), hide_index=True, column_config=config, height=245)
        export.download("Units as CSV", "loupe-concept-units.csv", lambda: rows)
    elif asked.done:
        st.info("This concept is in none of the images that could be read by the classifier.")
    return bool(rows) and asked.done


def best(dissection: LayerDissection, concept: tuple[str, str], most: int = EACH_LAYER) -> list[dict]:
    """A row for each of the units of a layer whose IoU with a concept is largest."""
    if concept not in dissection.concepts:
        return []
    place = dissection.concepts.index(concept)
    iou, odds = dissection.iou()[:, place], dissection.odds()[:, place]
    return [
        {
            "layer": dissection.layer,
            "unit": int(one),
            "IoU": float(iou[one]),
            "odds": float(odds[one]),
            "its label": dissection.concepts[int(dissection.iou()[one].argmax())][1],
        }
        for one in np.argsort(-iou, kind="stable")[:most]
    ]


def _axes(selection: Selection, layer: Layer, concept: tuple[str, str], source: ConceptSource) -> bool:
    st.markdown(f"**{plain(layer.name)}: other thresholds, other axes**")
    asked = (selection.classifier, selection.photos, layer.name, source)
    job = selection.scope.gather("axes", units.dissecting_axes, *asked, kept=cache.CachedItems())
    if not waiting.settled(job):
        return False
    found: AxesDissection = job.value
    if concept not in found.units.concepts:
        return False
    place = found.units.concepts.index(concept)
    iou = found.units.iou()[:, place]
    order = np.argsort(-iou, kind="stable")[:BEST].tolist()
    rotated = np.array([one.iou()[:, one.concepts.index(concept)].max() for one in found.rotated])
    above = [int((one.iou()[:, one.concepts.index(concept)] > units.DETECTOR).sum()) for one in found.rotated]
    over = int((iou > units.DETECTOR).sum())
    st.markdown(
        f"The best unit has IoU **{iou.max():.3f}**; the best direction of {len(rotated)} rotated bases "
        f"{rotated.min():.3f} to {rotated.max():.3f}. Units over {units.DETECTOR:g}: {over}; directions: "
        f"{_range(above)}. {_steady(found, place, order[0])}"
    )
    left, right = st.columns(2)
    with left:
        replay.once(_quantiles, found, place, tuple(order))
    with right:
        replay.once(_bases, found, place)
    return True


def _range(counts: list[int]) -> str:
    return str(counts[0]) if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"


def _steady(found: AxesDissection, place: int, unit: int) -> str:
    """At how many of the thresholds the best unit would have this label."""
    shares = found.units.quantiles
    same = sum(int(found.units.iou(one)[unit].argmax()) == place for one in range(len(shares)))
    return f"This concept is what unit {unit} overlaps with most at {same} of {len(shares)} thresholds."


def _quantiles(found: AxesDissection, place: int, order: tuple[int, ...]) -> None:
    charts.draw(figures.by_quantile(found, place, order), config=export.PLOT)


def _bases(found: AxesDissection, place: int) -> None:
    charts.draw(figures.by_axes(found, place), config=export.PLOT)


def _combination(
    selection: Selection,
    layer: Layer,
    concept: tuple[str, str],
    source: ConceptSource,
    how: str,
    images: tuple[int, ...],
) -> bool:
    """The combination that fits the concept; whether it is there, or it is said why not."""
    st.markdown(f"**{plain(layer.name)}: a combination of units**")
    asked = (selection.classifier, selection.photos, layer.name, source)
    job = selection.scope.gather("combination", units.combining, *asked, features=how, kept=cache.CachedItems())
    if not waiting.settled(job):
        return job.state == "failed"
    found: Combinations = job.value
    if concept not in found.concepts:
        st.info("It is in fewer than three images of the half that is learned from: no combination is learned.")
        return True
    row = found.concepts.index(concept)
    if np.isnan(found.iou[row]):
        st.info("It is in no image of the half that is read, so nothing can be said of the combination.")
        return True
    rows = readings(found, row)
    st.markdown(
        f"Learned from {found.images[0]:,} images, of which {found.learned_from[row]:,} have it, and read on "
        f"{found.images[1]:,} others, of which {found.read_in[row]:,} have it."
    )
    config = {"IoU": st.column_config.NumberColumn(format="%.3f")}
    st.dataframe(export.shown(rows), hide_index=True, column_config=config)
    if found.positions[0] < found.positions[1]:
        st.caption(f"Learned at {found.positions[0]:,} of {found.positions[1]:,} positions of each image.")
    order = np.argsort(-np.abs(found.weights[row]), kind="stable")[:6]
    st.caption("Largest weights: " + ", ".join(f"unit {one} {found.weights[row, one]:+.2f}" for one in order) + ".")
    read = set(units.halves(np.arange(len(selection.photos)))[1].tolist())
    held = tuple(one for one in images if one in read)[:DRAWN] or images[:DRAWN]
    _both(selection, found, row, held, concept, source)
    problems.left_out(found.problems)
    export.download("Combinations as CSV", "loupe-combinations.csv", lambda: _all(found))
    return True


def readings(found: Combinations, row: int) -> list[dict]:
    """What a concept's combination reaches on images held out, beside units and controls."""
    named = (
        (f"combination of {found.weights.shape[1]} units", found.iou[row]),
        ("the same, cut where σ is ½, as published", found.iou_middle[row]),
        (f"unit {found.units[row]}, usual threshold", found.unit_iou[row]),
        (f"unit {found.fitted_units[row]}, level fitted to the concept", found.fitted_unit_iou[row]),
        ("combination learned from masks of other images", found.iou_exchanged[row]),
        ("combination, read with masks of other images", found.iou_chance[row]),
    )
    return [{"mask": name, "IoU": float(value)} for name, value in named]


def _all(found: Combinations) -> list[dict]:
    return [
        {"category": category, "concept": name} | {one["mask"]: one["IoU"] for one in readings(found, row)}
        for row, (category, name) in enumerate(found.concepts)
    ]


def _both(
    selection: Selection,
    found: Combinations,
    row: int,
    positions: tuple[int, ...],
    concept: tuple[str, str],
    source: ConceptSource,
) -> None:
    """The masks of the unit and of the combination on images that were not learned from."""
    classifier, photos = selection.classifier, selection.photos
    truth = selection.scope.read("examples", units.with_masks, classifier, photos, positions, concept, source)
    masks = selection.scope.compute("singled", units.singled_out, classifier, photos, positions, found, row)
    if not (waiting.settled(truth) and waiting.settled(masks)) or len(truth.value) != len(masks.value):
        return
    squares, cards = [], []
    titles = (f"unit {found.units[row]}", f"unit {found.fitted_units[row]}, fitted", "combination")
    for one, three in zip(truth.value, masks.value, strict=True):
        for title, mask in zip(titles, three, strict=True):
            squares.append(figures.lit(one.pixels, mask, one.mask))
            union = int((mask | one.mask).sum())
            cards.append(PictureCard(title, f"IoU here {int((mask & one.mask).sum()) / max(1, union):.2f}"))
    st.markdown("Bright: what is singled out. Outlined: the concept.")
    picturecards.draw(squares, cards, side=180)
