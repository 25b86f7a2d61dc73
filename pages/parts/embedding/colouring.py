"""What the colours on the maps say: classes, predictions, groups, or how far to trust each point."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from interp import embedding
from interp.embedding import LabelledRows, Projection, Toy
from interp.embedding.quality import K
from interp.figures.style import RIGHT, WRONG
from pages.parts.embedding import maps
from pages.parts.embedding.arrangements import FILM, SEEDS, Arrangement
from pages.parts.kit import controls

LABEL, PREDICTION, OUTCOME, CONFIDENCE, GROUP = "Label", "Prediction", "Right or wrong", "Confidence", "Group"
PART, KEPT, WOBBLE = "Part", "Neighbours kept", "Wobble"
PREDICTED = (PREDICTION, OUTCOME, CONFIDENCE)
TAKEN = (LABEL, *PREDICTED, GROUP, KEPT, WOBBLE)
MANY = 40
"""Above so many labels their colours cannot be told apart, and groups are shown first."""

HELP = {
    KEPT: "The share of an image's {k} nearest neighbours on the map{which} that are among its {k} nearest in the "
    "features.",
    WOBBLE: "How far an image strays between the maps of three seeds, in units of the map's spread.",
}


def choose(
    about: LabelledRows | Toy, projections: tuple[Projection, ...], arrangement: Arrangement
) -> maps.Classes | maps.NumberScale:
    """Draw the picker of what the colours say; gives the colours, grey where it is not known yet."""
    options = [PART] if isinstance(about, Toy) else offered(about)
    # Offered before the maps are there, so that what the address says is not forgotten meanwhile.
    chosen = controls.listed("Coloured by", "map.colour", [*options, KEPT, *[WOBBLE] * (arrangement.view == SEEDS)])
    if chosen in HELP:
        _explain(chosen, projections, arrangement)
    if isinstance(about, LabelledRows) and chosen in PREDICTED and not about.complete:
        st.caption("Images stay grey until they are predicted.")
    return cache.figure(colours, about, projections, chosen, arrangement.view == FILM)


def _explain(chosen: str, projections: tuple[Projection, ...], arrangement: Arrangement) -> None:
    which = ""
    if len(projections) > 1:
        which = (
            " of the last layer" if arrangement.view == FILM else f", here the first, {projections[0].method.title},"
        )
    k = projections[0].quality.k if projections else K
    st.caption(HELP[chosen].format(k=k, which=which))


def offered(about: LabelledRows) -> list[str]:
    """What images can be coloured by, the default first; the set's own numbers come last."""
    numbers = [name for name in about.photos.numbers if name not in TAKEN]
    return [*_classes(about), *numbers]


def _classes(about: LabelledRows) -> list[str]:
    labels = np.unique(about.labels[about.labels >= 0])
    groups = [GROUP] * (len({one for one in about.photos.groups if one is not None}) > 1)
    if not about.classifier.labels:
        return [*groups, *[LABEL] * (len(labels) > 0)]
    if not len(labels):
        return [*groups, PREDICTION, CONFIDENCE]
    first = [*groups, LABEL] if len(labels) > MANY else [LABEL, *groups]
    return [*first, PREDICTION, OUTCOME, CONFIDENCE]


def colours(
    about: LabelledRows | Toy, projections: tuple[Projection, ...], chosen: str, last: bool
) -> maps.Classes | maps.NumberScale:
    """The colours of all points; of the last map rather than the first where they say how well a map does."""
    if chosen in (KEPT, WOBBLE) and not projections:
        return maps.NumberScale(np.full(len(about.labels), np.nan), chosen.lower(), low=0.0, high=1.0)
    if chosen == KEPT:
        quality = projections[-1 if last else 0].quality
        kept = quality.preservation_by_point
        title = "neighbours kept" if quality.asked == len(kept) else f"neighbours kept, asked of {quality.asked:,}"
        return maps.NumberScale(kept, title, low=0.0, high=1.0)
    if chosen == WOBBLE:
        return maps.NumberScale(embedding.wobble([one.points for one in projections]), "wobble", low=0.0)
    if isinstance(about, Toy):
        return maps.Classes(about.labels, about.parts, title=PART)
    if chosen == CONFIDENCE:
        return maps.NumberScale(about.confidence, "confidence", low=0.0, high=1.0)
    if chosen == OUTCOME:
        seen = (about.labels >= 0) & (about.predicted >= 0)
        outcome = np.where(seen, (about.predicted != about.labels).astype(int), -1)
        return maps.Classes(outcome, ("right", "wrong"), title=OUTCOME, colours=(RIGHT.colour, WRONG.colour))
    if chosen == GROUP:
        return maps.Classes(*about.grouped, title=GROUP)
    if chosen not in TAKEN:
        return maps.NumberScale(np.array(about.photos.numbers[chosen])[about.positions], chosen)
    indices = about.labels if chosen == LABEL else about.predicted
    present = np.unique(indices[indices >= 0])
    compact = np.where(indices >= 0, np.searchsorted(present, indices), -1)
    return maps.Classes(compact, tuple(about.classes[one] for one in present), title=chosen)


def with_one_more(found: maps.Classes | maps.NumberScale) -> maps.Classes | maps.NumberScale:
    """The same colours with a further point of none."""
    return cache.figure(_with_one_more, found)


def _with_one_more(found: maps.Classes | maps.NumberScale) -> maps.Classes | maps.NumberScale:
    if isinstance(found, maps.NumberScale):
        return maps.NumberScale(np.append(found.values, np.nan), found.title, low=found.low, high=found.high)
    return maps.Classes(np.append(found.indices, -1), found.names, title=found.title, colours=found.colours)
