"""A unit's mask beside a concept's in single images: where they meet, and how much of them that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from interp.images import ImageSet
from interp.images.picture_bytes import bytes_of
from interp.types import Classifier, Fingerprinted, Images
from interp.units.concepts import ConceptSource, known_in
from interp.units.exceeding import centres
from interp.units.wall import channel_maps, over_threshold


@dataclass(frozen=True, eq=False)
class MaskOverlap(Fingerprinted):
    """An image of a set as the classifier sees it, with the unit's mask and the concept's in it.

    `concept` is empty where the concept is not known to be there.
    """

    position: int
    picture: UInt8[np.ndarray, "h w 3"]
    unit: Bool[np.ndarray, "h w"]
    concept: Bool[np.ndarray, "h w"]

    @property
    def iou(self) -> float:
        """Pixels in both masks, as a share of those in either, in this image alone; nan where there is neither."""
        either = int((self.unit | self.concept).sum())
        return int((self.unit & self.concept).sum()) / either if either else float("nan")


def mask_overlaps(
    classifier: Classifier,
    photos: ImageSet,
    positions: Sequence[int],
    layer: str,
    unit: int,
    threshold: float,
    concept: tuple[str, str],
    source: ConceptSource,
) -> tuple[MaskOverlap, ...]:
    """Both masks in each image that can be read: summed over a set, what `units.dissect` counts.

    The unit's is where its map, enlarged between the centres of receptive fields, exceeds the threshold.
    """
    where, found = centres(classifier, layer), []
    for position in positions:
        read, known = known_in(classifier, photos, position, source)
        if read.pixels is None:
            continue
        images = Images(read.pixels[None].to(classifier.device), (read.name,))
        own = channel_maps(classifier, images, layer).maps[unit]
        mask = over_threshold(own, threshold, where, classifier.input_size)
        there = np.zeros(mask.shape, bool)
        if known.masks is not None and concept in known.concepts:
            there = known.masks[known.concepts.index(concept)].reshape(mask.shape)
        found.append(MaskOverlap(position, bytes_of(read.pixels), mask, there))
    return tuple(found)
