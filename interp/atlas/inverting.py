"""Inversion of an atlas's cells: a picture for each, coarse grids first, finer ones begun at the coarser pictures."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8

from interp import progress
from interp.atlas.inverted import Inverted, InvertedLevel, LevelTargets
from interp.batches import even
from interp.feature_visualization.colours import IMAGENET, Colours
from interp.feature_visualization.objectives import Direction, check_power
from interp.feature_visualization.optimization import Settings
from interp.feature_visualization.parameterizations import Fourier
from interp.feature_visualization.reading import counted_runs, prefix
from interp.feature_visualization.sheets import batch_for, sheet
from interp.feature_visualization.starts import FromPictures, Noise
from interp.feature_visualization.transforms import Jitter, Pad
from interp.feature_visualization.usual import usual
from interp.images import bytes_of, pixels_of
from interp.passes.grids import on_grid
from interp.passes.receptive_fields import receptive_fields
from interp.set_pass import ItemStore
from interp.types import Classifier, Fingerprinted

NOTEBOOK_POWER, RECIPE_POWER = 4, 2
"""Of the cosine: in the published notebooks, and in the published recipe (Carter et al. 2019)."""

SIDE, LEAST_SIDE, JITTER = 80, 16, 8
NOISE_RATE, BEGUN_RATE = 0.05, 0.1
"""Learning rates: the usual from noise, which gives calmer colours, and twice as much from a picture, so that a cell's
own becomes another than its neighbours' (`benchmarks/RESULTS.md`)."""
GREY = 128


@dataclass(frozen=True)
class InversionSettings:
    """How cells are inverted: from noise in `steps` steps, or in `steps_begun` where a coarser cell's picture is there.

    Pictures that do not beat the best real sample go on for `steps` more, up to `rounds` times. `power` is that of the
    cosine. Pictures are `side` pixels wide and high, or as large as what the classifier was trained on (None), in
    Fourier space in these colours. Raises `ValueError` for what is not possible.
    """

    steps: int = 96
    steps_begun: int = 32
    rounds: int = 2
    power: float | int = NOTEBOOK_POWER
    side: int | None = SIDE
    colours: Colours = IMAGENET
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.steps_begun) < 1:
            raise ValueError(
                f"{self.steps} steps from noise and {self.steps_begun} from a picture: take 1 or more of both."
            )
        if self.rounds < 0:
            raise ValueError(f"{self.rounds} rounds for pictures that fall short are not possible: take 0 or more.")
        check_power(self.power)
        # Raises for a side that is too small.
        Fourier(self.side, self.colours)

    def climbing(self, classifier: Classifier, batch: InversionBatch) -> Settings:
        """The settings of the optimization of a batch: jitter alone, of up to a tenth of the side."""
        how = Fourier(self.side, self.colours)
        border = min(JITTER, min(how.resolution(classifier)) // 8) // 2
        start, rate = Noise(), NOISE_RATE
        if batch.begun is not None:
            rate = BEGUN_RATE
            start = FromPictures(torch.stack([pixels_of(one, classifier.channels) for one in batch.begun]))
        transforms = (Pad(border), Jitter(2 * border))
        return Settings(batch.steps, how, transforms, (), start, 1, (), rate, self.seed)


@dataclass(frozen=True, eq=False)
class InversionBatch(Fingerprinted):
    """Vectors that are inverted together in so many steps, and the pictures they begin at; None: all at noise."""

    vectors: Float[np.ndarray, "m k"] = field(repr=False)
    begun: UInt8[np.ndarray, "m h w 3"] | None = field(repr=False)
    steps: int

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, eq=False)
class InvertedBatch(Fingerprinted):
    """The pictures of a batch, and their scores without transforms."""

    pictures: UInt8[np.ndarray, "m h w 3"]
    scores: Float[np.ndarray, " m"]


def inversion_settings(
    classifier: Classifier, layer: str, colours: Colours = IMAGENET, *, power: float | int = NOTEBOOK_POWER
) -> InversionSettings:
    """The usual settings for a layer: pictures as large as what a position sees, and the jitter; at most 80 pixels.

    A network that takes only what it was trained on gets pictures of that size. Raises `ValueError` for a layer that
    the classifier does not have.
    """
    found = classifier.layer(layer)
    top, left, bottom, right = receptive_fields(classifier, layer).box(found.height // 2, found.width // 2)
    seen = max(bottom - top, right - left) or SIDE
    side = min(SIDE, max(LEAST_SIDE, -(-(seen + JITTER) // 8) * 8))
    how = usual(classifier, 1, colours, side=side).parameterization
    return InversionSettings(power=power, side=how.size if isinstance(how, Fourier) else side, colours=colours)


def inverting(
    classifier: Classifier,
    layer: str,
    levels: Sequence[LevelTargets],
    settings: InversionSettings | None = None,
    *,
    kept: ItemStore | None = None,
) -> Generator[Inverted, None, Inverted]:
    """A picture for each cell, so that what the layer has in the middle of it goes towards the cell's vector.

    It makes `score` large at the middle position of the layer's grid, of pictures that are jittered (Carter et al.
    2019). Levels are inverted from coarse to fine; a cell of a finer one begins at the picture of the coarser cell that
    it lies in, or of the nearest one, and at noise where there is none. Batch by batch, and each batch's pictures are
    kept, so that interrupted work goes on where it stopped, with the same result. Yields what there is so far, after
    each batch, and the same again about once a second. Cells whose vector is 0 stay grey and not `made`.
    Raises `ValueError` for no levels, vectors of another length than the layer has channels, two levels of one grid, or
    a size at which the classifier cannot be run.
    """
    ordered = _checked(classifier, layer, levels)
    work = _Inversion(classifier, layer, ordered, settings or inversion_settings(classifier, layer))
    return work.run(kept)


def inverted_batches(
    classifier: Classifier, layer: str, settings: InversionSettings, batches: Sequence[InversionBatch]
) -> Generator[None, None, tuple[InvertedBatch, ...]]:
    """The pictures of batches, one after another; yields nothing about once a second, so that others get their turn.

    Raises `ValueError` as `feature_visualization.optimizing` does.
    """
    found = []
    for batch in batches:
        climb = settings.climbing(classifier, batch)
        row, column = _middle(classifier, layer, climb)
        vectors = torch.from_numpy(np.ascontiguousarray(batch.vectors, np.float32))
        objectives = [Direction(layer, one, settings.power, row, column) for one in vectors]
        with closing(sheet(classifier, objectives, climb, batch_size=len(batch))) as steps:
            while True:
                try:
                    next(steps)
                except StopIteration as stop:
                    made = stop.value
                    break
                yield
        pictures = np.stack([bytes_of(one) for one in made.pixels])
        found.append(InvertedBatch(pictures, made.values.numpy().astype(np.float64)))
    return tuple(found)


class _Inversion:
    """The pictures of all levels so far."""

    def __init__(
        self, classifier: Classifier, layer: str, levels: Sequence[LevelTargets], settings: InversionSettings
    ) -> None:
        self.classifier, self.layer, self.levels, self.settings = classifier, layer, levels, settings
        height, width = Fourier(settings.side).resolution(classifier)
        self.pictures = [np.full((len(one), height, width, 3), GREY, np.uint8) for one in levels]
        self.scores = [np.full(len(one), np.nan) for one in levels]
        self.made = [np.zeros(len(one), bool) for one in levels]
        self.total, self.done = sum(int(one.pointing.sum()) for one in levels), 0

    def run(self, kept: ItemStore | None) -> Generator[Inverted, None, Inverted]:
        """All levels, batch by batch."""
        for number, targets in enumerate(self.levels):
            begun = self._begun(number)
            steps = self.settings.steps if begun is None else self.settings.steps_begun
            cells = np.flatnonzero(targets.pointing)
            yield from self._level(number, cells, begun, steps, kept)
            for _ in range(self.settings.rounds):
                short = np.flatnonzero(self.made[number] & ~self._beats(number))
                yield from self._level(number, short, self.pictures[number], self.settings.steps, kept)
        return self.so_far(True)

    def so_far(self, complete: bool) -> Inverted:
        """A copy of what there is."""
        found = []
        for number, targets in enumerate(self.levels):
            pictures, scores, made = (one[number].copy() for one in (self.pictures, self.scores, self.made))
            found.append(InvertedLevel(targets.grid, pictures, scores, made, self._beats(number)))
        return Inverted(tuple(found), complete)

    def _beats(self, number: int) -> Bool[np.ndarray, " m"]:
        """Whose picture scores above the best real sample."""
        return self.made[number] & (np.nan_to_num(self.scores[number], nan=-np.inf) > self.levels[number].best)

    def _level(
        self,
        number: int,
        cells: Int[np.ndarray, " b"],
        begun: UInt8[np.ndarray, "m h w 3"] | None,
        steps: int,
        kept: ItemStore | None,
    ) -> Generator[Inverted, None, None]:
        """Some of a level's cells in equal batches; of two pictures of a cell the one with the larger score stays."""
        how = Settings(parameterization=Fourier(self.settings.side))
        size = even(len(cells), batch_for(self.classifier, how)) if len(cells) else 1
        for at in range(0, len(cells), size):
            some = cells[at : at + size]
            batch = InversionBatch(self.levels[number].vectors[some], None if begun is None else begun[some], steps)
            again = bool(self.made[number][some].any())
            found = yield from self._found(batch, 0 if again else len(batch), kept)
            better = ~self.made[number][some] | (found.scores > self.scores[number][some])
            self.pictures[number][some[better]] = found.pictures[better]
            self.scores[number][some[better]] = found.scores[better]
            self.made[number][some] = True
            yield self.so_far(False)

    def _found(
        self, batch: InversionBatch, counts: int, kept: ItemStore | None
    ) -> Generator[Inverted, None, InvertedBatch]:
        """A batch as it was kept, or made now; `counts` of its pictures are new."""
        asked = (self.classifier, self.layer, self.settings, (batch,))
        found = () if kept is None else kept.find(inverted_batches, *asked)
        if not found:
            found = yield from self._made(asked, counts)
            if kept is not None:
                kept.keep(found[0], inverted_batches, *asked)
        self.done += counts
        progress.report(self.done, self.total, "Inverting cells")
        return found[0]

    def _begun(self, number: int) -> UInt8[np.ndarray, "m h w 3"] | None:
        """The pictures that a level's cells begin at: those of the nearest coarser level that has any."""
        for coarser in range(number - 1, -1, -1):
            parents = self.levels[number].parents(self.levels[coarser], self._usable(coarser))
            if len(parents) and parents[0] >= 0:
                return self.pictures[coarser][parents]
        return None

    def _usable(self, number: int) -> Bool[np.ndarray, " m"]:
        """Whose pictures something can begin at: not those of dead objectives, which are grey."""
        return self.made[number] & (np.nan_to_num(self.scores[number], nan=-1) > 0)

    def _made(
        self, asked: tuple[Classifier, str, InversionSettings, tuple[InversionBatch]], counts: int
    ) -> Generator[Inverted, None, tuple[InvertedBatch, ...]]:
        shown = self.so_far(False)
        with closing(inverted_batches(*asked)) as steps:
            while True:
                # Around each step anew, as other jobs run in this thread in between.
                with progress.within(self.done, counts, self.total, "Inverting cells"):
                    try:
                        next(steps)
                    except StopIteration as stop:
                        return stop.value
                yield shown


def _checked(classifier: Classifier, layer: str, levels: Sequence[LevelTargets]) -> tuple[LevelTargets, ...]:
    """The levels from coarse to fine. Raises `ValueError` as `inverting` does."""
    if not levels:
        raise ValueError("There is nothing to invert: give the cells of at least one grid.")
    ordered = tuple(sorted(levels, key=lambda one: one.grid))
    grids = [one.grid for one in ordered]
    if len(set(grids)) < len(grids):
        raise ValueError(f"Two levels have the same grid, of {grids}: give each grid once.")
    channels = classifier.layer(layer).channels
    for one in ordered:
        if one.vectors.shape[1] != channels:
            raise ValueError(
                f"The vectors of the grid of {one.grid} have {one.vectors.shape[1]} numbers, and {layer} has "
                f"{channels} channels: take the cells of this layer."
            )
    return ordered


def _middle(classifier: Classifier, layer: str, settings: Settings) -> tuple[int, int]:
    """The middle position of the layer's grid for pictures of this size. Raises `ValueError` for one not possible."""
    size = settings.parameterization.resolution(classifier)
    with classifier.lock, torch.inference_mode(False), torch.no_grad():
        blank = torch.zeros(1, classifier.channels, *size, device=classifier.device)
        runs = counted_runs(classifier, (layer,), blank)
        maps = on_grid(prefix(classifier, blank, runs)[layer], classifier.layer(layer))
    return maps.shape[2] // 2, maps.shape[3] // 2
