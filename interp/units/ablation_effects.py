"""What every unit of a layer does for every class: ranked on one half of the images, and read on the other."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from interp import set_pass
from interp.images import ImageSet, Problem
from interp.set_pass import ItemStore, Positions
from interp.types import Classifier, Fingerprinted, Layer
from interp.units.ablation import CHUNK, UnitAblation
from interp.units.ablation_sets import halves, labelled
from interp.units.ablation_sums import AblationSums
from interp.units.counting import UnitPass


@dataclass(frozen=True, eq=False)
class UnitEffects(Fingerprinted):
    """What becomes of c classes when each of k units is removed alone: on the images for ranking, and on the others.

    Of a class with a single image there is nothing to read on the other half: it is read where it was ranked, which
    flatters the first (`held_out`). `problems` names the images that are left out, of both halves.
    """

    layer: Layer
    ranked: AblationSums
    read: AblationSums
    problems: tuple[Problem, ...] = ()

    @property
    def images(self) -> int:
        """Of how many images something is counted."""
        return int(self.ranked.images.sum() + self.read.images.sum())

    @property
    def classes(self) -> Int[np.ndarray, " m"]:
        """The classes of which there are images to rank by."""
        return np.flatnonzero(self.ranked.images)

    def held_out(self, target: int) -> bool:
        """Whether a class's effects are read on other images than units are ranked by."""
        return bool(self.read.images[target])

    def order(self, target: int) -> Int[np.ndarray, " k"]:
        """The units that a class misses most first: by its balanced accuracy, of equal ones by its mean logit."""
        return self.ranked.order(target)

    def changes(self, target: int) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
        """What becomes of a class's recall, and of its mean logit, without each unit: differences, as they are read."""
        of = self.read if self.held_out(target) else self.ranked
        before, after = of.recall()
        return after[:, target] - before[target], of.mean_changes()[0][:, target]

    def places(self, target: int) -> Int[np.ndarray, " k"]:
        """Each unit's place, from 1, in the order in which the other half alone would put the units."""
        order = (self.read if self.held_out(target) else self.ranked).order(target)
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(1, len(order) + 1)
        return places


def unit_effects(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None,
    *,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[UnitEffects, None, UnitEffects]:
    """Remove each unit of a layer alone, over the images with a label in `halves`; yields what there is so far.

    Units are set to zero. Raises `ValueError` for a layer that there is not, for a network without a head, and where no
    image has a label.
    """
    place = classifier.layer(layer)
    where, own = labelled(classifier, photos, positions)
    labels = own.at(where, np.zeros((len(where), len(classifier.labels)), np.float32))
    work, item = UnitPass(CHUNK), UnitAblation(place.name)
    found = [work.blank(classifier, item)] * 2

    def effects() -> UnitEffects:
        ranked, read = found
        return UnitEffects(place, ranked.value, read.value, ranked.problems + read.problems)

    for number, half in enumerate(halves(where, labels)):
        if not len(half):
            continue
        for (latest,) in set_pass.by_chunks(work, classifier, photos, (item,), half, kept=kept):
            found[number] = latest
            yield effects()
    return effects()
