"""Chosen samples of an image set, as the batch that a classifier takes."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Bool
from torch import Tensor

from interp.images import ImageSet
from interp.types import Classifier, Images


def read(classifier: Classifier, photos: ImageSet, positions: Sequence[int]) -> Images:
    """The images at these positions of the set as one batch.

    Raises `UnreadableImage` for a file that cannot be read.
    """
    samples = [photos[position] for position in positions]
    return classifier.prepare([sample.image for sample in samples], [sample.name for sample in samples])


def annotation(classifier: Classifier, photos: ImageSet, position: int) -> Bool[Tensor, "h w"] | None:
    """What people marked in one image, in the coordinates of what the model sees; None where nobody did."""
    mask = photos[position].mask
    return None if mask is None else classifier.preprocessing.annotation(mask)
