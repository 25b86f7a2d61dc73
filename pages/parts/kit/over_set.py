"""Asking for work over an image set: kept chunk by chunk, and seen as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cache
from interp import set_pass
from interp.images import ImageSet
from interp.set_pass import Positions, SetPass
from interp.types import Classifier


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
