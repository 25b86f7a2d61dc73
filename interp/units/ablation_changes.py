"""Which images a classifier calls something else without some units, labels or none."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp import set_pass
from interp.batches import batched
from interp.images import ImageSet, Problem
from interp.models.ground_truth import OwnLabels
from interp.models.inputs import Input, PicturePass, positions_of
from interp.passes.ablation import logits_without
from interp.set_pass import Collected, Growing, ItemStore, Positions
from interp.types import Classifier, Fingerprinted, Images, Layer
from interp.units.ablation_draws import changed_without, checked_units, matched
from interp.units.ablation_means import MeanPass, MeanSums
from interp.units.ablation_removal import Removal
from interp.units.ablation_sets import UnitSets, meanwhile, without_sets
from interp.units.ablation_sums import left_out


@dataclass(frozen=True, eq=False)
class ChangeRows(Fingerprinted):
    """What n images are called without each of v sets of units, of which the first is empty.

    `probability` has those of two classes, the one that is `predicted` without the first set and the one without the
    second: of each, without the first set and without the second.
    """

    positions: Int[np.ndarray, " n"]
    predicted: Int[np.ndarray, "n v"]
    probability: Float[np.ndarray, "n 2 2"]
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True)
class ChangePass(PicturePass[UnitSets, ChangeRows]):
    """Images without each of some sets of units, two at least, whether they have labels or not.

    The network runs once up to the layer, and from there on once for each set. An image that cannot be read, or gives
    numbers that are not finite, becomes a problem.
    """

    chunk: int = 256
    first: int = 32
    what = "Removing units"

    def checked(self, classifier: Classifier, items: Sequence[UnitSets]) -> tuple[UnitSets, ...]:
        """The sets, if the classifier has their units."""
        for one in items:
            layer = one.removal.check(classifier)
            if one.removed.shape[1] != layer.channels or len(one.removed) < 2:
                raise ValueError(
                    f"{len(one.removed)} sets of {one.removed.shape[1]} units are given: two or more are needed, of "
                    f"the {layer.channels} units of {layer.name}."
                )
        return tuple(items)

    def values(
        self, classifier: Classifier, items: Sequence[UnitSets], context: Any, images: Images, read: Sequence[Input]
    ) -> Sequence[ChangeRows]:
        """The rows of some images."""
        return [self._rows(classifier, one, images, positions_of(read)) for one in items]

    def _rows(self, classifier: Classifier, item: UnitSets, images: Images, positions: np.ndarray) -> ChangeRows:
        resumed = item.removal.resumed(classifier, images)
        instead, axis = item.removal.instead(classifier, resumed), item.removal.check(classifier).channel_axis
        keep = ~torch.from_numpy(item.removed[:2]).to(resumed.activations.device)
        shape = [-1, *(keep.shape[1] if i == axis else 1 for i in range(1, resumed.activations.ndim))]
        pairs = torch.arange(2 * len(images), device=keep.device)

        def run(part: slice) -> tuple[Tensor, ...]:
            logits = logits_without(resumed, pairs[part] // 2, keep[pairs[part] % 2].view(shape), instead).float()
            return logits.argmax(dim=1), classifier.linked(logits)

        found = zip(*batched(run, len(pairs), size=resumed.batch_size, what=self.what), strict=True)
        best, shares = (torch.cat(one).unflatten(0, (len(images), 2)) for one in found)
        # By image, then class, then moment.
        probability = shares.gather(2, best[:, None].expand(-1, 2, -1)).transpose(1, 2).cpu().numpy()
        predicted = best
        if len(item.removed) > 2:
            own = torch.zeros(len(images), dtype=torch.int64)
            drawn, *_ = without_sets(classifier, resumed, item.removal, own, item.removed[2:], self.what)
            predicted = torch.cat([best, drawn.to(best)], dim=1)
        kept, problems = left_out(classifier, images, [shares.flatten(1).cpu().numpy()])
        rows = predicted.cpu().numpy().astype(np.int32)[kept]
        return ChangeRows(positions[kept], rows, probability[kept].astype(np.float32), problems)

    def blank(self, classifier: Classifier, item: UnitSets, problems: tuple[Problem, ...] = ()) -> ChangeRows:
        """The rows of no image."""
        predicted, probability = np.zeros((0, len(item.removed)), np.int32), np.zeros((0, 2, 2), np.float32)
        return ChangeRows(np.zeros(0, np.int32), predicted, probability, problems)

    def collecting(self, classifier: Classifier, items: Sequence[UnitSets], count: int) -> Collected[ChangeRows]:
        """The rows as they come in."""
        return Collected([Growing(self.blank(classifier, one), count) for one in items])


@dataclass(frozen=True, eq=False)
class PredictionChanges(Fingerprinted):
    """What n images are called as the network is (`before`), and without some units of a layer (`after`).

    `probability` has, of each image, those of the class predicted before and of that predicted after: of each, before
    and after. `drawn_changed` is the share of images that are called something else without each of some random sets of
    as many units, matched in mean activation (`interp.units.ablation_draws.matched`).
    """

    layer: Layer
    units: tuple[int, ...]
    positions: Int[np.ndarray, " n"]
    before: Int[np.ndarray, " n"]
    after: Int[np.ndarray, " n"]
    probability: Float[np.ndarray, "n 2 2"]
    drawn_changed: Float[np.ndarray, " draws"]
    remarks: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def changed(self) -> Int[np.ndarray, " m"]:
        """The rows of images whose prediction changes: first where the class predicted before loses most."""
        rows = np.flatnonzero(self.before != self.after)
        lost = self.probability[rows, 0, 1] - self.probability[rows, 0, 0]
        return rows[np.lexsort((self.positions[rows], lost))]

    def moves(self, classes: int) -> Int[np.ndarray, "c c"]:
        """How many images of each class predicted before (row) are called each after (column)."""
        counts = np.zeros((classes, classes), np.int64)
        np.add.at(counts, (self.before, self.after), 1)
        return counts


def changing(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None,
    units: Sequence[int] | np.ndarray,
    *,
    to: Literal["zero", "mean"] = "zero",
    draws: int = 20,
    seed: int = 0,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[PredictionChanges | None, None, PredictionChanges]:
    """Remove units of a layer, and see which predictions change; yields None while means are taken, then what there is.

    Where images have labels these alone are used, as by `ablating`, with the same means and the same draws; where none
    has, all. Raises `ValueError` for a network without a head, a layer or a unit that there is not, for no unit, and
    for a negative number of draws.
    """
    classifier.require_head("Ablation of units")
    place = classifier.layer(layer)
    chosen = checked_units(place, units)
    if draws < 0:
        raise ValueError(f"There cannot be {draws} draws: give 0 or more.")
    where = set_pass.chosen_positions(photos, positions)
    own = OwnLabels.of(classifier, photos).at(where, np.zeros((len(where), len(classifier.labels)), np.float32))
    where = where[own >= 0] if (own >= 0).any() else where
    means: MeanSums | None = None
    if draws or to == "mean":
        means = yield from meanwhile(None, MeanPass(), classifier, photos, place.name, where, kept)
    drawn, remarks = np.zeros((0, len(chosen)), np.int64), ()
    if draws and means is not None:
        drawn, remarks = matched(means.mean(), chosen, draws, seed)
    removed = np.zeros((2 + len(drawn), place.channels), bool)
    for row, some in enumerate((chosen, *drawn), start=1):
        removed[row, np.asarray(some)] = True
    mean = means.map_mean() if to == "mean" and means is not None else None
    sets = UnitSets(Removal(place.name, to, mean), removed)
    found: PredictionChanges | None = None
    for (rows,) in set_pass.by_chunks(ChangePass(), classifier, photos, (sets,), where, kept=kept):
        found = _changes(rows, place, chosen, remarks)
        yield found
    assert found is not None
    return found


def _changes(rows: ChangeRows, layer: Layer, units: tuple[int, ...], remarks: tuple[str, ...]) -> PredictionChanges:
    return PredictionChanges(
        layer,
        units,
        rows.positions,
        rows.predicted[:, 0],
        rows.predicted[:, 1],
        rows.probability,
        changed_without(rows.predicted),
        remarks,
        rows.problems,
    )
