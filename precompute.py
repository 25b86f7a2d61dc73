"""Compute beforehand what takes long, so that its page has it at once.

    python -m precompute pictures CLASSIFIER                              # a picture for each channel, kept here
    python -m precompute prepare --model CLASSIFIER --images SET -o FOLDER     # what pages open with, as a file

What `prepare` has written, `streamlit run app.py -- --prepared FOLDER` opens. This stands beside the library and the
cache, as neither knows of the other's work: the one is asked, the other keeps.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

import cache
from cache import prepared, queues
from cache.each import each
from interp import feature_visualization as fv
from interp import images, models, settings
from interp.images import ImageSet
from interp.types import Classifier

ROOT = Path(__file__).resolve().parent
# What was prepared is read rounded, and what rests on it is then asked for once more, and so on.
PASSES = 5
# A page asks for a thing when it has another, so it is drawn again until it asks for nothing more.
DRAWINGS = 60
PATIENCE = 3600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 1 where it cannot be done, 130 where it was stopped."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    for problem in settings.problems():
        print(problem, file=sys.stderr)
    try:
        if options.command == "prepare":
            path = options.output / f"{options.name or options.model.replace('/', '-')}.zip"
            command = " ".join(["python -m precompute", *given])
            wanted = {"folder": options.models, "photos": options.images, "layers": options.layers}
            prepare(options.model, path, command=command, pages=options.pages, **wanted)
        else:
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
    whole = commands.add_parser("prepare", help="compute what every page opens with, for --prepared FOLDER")
    whole.add_argument("--model", required=True, help="the classifier, as the app names it")
    whole.add_argument("--models", type=Path, metavar="FOLDER", help="where your own classifiers are described")
    whole.add_argument("--images", metavar="SET", help="a bundled set or the folder of your own; left out: as the app")
    whole.add_argument(
        "--layers", nargs="*", metavar="LAYER", help="of which all channels get a picture; left out: every block's end"
    )
    whole.add_argument("--pages", nargs="+", metavar="PAGE", help="such as units; left out: all")
    whole.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the file is written")
    whole.add_argument("--name", help="what the file is called; left out: as the classifier")
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


def prepare(
    name: str,
    path: Path,
    *,
    command: str,
    folder: Path | None = None,
    photos: str | None = None,
    layers: Sequence[str] | None = None,
    pages: Sequence[str] | None = None,
) -> None:
    """Open pages as a visitor does, and write all that was computed for them, as `cache.prepared` reads it.

    `pages` are named as their files (None: all, `app` among them). Before that a picture is made for each channel of
    `layers` (None: of every block's end; empty: of none). What is in the store is taken from there; `command` is noted
    in the file. Raises `ValueError` and `FileNotFoundError` where classifier or images cannot be opened or a page is
    none, and `RuntimeError` where a page fails.
    """
    # What pages open with is recorded, and nothing that would only be computed ahead.
    os.environ["LOUPE_AHEAD_SECONDS"] = "0"
    # What cannot be opened is said before an hour is spent.
    classifier = models.load(name, folder=folder)
    images.load(photos or "scenes")
    own = (
        Path(photos).expanduser().resolve()
        if photos and photos not in {offer.source for offer in images.available(None)}
        else None
    )
    opened = _pages(pages)
    made = prepared.Recording(shared=_of_images_alone)
    with prepared.recording(made):
        for number in range(PASSES):
            before = len(made.entries)
            made.begin()
            # Whatever is held in memory would not be asked for again.
            st.cache_resource.clear()
            cache.forget()
            if layers is None or layers:
                pictures(name, folder=folder, layers=layers or (), photos=photos)
            for page in opened:
                _open(page, name, folder, own, None if own else photos)
            _print(f"Pass {number + 1}: {len(made.entries) - before:,} results more")
            if len(made.entries) == before:
                break
    note = _note(classifier, photos or "the set that the app opens with", command)
    # The same for all classifiers of this set.
    images_alone = path.with_name(f"images-{Path(photos).name if photos else 'usual'}.zip")
    made.write(path, note)
    if made.shares:
        made.write(images_alone, {**note, "classifier": "", "fingerprint": ""}, shared=True)
    for one in (path, images_alone)[: 1 + made.shares]:
        _print(f"{one}: {one.stat().st_size / 1e6:.2f} MB")


def _pages(wanted: Sequence[str] | None) -> list[Path]:
    every = {path.stem: path for path in [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]}
    for one in wanted or ():
        if one not in every:
            raise ValueError(f"There is no page {one!r}: there are {', '.join(every)}.")
    return [every[one] for one in wanted or every]


def _open(page: Path, model: str, folder: Path | None, own: Path | None, photos: str | None) -> None:
    """Draw a page, as a visitor who changes nothing, until it waits for nothing."""
    sys.argv = ["app.py"]
    sys.argv += ["--models", str(folder)] if folder else []
    sys.argv += ["--images", str(own)] if own else []
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.query_params["model"] = model
    if photos:
        app.query_params["images"] = photos
    if page.parent != ROOT:
        app.switch_page(str(page.relative_to(ROOT)))
    begun, quiet = time.monotonic(), 0
    for _ in range(DRAWINGS):
        app.run()
        if app.exception:
            raise RuntimeError(f"{page.name} fails: {app.exception[0].message}")
        # Twice: what a drawing waited for may be done before it is looked at here.
        quiet = 0 if queues.unfinished() else quiet + 1
        if quiet == 2:
            break
        while queues.unfinished() and time.monotonic() - begun < PATIENCE:
            time.sleep(0.05)
    for one in app.error:
        _print(f"  {page.name} says: {one.value}")
    _print(f"  {page.name}: {time.monotonic() - begun:.0f} s")


def _of_images_alone(call: cache.Call) -> bool:
    return not call.classifiers and any(isinstance(one, ImageSet) for one in call.arguments)


def _note(classifier: Classifier, photos: str, command: str) -> dict[str, str]:
    """How an archive was made, for whoever opens it."""
    return {
        "classifier": classifier.name,
        "fingerprint": classifier.fingerprint,
        "images": photos,
        "made": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": command,
        "torch": torch.__version__,
        "rounded": "pictures are WebP with loss; large arrays have 11 binary digits of their largest number",
    }


def _print(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
