"""How many of each layer's pictures are kept: by their files' names alone, so that even a thousand take no time."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress

from cache import store
from cache.keys import keys
from interp import feature_visualization as fv
from interp.types import Classifier


def counted(
    classifier: Classifier, settings: fv.Settings, layers: Sequence[str], stamp: int = 0
) -> Generator[dict[str, int], None, dict[str, int]]:
    """The number of channels of each layer that have a finished picture of these settings; computes and reads nothing.

    `stamp` tells one moment from another, as the store changes (`tallies.moment`). Yields the layers so far.
    """
    there: set[str] = set()
    with suppress(OSError):
        there = {path.stem for path in store.default().folder.glob(f"*{store.SUFFIX}")}
    found: dict[str, int] = {}
    for layer in layers:
        wanted = fv.channels_of(classifier, layer) if there else ()
        found[layer] = sum(one in there for one in keys(fv.pictures, classifier, settings, last=((i,) for i in wanted)))
        yield dict(found)
    return found
