"""Choosing the class that maps explain, and one to set it against."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
import torch
from jaxtyping import Float

from interp.types import Classifier, Target
from pages.parts.kit import address
from pages.parts.kit.predicted import Own
from pages.parts.kit.text import plain

TOP = 5
PREDICTED, NOTHING, OTHER, LABELLED, OWN, SECOND = -1, -2, -3, -4, -5, -6
HELP = {
    "target": "The maps explain the score of this class, whether it was predicted or not.",
    "against": "With a second class the maps explain the difference of the two scores: why this one and not that.",
}


def choose(
    classifier: Classifier,
    probabilities: Float[torch.Tensor, "n k"],
    own: Own,
    photographs: Sequence[tuple[int, str]],
) -> tuple[Target, ...]:
    """Draw the pickers of the class to explain, and of one to set it against; gives a target for each image.

    One class for all images, each one's predicted class or label, or one chosen for each. `own` is what the set says
    of the images, `photographs` their positions in their set and their names.
    """
    labels = own.labels
    first, several = probabilities[0], len(probabilities) > 1
    best = probabilities.argmax(dim=1).tolist()
    names = _top(classifier, first, frozenset() if several else own.classes[0])
    predicted = "each one's prediction" if several else f"predicted: {classifier.labels[best[0]]}"
    labelled = "each one's label"
    if classifier.multi_label:
        predicted = "each one's most probable" if several else f"most probable: {classifier.labels[best[0]]}"
        labelled = "each one's most probable label"
    offered = {PREDICTED: predicted}
    if several and any(label is not None for label in labels):
        offered[LABELLED] = labelled
    if several:
        offered[OWN] = "chosen for each …"
    chosen = _class("Class to explain", "target", offered | names, classifier)
    if chosen == OWN:
        positives = _each(classifier, probabilities, own.classes, photographs)
    elif chosen == LABELLED:
        positives = [one if label is None else label for one, label in zip(best, labels, strict=True)]
    else:
        positives = best if chosen == PREDICTED else [chosen] * len(best)
    names.pop(positives[0], None)
    rivals = {NOTHING: "nothing"} | ({SECOND: "each one's next likely class"} if several else {}) | names
    negative = _class("Set against", "against", rivals, classifier, without=positives[0])
    negatives = _next(probabilities, positives) if negative == SECOND else [negative] * len(positives)
    return tuple(
        Target(one, None if other in (NOTHING, one) else other) for one, other in zip(positives, negatives, strict=True)
    )


def _top(classifier: Classifier, probabilities: Float[torch.Tensor, " k"], own: frozenset[int]) -> dict[int, str]:
    """The most likely classes of one image, and its labels, where known; and how each is offered."""
    top = probabilities.topk(min(TOP, len(classifier.labels))).indices.tolist()
    offered = [*top, *sorted(own.difference(top), key=lambda one: -probabilities[one])]
    mark = ", labelled" if classifier.multi_label else ", its label"
    return {
        index: f"{classifier.labels[index]} · {probabilities[index]:.1%}" + mark * (index in own) for index in offered
    }


def _next(probabilities: Float[torch.Tensor, "n k"], positives: Sequence[int]) -> list[int]:
    """For each image the most likely class but the one that is explained."""
    others = probabilities.clone()
    others[torch.arange(len(positives)), torch.tensor(positives)] = -1
    return others.argmax(dim=1).tolist()


def _each(
    classifier: Classifier,
    probabilities: Float[torch.Tensor, "n k"],
    classes: Sequence[frozenset[int]],
    photographs: Sequence[tuple[int, str]],
) -> list[int]:
    """A class for each image, at first the predicted one."""
    return [
        _class(plain(name, limit=40), f"target.{position}", _top(classifier, one, own), classifier)
        for one, own, (position, name) in zip(probabilities, classes, photographs, strict=True)
    ]


def _class(label: str, key: str, offered: dict[int, str], classifier: Classifier, *, without: int | None = None) -> int:
    """A class from a short list, or, after 'another', from all of them; the first of the list is the default.

    A list of a thousand classes costs milliseconds at each rerun, so it is drawn only when it is asked for.
    """
    default = next(iter(offered))
    others = [index for index in range(len(classifier.labels)) if index != without]
    known = {*offered, *others, OTHER}
    chosen = address.seed(key, default, valid=known.__contains__, parse=int)
    options = offered if chosen in offered or chosen == OTHER else {**offered, chosen: classifier.labels[chosen]}
    options = {**options, OTHER: "another class …"}
    chosen = st.selectbox(label, list(options), format_func=options.__getitem__, key=key, help=HELP.get(key))
    if chosen == OTHER:
        chosen = st.selectbox(
            f"{label}: which", others, format_func=classifier.labels.__getitem__, key=f"{key}-other", index=None
        )
        chosen = default if chosen is None else chosen
    address.publish(key, None if chosen == default else str(chosen))
    return chosen
