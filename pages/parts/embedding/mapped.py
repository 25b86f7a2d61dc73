"""What is known of the images on the explorer's maps, row by row, and which of them is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

import cache
from interp import images, models
from interp.embedding import Cells, Features, Toy
from interp.figures import thumbnails
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.models.predictions import Predictions
from interp.types import Classifier, Fingerprinted
from pages.parts.embedding import maps
from pages.parts.kit import waiting
from pages.parts.kit.text import plain, shortened

CELL = "map.cell"


@dataclass(frozen=True, eq=False)
class Known(Fingerprinted):
    """What is known of the images on the maps, row by row; −1 or nan where something is not known.

    `complete` says whether all images have been predicted that can be read. `cells` says which
    position of its image a row is; None where rows are whole images.
    """

    photos: ImageSet
    classifier: Classifier
    positions: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    complete: bool
    cells: Cells | None = None

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def classes(self) -> tuple[str, ...]:
        """What `labels` and `predicted` count: the classifier's classes, or the set's labels for one without a head."""
        return self.classifier.labels or own_classes(self.photos)

    @property
    def grouped(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """Each image's group as an index, and the groups' names."""
        groups = [self.photos.groups[one] for one in self.positions]
        names = sorted({one for one in groups if one is not None})
        places = {name: place for place, name in enumerate(names)}
        return np.array([-1 if one is None else places[one] for one in groups], np.int64), tuple(names)


def own_classes(photos: ImageSet) -> tuple[str, ...]:
    """The different labels of a set, in alphabetical order."""
    return tuple(sorted({label for label in photos.labels if label is not None}))


def known(
    classifier: Classifier,
    photos: ImageSet,
    features: Features,
    cells: Cells | None,
    labels: LabelMatch,
    job: cache.Job | None,
) -> Known:
    """Labels and predictions in the order of the features' rows; `job` is that of the predictions, done or not.

    A classifier without a head predicts nothing, and has no job.
    """
    complete = job is None or waiting.there(job, waiting.PATIENCE)
    predictions = job.value if job is not None and complete else models.merge([])
    return cache.figure(lined_up, classifier, photos, features, cells, labels, predictions, complete)


def lined_up(
    classifier: Classifier,
    photos: ImageSet,
    features: Features,
    cells: Cells | None,
    labels: LabelMatch,
    predictions: Predictions,
    complete: bool,
) -> Known:
    """What is known, row by row; an image that could not be read has no row, in the features or the predictions."""
    row_of = np.full(len(photos), -1)
    row_of[predictions.indices] = np.arange(len(predictions))
    rows = row_of[features.indices]
    places = {label: place for place, label in enumerate(own_classes(photos))}
    indices = labels.indices if classifier.labels else [places.get(label or "") for label in photos.labels]
    own = np.array([-1 if one is None else one for one in indices], np.int64)
    if classifier.multi_label:
        # Of an image's labels the most probable one, so that right is what is among them.
        own[predictions.indices] = predictions.labels
    return Known(
        photos,
        classifier,
        features.indices,
        own[features.indices],
        # The last is for images without a prediction, whose row is −1.
        np.append(predictions.predicted, -1)[rows],
        np.append(predictions.confidence, np.nan)[rows],
        complete,
        cells,
    )


def points(about: Known | Toy, more: tuple[str, ...] = ()) -> maps.Points:
    """Names of the points, and what stands on their cards; `more` names further points."""
    return cache.figure(_points, about, more)


def _points(about: Known | Toy, more: tuple[str, ...]) -> maps.Points:
    if isinstance(about, Toy):
        return maps.Points(tuple(f"{about.parts[label]}, point {i}" for i, label in enumerate(about.labels)))
    names, labels = about.photos.names, about.classes
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
    named = [f"{names[position]}{cell_of(about, row)}" for row, position in enumerate(about.positions)]
    return maps.Points((*named, *more), texts=(*texts, *("" for _ in more)))


def cell_of(about: Known, row: int) -> str:
    """Which cell a row is, to be put behind its image's name; nothing for a whole image."""
    if about.cells is None:
        return ""
    down, across = divmod(int(about.cells.places[row]), about.cells.grid[1])
    return f", row {down + 1}, column {across + 1}"


def sheets(scope: cache.Scope, about: Known) -> thumbnails.Sheets | None:
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


def take(choice: maps.Choice, known: Known) -> None:
    """Make the image that was clicked the one that all pages look at, and its cell the one that this page does."""
    if choice.chosen is not None and choice.chosen < len(known.positions):
        st.session_state["image"] = int(known.positions[choice.chosen])
        if known.cells is not None:
            st.session_state[CELL] = int(known.cells.places[choice.chosen])


def row_of(known: Known, position: int) -> int:
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
