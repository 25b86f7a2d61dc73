"""The images in which each unit of a layer is strongest, and where in them it looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from interp.images import ImageSet, Problem
from interp.passes.receptive_fields import ReceptiveFields, receptive_fields
from interp.set_pass import Positions, once, returned
from interp.types import Classifier, Fingerprinted
from interp.units.counting import UnitPass
from interp.units.counts import Counted
from interp.units.tally import LayerTally, UnitTally

Strength = Literal["max", "mean"]
"""By what images are ranked: a unit's largest activation over positions, or its mean over them."""


@dataclass(frozen=True, eq=False)
class TopImages(Fingerprinted):
    """The n images of a set in which each of k units is strongest, strongest first.

    `images` are positions in the set (-1 where there are fewer images), `values` the activations that they are ranked
    by, `positions` the row and column of the layer's grid where the unit is largest (-1 where they are ranked by the
    mean, which has no place). `fields` says what each position sees.
    """

    layer: str
    images: Int[np.ndarray, "k n"]
    values: Float[np.ndarray, "k n"]
    positions: Int[np.ndarray, "k n 2"]
    fields: ReceptiveFields
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, classifier: Classifier, counted: Counted[LayerTally], by: Strength = "max") -> TopImages:
        """Those that a tally holds."""
        tally, fields = counted.value, receptive_fields(classifier, counted.value.layer)
        if by == "mean":
            nowhere = np.full(tally.places.shape, -1, np.int32)
            return cls(tally.layer, tally.mean_images, tally.means, nowhere, fields, counted.problems)
        return cls(tally.layer, tally.images, tally.values, tally.places, fields, counted.problems)

    def crop(self, unit: int, number: int) -> tuple[int, int, int, int]:
        """The box of pixels that the unit sees where it is largest in one of its images: top, left, bottom, right."""
        row, column = self.positions[unit, number].tolist()
        return (0, 0, *self.fields.size) if row < 0 else self.fields.box(row, column)


def top_images(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None = None,
    count: int = 9,
    *,
    by: Strength = "max",
    positions: Positions = None,
) -> TopImages:
    """The images in which each unit of a layer is strongest, from one pass over the set in constant memory.

    Of equally strong ones the first in the set counts. Images that cannot be read are in `problems`. Raises
    `ValueError` for a layer that there is not, or no images.
    """
    if count < 1:
        raise ValueError(f"The top {count} images do not exist: give a number of at least 1.")
    name = classifier.layer(layer).name
    [found] = returned(once(UnitPass(), classifier, photos, [UnitTally(name, top=count, kept=1)], positions))
    return TopImages.of(classifier, found, by)
