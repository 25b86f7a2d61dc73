"""What is known of the images on the explorer's maps, row by row, and which of them is looked at."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from interp import embedding, images, models
from interp.embedding import Cells, Features, LabelledRows, Toy
from interp.figures import thumbnails
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.types import Classifier
from pages.parts.embedding import maps
from pages.parts.kit import waiting
from pages.parts.kit.text import plain, shortened

CELL = "map.cell"


def labelled(
    classifier: Classifier,
    photos: ImageSet,
    features: Features,
    cells: Cells | None,
    labels: LabelMatch,
    job: cache.Job | None,
) -> LabelledRows:
    """Labels and predictions in the order of the features' rows; `job` is that of the predictions, done or not.

    A classifier without a head predicts nothing, and has no job.
    """
    complete = job is None or waiting.there(job, waiting.PATIENCE)
    predictions = job.value if job is not None and complete else models.merge([])
    return cache.figure(embedding.labelled, classifier, photos, features, cells, labels, predictions, complete)


def points(about: LabelledRows | Toy, more: tuple[str, ...] = ()) -> maps.HoverTexts:
    """Names of the points, and what stands on their cards; `more` names further points."""
    return cache.figure(_points, about, more)


def _points(about: LabelledRows | Toy, more: tuple[str, ...]) -> maps.HoverTexts:
    if isinstance(about, Toy):
        return maps.HoverTexts(tuple(f"{about.parts[label]}, point {i}" for i, label in enumerate(about.labels)))
    labels = about.classes
    word = "most probable" if about.classifier.multi_label else "predicted"
    texts = [
        "\n".join(
            [
                *([f"labelled {labels[label]}"] if label >= 0 else []),
                *([f"{word} {labels[predicted]}, {sure:.0%}"] if predicted >= 0 else []),
            ]
        )
        for label, predicted, sure in zip(about.labels, about.predicted, about.confidence, strict=True)
    ]
    return maps.HoverTexts((*map(about.name, range(len(about))), *more), texts=(*texts, *("" for _ in more)))


def sheets(scope: cache.Scope, about: LabelledRows) -> thumbnails.Sheets | None:
    """Thumbnails of the images, or the cells, on the maps; none while they are made."""
    photos = about.photos
    if about.cells is not None:
        return _ready(
            scope.shared.survey("patches", thumbnails.patches, photos, about.classifier, about.positions, about.cells)
        )
    if len(about) != len(photos):
        photos = cache.figure(images.subset, photos, about.positions)
    return _ready(scope.shared.survey("thumbnails", thumbnails.sheets, photos))


def _ready(job: cache.Job) -> thumbnails.Sheets | None:
    return job.value if waiting.there(job, waiting.PATIENCE) else None


def take(choice: maps.MapChoice, known: LabelledRows) -> None:
    """Make the image that was clicked the one that all pages look at, and its cell the one that this page does."""
    if choice.chosen is not None and choice.chosen < len(known.positions):
        st.session_state["image"] = int(known.positions[choice.chosen])
        if known.cells is not None:
            st.session_state[CELL] = int(known.cells.places[choice.chosen])


def row_of(known: LabelledRows, position: int) -> int:
    """The row of the image at this position, or of the cell of it that was clicked; the first where it is not drawn."""
    rows = np.flatnonzero(known.positions == position)
    if not len(rows):
        name = plain(shortened(known.photos.names[position], 60))
        st.caption(f":material/info: {name} is not on the maps: below is the first that is.")
        return 0
    if known.cells is None:
        return int(rows[0])
    centre = (known.cells.grid[0] // 2) * known.cells.grid[1] + known.cells.grid[1] // 2
    wanted = st.session_state.get(CELL, centre)
    return int(rows[np.abs(known.cells.places[rows] - wanted).argmin()])
