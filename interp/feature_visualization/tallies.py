"""How many of a layer's pictures are kept, and how many of them drive their channel harder than every image does."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from interp.embedding.features import FeaturePass
from interp.embedding.representations import Features, Representation
from interp.feature_visualization.optimization import Settings
from interp.feature_visualization.pictures import Picture, pictures
from interp.feature_visualization.sheets import channels_of
from interp.images import ImageSet
from interp.set_pass import ItemStore, by_chunks, evenly, kept_parts
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
    settings: Settings,
    layers: Sequence[str],
    photos: ImageSet,
    kept: ItemStore,
    moment: int = 0,
) -> Generator[tuple[Tally, ...], None, tuple[Tally, ...]]:
    """What is kept of each layer's pictures, made with these settings; computes nothing.

    Of the images those count that `strengths` reads. `moment` tells one call from another, as what is kept changes.
    Yields the layers so far.
    """
    found: list[Tally] = []
    for layer in layers:
        found.append(_tally(classifier, settings, layer, photos, kept))
        yield tuple(found)
    return tuple(found)


def counted(
    classifier: Classifier, settings: Settings, layers: Sequence[str], kept: ItemStore, moment: int = 0
) -> Generator[dict[str, int], None, dict[str, int]]:
    """The number of channels of each layer that have a finished picture of these settings; computes and reads nothing.

    `moment` is as in `tallied`. Yields the layers so far.
    """
    found: dict[str, int] = {}
    channels = [channels_of(classifier, layer) for layer in layers]
    for layer, count in zip(layers, kept.counts(pictures, classifier, settings, items=channels), strict=True):
        found[layer] = count
        yield dict(found)
    return found


def strengths(
    classifier: Classifier, layer: str, photos: ImageSet, kept: ItemStore | None = None
) -> Generator[tuple[Features, ...], None, tuple[Features, ...]]:
    """Each image's means over the layer's positions, which pictures are compared with.

    One `Features`, in a tuple, of at most 20,000 images, evenly spread. Yields what there is so far.
    """
    some = evenly(len(photos), MOST)
    return by_chunks(FeaturePass(), classifier, photos, (Representation(layer),), some, kept=kept)


def _tally(classifier: Classifier, settings: Settings, layer: str, photos: ImageSet, kept: ItemStore) -> Tally:
    channels = channels_of(classifier, layer)
    asked = (kept.find(pictures, classifier, settings, (one,)) for one in channels)
    made: dict[int, Picture] = {row: one for row, found in enumerate(asked) for one in found}
    best = _best(classifier, layer, photos, kept) if made else None
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


def _best(classifier: Classifier, layer: str, photos: ImageSet, kept: ItemStore) -> Float[np.ndarray, " k"] | None:
    """Each channel's largest mean over the images; None where they were not read."""
    parts = kept_parts(FeaturePass(), classifier, photos, Representation(layer), evenly(len(photos), MOST), kept)
    best: np.ndarray | None = None
    for part in parts:
        if part is None:
            return None
        if len(part):
            largest = part.values.max(axis=0)
            best = largest if best is None else np.maximum(best, largest)
    return best
