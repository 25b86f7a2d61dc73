"""Whether channels follow a planted cue: whether they stand out as well where it is in other classes' pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from interp.types import Fingerprinted

APART = 0.2
"""Where a channel stands out in so many more of the class's images at least, it can be asked what that is due to."""


@dataclass(frozen=True, eq=False)
class CueShares(Fingerprinted):
    """In which share of images each channel of a layer stands out: the class's, others', and others' with the cue."""

    own: Float[np.ndarray, " k"]
    others: Float[np.ndarray, " k"]
    moved: Float[np.ndarray, " k"]

    @classmethod
    def of(
        cls,
        number: int,
        counts: Int[np.ndarray, "c k"],
        images: Int[np.ndarray, " c"],
        moved_counts: Int[np.ndarray, "c k"],
        moved_images: Int[np.ndarray, " c"],
    ) -> CueShares:
        """Those of the class with the cue, from counts of channels and images by class, as they are and with it moved.

        Raises `ValueError` where the class, or all others, have no images.
        """
        others, with_cue = (np.delete(one, number).sum() for one in (images, moved_images))
        if not images[number] or not others or not with_cue:
            raise ValueError("To see what a channel follows takes images of the class, and of others with the cue.")
        return cls(
            counts[number] / images[number],
            np.delete(counts, number, axis=0).sum(axis=0) / others,
            np.delete(moved_counts, number, axis=0).sum(axis=0) / with_cue,
        )

    @property
    def follows(self) -> Bool[np.ndarray, " k"]:
        """Which channels follow the cue: at least half of what sets the class apart is there in others with the cue.

        p(moved) − p(others) ≥ ½ (p(class) − p(others)), where p(class) − p(others) is 0.2 at least.
        """
        apart = self.own - self.others
        return (apart >= APART) & (self.moved - self.others >= apart / 2)
