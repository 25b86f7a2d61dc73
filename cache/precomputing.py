"""Making the pictures of a classifier's channels beforehand, so that its page has them at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cache.each import each
from interp import feature_visualization as fv
from interp import images, models
from interp.types import Classifier


def pictures(
    name: str,
    *,
    folder: Path | None = None,
    weights: Path | None = None,
    layers: Sequence[str] = (),
    photos: str = "scenes",
    steps: int = 256,
) -> None:
    """Make a picture for each channel of these layers (none: of every block's end), and keep them; prints progress.

    What is kept already is not made again, so an interrupted run goes on where it was. `photos` give the colours where
    the classifier's classes are not ImageNet's. Raises `ValueError` and `FileNotFoundError` as `models.load`,
    `images.load` and `feature_visualization.pictures` do.
    """
    classifier = models.load(name, weights=weights, folder=folder)
    how = fv.usual(classifier, steps, fv.colours_of(classifier, images.load(photos)))
    ends = [layer.name for layer in classifier.layers if layer.kind != "flat" and layer.block_end]
    for layer in layers or ends:
        classifier.layer(layer)
    for layer in layers or ends:
        _layer(classifier, layer, how)


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


def _print(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stdout, flush=True)
