"""Class summaries: processor time beside the forward passes that they need, and memory over many images.

    python -m benchmarks.class_summary [--rounds 4] [--profile] [--generated 20000]

Of SqueezeNet on the photographs of ../shared, which are read beforehand: at three block ends, and at all eight Fire
modules. Each round runs forward passes of the same batches, the summary, and forward passes again; times are those of
the processor, in all threads, so that other work on the machine counts little. Two batches run first, in which
libraries are loaded. `--generated` summarizes so many images, which are made when they are read, over a small
classifier, and prints as it goes on how much more memory the process ever had than after 256 of them.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.units_dissection import photographs
from interp import cores, models, progress
from interp.class_summary.gathered import counts_of, gathered
from interp.class_summary.summary import ClassSummary, summarize
from interp.images import ImageSet
from interp.images.decoding import DecodedImage
from interp.models.inputs import Input, attempt
from interp.set_pass import chosen_positions
from interp.types import Classifier
from interp.units.counting import UnitPass, _Seen
from interp.units.counts import RunningSums

ENDS = ("features.4", "features.7", "features.12")
FIRES = tuple(f"features.{one}" for one in (3, 4, 6, 7, 9, 10, 11, 12))
BATCH = 8


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--generated", type=int, default=0)
    given = parser.parse_args()
    cores.keep_to_one()
    cores.use_all()
    if given.generated:
        _many(models.load("scenes-honest", device="cpu"), given.generated)
        return
    with tempfile.TemporaryDirectory() as folder:
        classifier, photos = photographs(Path(folder))
        read = [attempt(classifier, photos, one) for one in range(len(photos))]
    print(f"{classifier.name}, {len(read)} photographs, on {torch.get_num_threads()} threads")
    for layers in (ENDS, FIRES):
        _timed(classifier, photos, read, layers, given.rounds)
        if given.profile:
            profile = cProfile.Profile()
            profile.runcall(summed, classifier, photos, read, layers, [])
            pstats.Stats(profile).sort_stats("tottime").print_stats(12)


def summed(
    classifier: Classifier, photos: ImageSet, read: list[Input], layers: tuple[str, ...], times: list[float]
) -> ClassSummary:
    """The summary of images that were read; adds to `times` those of the pass, and of what is made of it once."""
    began = time.process_time()
    work, items = UnitPass(), counts_of(classifier, layers)
    context = work.context(classifier, photos)
    sums: RunningSums = work.collecting(classifier, items, len(read))
    for start in range(0, len(read), BATCH):
        sums.add(work.run(classifier, items, context, [_Seen(one, None) for one in read[start : start + BATCH]]))
    middle = time.process_time()
    summary = ClassSummary.of(classifier, gathered(classifier, layers, sums.so_far, 0.03))
    times += [middle - began, time.process_time() - middle]
    return summary


def _timed(classifier: Classifier, photos: ImageSet, read: list[Input], layers: tuple[str, ...], rounds: int) -> None:
    summed(classifier, photos, read[: 2 * BATCH], layers, [])
    ratios = []
    for _ in range(rounds):
        forwards = _forward(classifier, read)
        times: list[float] = []
        summed(classifier, photos, read, layers, times)
        took, once = times
        forwards = (forwards + _forward(classifier, read)) / 2
        ratios.append(took / forwards)
        print(
            f"  forward {forwards:.2f} s, pass {took:.2f} s: {took / forwards:.2f}; made of it {once:.2f} s", flush=True
        )
    print(f"{len(layers)} layers: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


def _forward(classifier: Classifier, read: list[Input]) -> float:
    start = time.process_time()
    with torch.no_grad():
        for first in range(0, len(read), BATCH):
            pixels = [one.pixels for one in read[first : first + BATCH] if one.pixels is not None]
            classifier.module(torch.stack(pixels).contiguous(memory_format=torch.channels_last))
    return time.process_time() - start


def generated(count: int, classifier: Classifier) -> ImageSet:
    """Images of coarse noise, each with one of the classifier's labels."""
    height, width = classifier.input_size

    def read(index: int) -> DecodedImage:
        noise = np.random.default_rng(index).integers(0, 255, (8, 8, 3), np.uint8)
        return DecodedImage(Image.fromarray(noise).resize((width, height)))

    return ImageSet(
        name="noise",
        description="",
        fingerprint=f"noise {count}",
        names=[f"{index:06}.png" for index in range(count)],
        read=read,
        label_forms={"label": tuple(classifier.labels[index % len(classifier.labels)] for index in range(count))},
    )


def _many(classifier: Classifier, count: int) -> None:
    photos = generated(count, classifier)
    chosen = chosen_positions(photos, None)
    summarize(classifier, photos, positions=chosen[:256])
    listener = _Memory()
    with progress.listening(listener):
        summary = summarize(classifier, photos)
    listener.say(f"{summary.images.sum():,} images at {len(summary.layers)} layers")


class _Memory:
    """Says, after a thousand images and at every tenth of the work, how much memory was needed at most so far."""

    def __init__(self) -> None:
        self._before, self._start, self._next = _most(), time.process_time(), 1000

    def step(self, done: int, total: int, what: str) -> None:
        """Hear how far the work is."""
        if done >= self._next:
            self.say(f"{done:,}")
            self._next = done // 1000 * 1000 + max(1000, total // 10)

    def remark(self, text: str) -> None:
        """Hear what is remarked."""
        print(text)

    def say(self, when: str) -> None:
        """Print time and memory."""
        took, most = time.process_time() - self._start, _most()
        print(
            f"{when}: {took:.0f} s of the processor, most memory {most:.0f} MB, {most - self._before:+.0f} MB",
            flush=True,
        )


def _most() -> float:
    """The most memory that the process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
