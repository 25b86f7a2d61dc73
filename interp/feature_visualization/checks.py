"""Whether pictures are what they are said to be: neither grey nor saturated, and stronger than any photograph."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.batches import read_ahead
from interp.feature_visualization.objective import Objective
from interp.feature_visualization.reading import Reading
from interp.images import ImageSet
from interp.models import inputs
from interp.models.inputs import Input
from interp.types import Classifier

LEAST_CONTRAST = 0.03
MOST_CLIPPED = 0.5
EDGE = 4 / 255


@dataclass(frozen=True, eq=False)
class Tones:
    """What the histogram of each picture's brightnesses says.

    `contrast` is the standard deviation over pixels of each colour, averaged over the three, from 0 to 0.5. `clipped`
    is the share of numbers within 4/255 of black or white. A picture is grey under a contrast of 0.03 and saturated
    with more than half of it clipped; photographs of ImageNet have a contrast of 0.2 or so.
    """

    contrast: Float[Tensor, " n"]
    clipped: Float[Tensor, " n"]

    @property
    def grey(self) -> Bool[Tensor, " n"]:
        """Next to nothing to see."""
        return self.contrast < LEAST_CONTRAST

    @property
    def saturated(self) -> Bool[Tensor, " n"]:
        """Mostly black, white, or pure colours."""
        return self.clipped > MOST_CLIPPED


def tones(pixels: Float[Tensor, "n 3 h w"]) -> Tones:
    """The histogram check of pictures, RGB in [0, 1]."""
    contrast = pixels.float().flatten(2).std(dim=2).mean(dim=1)
    clipped = ((pixels < EDGE) | (pixels > 1 - EDGE)).float().flatten(1).mean(dim=1)
    return Tones(contrast, clipped)


@dataclass(frozen=True, eq=False)
class AgainstImages:
    """For each objective what its picture achieves, beside the best image of a set.

    `best` is the largest value over the images, and `position` where in the set that image is.
    """

    achieved: Float[Tensor, " n"]
    best: Float[Tensor, " n"]
    position: Int[Tensor, " n"]

    @property
    def beaten(self) -> Bool[Tensor, " n"]:
        """Whose picture is stronger than every image."""
        return self.achieved > self.best

    @property
    def share(self) -> float:
        """The share of objectives whose picture is stronger than every image, in [0, 1]."""
        return float(self.beaten.float().mean())


def against_images(
    classifier: Classifier,
    objectives: Sequence[Objective],
    achieved: Float[Tensor, " n"],
    photos: ImageSet,
    positions: Sequence[int] | None = None,
) -> Generator[AgainstImages, None, AgainstImages]:
    """Compare what pictures achieve with the images of a set at these positions (None: all).

    Images count as the classifier sees them; those that cannot be read are left out. Yields what the images so far
    say, batch by batch. Raises `ValueError` where values and objectives differ in number, and for objectives that the
    classifier does not have.
    """
    if len(achieved) != len(objectives):
        raise ValueError(f"{len(achieved)} values for {len(objectives)} objectives: give one for each.")
    chosen = np.arange(len(photos)) if positions is None else np.asarray(positions, np.int64)
    best = torch.full((len(objectives),), -torch.inf)
    where = torch.full((len(objectives),), -1)
    size = 8 if classifier.device.type == "cpu" else 64

    def read(number: int) -> Input:
        return inputs.attempt(classifier, photos, int(chosen[number]))

    for values, found in read_ahead(
        read, partial(_values, classifier, objectives), len(chosen), size=size, what="Comparing with images"
    ):
        if found:
            strongest, row = values.max(dim=1)
            better = strongest > best
            best = torch.where(better, strongest, best)
            where = torch.where(better, torch.tensor(found)[row], where)
        yield AgainstImages(achieved, best, where)
    return AgainstImages(achieved, best, where)


def _values(
    classifier: Classifier, objectives: Sequence[Objective], pictures: Sequence[Input]
) -> tuple[Float[Tensor, "n m"], list[int]]:
    """Every objective of every image."""
    images, positions, _ = inputs.readable(classifier, pictures)
    if images is None:
        return torch.zeros(len(objectives), 0), []
    reading = Reading(classifier, list(objectives), images=len(images))
    with classifier.lock, torch.no_grad():
        return reading.values(images.pixels).view(len(objectives), len(images)).cpu(), positions
