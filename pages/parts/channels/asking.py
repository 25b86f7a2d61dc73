"""Choosing images of the set, and the class that is explained in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

import cache
from interp import models
from interp.channels.over_set import AttributionPass, SetAttribution, SetTarget
from interp.channels.pairs import Pair, confused
from interp.images import ImageSet
from interp.models.predictions import Predictions
from interp.set_pass import spread
from interp.types import Classifier
from pages.parts.channels.subject import layer_of
from pages.parts.kit import controls, over_set, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened

ALL, ONE, GROUP, PAIR = "All", "One class", "One group", "A confused pair"
OF_THE_TWO, WHOLE = "Of the two classes", "The whole set"
EACH_PREDICTED, EACH_LABEL, THIS = "each one's prediction", "each one's label", "this class"
NOTHING, NEXT = "nothing", "each one's next likely class"
PAIRS = 12


@dataclass(frozen=True, eq=False)
class Asked:
    """Which images, in words too, and what is asked of each."""

    target: SetTarget
    positions: Int[np.ndarray, " n"]
    words: str


def choose(selection: Selection) -> Asked:
    """Draw the pickers of layer, images and classes."""
    classifier, photos = selection.classifier, selection.photos
    layer = layer_of(classifier).name
    groups = sorted({one for one in photos.groups if one is not None})
    which = controls.one_of("Images", "ch.images", (ALL, ONE, *([GROUP] if groups else []), PAIR))
    own = np.array([-1 if one is None else one for one in selection.labels.indices], np.int32)
    labelled = bool((own >= 0).any())
    if which in (ALL, GROUP):
        return _of_all(photos, layer, groups if which == GROUP else [], EACH_LABEL if labelled else None)
    predictions = predicted(selection)
    if not labelled:
        own = np.full(len(photos), -1, np.int32)
        own[predictions.indices] = predictions.predicted
    by = "labelled" if labelled else "predicted as"
    if which == ONE:
        return _of_class(classifier, layer, own, by)
    return _of_pair(classifier, layer, own, by, predictions)


def _of_all(photos: ImageSet, layer: str, groups: list[str], labels: str | None) -> Asked:
    """The whole set or, of groups that are given, the one chosen; `labels` is how the choice of those is called."""
    positions, said = np.arange(len(photos)), "the whole set"
    if groups:
        group = controls.listed("Group", "ch.group", groups)
        positions = np.flatnonzero([one == group for one in photos.groups])
        said = f"of the group **{plain(group)}**"
    positive = _explained((EACH_PREDICTED, *([] if labels is None else [labels])), "ch.set-class")
    negative = _against((NOTHING, NEXT))
    target = SetTarget(layer, "label" if positive == labels else "predicted", "next" if negative == NEXT else "nothing")
    return Asked(target, spread(positions), said)


def _of_class(classifier: Classifier, layer: str, own: Int[np.ndarray, " n"], by: str) -> Asked:
    there = np.unique(own[own >= 0]).tolist()
    if not there:
        return Asked(SetTarget(layer), np.zeros(0, np.int64), "none")
    names = {str(one): classifier.labels[one] for one in there}
    index = int(controls.listed("Class", "ch.set-of", list(names), named=names.__getitem__))
    positive = _explained((THIS, EACH_PREDICTED), "ch.set-class1")
    negative = _against((NOTHING, NEXT))
    target = SetTarget(layer, index if positive == THIS else "predicted", "next" if negative == NEXT else "nothing")
    said = f"{by} **{plain(classifier.labels[index])}**"
    return Asked(target, spread(np.flatnonzero(own == index)), said)


def _of_pair(
    classifier: Classifier, layer: str, own: Int[np.ndarray, " n"], by: str, predictions: Predictions
) -> Asked:
    pairs: tuple[Pair, ...] = cache.lookup(confused, predictions, most=PAIRS)
    if not pairs:
        return Asked(SetTarget(layer), np.zeros(0, np.int64), "none")
    offered = {f"{one.first}-{one.second}": _named(classifier, one) for one in pairs}
    chosen = controls.listed(
        "Pair",
        "ch.pair",
        list(offered),
        named=offered.__getitem__,
        help="Those that this classifier confuses most in this set; the first is explained over the second.",
    )
    first, second = (int(one) for one in chosen.split("-"))
    turned = controls.one_of("Explain", "ch.pair-side", ("the first", "the second")) == "the second"
    positive, negative = (second, first) if turned else (first, second)
    whole = controls.one_of("On which images", "ch.pair-images", (OF_THE_TWO, WHOLE)) == WHOLE
    positions = np.arange(len(own)) if whole else np.flatnonzero(np.isin(own, (first, second)))
    names = " or ".join(f"**{plain(classifier.labels[one])}**" for one in (first, second))
    said = "the whole set" if whole else f"{by} {names}"
    return Asked(SetTarget(layer, positive, negative), spread(positions), said)


def _named(classifier: Classifier, pair: Pair) -> str:
    first, second = (shortened(classifier.labels[one], 22) for one in (pair.first, pair.second))
    if pair.by == "next":
        return f"{first} – {second} · no mistake, {pair.probability:.0%} for the other"
    return f"{first} – {second} · {pair.images} {'mistake' if pair.images == 1 else 'mistakes'}"


def _explained(options: tuple[str, ...], key: str) -> str:
    return controls.listed("Class to explain", key, options)


def _against(options: tuple[str, ...]) -> str:
    return controls.listed("Set against", "ch.set-against", options)


def predicted(selection: Selection) -> Predictions:
    """The predictions of the whole set; until they are there the page ends here, with progress."""
    return waiting.value(
        selection.scope.shared.compute("predictions", models.predict, selection.classifier, selection.photos)
    )


def ask(selection: Selection, slot: str, target: SetTarget, positions: Int[np.ndarray, " n"]) -> cache.Job:
    """The job that attributes the images, chunk by chunk."""
    return over_set.ask(
        selection.scope, slot, AttributionPass(), selection.classifier, selection.photos, (target,), positions
    )


def latest(job: cache.Job) -> SetAttribution | None:
    """What has been computed so far; None before the first images."""
    return job.latest((None,))[0]


def in_words(classifier: Classifier, target: SetTarget) -> str:
    """What is explained, in words."""
    positive = {"predicted": "each one's predicted class", "label": "each one's label"}.get(
        str(target.positive), f"**{_label(classifier, target.positive)}**"
    )
    if target.negative == "nothing":
        return positive
    negative = "the likeliest other class" if target.negative == "next" else None
    return f"{positive} over {negative or f'**{_label(classifier, target.negative)}**'}"


def _label(classifier: Classifier, one: str | int) -> str:
    return "" if isinstance(one, str) else plain(classifier.labels[one])
