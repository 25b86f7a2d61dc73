"""Asking for work over an image set: kept chunk by chunk, and seen as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

import cache
from interp import set_pass
from interp.images import ImageSet
from interp.set_pass import Positions, SetPass
from interp.types import Classifier


def evenly(count: int, most: int) -> Int[np.ndarray, " n"] | None:
    """Positions evenly spread over a set of `count` images, `most` of them; None, for all, where there are no more."""
    return None if count <= most else np.linspace(0, count - 1, most).round().astype(np.int64)


def ask(
    scope: cache.Scope,
    slot: str,
    work: SetPass,
    classifier: Classifier,
    photos: ImageSet,
    items: Sequence[Any],
    positions: Positions = None,
    collecting: Callable[..., set_pass.Collecting] | None = None,
) -> cache.Job:
    """The job of a pass over the images at these positions (None: all that the pass is meant for).

    What was computed of a chunk before is read again, so a server that was stopped goes on where it was.
    """
    given = (work, classifier, photos, tuple(items), positions)
    return scope.gather(slot, set_pass.by_chunks, *given, kept=cache.CachedItems(), collecting=collecting)
