"""Many objectives, in batches: a layer's channels as a sheet that fills up."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import torch

from interp import progress
from interp.batches import as_many, even, out_of_memory
from interp.feature_visualization.objective import Objective
from interp.feature_visualization.objectives import Channel
from interp.feature_visualization.optimization import FRAMES, Settings, listed, optimizing
from interp.feature_visualization.parameterizations import Fourier, Parameterization
from interp.feature_visualization.regularizers import Regularizer
from interp.feature_visualization.result import Frame, Visualization, joined
from interp.feature_visualization.starts import Noise, Start
from interp.feature_visualization.transforms import STANDARD, Transform
from interp.types import Classifier

FOURIER, NOISE = Fourier(), Noise()

PROCESSOR_PHOTOGRAPHS, DEVICE_PHOTOGRAPHS = 2.65, 64
"""How many pictures of 224 × 224 are made at once; of smaller ones as many more."""


@dataclass(frozen=True, eq=False)
class SheetPart:
    """A frame of some of a sheet's pictures: those from `start` on (each copy counts)."""

    start: int
    frame: Frame


def optimize(
    classifier: Classifier,
    objectives: Objective | Sequence[Objective],
    *,
    steps: int = 512,
    parameterization: Parameterization = FOURIER,
    transforms: Sequence[Transform] = STANDARD,
    regularizers: Sequence[Regularizer] = (),
    start: Start = NOISE,
    copies: int = 1,
    frames: Sequence[int] = FRAMES,
    learning_rate: float | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Visualization:
    """Pictures that make objectives large, one for each (and for each of `copies`); see `Settings` for the rest.

    The same call gives the same pictures. With other objectives beside it, or another `batch_size`, a picture achieves
    as much, but its details differ after many steps, since rounding does; see `optimizing`.

    Raises `ValueError` for an objective that the classifier does not have, a size at which it cannot be run, or
    settings that are not possible.
    """
    settings = Settings(
        steps,
        parameterization,
        tuple(transforms),
        tuple(regularizers),
        start,
        copies,
        tuple(frames),
        learning_rate,
        seed,
    )
    parts = sheet(classifier, objectives, settings, batch_size=batch_size)
    while True:
        try:
            next(parts)
        except StopIteration as stop:
            return stop.value


def sheet(
    classifier: Classifier,
    objectives: Objective | Sequence[Objective],
    settings: Settings | None = None,
    *,
    batch_size: int | None = None,
) -> Generator[SheetPart, None, Visualization]:
    """As `optimizing` in equal batches of at most `batch_size` pictures, one after another; yields frames as parts.

    Each picture is the same in whatever batch it is made. Where memory runs out, the batch is begun again at half the
    size. Raises `ValueError` as `optimizing` does.
    """
    chosen, how = listed(objectives), settings or Settings()
    size = even(len(chosen), max(1, (batch_size or batch_for(classifier, how)) // how.copies))
    done: list[Visualization] = []
    begun = 0
    while begun < len(chosen):
        some = chosen[begun : begun + size]
        try:
            made = yield from _batch(classifier, some, how, begun, len(chosen))
        except RuntimeError as error:
            if not out_of_memory(error) or len(some) == 1:
                raise
            size = len(some) // 2
            torch.cuda.empty_cache()
            progress.remark(f"Memory ran short: pictures are made in batches of {size * how.copies}.")
            continue
        done.append(made)
        begun += len(some)
    return joined(tuple(done))


def channels_of(classifier: Classifier, layer: str) -> tuple[Channel, ...]:
    """The objectives of all channels of a layer, in order. Raises `ValueError` for a layer that there is not."""
    return tuple(Channel(layer, channel) for channel in range(classifier.layer(layer).channels))


def batch_for(classifier: Classifier, settings: Settings) -> int:
    """How many pictures to make at once: on a processor more would not stay in its caches."""
    photographs = PROCESSOR_PHOTOGRAPHS if classifier.device.type == "cpu" else DEVICE_PHOTOGRAPHS
    return as_many(photographs, settings.parameterization.resolution(classifier))


def _batch(
    classifier: Classifier, some: Sequence[Objective], settings: Settings, begun: int, total: int
) -> Generator[SheetPart, None, Visualization]:
    """One batch, its steps counted among those of all."""
    steps = settings.steps
    with closing(optimizing(classifier, some, settings)) as frames:
        while True:
            # Around each step anew, as other jobs run in this thread in between.
            with progress.within(begun * steps, len(some) * steps, total * steps):
                try:
                    frame = next(frames)
                except StopIteration as stop:
                    return stop.value
            yield SheetPart(begun * settings.copies, frame)
