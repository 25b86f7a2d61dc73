"""Asking for work over an image set: kept chunk by chunk, and seen as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import cache
from interp import set_pass
from interp.embedding import FeaturePass, Representation
from interp.images import ImageSet
from interp.set_pass import Positions, SetPass
from interp.types import Classifier

MOST_AHEAD = 20_000
"""Of sets with more images, pages read a part."""


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


def expect_features(scope: cache.Scope, classifier: Classifier, photos: ImageSet) -> None:
    """Have read, while nobody asks for anything, what other pages open with: the features of the set at one layer."""
    if len(photos) > MOST_AHEAD:
        return
    with suppress(ValueError):
        # A network may have maps of one position only.
        layer = classifier.last_spatial_layer.name
        asked = tuple(Representation(layer, pooling).resolved(classifier) for pooling in ("mean", "max"))
        given = (FeaturePass(), classifier, photos, asked, None)
        scope.shared.expect("features", set_pass.by_chunks, *given, kept=cache.CachedItems(), collecting=None)
