"""Whether pictures are what they are said to be: not grey or saturated, and stronger than photographs, also moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from interp.feature_visualization.objective import Objective
from interp.feature_visualization.reading import Reading
from interp.feature_visualization.transforms import Jitter, Pad, Rotate, Scale, Transform, drawn
from interp.images import pixels_of
from interp.types import Classifier

LEAST_CONTRAST = 0.03
MOST_CLIPPED = 0.5
EDGE = 4 / 255
FINEST = 0.25
"""In cycles a pixel: above it lies the finest octave that a picture can show, up to 0.5."""

LITTLE: tuple[Transform, ...] = (Pad(4), Jitter(8))
MUCH: tuple[Transform, ...] = (Pad(8), Jitter(16), Scale(), Rotate())


@dataclass(frozen=True, eq=False)
class Tones:
    """What the histogram of each picture's brightnesses says.

    `contrast` is the standard deviation over pixels of each colour, averaged over these, from 0 to 0.5. `clipped`
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


def tones(pixels: Float[Tensor, "n c h w"]) -> Tones:
    """The histogram check of pictures, RGB or grey in [0, 1]."""
    contrast = pixels.float().flatten(2).std(dim=2).mean(dim=1)
    clipped = ((pixels < EDGE) | (pixels > 1 - EDGE)).float().flatten(1).mean(dim=1)
    return Tones(contrast, clipped)


def finest(pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """The share of each picture's variance at frequencies above a quarter of a cycle a pixel, in [0, 1].

    White noise has about 0.8 there, photographs a few hundredths; a picture of one colour has 0.
    """
    power = torch.fft.fft2(pixels.float() - pixels.float().mean(dim=(2, 3), keepdim=True)).abs().square().sum(dim=1)
    height, width = pixels.shape[2:]
    frequency = (torch.fft.fftfreq(height)[:, None].square() + torch.fft.fftfreq(width)[None].square()).sqrt()
    fine = (power * (frequency > FINEST).to(power)).sum(dim=(1, 2))
    return fine / power.sum(dim=(1, 2)).clamp(min=torch.finfo(power.dtype).tiny)


def moved(
    classifier: Classifier,
    objectives: Sequence[Objective],
    pixels: Float[Tensor, "n c h w"],
    transforms: Sequence[Transform] = MUCH,
    *,
    times: int = 16,
    seed: int = 100,
) -> Float[Tensor, " n"]:
    """The mean of each picture's objective over random moves of it: what does not only hold for its exact pixels.

    `LITTLE` shifts by at most 4 pixels either way; `MUCH` shifts by at most 8, scales by at most a tenth and turns by
    at most 10°. The same seed gives the same moves. Raises `ValueError` where pictures and objectives differ in number.
    """
    if len(pixels) != len(objectives):
        raise ValueError(f"{len(pixels)} pictures for {len(objectives)} objectives: give one for each.")
    reading, generator = Reading(classifier, objectives), torch.Generator().manual_seed(seed)
    seen, size = pixels.to(classifier.device), (pixels.shape[2], pixels.shape[3])
    total = torch.zeros(len(objectives))
    for _ in range(times):
        with classifier.lock, torch.inference_mode(False), torch.no_grad():
            total += reading.values(drawn(transforms, size, generator)(seen)).cpu()
    return total / times


@dataclass(frozen=True)
class Robustness:
    """What one picture reaches: as it is, shifted by up to 4 pixels, and shifted, scaled and turned; and its grain.

    `finest` is the share of its variance above a quarter of a cycle a pixel, in [0, 1].
    """

    still: float
    shifted: float
    moved: float
    finest: float


def robustness(
    classifier: Classifier, objective: Objective, pictures: Sequence[UInt8[np.ndarray, "h w 3"]]
) -> tuple[Robustness, ...]:
    """What each of these pictures reaches, also when it is moved. Raises `ValueError` as `Reading` does."""
    pixels = torch.stack([pixels_of(one, classifier.channels) for one in pictures])
    objectives = [objective] * len(pictures)
    values = [moved(classifier, objectives, pixels, (), times=1).tolist()]
    values += [moved(classifier, objectives, pixels, amount).tolist() for amount in (LITTLE, MUCH)]
    return tuple(Robustness(*row) for row in zip(*values, finest(pixels).tolist(), strict=True))
