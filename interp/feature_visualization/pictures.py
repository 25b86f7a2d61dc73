"""One picture for each objective as it is shown and kept: bytes, what it achieves, and whether it is dead."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from interp.feature_visualization.checks import tones
from interp.feature_visualization.objective import Objective
from interp.feature_visualization.optimization import Settings
from interp.feature_visualization.result import Visualization
from interp.feature_visualization.sheets import batch_for, sheet
from interp.images import bytes_of, pixels_of
from interp.types import Classifier


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture made for an objective, after `step` of `steps` steps, and the objective's value of it.

    `dead` is known at the end only; such a picture is grey.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    value: float
    dead: bool
    step: int
    steps: int

    @property
    def fault(self) -> Literal["grey", "saturated"] | None:
        """What the histogram of a finished picture that is not dead says against it (see `Tones`); None: nothing."""
        if self.dead or self.step < self.steps:
            return None
        found = tones(pixels_of(self.pixels)[None])
        return "grey" if bool(found.grey) else "saturated" if bool(found.saturated) else None


def pictures(
    classifier: Classifier, settings: Settings, objectives: Sequence[Objective]
) -> Generator[dict[int, Picture], None, tuple[Picture, ...]]:
    """A picture for each objective, in batches; yields those that have changed, by their places.

    Copies of one objective come side by side. Raises `ValueError` as `sheet` does.
    """
    # Of frames nothing is kept but the last.
    chosen = replace(settings, frames=tuple(step for step in settings.frames if step >= 16))
    with closing(sheet(classifier, objectives, chosen, batch_size=batch_for(classifier, chosen))) as parts:
        shown = None
        while True:
            try:
                part = next(parts)
            except StopIteration as stop:
                return _finished(stop.value, chosen.steps)
            frame = part.frame
            if frame is shown:
                yield {}
                continue
            shown = frame
            yield {
                part.start + row: Picture(bytes_of(pixels), value, False, frame.step, frame.steps)
                for row, (pixels, value) in enumerate(zip(frame.pixels, frame.values.tolist(), strict=True))
            }


def _finished(made: Visualization, steps: int) -> tuple[Picture, ...]:
    return tuple(
        Picture(bytes_of(pixels), value, dead, steps, steps)
        for pixels, value, dead in zip(made.pixels, made.values.tolist(), made.dead.tolist(), strict=True)
    )
