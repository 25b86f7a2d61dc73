"""How many of a layer's pictures are kept, and how many of them drive their channel harder than every image does."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cache import chunks, store
from cache.chunks import stored
from cache.keys import Call, call
from cache.memory import MISSING
from interp import embedding
from interp import feature_visualization as fv
from interp.embedding import Representation
from interp.images import ImageSet
from interp.types import Classifier

MOST = 20_000
"""How many images pictures are compared with."""


@dataclass(frozen=True)
class Tally:
    """What is kept of a layer: so many of its channels have a finished picture, of which these are dead or at fault.

    `beaten` pictures have a larger mean over positions than every image of the set has; None where the images have
    not been read at this layer. Dead channels count among `made` and not among `beaten`.
    """

    layer: str
    channels: int
    made: int
    dead: int
    grey: int
    saturated: int
    beaten: int | None

    @property
    def alive(self) -> int:
        """Pictures of channels that are not dead."""
        return self.made - self.dead

    @property
    def share(self) -> float | None:
        """The share of living channels' pictures that beat every image, in [0, 1]; None where there is nothing yet."""
        return self.beaten / self.alive if self.alive and self.beaten is not None else None


def tallied(
    classifier: Classifier,
    settings: fv.Settings,
    layers: Sequence[str],
    photos: ImageSet,
    stamp: int = 0,
) -> Generator[tuple[Tally, ...], None, tuple[Tally, ...]]:
    """What the store has of each layer's pictures, made with these settings; computes nothing.

    Of the images those count that `reading` asks for. `stamp` tells one moment from another, as the store changes: give
    one that changes with it, such as `moment` does. Yields the layers so far.
    """
    found: list[Tally] = []
    for layer in layers:
        found.append(_tally(classifier, settings, layer, photos))
        yield tuple(found)
    return tuple(found)


def moment() -> int:
    """A number that changes when something is put into the store or leaves it."""
    try:
        return store.default().folder.stat().st_mtime_ns
    except OSError:
        return 0


def reading(classifier: Classifier, layer: str, photos: ImageSet) -> Call:
    """The call that reads each image's means over the layer's positions, which pictures are compared with.

    It gives one `embedding.Features`, in a tuple, of at most 20,000 images, evenly spread. What was read is kept chunk
    by chunk, so the call itself need not be kept on disk.
    """
    asked = (_means(classifier, layer),)
    return call(chunks.gathered, embedding.extract, embedding.Rows, classifier, photos, asked, _spread(photos))


def _means(classifier: Classifier, layer: str) -> Representation:
    return Representation(layer, "mean").resolved(classifier)


def _spread(photos: ImageSet) -> np.ndarray | None:
    return None if len(photos) <= MOST else np.linspace(0, len(photos) - 1, MOST).round().astype(np.int64)


def _tally(
    classifier: Classifier,
    settings: fv.Settings,
    layer: str,
    photos: ImageSet,
) -> Tally:
    channels = fv.channels_of(classifier, layer)
    asked = (stored(call(fv.pictures, classifier, settings, (one,))) for one in channels)
    made: dict[int, fv.Picture] = {row: one for row, one in enumerate(asked) if one is not MISSING}
    best = _best(classifier, layer, photos) if made else None
    alive = {row: one for row, one in made.items() if not one.dead}
    return Tally(
        layer,
        len(channels),
        made=len(made),
        dead=len(made) - len(alive),
        grey=sum(one.fault == "grey" for one in alive.values()),
        saturated=sum(one.fault == "saturated" for one in alive.values()),
        beaten=None if best is None else sum(bool(one.value > best[row]) for row, one in alive.items()),
    )


def _best(classifier: Classifier, layer: str, photos: ImageSet) -> Float[np.ndarray, " k"] | None:
    """Each channel's largest mean over the images; None where they were not read."""
    one, positions = _means(classifier, layer), _spread(photos)
    read = chunks.whole(embedding.extract, embedding.Rows, classifier, photos, one, positions)
    return None if read is MISSING or not len(read[0]) else read[0].values.max(axis=0)
