"""Inversion of an activation atlas's cells: what share beats the best real patch, how long it takes, what is saved.

    python -m benchmarks.atlas_inversion [--case scenes-honest scenes mixed5b 600 16] [--parts whole ways starts]
        [--models FOLDER] [--threads 2] [--cells 24] [--pictures OUT]

A case is a classifier, an image set, a layer, how many images and how many positions of each; cells are those of grids
of 10 and 20 (UMAP as in the notebooks, 5 samples or more). Times are in seconds, beside the machine's load.

whole: all cells with the usual settings: the share that beats the best real sample, by grid, and the seconds until the
first pictures, until every cell has one, and until the end (what falls short goes on).
ways: one position or the mean over positions, the side, the transforms, the learning rate, on some cells of the coarse
grid, in equal steps: the share that beats the best real sample in the middle and anywhere, and how far.
starts: some cells of the fine grid from noise and from the coarser pictures: what share beats by the number of steps,
and how often a picture is nearer to its own cell's mean than to those of the cells begun at the same picture.
`--pictures` keeps the cells of the whole as PNG.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from interp import atlas, images, models
from interp import feature_visualization as fv
from interp.atlas.inverted import LevelTargets, best_real, score
from interp.atlas.inverting import (
    BEGUN_RATE,
    NOISE_RATE,
    NOTEBOOK_POWER,
    InversionSettings,
    inversion_settings,
    inverting,
)
from interp.feature_visualization.reading import counted_runs, prefix
from interp.passes.grids import on_grid
from interp.set_pass import evenly
from interp.types import Classifier

CASES = (("scenes-honest", "scenes", "mixed5b", "600", "16"), ("scenes-honest", "scenes", "mixed4c", "600", "16"))
GRIDS = (10, 20)
STEPS = 64


@dataclass(frozen=True, eq=False)
class Case:
    """What one table row is about."""

    classifier: Classifier
    layer: str
    levels: list[LevelTargets]
    settings: InversionSettings

    @property
    def name(self) -> str:
        """Classifier and layer."""
        return f"{self.classifier.name} {self.layer}"


def case(given: Sequence[str], folder: str | None) -> Case:
    """The cells of an atlas, and the usual settings."""
    name, source, layer, count, each = given
    classifier, photos = models.load(name, folder=folder, device="cpu"), images.load(source)
    built = atlas.build(
        classifier, photos, layer, int(each), GRIDS[-1], positions=evenly(len(photos), int(count)).tolist()
    )
    settings = inversion_settings(classifier, layer, fv.colours_of(classifier, photos))
    levels = []
    for grid in GRIDS:
        cells = built.level(grid)
        best = best_real(built.samples.activations, cells.mean, settings.power)
        levels.append(LevelTargets(grid, cells.row, cells.column, cells.mean, best))
    return Case(classifier, layer, levels, settings)


def whole(one: Case, out: str | None) -> None:
    """All cells with the usual settings."""
    begun, spent = time.perf_counter(), time.process_time()
    marks: dict[str, float] = {}
    steps = inverting(one.classifier, one.layer, one.levels, one.settings)
    while True:
        try:
            found = next(steps)
        except StopIteration as stop:
            found = stop.value
            break
        now = time.perf_counter() - begun
        if found.levels[0].made.any():
            marks.setdefault("first", now)
        if all(level.made.all() for level in found.levels):
            marks.setdefault("every", now)
    end, processor = time.perf_counter() - begun, time.process_time() - spent
    for level, wanted in zip(found.levels, one.levels, strict=True):
        over = np.median(level.scores / wanted.best)
        print(
            f"| {one.name} | {level.grid} | {level.beats.sum()} of {len(wanted)} ({level.share:.1%}) | {over:.1f} |"
            f" {one.settings.side} | {marks['first']:.1f} | {marks['every']:.1f} | {end:.1f} | {processor:.0f} |"
            f" {os.getloadavg()[0]:.1f} |",
            flush=True,
        )
        if out:
            save(Path(out), one, wanted, level.pictures)


def save(out: Path, one: Case, wanted: LevelTargets, pictures: np.ndarray) -> None:
    """The grid as one picture."""
    side = pictures.shape[1]
    drawn = np.full((wanted.grid * side, wanted.grid * side, 3), 255, np.uint8)
    for row, column, picture in zip(wanted.rows * side, wanted.columns * side, pictures, strict=True):
        drawn[row : row + side, column : column + side] = picture
    Image.fromarray(drawn).save(out / f"{one.classifier.name}-{one.layer}-{wanted.grid}.png")


def seen(one: Case, pixels: torch.Tensor) -> torch.Tensor:
    """The layer's maps of pictures."""
    runs = counted_runs(one.classifier, (one.layer,), pixels[:1])
    with one.classifier.lock, torch.no_grad():
        given = prefix(one.classifier, pixels, runs)[one.layer]
    return on_grid(given, one.classifier.layer(one.layer)).float()


@dataclass(frozen=True)
class Way:
    """One way of making a picture of a vector."""

    mean: bool = False
    side: int = 80
    jitter: int | None = 8
    rate: float = NOISE_RATE
    steps: int = STEPS
    start: fv.Start = fv.Noise()
    frames: tuple[int, ...] = ()

    def __str__(self) -> str:
        transforms = "standard" if self.jitter is None else f"jitter {self.jitter}" if self.jitter else "none"
        return f"{'mean' if self.mean else 'middle'} | {self.side} | {transforms} | {self.rate}"

    def made(self, one: Case, vectors: np.ndarray) -> tuple[fv.Visualization, tuple[int, int], float]:
        """The pictures, the middle position, and the processor seconds."""
        size = self.side, self.side
        height, width = seen(one, torch.zeros(1, one.classifier.channels, *size)).shape[2:]
        middle = height // 2, width // 2
        row, column = (None, None) if self.mean else middle
        objectives = [fv.Direction(one.layer, torch.from_numpy(v), one.settings.power, row, column) for v in vectors]
        moves = fv.STANDARD
        if self.jitter is not None:
            moves = (fv.Pad(self.jitter // 2), fv.Jitter(self.jitter)) if self.jitter else ()
        how = fv.Fourier(self.side, one.settings.colours)
        spent = time.process_time()
        made = fv.optimize(
            one.classifier,
            objectives,
            steps=self.steps,
            parameterization=how,
            transforms=moves,
            start=self.start,
            frames=self.frames,
            learning_rate=self.rate,
            batch_size=len(vectors) if isinstance(self.start, fv.FromPictures) else None,
        )
        return made, middle, time.process_time() - spent


WAYS = (
    Way(),
    Way(mean=True),
    Way(rate=0.1),
    Way(rate=0.2),
    Way(rate=0.1, mean=True),
    Way(rate=0.1, jitter=0),
    Way(rate=0.1, jitter=None),
    Way(rate=0.1, side=48),
    Way(rate=0.1, side=64),
    Way(rate=0.1, side=112),
)


def ways(one: Case, cells: int) -> None:
    """What is chosen, and what else could be."""
    level = one.levels[0]
    some = np.sort(np.random.default_rng(0).permutation(len(level))[:cells])
    vectors, best = level.vectors[some], level.best[some]
    for way in WAYS:
        made, (row, column), processor = way.made(one, vectors)
        maps = seen(one, made.pixels).numpy()
        scores = np.stack(
            [
                score(here.reshape(len(here), -1).T, v[None], one.settings.power)[:, 0]
                for here, v in zip(maps, vectors, strict=True)
            ]
        )
        middle, most = scores[:, row * maps.shape[3] + column], scores.max(axis=1)
        extreme = float(((made.pixels < 0.02) | (made.pixels > 0.98)).float().mean())
        print(
            f"| {one.name} | {way} | {(middle > best).mean():.0%} | {(most > best).mean():.0%} |"
            f" {np.median(middle / best):.2f} | {extreme:.1%} | {1000 * processor / len(some) / way.steps:.1f} |",
            flush=True,
        )


def starts(one: Case, cells: int) -> None:
    """Fine cells from noise and from coarser pictures."""
    coarse, fine = one.levels
    parents = fine.parents(coarse, np.ones(len(coarse), bool))
    families = [own for parent in np.unique(parents) if len(own := np.flatnonzero(parents == parent)) > 2]
    some = np.concatenate([families[at] for at in np.linspace(0, len(families) - 1, max(1, cells // 4)).astype(int)])
    vectors, best, side = fine.vectors[some], fine.best[some], one.settings.side or one.classifier.input_size[0]
    own_parents = np.unique(parents[some])
    frames = (0, 8, 16, 24, 32, 48, 64, 96)
    first = Way(side=side, steps=one.settings.steps)
    begun = first.made(one, coarse.vectors[own_parents])[0].pixels
    at = begun[np.searchsorted(own_parents, parents[some])]
    for name, way in (
        ("noise", replace(first, frames=frames)),
        ("noise", replace(first, frames=frames, rate=BEGUN_RATE)),
        ("coarser picture", replace(first, start=fv.FromPictures(at), frames=frames)),
        ("coarser picture", replace(first, start=fv.FromPictures(at), frames=frames, rate=BEGUN_RATE)),
    ):
        made, (row, column), _ = way.made(one, vectors)
        for frame in made.frames:
            values = frame.values.numpy()
            activations = seen(one, frame.pixels)[:, :, row, column].numpy()
            lengths = np.linalg.norm(activations, axis=1)[:, None] * np.linalg.norm(fine.vectors, axis=1)
            cosines = activations @ fine.vectors.T / np.maximum(lengths, 1e-12)
            own = [
                cosines[number, cell] >= cosines[number, parents == parents[cell]].max()
                for number, cell in enumerate(some)
            ]
            print(
                f"| {one.name} | {name} | {way.rate} | {frame.step} | {(values > best).mean():.0%} |"
                f" {np.median(values / best):.2f} | {np.mean(own):.0%} |",
                flush=True,
            )
    alone = np.mean([1 / (parents == parents[cell]).sum() for cell in some])
    print(f"{one.name}: {len(some)} cells of {len(own_parents)} coarser ones; by chance {alone:.0%} are nearest.")


HEADS = {
    "whole": "| layer | grid | beat the best real sample | times it, median | side | first, s | every cell, s |"
    " end, s | processor, s | load |\n|---|---|---|---|---|---|---|---|---|---|",
    "ways": f"| layer | objective | side | transforms | rate | beat, {STEPS} steps | anywhere | times the best |"
    " in black or white | ms a step |\n|---|---|---|---|---|---|---|---|---|---|",
    "starts": "| layer | from | rate | steps | beat | times the best |"
    " nearest to its own mean |\n|---|---|---|---|---|---|---|",
}


def main() -> None:
    """Build the atlases, and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", nargs=5, action="append")
    parser.add_argument("--parts", nargs="+", choices=HEADS, default=list(HEADS))
    parser.add_argument("--models")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cells", type=int, default=24)
    parser.add_argument("--pictures")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    made = [case(one, given.models) for one in given.case or CASES]
    print(f"power {NOTEBOOK_POWER}, {given.threads} threads")
    for part in given.parts:
        print(f"\n{HEADS[part]}")
        for one in made:
            if part == "whole":
                whole(one, given.pictures)
            elif part == "ways":
                ways(one, given.cells)
            else:
                starts(one, given.cells)


if __name__ == "__main__":
    main()
