"""A class's graph over an image set, and how firmly it stands."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from interp import progress
from interp.class_summary.counted import ClassCounts
from interp.class_summary.gathered import GatheredMarks, gathered
from interp.class_summary.graph import ClassGraph, GraphSettings, extract
from interp.class_summary.predicted import labelled_as_predicted
from interp.class_summary.summary import ClassSummary, gathering
from interp.class_summary.support import DRAWS, GraphSupport, support
from interp.images import ImageSet
from interp.models.predictions import Predictions
from interp.set_pass import Positions
from interp.set_pass.running import ItemStore
from interp.types import Classifier, Fingerprinted


@dataclass(frozen=True, eq=False)
class JudgedGraph(Fingerprinted):
    """A class's graph, and how firmly it stands, which is known a while later (None: not yet, or it cannot be).

    Draws are made of `drawn_of` of the class's images, those that are kept one by one.
    """

    graph: ClassGraph
    support: GraphSupport | None
    drawn_of: int


def graph(summary: ClassSummary, number: int, settings: GraphSettings | None = None) -> ClassGraph:
    """The attribution graph of a class, as `extract` makes it of what a summary counted.

    Raises `ValueError` for a class that there is not, or without images.
    """
    if not 0 <= number < len(summary.labels):
        raise ValueError(f"Class {number} does not exist: there are {len(summary.labels)}, numbered from 0.")
    if not summary.images[number]:
        raise ValueError(f"No image that was summed up is of class {summary.labels[number]!r}, so it has no graph.")
    return extract(summary.of_class(number), settings)


def judging(
    classifier: Classifier,
    photos: ImageSet,
    layers: Sequence[str],
    share: float,
    number: int,
    settings: GraphSettings | None = None,
    positions: Positions = None,
    *,
    draws: int = DRAWS,
    predictions: Predictions | None = None,
    kept: ItemStore | None = None,
) -> Generator[JudgedGraph, None, JudgedGraph]:
    """The graph of a class over a set, and its support: yields the graph first, then the support of more draws.

    The marks of images are those of `summing`, with `predictions` where that had them: what that left in `kept` is not
    computed again. Raises `ValueError` as `graph` does.
    """
    if predictions is not None:
        photos = labelled_as_predicted(classifier, photos, predictions)
    with closing(gathering(classifier, photos, layers, positions, kept=kept)) as steps:
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                counted, _ = stop.value
                break
            yield from ()
    marks = gathered(classifier, layers, counted, share)
    if not marks.images[number]:
        raise ValueError(f"No image of {photos.name} is of class {classifier.labels[number]!r}, so it has no graph.")
    own, every = marks.rows_of(number), marks.rows_of(None)
    found = extract(marks.of_class(number), settings)
    judged = JudgedGraph(found, None, len(own))
    yield judged
    if len(own) < 2:
        progress.remark("How firmly the graph stands is not known: draws need two images of the class at least.")
        return judged
    steps = support(found, _MarkedImages(marks), own, len(every), settings, count=draws)
    with closing(steps):
        for supported in steps:
            judged = JudgedGraph(found, supported, len(own))
            yield judged
    return judged


@dataclass(frozen=True, eq=False)
class _MarkedImages:
    """The images whose marks are kept one by one, to be counted again with other weights."""

    marks: GatheredMarks

    def draw(self, weights: Int[np.ndarray, " n"]) -> ClassCounts:
        rows = np.flatnonzero(weights)
        return self.marks.drawn(rows, weights[rows])
