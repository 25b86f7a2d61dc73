"""How active each unit of a layer is over a set, by class, and at every position: sums that parts add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from interp.images import ImageSet, Problem
from interp.models import hooks, known_shares
from interp.models.ground_truth import OwnLabels
from interp.models.inputs import Input, PicturePass, positions_of
from interp.types import Classifier, Fingerprinted, Images
from interp.units.ablation_removal import shape_of
from interp.units.ablation_sums import DIGITS, UNIT, added, by_class, left_out
from interp.units.counts import fixed


@dataclass(frozen=True, eq=False)
class MeanSums(Fingerprinted):
    """Sums of the activations of k units over the images of each of c classes, in the last row those of no class.

    `sums` are those of each image's mean over positions, of tokens over all of them, in multiples of 2⁻²⁴; `maps` those
    of what the layer gives.
    """

    images: Int[np.ndarray, " c1"]
    sums: Int[np.ndarray, "c1 k"]
    maps: Int[np.ndarray, "*shape"]
    problems: tuple[Problem, ...] = ()

    def mean(self) -> Float[np.ndarray, " k"]:
        """Each unit's mean over images and positions; nan without an image."""
        return self.sums.sum(axis=0) * UNIT / (float(self.images.sum()) or np.nan)

    def map_mean(self) -> Float[np.ndarray, "*shape"]:
        """The mean over images at every position, as `Removal.mean` takes it; nan without an image."""
        return (self.maps * UNIT / (float(self.images.sum()) or np.nan)).astype(np.float32)

    def selectivity(self, target: int) -> Float[np.ndarray, " k"]:
        """Class selectivity of each unit: (mean on the class − mean on the others) / (sum of both); Morcos et al. 2018.

        Images without a class are left out. In [−1, 1] for activations that are not negative, and 0 where both means
        are 0. With negative means it has no bounds, so units are compared by it behind rectifiers only.
        """
        count, sums = self.images[:-1], self.sums[:-1] * UNIT
        own = sums[target] / (float(count[target]) or np.nan)
        others = (sums.sum(axis=0) - sums[target]) / (float(count.sum() - count[target]) or np.nan)
        both = own + others
        return np.divide(own - others, both, out=np.zeros(len(both)), where=both != 0)


@dataclass(frozen=True)
class MeanPass(PicturePass[str, MeanSums]):
    """The activation sums of a layer, by its name: one forward pass for each image, for all layers asked for."""

    chunk: int = 1024
    first: int = 64
    what = "Reading how active units are"

    def checked(self, classifier: Classifier, items: Sequence[str]) -> tuple[str, ...]:
        """The layers, if the classifier has them."""
        return tuple(classifier.layer(one).name for one in items)

    def context(self, classifier: Classifier, photos: ImageSet) -> OwnLabels:
        """The classes of the images' labels."""
        return OwnLabels.of(classifier, photos)

    def rests_on(self, photos: ImageSet, context: OwnLabels, positions: Int[np.ndarray, " n"]) -> str:
        """A digest of the images' classes."""
        return context.fingerprint_of(positions)

    def values(
        self, classifier: Classifier, items: Sequence[str], context: OwnLabels, images: Images, read: Sequence[Input]
    ) -> Sequence[MeanSums]:
        """The sums over some images."""
        with torch.no_grad(), hooks.activations(classifier, list(dict.fromkeys(items))) as taken:
            logits = classifier.module(images.pixels).float()
            known_shares.note(classifier, read, classifier.linked(logits).cpu().numpy())
            found = {name: values.detach().float().cpu().numpy() for name, values in taken.items()}
        own = context.at(positions_of(read), logits.cpu().numpy())
        # Behind the last class stand the images of none.
        rows, parts = np.where(own < 0, len(classifier.labels), own), []
        for item in items:
            whole, classes = found[item], len(classifier.labels) + 1
            kept, problems = left_out(classifier, images, [whole.reshape(len(whole), -1)])
            axis = classifier.layer(item).channel_axis
            others = tuple(i for i in range(1, whole.ndim) if i != axis)
            means = whole[kept].mean(axis=others, dtype=np.float64) if others else whole[kept]
            parts.append(
                MeanSums(
                    by_class(classes, rows[kept], np.ones(int(kept.sum()), np.int64)),
                    by_class(classes, rows[kept], fixed(means, DIGITS)),
                    fixed(whole[kept], DIGITS).sum(axis=0),
                    problems,
                )
            )
        return parts

    def blank(self, classifier: Classifier, item: str, problems: tuple[Problem, ...] = ()) -> MeanSums:
        """The sums over no image."""
        layer, classes = classifier.layer(item), len(classifier.labels) + 1
        shape = shape_of(layer)
        return MeanSums(
            np.zeros(classes, np.int64),
            np.zeros((classes, layer.channels), np.int64),
            np.zeros(shape, np.int64),
            problems,
        )

    def collecting(self, classifier: Classifier, items: Sequence[str], count: int) -> Adding:
        """What sums come together in."""
        return Adding([self.blank(classifier, one) for one in items])


class Adding:
    """The sums of several layers, added up as they come."""

    def __init__(self, blanks: Sequence[MeanSums]) -> None:
        self._sums = tuple(blanks)

    def add(self, parts: Sequence[MeanSums]) -> None:
        """Take in one part for each layer."""
        self._sums = tuple(added([own, part]) for own, part in zip(self._sums, parts, strict=True))

    @property
    def so_far(self) -> tuple[MeanSums, ...]:
        """The sums so far."""
        return self._sums
