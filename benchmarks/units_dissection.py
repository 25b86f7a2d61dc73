"""Dissection: time beside the forward passes that it needs, and memory, also over many images.

    python -m benchmarks.units_dissection [--rounds 4] [--generated 20000]

All block ends at once: of the honest scenes' classifier on 600 scenes, and of SqueezeNet on the photographs of
../shared, whose boxes are the concepts. Forward passes are of batches that are ready, before and after, in turns; the
first round, in which libraries are loaded, is left out. Memory is that of the process, beside what it was after a
dissection of 64 images. `--generated` dissects so many images of one rectangle each, which are made when they are read,
and prints the memory as it goes on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from interp import cores, images, models, progress, units
from interp.images import ImageSet
from interp.images.concept import Concept
from interp.images.decoding import DecodedImage
from interp.types import Classifier

SHARED = Path(__file__).resolve().parents[2] / "shared"
COLOURS = {"red": (220, 40, 40), "green": (40, 170, 60), "blue": (50, 70, 220), "yellow": (230, 210, 50)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--generated", type=int, default=0)
    given = parser.parse_args()
    # As in the server: threads that read compute on one core.
    cores.keep_to_one()
    cores.use_all()
    honest = models.load("scenes-honest", device="cpu")
    if given.generated:
        _many(honest, generated(given.generated, honest.input_size))
        return
    _timed(honest, images.load("scenes"), given.rounds)
    if (SHARED / "imagenet").is_dir():
        with tempfile.TemporaryDirectory() as folder:
            _timed(*photographs(Path(folder)), given.rounds)


def photographs(folder: Path) -> tuple[Classifier, ImageSet]:
    """SqueezeNet, described in the folder, and the photographs with their boxes."""
    source = SHARED / "imagenet"
    (folder / "weights.safetensors").symlink_to(source / "squeezenet1_1-imagenet.safetensors")
    (folder / "squeezenet.toml").write_text('architecture = "squeezenet1_1"\nweights = "weights.safetensors"\n')
    own = folder / "set"
    own.mkdir()
    for one in (source / "images").iterdir():
        (own / one.name).symlink_to(one)
    (own / "boxes.json").write_text(json.dumps(json.loads((source / "boxes.coco.json").read_text())))
    return models.load("squeezenet", folder=folder, device="cpu"), images.load(own)


def generated(count: int, size: tuple[int, int]) -> ImageSet:
    """Images of one rectangle in one of four colours on grey noise, made when they are read."""
    names = list(COLOURS)

    def rectangle(index: int) -> tuple[np.random.Generator, int, int, int]:
        random = np.random.default_rng(index)
        side = int(random.integers(size[0] // 8, size[0] // 2))
        return random, side, *(int(random.integers(0, end - side)) for end in size)

    def read(index: int) -> DecodedImage:
        random, side, top, left = rectangle(index)
        pixels = random.integers(90, 166, (*size, 1), np.uint8).repeat(3, axis=2)
        pixels[top : top + side, left : left + side] = COLOURS[names[index % len(names)]]
        return DecodedImage(Image.fromarray(pixels))

    def concepts(index: int) -> tuple[Concept, ...]:
        _, side, top, left = rectangle(index)
        mask = np.zeros(size, bool)
        mask[top : top + side, left : left + side] = True
        return (Concept("colour", names[index % len(names)], mask),)

    return ImageSet(
        name="rectangles",
        description="",
        fingerprint=f"rectangles {count}",
        names=[f"{index:06}.png" for index in range(count)],
        read=read,
        concepts=concepts,
    )


def _timed(classifier: Classifier, photos: ImageSet, rounds: int) -> None:
    layers = [one.name for one in classifier.layers if one.block_end]
    units.dissect(classifier, photos, layers, positions=range(64))
    before, most = resident(), 0.0
    print(f"{classifier.name}, {len(photos)} images, {len(layers)} layers; {before:.0f} MB before")
    for _ in range(rounds):
        forwards = _forward(classifier, len(photos))
        start = time.perf_counter()
        units.dissect(classifier, photos, layers)
        took = time.perf_counter() - start
        forwards += _forward(classifier, len(photos))
        most = max(most, resident())
        ratio = f"two forward passes {forwards:.2f} s, ratio {took / forwards:.2f}"
        print(f"{took:.2f} s, {ratio}, {most - before:+.0f} MB")


def _forward(classifier: Classifier, count: int) -> float:
    size = 32 if classifier.input_size[0] < 200 else 8
    batch = torch.rand(size, 3, *classifier.input_size).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        classifier.module(batch)
        start = time.perf_counter()
        for _ in range(count // size):
            classifier.module(batch)
        return (time.perf_counter() - start) * count / (count // size * size)


def _many(classifier: Classifier, photos: ImageSet) -> None:
    layers = [one.name for one in classifier.layers if one.block_end]
    units.dissect(classifier, photos, layers, positions=range(64))
    listener = _Memory(resident())
    print(f"{len(photos):,} images; {listener.before:.0f} MB before")
    with progress.listening(listener):
        found = units.dissect(classifier, photos, layers)
    for one in found.layers:
        best = one.iou().argmax(axis=0)
        told = ", ".join(
            f"{name} {one.iou()[unit, place]:.2f}"
            for place, (unit, (_, name)) in enumerate(zip(best, one.concepts, strict=True))
        )
        print(f"{one.layer}: largest IoU {told}")
    listener.say("in the end")


class _Memory:
    """Says every tenth of the work how much memory the process has more than before."""

    def __init__(self, before: float) -> None:
        self.before, self._start, self._next = before, time.perf_counter(), 0.0

    def step(self, done: int, total: int, what: str) -> None:
        """Hear how far the work is."""
        if total and done >= self._next * total:
            self.say(f"{done / total:.0%}")
            self._next += 0.1

    def remark(self, text: str) -> None:
        """Hear what is remarked."""
        print(text)

    def say(self, when: str) -> None:
        """Print time and memory."""
        took, more = time.perf_counter() - self._start, resident() - self.before
        print(f"{when}: {took:.0f} s, {more:+.0f} MB", flush=True)


def resident() -> float:
    """The memory that the process has, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


if __name__ == "__main__":
    main()
