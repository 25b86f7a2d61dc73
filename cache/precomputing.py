"""Making the pictures of a classifier's channels beforehand, so that its page has them at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cache import tallies
from cache.each import each
from interp import feature_visualization as fv
from interp import images, models
from interp.images import ImageSet
from interp.types import Classifier


def pictures(
    name: str,
    *,
    folder: Path | None = None,
    weights: Path | None = None,
    layers: Sequence[str] = (),
    photos: str | None = None,
    steps: int = 256,
) -> None:
    """Make a picture for each channel of these layers (none: of every block's end), and keep them; prints progress.

    What is kept already is not made again, so an interrupted run goes on where it was. `photos` give the colours where
    the classifier's classes are not ImageNet's (None: the bundled scenes); where they are named, the share of pictures
    that drive their channel harder than every one of these images is printed for each layer. Raises `ValueError` and
    `FileNotFoundError` as `models.load`, `images.load` and `feature_visualization.pictures` do.
    """
    classifier = models.load(name, weights=weights, folder=folder)
    shown = images.load(photos or "scenes")
    how = fv.usual(classifier, steps, fv.colours_of(classifier, shown))
    ends = [layer.name for layer in classifier.layers if layer.kind != "flat" and layer.block_end]
    for layer in layers or ends:
        classifier.layer(layer)
    for layer in layers or ends:
        _layer(classifier, layer, how)
        if photos is not None:
            _share(classifier, layer, how, shown)


def _layer(classifier: Classifier, layer: str, how: fv.Settings) -> None:
    channels = fv.channels_of(classifier, layer)
    begun, there = time.monotonic(), 0
    with closing(each(fv.pictures, classifier, (how,), channels, fv.batch_for(classifier, how))) as found:
        for so_far in found:
            done = sum(one.step == one.steps for one in so_far.values())
            if done != there:
                there = done
                _print(f"\r{layer}: {done:,} of {len(channels):,} channels", end="")
    _print(f"\r{layer}: {len(channels):,} channels, {time.monotonic() - begun:.0f} s    ")


def _share(classifier: Classifier, layer: str, how: fv.Settings, photos: ImageSet) -> None:
    with closing(tallies.reading(classifier, layer, photos)()) as steps:
        for so_far in steps:
            _print(f"\r  reading {photos.name}: {len(so_far[0]):,} of {len(photos):,} images", end="")
    [*_, [found]] = tallies.tallied(classifier, how, (layer,), photos)
    if found.share is None:
        _print(f"\r  nothing to compare: no image of {photos.name} could be read, or all channels are dead.")
        return
    _print(
        f"\r  {found.beaten:,} of {found.alive:,} pictures ({found.share:.1%}) drive their channel harder than every "
        f"image of {photos.name}, by the mean over positions; {found.dead:,} dead, {found.grey:,} grey, "
        f"{found.saturated:,} saturated"
    )


def _print(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stdout, flush=True)
