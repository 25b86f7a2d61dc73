"""What features must be before anything is computed from them; each check says which image and what would be right."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def usable(features: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """The features in single or double precision. Raises `ValueError` for none, another shape, or values not finite."""
    if features.ndim != 2:
        raise ValueError(f"Features of shape {features.shape} cannot be arranged: give one row for each image.")
    if 0 in features.shape:
        raise ValueError(f"Features of shape {features.shape} hold nothing: give at least one image and one feature.")
    # A sum is not finite where one of its terms is not; the exact look is taken only then.
    if not np.isfinite(features.sum(dtype=np.float64)):
        broken = np.flatnonzero(~np.isfinite(features).all(axis=1))
        if len(broken):
            raise ValueError(
                f"{len(broken)} of {len(features)} images have features that are not finite (the first is image "
                f"{broken[0] + 1}): leave them out, or choose a layer whose values are finite."
            )
    return features if features.dtype in (np.float32, np.float64) else features.astype(np.float32)


def varied(features: Float[np.ndarray, "n d"], method: str) -> None:
    """Raise `ValueError` where all images have the same features, so that a neighbour map has nothing to show."""
    if bool((features == features[0]).all()):
        raise ValueError(
            f"All {len(features)} images have the same features here, so {method} has nothing to arrange: choose "
            "another layer or other images."
        )
