"""The gallery: each image with annotation and saliency, its scores, case, label and prediction; one element a page."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Int

import cache
from interp.images import ImageSet, UnreadableImage, bytes_of
from interp.models import inputs
from interp.shared_interest.explained import Explained, Explanation
from interp.shared_interest.few import explained_at
from interp.shared_interest.scoring import Scoring
from interp.types import Classifier
from pages.parts.kit import controls, markup, replay, waiting
from pages.parts.kit.text import shortened
from pages.parts.shared_interest import pictures
from pages.parts.shared_interest.scored_set import NAMES, SHORT, ScoredSet

EACH = 24
VIEWS: dict[str, pictures.CardView] = {"Salient area": "area", "Map": "map", "Photograph": "photograph"}
KEYS = "Outlined in yellow: what people marked. Tinted: what is salient. A click opens an image."


def draw(scope: cache.Scope, slot: str, scored_set: ScoredSet, rows: Int[np.ndarray, " m"]) -> None:
    """Draw a page of these rows in their order, and the choice of the page; a click says `image:` and the position."""
    if not len(rows):
        st.info("No scored image passes these filters. Take one away, or widen the range of the score.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = controls.one_of("Drawn", "interest.view-as", list(VIEWS))
        pages = -(-len(rows) // EACH)
        page = st.pagination(pages, key=f"interest-page-{pages}") if pages > 1 else 1
    shown = rows[(page - 1) * EACH : page * EACH]
    counted = f"{len(rows):,} of {len(scored_set):,} scored images. " if len(rows) < len(scored_set) else ""
    st.caption(counted + KEYS)
    strip(scope, slot, scored_set, shown, VIEWS[view])


def strip(
    scope: cache.Scope, slot: str, scored_set: ScoredSet, rows: Int[np.ndarray, " m"], view: pictures.CardView = "area"
) -> None:
    """Draw these rows side by side; until their pictures are made, without pictures."""
    scored = scored_set.scored
    asked = (scored.explanation, scored.scoring, scored.positions[rows], view)
    job = scope.gather(slot, made, scored_set.classifier, scored_set.photos, *asked)
    place = st.container()
    found = job.value if waiting.settled(job) else ("",) * len(rows)
    with place:
        replay.once(_cards, scored_set, rows, tuple(found))


def made(
    classifier: Classifier,
    photos: ImageSet,
    explanation: Explanation,
    scoring: Scoring,
    positions: Int[np.ndarray, " m"],
    view: pictures.CardView,
    smallest: int = pictures.SMALLEST,
) -> Generator[Any, None, tuple[str, ...]]:
    """The pictures at these positions of the set as data addresses; empty where there is no map."""
    explained = yield from explained_at(classifier, photos, explanation, positions.tolist(), cache.CachedItems())
    found = {}
    for position in explained.positions.tolist():
        yield
        # Each by itself, so that another order makes only those that were not drawn before.
        found[position] = cache.figure(_picture, classifier, photos, explained.at((position,)), scoring, view, smallest)
    return tuple(found.get(position, "") for position in positions.tolist())


def _picture(
    classifier: Classifier,
    photos: ImageSet,
    explained: Explained,
    scoring: Scoring,
    view: pictures.CardView,
    smallest: int,
) -> str:
    """The picture of the one image that is explained; empty where it cannot be read any more."""
    try:
        pixels = inputs.read(classifier, photos, explained.positions.tolist()).pixels[0]
    except UnreadableImage:
        return ""
    maps, annotations = explained.maps, explained.annotations
    picture = pictures.composed(
        bytes_of(pixels),
        annotations[0],
        maps[0],
        scoring.salient(maps, annotations)[0],
        view=view,
        signed=explained.explanation.method.signed,
        smallest=smallest,
    )
    return markup.url(picture, pictures.QUALITY)


def _cards(scored_set: ScoredSet, rows: Int[np.ndarray, " m"], found: Sequence[str]) -> None:
    st.html(html(scored_set, rows, found))


def html(scored_set: ScoredSet, rows: Int[np.ndarray, " m"], found: Sequence[str]) -> str:
    """The cards of these rows with their pictures, or without where they are empty."""
    height, width = scored_set.classifier.input_size
    cards = [_card(scored_set, int(row), url) for row, url in zip(rows, found, strict=True)]
    return markup.html("scored.html", cards=cards, ratio=width / height)


def _card(scored_set: ScoredSet, row: int, url: str) -> dict[str, Any]:
    label, prediction = scored_set.class_names(row)
    name = scored_set.name(row)
    return {
        "position": int(scored_set.scored.positions[row]),
        "name": name,
        "short": shortened(name, 80),
        "url": url,
        "scores": {title: scored_set.scored.score(score)[row] for score, title in SHORT.items()},
        "case": NAMES[scored_set.cases[row]],
        "label": label,
        "correct": scored_set.scored.correct[row],
        "prediction": prediction,
        "sure": scored_set.scored.probability[row],
    }
