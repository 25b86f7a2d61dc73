"""What a classifier said of pictures, whatever these went through the network for: they are not predicted again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from interp.images import ImageSet
from interp.least_recent import LeastRecent
from interp.models.inputs import Input
from interp.types import Classifier

LARGEST = 64 << 20
"""How many bytes of probabilities are kept in this process."""

Known = tuple[Float[np.ndarray, " k"], tuple[str, ...]]
"""The probabilities of all classes for a picture, and what was guessed or changed in reading it."""

KNOWN = LeastRecent(LARGEST, lambda known: known[0].nbytes)
"""The probabilities of pictures, by what tells a picture and a classifier."""


def note(classifier: Classifier, read: Sequence[Input], shares: Float[np.ndarray, "n k"]) -> None:
    """Keep the probabilities of pictures that were read; of those with one that is not a number nothing is kept."""
    for one, row in zip(read, shares, strict=True):
        if np.isfinite(row).all() and (key := _key(classifier, one.state)) is not None:
            KNOWN.put(key, (row.copy(), one.remarks))


def find(classifier: Classifier, photos: ImageSet) -> dict[int, Known]:
    """What was said before of the images whose files are as they were then, by their positions."""
    keys = ((position, _key(classifier, photos.state(position))) for position in range(len(photos)))
    found = ((position, None if key is None else KNOWN.get(key)) for position, key in keys)
    return {position: one for position, one in found if one is not None}


def _key(classifier: Classifier, state: tuple | None) -> tuple | None:
    """What tells the probabilities of a picture whose file has this state."""
    if state is None or not classifier.deterministic:
        return None
    return classifier.fingerprint, classifier.device.type, *state
