"""Training, measuring and storing the prior of scenes, all from seeds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from interp.images.scenes import honest
from interp.models.scenes.measuring import SEED
from interp.models.scenes.pictures import drawn
from interp.models.scenes_prior.fitting import FitSteps, fitted_autoencoder, fitted_density
from interp.models.scenes_prior.measuring import measured
from interp.models.scenes_prior.prior import read, write

HELD_OUT = 300
DIMENSIONS, COMPONENTS = 384, 32
STEPS = FitSteps(coarse=300, fine=400)


def train(
    path: Path,
    pixels: UInt8[Tensor, "n 3 112 112"],
    *,
    dimensions: int = DIMENSIONS,
    components: int = COMPONENTS,
    steps: FitSteps = STEPS,
    held_out: int = HELD_OUT,
    say: Callable[[str], None] = print,
) -> dict[str, float]:
    """Train the decoder and the density expert on scenes, write them to a file, and give what was measured.

    The figures are of the file, on `held_out` scenes that were not learned from. The same call writes the same bytes
    for the same number of threads.
    """
    autoencoder = fitted_autoencoder(pixels, dimensions, steps, seed=0, say=say)
    say("fitting the density of patches")
    expert = fitted_density(pixels, components, seed=0)
    write(path, autoencoder, expert, {})
    figures = measured(read(path, torch.device("cpu")), _held_out(held_out), pixels)
    write(path, autoencoder, expert, figures)
    return figures


def _held_out(count: int) -> Float[Tensor, "n 3 112 112"]:
    return torch.from_numpy(drawn(partial(honest, SEED), range(count), processes=1)).float() / 255
