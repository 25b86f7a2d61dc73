"""What a picture begins as: noise, a given image, or the mean of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from interp import progress
from interp.images import ImageSet
from interp.models import inputs
from interp.set_pass import evenly
from interp.types import Classifier

SPREAD = 200


@dataclass(frozen=True)
class Noise:
    """Gaussian noise in the picture's parameters, a grey picture to look at; `deviation` None leaves it to these.

    All objectives begin with the same noise; copies of one objective each with their own.
    """

    deviation: float | None = None

    def __post_init__(self) -> None:
        if self.deviation is not None and not self.deviation >= 0:
            raise ValueError(f"Noise with a deviation of {self.deviation} is not possible: take 0 or more.")


@dataclass(frozen=True, eq=False)
class FromPictures:
    """Pictures to begin with, RGB or grey in [0, 1], of any size: one for all, or one for each objective.

    `deviation` is that of noise in the parameters on top, which lets copies of one objective go different ways.
    """

    pixels: Float[Tensor, "m c h w"] = field(repr=False)
    deviation: float | int = 0

    def __post_init__(self) -> None:
        if not self.deviation >= 0:
            raise ValueError(f"Noise with a deviation of {self.deviation} is not possible: take 0 or more.")

    def each(self, objectives: int, copies: int) -> Float[Tensor, "n c h w"]:
        """One picture for each copy of each objective. Raises `ValueError` where their number does not fit."""
        if len(self.pixels) not in (1, objectives):
            raise ValueError(
                f"{len(self.pixels)} pictures to begin with for {objectives} objectives: give one, or one for each."
            )
        return self.pixels.expand(objectives, -1, -1, -1).repeat_interleave(copies, dim=0)


Start = Noise | FromPictures


def mean_image(
    classifier: Classifier, photos: ImageSet, positions: Sequence[int] | None = None
) -> Float[Tensor, "1 c h w"]:
    """The mean, pixel by pixel, of images as the classifier sees them: for `FromPictures`. None takes all of the set.

    The mean of a class is that of its images' positions. Images that cannot be read are left out; raises `ValueError`
    where there is none.
    """
    chosen = range(len(photos)) if positions is None else positions
    total, count = torch.zeros(classifier.channels, *classifier.input_size), 0
    for position in progress.steps(chosen, "Averaging images"):
        pixels = inputs.attempt(classifier, photos, int(position)).pixels
        if pixels is not None:
            total, count = total + pixels, count + 1
    if not count:
        raise ValueError(f"There is no image of {photos.name} to take the mean of: choose some that can be read.")
    return (total / count)[None]


def mean_images(
    classifier: Classifier, photos: ImageSet, positions: Sequence[int]
) -> tuple[Float[Tensor, "1 c h w"], ...]:
    """The mean of at most 200 images spread over the set, and that of the images at these positions, if any.

    Raises `ValueError` as `mean_image` does.
    """
    whole = mean_image(classifier, photos, evenly(len(photos), SPREAD).tolist())
    return (whole, mean_image(classifier, photos, positions)) if positions else (whole,)
