"""What pictures of scenes look like: a generator of images with its encoder, and a density expert.

`load()` gives the bundled prior, for activation maximization in code space (Nguyen et al. 2016);
`python -m interp.models.scenes train --only scenes-prior` writes its weights anew.
"""

from __future__ import annotations

from interp.models.scenes_prior.prior import WEIGHTS, Prior, load, read
from interp.models.scenes_prior.training import train

__all__ = ["WEIGHTS", "Prior", "load", "read", "train"]
