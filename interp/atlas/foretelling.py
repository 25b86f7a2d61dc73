"""A patch that is read off an atlas to fool the classifier, tried beside patches that are not: Carter's own test."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, UInt8

from interp.atlas.cells import AtlasCells
from interp.atlas.pasting import Corner, PastedPatch, PatchTrial, trying
from interp.images import ImageSet
from interp.set_pass import Positions
from interp.set_pass.running import ItemStore
from interp.types import Classifier, Fingerprinted

COUNT = 5


@dataclass(frozen=True, eq=False)
class ForetoldPatches(Fingerprinted):
    """The cells whose pictures were pasted, and what came of it: `foretold` of what argues most for the target.

    `random` are cells drawn at random among those that are not foretold. `trial` has the effects of the former, then of
    the latter, and that of noise.
    """

    target: int
    foretold: Int[np.ndarray, " f"]
    random: Int[np.ndarray, " r"]
    trial: PatchTrial

    @property
    def share(self) -> float:
        """The mean share of images, not taken for the target before, that a foretold patch turns into it."""
        return float(np.mean([one.to_target for one in self.trial.effects[: len(self.foretold)]]))

    @property
    def share_of_random(self) -> float:
        """The same of random cells' pictures; nan where there are no further cells."""
        rest = [one.to_target for one in self.trial.effects[len(self.foretold) :]]
        return float(np.mean(rest)) if rest else float("nan")

    @property
    def share_of_noise(self) -> float:
        """The same of noise."""
        return self.trial.noise.to_target


def foretold(
    cells: AtlasCells, target: int, count: int = COUNT, *, seed: int = 0
) -> tuple[Int[np.ndarray, " f"], Int[np.ndarray, " r"]]:
    """The cells with the largest attribution to a class, and as many others at random.

    Raises `ValueError` for a class that there is not, or for which no cell argues.
    """
    classes = cells.attribution.shape[1]
    if not 0 <= target < classes:
        raise ValueError(f"Class {target} does not exist: there are {classes}, numbered from 0.")
    own = cells.attribution[:, target]
    order = np.argsort(-own, kind="stable")
    chosen = order[:count][own[order[:count]] > 0]
    if not len(chosen):
        raise ValueError("No cell argues for the class, so no patch can be read off the atlas: choose another class.")
    rest = np.setdiff1d(np.arange(len(cells)), chosen)
    return chosen, np.random.default_rng(seed).permutation(rest)[: len(chosen)]


def fooling(
    classifier: Classifier,
    photos: ImageSet,
    cells: AtlasCells,
    pictures: UInt8[np.ndarray, "m s s 3"],
    target: int,
    positions: Positions = None,
    *,
    share: float = 0.3,
    corner: Corner = "bottom right",
    count: int = COUNT,
    seed: int = 0,
    kept: ItemStore | None = None,
) -> Generator[ForetoldPatches, None, ForetoldPatches]:
    """Paste the pictures of the cells that argue most for a class into a corner of all images, beside random ones.

    `pictures` are those of all cells, inverted or real. Carter et al. (2019) chose by eye; here the largest attribution
    decides, so that nobody does. Yields what has been seen so far. Raises `ValueError` as `foretold` and `trying` do.
    """
    chosen, random = foretold(cells, target, count, seed=seed)
    patches = [PastedPatch(pictures[one], share, corner) for one in (*chosen, *random)]
    steps = trying(classifier, photos, patches, target, positions, seed=seed, kept=kept)
    while True:
        try:
            trial = next(steps)
        except StopIteration as stop:
            return ForetoldPatches(target, chosen, random, stop.value)
        yield ForetoldPatches(target, chosen, random, trial)
