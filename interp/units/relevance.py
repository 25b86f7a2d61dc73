"""The images in which a class owes most to each unit: relevance maximization (Achtibat et al. 2023), in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from interp.images import ImageSet, Problem
from interp.models.inputs import Input, PicturePass, positions_of
from interp.set_pass import Positions, once, returned
from interp.types import Classifier, Fingerprinted, Images
from interp.units.conditioned import strongest_relevance
from interp.units.tally import strongest

KEPT = 40
"""So many images are kept of each unit, as in the paper."""


@dataclass(frozen=True)
class ClassRelevance:
    """Whose relevance is asked for: the units' of a layer, for a class."""

    layer: str
    target: int
    kept: int = KEPT


@dataclass(frozen=True, eq=False)
class RelevantImages(Fingerprinted):
    """The images of a set in which each of k units of a layer has most relevance for a class, most first.

    `values` are summed over positions, in logits; `images` the positions in the set (-1 where there are fewer images);
    `places` the row and column where the unit's relevance is largest. `count` images were seen.
    """

    of: ClassRelevance
    count: int
    values: Float[np.ndarray, "k n"]
    images: Int[np.ndarray, "k n"]
    places: Int[np.ndarray, "k n 2"]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class RelevancePass(PicturePass[ClassRelevance, RelevantImages]):
    """The relevance of each unit of a layer for a class in every image, of which the strongest few are kept.

    One forward pass, and a backward pass by LRP's rules that ends at the layer. Of equal images the first counts.
    """

    first: int = 32
    what = "Relevance of units"

    def checked(self, classifier: Classifier, items: Sequence[ClassRelevance]) -> tuple[ClassRelevance, ...]:
        """The items, if the classifier has their layers and classes."""
        for one in items:
            classifier.layer(one.layer)
            classifier.targets(one.target, 1)
        return tuple(items)

    def values(
        self,
        classifier: Classifier,
        items: Sequence[ClassRelevance],
        context: Any,
        images: Images,
        read: Sequence[Input],
    ) -> Sequence[RelevantImages]:
        """The strongest of some images for each item."""
        return [_strongest_of(classifier, one, images, positions_of(read)) for one in items]

    def blank(self, classifier: Classifier, item: ClassRelevance, problems: tuple[Problem, ...] = ()) -> RelevantImages:
        """No image."""
        units = classifier.layer(item.layer).channels
        none, nowhere = np.zeros((units, 0), np.float32), np.zeros((units, 0), np.int32)
        best, owners, places = strongest(none, nowhere, np.zeros((units, 0, 2), np.int32), item.kept)
        return RelevantImages(item, 0, best, owners, places, problems)

    def collecting(self, classifier: Classifier, items: Sequence[ClassRelevance], count: int) -> _Kept:
        """What keeps the strongest as they come."""
        return _Kept([self.blank(classifier, one) for one in items])


class _Kept:
    def __init__(self, blanks: Sequence[RelevantImages]) -> None:
        self._latest = tuple(blanks)

    def add(self, parts: Sequence[RelevantImages]) -> None:
        self._latest = tuple(_merged(own, part) for own, part in zip(self._latest, parts, strict=True))

    @property
    def so_far(self) -> tuple[RelevantImages, ...]:
        return self._latest


def relevant_images(
    classifier: Classifier,
    photos: ImageSet,
    layer: str,
    target: int,
    count: int = KEPT,
    *,
    positions: Positions = None,
) -> RelevantImages:
    """The images in which each unit of a layer has most relevance for a class, from one pass over the set.

    By summed relevance, as relevance maximization ranks them, not by activation: a unit may be strong in an image and
    of no use to the class there. Raises `ValueError` for a layer or class that there is not, and as `conditioned` does.
    """
    asked = ClassRelevance(classifier.layer(layer).name, target, count)
    [found] = returned(once(RelevancePass(), classifier, photos, [asked], positions))
    return found


def _strongest_of(
    classifier: Classifier, item: ClassRelevance, images: Images, positions: np.ndarray
) -> RelevantImages:
    sums, where = (one.cpu().numpy() for one in strongest_relevance(classifier, images, item.target, item.layer))
    owners = np.broadcast_to(positions.astype(np.int32), sums.T.shape)
    places = np.ascontiguousarray(where.transpose(1, 0, 2).astype(np.int32))
    best, own, at = strongest(np.ascontiguousarray(sums.T.astype(np.float32)), owners, places, item.kept)
    return RelevantImages(item, len(images), best, own, at)


def _merged(first: RelevantImages, second: RelevantImages) -> RelevantImages:
    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(first, name), getattr(second, name)], axis=1)

    values, images, places = strongest(joined("values"), joined("images"), joined("places"), first.of.kept)
    return replace(
        first,
        count=first.count + second.count,
        values=values,
        images=images,
        places=places,
        problems=first.problems + second.problems,
    )
