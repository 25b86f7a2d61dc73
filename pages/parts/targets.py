"""Choosing the class that maps explain, and one to set it against."""

from __future__ import annotations

import streamlit as st
import torch
from jaxtyping import Float

from interp.types import Classifier, Target
from pages.parts import address

TOP = 5
PREDICTED, NOTHING, OTHER = -1, -2, -3
HELP = {
    "target": "The maps explain the score of this class, whether it was predicted or not.",
    "against": "With a second class the maps explain the difference of the two scores: why this one and not that.",
}


def choose(classifier: Classifier, probabilities: Float[torch.Tensor, "n k"]) -> tuple[Target, ...]:
    """Draw the pickers of the class to explain, and of one to set it against; gives a target for each image.

    The predicted class is each image's own; any other choice is for all of them.
    """
    first, several = probabilities[0], len(probabilities) > 1
    top = first.topk(min(TOP, len(classifier.labels))).indices.tolist()
    names = {index: f"{classifier.labels[index]} · {first[index]:.1%}" for index in top}
    predicted = "each one's prediction" if several else f"predicted: {classifier.labels[top[0]]}"
    chosen = _class("Class to explain", "target", {PREDICTED: predicted, **names}, classifier)
    best = probabilities.argmax(dim=1).tolist()
    positives = best if chosen == PREDICTED else [chosen] * len(best)
    names.pop(positives[0], None)
    negative = _class("Set against", "against", {NOTHING: "nothing", **names}, classifier, without=positives[0])
    return tuple(Target(one, None if negative in (NOTHING, one) else negative) for one in positives)


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
    chosen = st.selectbox(label, list(options), format_func=options.__getitem__, key=key, help=HELP[key])
    if chosen == OTHER:
        chosen = st.selectbox(
            f"{label}: which", others, format_func=classifier.labels.__getitem__, key=f"{key}-other", index=None
        )
        chosen = default if chosen is None else chosen
    address.publish(key, None if chosen == default else str(chosen))
    return chosen
