"""Compute beforehand what takes long, so that its page has it at once: python -m precompute pictures CLASSIFIER.

This stands beside the library and the cache, as neither knows of the other's work: the one is asked, the other keeps.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import cache
from cache.each import each
from interp import feature_visualization as fv
from interp import images, models, settings
from interp.images import ImageSet
from interp.types import Classifier


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 1 where it cannot be done, 130 where it was stopped."""
    options = _parser().parse_args(arguments)
    for problem in settings.problems():
        print(problem, file=sys.stderr)
    try:
        pictures(
            options.classifier,
            folder=options.models,
            weights=options.weights,
            layers=options.layers,
            photos=options.images,
            steps=options.steps,
        )
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What was made is kept: the same command goes on from there.", file=sys.stderr)
        return 130
    if trouble := cache.trouble():
        print(trouble, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m precompute", description="Computes beforehand what takes long.")
    commands = parser.add_subparsers(dest="command", required=True)
    pictures = commands.add_parser("pictures", help="make a picture for each channel of a classifier beforehand")
    pictures.add_argument("classifier", help="as the app names it, or torchvision does: squeezenet1_1, scenes-honest")
    pictures.add_argument("--models", type=Path, metavar="FOLDER", help="where your own classifiers are described")
    pictures.add_argument("--weights", type=Path, metavar="FILE", help="instead of the published ones")
    pictures.add_argument("--layers", nargs="+", default=(), metavar="LAYER", help="left out: the end of every block")
    pictures.add_argument(
        "--images",
        metavar="SET",
        help="compare the pictures with these images, and take their colours where the classes are not ImageNet's",
    )
    pictures.add_argument("--steps", type=int, default=256, help="64, 256, 1024 or 2048: the page's qualities")
    return parser


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
    kept = cache.CachedItems()
    with closing(fv.strengths(classifier, layer, photos, kept)) as steps:
        for so_far in steps:
            _print(f"\r  reading {photos.name}: {len(so_far[0]):,} of {len(photos):,} images", end="")
    [*_, [found]] = fv.tallied(classifier, how, (layer,), photos, kept)
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


if __name__ == "__main__":
    sys.exit(main())
