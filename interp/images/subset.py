"""Some of the images of a set, as a set of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Integer

from interp.images.image_set import ImageSet
from interp.types import digest


def subset(photos: ImageSet, positions: Sequence[int] | Integer[np.ndarray, " m"]) -> ImageSet:
    """The images at these positions, in this order, with their names, labels, groups, annotations and concepts.

    Its fingerprint follows from the set's and the positions; pictures are read from where the set reads them.
    Raises `ValueError` for a position that the set does not have, or that is given twice.
    """
    chosen = [int(one) for one in positions]
    for one in chosen:
        if not 0 <= one < len(photos):
            raise ValueError(f"Image {one} does not exist: {photos.name} has {len(photos)}, numbered from 0.")
    if len(set(chosen)) < len(chosen):
        raise ValueError("A position is given twice: name each image once.")
    return photos.part(
        chosen,
        description=f"{len(chosen):,} of the {len(photos):,} images of {photos.name}.",
        fingerprint=f"subset {digest(photos, np.array(chosen, np.int64))}",
    )


def alone(photos: ImageSet, position: int) -> ImageSet:
    """One image of a set as a set of its own, with a fingerprint of its own file alone: others of the set may change.

    Where it is not known what tells the file, it rests on the whole set. Labels and marks do not count in it.
    """
    return photos.part([position], description="One image.", fingerprint=f"alone {photos.fingerprint_of([position])}")
