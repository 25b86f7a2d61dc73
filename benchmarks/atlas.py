"""Activation atlases: what sampling a layer costs in forward passes, and the seconds of each further step.

    python -m benchmarks.atlas [--cases scenes squeezenet ...] [--rounds 3] [--profile] [--steps]
        [--models FOLDER] [--more FOLDER] [--photographs FOLDER] [--cifar FOLDER]

Images are read beforehand. Each round runs forward passes of the pass's own batches, the pass over them, and forward
passes again; a cost of 1 is that of the forward passes alone. Times are those of the processor, in all threads.
`--steps` then lays the samples out by UMAP, cuts the map into cells, and cuts out a patch for each cell, in seconds.
`--models` holds the classifiers resnet20/resnet20 and trunk/trunk, `--more` squeezenet, `--photographs` its pictures,
and `--cifar` those of the other two, of which the first 1,000 are taken; cases whose folders are missing are left out.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from interp import atlas, cores, embedding, images, models
from interp.atlas import PositionSamples, SampledLayer, SamplingPass
from interp.images import ImageSet
from interp.images.subset import subset
from interp.models.inputs import Input, attempt
from interp.set_pass import returned
from interp.types import Classifier

CIFAR = 1_000


@dataclass(frozen=True)
class AtlasCase:
    """A classifier, an image set, its layers, and how many samples of each image are taken."""

    open: Callable[[], tuple[Classifier, ImageSet]]
    layers: tuple[str | None, ...]
    count: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--models", type=Path, default=Path("/work/mymodels"))
    parser.add_argument("--more", type=Path, default=Path("/work/mm2"))
    parser.add_argument("--photographs", type=Path, default=Path("/work/realset/photos"))
    parser.add_argument("--cifar", type=Path, default=Path("/work/cifar5000"))
    given = parser.parse_args()
    cores.keep_to_one()
    cores.use_all()
    cases = _cases(given)
    for name in given.cases or cases:
        _measured(name, cases[name], given)


def _cases(given: argparse.Namespace) -> dict[str, AtlasCase]:
    def scenes() -> tuple[Classifier, ImageSet]:
        return models.load("scenes-honest", device="cpu"), images.load("scenes")

    def own(folder: Path, name: str, photos: Path) -> Callable[[], tuple[Classifier, ImageSet]]:
        def opened() -> tuple[Classifier, ImageSet]:
            found = images.load(photos)
            few = found if len(found) <= CIFAR else subset(found, range(0, len(found), len(found) // CIFAR))
            return models.load(name, folder=folder, device="cpu"), few

        return opened

    found = {"scenes": AtlasCase(scenes, ("mixed5b", "mixed4c"), 16)}
    if given.more.is_dir() and given.photographs.is_dir():
        photographs = own(given.more, "squeezenet", given.photographs)
        found["squeezenet"] = AtlasCase(photographs, ("features.12", "features.9"), 30)
    if given.models.is_dir() and given.cifar.is_dir():
        found["resnet20"] = AtlasCase(own(given.models, "resnet20/resnet20", given.cifar), (None,), 16)
        found["trunk"] = AtlasCase(own(given.models, "trunk/trunk", given.cifar), (None,), 16)
    return found


def _measured(name: str, case: AtlasCase, given: argparse.Namespace) -> None:
    classifier, photos = case.open()
    count = min(given.images or len(photos), len(photos))
    read = [attempt(classifier, photos, one) for one in range(count)]
    size = SamplingPass().batch_size(classifier, ())
    print(f"{name}: {len(classifier.labels)} classes, {count} images in batches of {size}", flush=True)
    for layer in case.layers:
        item = SampledLayer(classifier.layer(layer).name, case.count)
        samples = _sampled(classifier, read[: 2 * size], item, size)
        ratios, seconds = [], []
        for _ in range(given.rounds):
            forwards = _forward(classifier, read, size)
            began = time.process_time()
            samples = _sampled(classifier, read, item, size)
            seconds.append(time.process_time() - began)
            forwards = (forwards + _forward(classifier, read, size)) / 2
            ratios.append(seconds[-1] / forwards)
        print(
            f"  {item.layer}: {len(samples):,} samples, {statistics.median(seconds):.2f} s, "
            f"{statistics.median(ratios):.2f} forward passes ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )
        if given.profile:
            profile = cProfile.Profile()
            profile.runcall(_sampled, classifier, read, item, size)
            pstats.Stats(profile).sort_stats("tottime").print_stats(12)
        if given.steps:
            _steps(classifier, photos, samples)


def _sampled(classifier: Classifier, read: Sequence[Input], item: SampledLayer, size: int) -> PositionSamples:
    work = SamplingPass()
    together = work.collecting(classifier, (item,), len(read))
    for start in range(0, len(read), size):
        together.add(work.run(classifier, (item,), None, read[start : start + size]))
    [found] = together.so_far
    return found


def _forward(classifier: Classifier, read: Sequence[Input], size: int) -> float:
    start = time.process_time()
    with torch.no_grad():
        for first in range(0, len(read), size):
            pixels = [one.pixels for one in read[first : first + size] if one.pixels is not None]
            classifier.module(torch.stack(pixels).contiguous(memory_format=torch.channels_last))
    return time.process_time() - start


def _steps(classifier: Classifier, photos: ImageSet, samples: PositionSamples) -> None:
    times = [time.perf_counter()]
    projection = embedding.project(samples.activations, atlas.NOTEBOOKS)
    times.append(time.perf_counter())
    found = atlas.atlas_of(samples, projection, atlas.grids(20))
    times.append(time.perf_counter())
    returned(atlas.patches(classifier, photos, samples, found.cells.nearest[:, 0].tolist()))
    times.append(time.perf_counter())
    laid, cut, patched = (later - earlier for earlier, later in zip(times, times[1:], strict=False))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"    laid out {laid:.1f} s, {sum(map(len, found.levels))} cells {cut:.2f} s, "
        f"{len(found.cells)} patches {patched:.2f} s; {peak:.1f} GB at most",
        flush=True,
    )


if __name__ == "__main__":
    main()
