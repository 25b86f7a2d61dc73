"""Small pictures of few steps, to be looked at until those that were asked for are there."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from interp.feature_visualization.objective import Objective
from interp.feature_visualization.optimization import Settings
from interp.feature_visualization.parameterizations import Fourier
from interp.feature_visualization.pictures import Picture, pictures
from interp.feature_visualization.usual import usual
from interp.types import Classifier

SKETCH_STEPS, SKETCH_SIDE = 32, 64
WORTH = 16
"""How many times as dear the pictures that were asked for must at least be, in steps × pixels."""


def sketches(
    classifier: Classifier, settings: Settings, objectives: Sequence[Objective]
) -> Generator[dict[int, Picture], None, tuple[Picture, ...]]:
    """A small picture for each objective, in the same colours; yields those that have changed, by their places.

    They are at step 0 of `settings.steps`, since nothing of them goes on in those pictures. None are made where that
    would not be a small part of the work, or where the network does not take pictures so small. Raises `ValueError` as
    `pictures` does.
    """
    how = settings.parameterization
    height, width = how.resolution(classifier)
    dear = settings.steps * height * width / (SKETCH_STEPS * SKETCH_SIDE**2)
    if not isinstance(how, Fourier) or settings.copies > 1 or dear < WORTH:
        return ()
    small = usual(classifier, SKETCH_STEPS, how.colours, side=SKETCH_SIDE)
    if small.parameterization.resolution(classifier) != (SKETCH_SIDE, SKETCH_SIDE):
        return ()
    with closing(pictures(classifier, small, objectives)) as steps:
        while True:
            try:
                yield {place: _begun(one, settings) for place, one in next(steps).items()}
            except StopIteration as stop:
                return tuple(_begun(one, settings) for one in stop.value)


def _begun(picture: Picture, settings: Settings) -> Picture:
    return replace(picture, dead=False, step=0, steps=settings.steps)
