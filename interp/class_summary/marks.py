"""Which channels stand out in an image: those that make up most of what a layer's channels come to at their largest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from interp.class_summary.keeping import kept_images
from interp.types import Classifier
from interp.units.counts import Batch, MapCount

SHARES = (0.01, 0.03)
"""Of a layer's sum of maxima: what Summit's published code marks for its matrices of counts, and for its graphs."""


@dataclass(frozen=True, eq=False)
class ChannelMarks:
    """In how many images of each class each of k channels was marked, for each of s shares; and which in some images.

    `positions`, `labels` and `marked` (bits, eight channels in each number) are of the images that are kept one by one,
    in the order of the set. `images` counts all images of each class.
    """

    layer: str
    counts: Int[np.ndarray, "s c k"]
    images: Int[np.ndarray, " c"]
    positions: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    marked: UInt8[np.ndarray, "n bytes"]

    def of_images(self, share: int) -> Bool[np.ndarray, "n k"]:
        """Which channels are marked in each image that is kept, for the share of this number."""
        shares, _, channels = self.counts.shape
        bits = np.unpackbits(self.marked, axis=1, count=shares * channels)
        return bits.reshape(-1, shares, channels)[:, share].astype(bool)


@dataclass(frozen=True, eq=False)
class MarkCount(MapCount[ChannelMarks]):
    """The marks of a layer's channels. Of each class those of `kept` images are kept one by one.

    Z_ij is the largest activation of channel j over positions of image i, none below 0, divided by the sum over
    channels. The largest are marked until their sum reaches the share, the one that crosses it included; of equal ones
    the first. In an image whose channels are all silent none is marked (Hohman et al. 2019).
    """

    kept: int = 100

    def of(self, classifier: Classifier, maps: Float[Tensor, "n k u v"], batch: Batch) -> ChannelMarks:
        """The marks of some images."""
        known = batch.labels >= 0
        peaks = maps.flatten(2).amax(dim=2).cpu().numpy()[known]
        every = np.stack([marked(peaks, share) for share in SHARES], axis=1)
        labels, positions = batch.labels[known].astype(np.int32), batch.positions[known].astype(np.int64)
        classes = len(classifier.labels)
        counts = np.zeros((classes, len(SHARES), peaks.shape[1]), np.int32)
        np.add.at(counts, labels, every)
        images = np.bincount(labels, minlength=classes).astype(np.int64)
        bits = np.packbits(every.reshape(len(every), len(SHARES) * peaks.shape[1]), axis=1)
        return ChannelMarks(self.layer, counts.transpose(1, 0, 2), images, positions, labels, bits)

    def blank(self, classifier: Classifier) -> ChannelMarks:
        """The marks of no image."""
        units, classes = classifier.layer(self.layer).channels, len(classifier.labels)
        return ChannelMarks(
            self.layer,
            np.zeros((len(SHARES), classes, units), np.int32),
            np.zeros(classes, np.int64),
            np.zeros(0, np.int64),
            np.zeros(0, np.int32),
            np.zeros((0, -(-len(SHARES) * units // 8)), np.uint8),
        )

    def merged(self, values: Sequence[ChannelMarks]) -> ChannelMarks:
        """The marks of the images of all."""
        positions, labels, bits = (
            np.concatenate([getattr(one, name) for one in values]) for name in ("positions", "labels", "marked")
        )
        rows = np.flatnonzero(kept_images(positions, labels, self.kept))
        rows = rows[np.argsort(positions[rows], kind="stable")]
        counts = np.stack([one.counts for one in values]).sum(axis=0, dtype=np.int32)
        images = np.stack([one.images for one in values]).sum(axis=0)
        return ChannelMarks(self.layer, counts, images, positions[rows], labels[rows], bits[rows])


def marked(peaks: Float[np.ndarray, "n k"], share: float) -> Bool[np.ndarray, "n k"]:
    """The fewest channels of each image, the largest first, whose maxima make up at least a share of their sum."""
    positive = peaks.astype(np.float64).clip(min=0)
    order = np.argsort(-positive, axis=1, kind="stable")
    ordered = np.take_along_axis(positive, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    # What crosses the share is marked: all before which less has come together.
    wanted = (before < share * positive.sum(axis=1, keepdims=True)) & (ordered > 0)
    found = np.zeros(peaks.shape, bool)
    np.put_along_axis(found, order, wanted, axis=1)
    return found
