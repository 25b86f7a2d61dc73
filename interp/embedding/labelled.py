"""What is known of the images that rows of features stand for: labels, predictions, groups, names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from interp.embedding.cells import Cells
from interp.embedding.representations import Features
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.models.predictions import Predictions
from interp.types import Classifier, Fingerprinted


@dataclass(frozen=True, eq=False)
class LabelledRows(Fingerprinted):
    """What is known of the images on the maps, row by row; −1 or nan where something is not known.

    `complete` says whether all images have been predicted that can be read. `cells` says which position of its image a
    row is; None where rows are whole images.
    """

    photos: ImageSet
    classifier: Classifier
    positions: Integer[np.ndarray, " n"]
    labels: Integer[np.ndarray, " n"]
    predicted: Integer[np.ndarray, " n"]
    confidence: Float[np.ndarray, " n"]
    complete: bool
    cells: Cells | None = None

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def classes(self) -> tuple[str, ...]:
        """What `labels` and `predicted` count: the classifier's classes, or the set's labels for one without a head."""
        return self.classifier.labels or own_classes(self.photos)

    @property
    def grouped(self) -> tuple[Integer[np.ndarray, " n"], tuple[str, ...]]:
        """Each image's group as an index, and the groups' names."""
        groups = [self.photos.groups[one] for one in self.positions]
        names = sorted({one for one in groups if one is not None})
        places = {name: place for place, name in enumerate(names)}
        return np.array([-1 if one is None else places[one] for one in groups], np.int64), tuple(names)

    def cell(self, row: int) -> str:
        """Which cell a row is, to be put behind its image's name; nothing for a whole image."""
        if self.cells is None:
            return ""
        down, across = divmod(int(self.cells.places[row]), self.cells.grid[1])
        return f", row {down + 1}, column {across + 1}"

    def cells_of(self, rows: Integer[np.ndarray, " m"]) -> Cells | None:
        """The cells of some rows; None where rows are whole images."""
        return None if self.cells is None else Cells(self.cells.grid, self.cells.places[rows])

    def name(self, row: int) -> str:
        """The name of a row's image, and which cell of it the row is."""
        return f"{self.photos.names[self.positions[row]]}{self.cell(row)}"

    def containing(self, wanted: str) -> list[int]:
        """The rows whose name, label or prediction contains the text, whether its letters are large or small."""
        text = wanted.casefold()
        classes = [i for i, label in enumerate(self.classes) if text in label.casefold()]
        named = [text in self.photos.names[one].casefold() for one in self.positions]
        hit = np.array(named) | np.isin(self.labels, classes) | np.isin(self.predicted, classes)
        return np.flatnonzero(hit).tolist()


def own_classes(photos: ImageSet) -> tuple[str, ...]:
    """The different labels of a set, in alphabetical order."""
    return tuple(sorted({label for label in photos.labels if label is not None}))


def labelled(
    classifier: Classifier,
    photos: ImageSet,
    features: Features,
    cells: Cells | None,
    labels: LabelMatch,
    predictions: Predictions,
    complete: bool,
) -> LabelledRows:
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
    return LabelledRows(
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
