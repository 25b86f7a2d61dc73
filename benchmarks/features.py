"""How fast features of an image set are read, against what bounds them, and how much memory a large set takes.

    python -m benchmarks.features [--rounds 5] [--weights FILE] [--photographs FOLDER] [--images 1000 100000]

Speed: one compute thread, SqueezeNet with the published weights, photographs from disk. The forward pass alone (its
batches decoded before), decoding alone (as many threads as the features take), predictions and features run one after
the other in the same rounds; the share is that of the slower of the first two, median of the rounds' own ratios. It
needs a free core for the decoding; the processor time of the compute thread, and of all threads, an image, tells what
is left of that where other work takes the cores.
Memory: the peak of a fresh process for each number of images, drawn when asked for, 512 features each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

import cache
from interp import images, models, set_pass
from interp.batches import READERS
from interp.embedding.features import FeaturePass, features
from interp.embedding.representations import Representation
from interp.images import ImageSet
from interp.images.decoding import DecodedImage
from interp.models import inputs
from interp.models.layers import find_layers
from interp.models.normalize import assemble
from interp.set_pass.work import PROCESSOR_BATCH
from interp.types import Classifier, Preprocessing

SHARED = Path(__file__).resolve().parents[2] / "shared/imagenet"
FEATURES = 512


def works(classifier: Classifier, photos: ImageSet) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    tensors = [inputs.attempt(classifier, photos, position).pixels for position in range(len(photos))]
    pixels = torch.stack([one for one in tensors if one is not None])
    batches = [one.contiguous(memory_format=torch.channels_last) for one in pixels.split(PROCESSOR_BATCH)]

    def forward() -> None:
        with classifier.lock, torch.no_grad():
            for batch in batches:
                classifier.module(batch)

    def decode() -> None:
        with ThreadPoolExecutor(READERS) as pool:
            for _ in pool.map(lambda position: inputs.attempt(classifier, photos, position), range(len(photos))):
                pass

    film = [Representation(layer.name) for layer in classifier.layers if layer.block_end]
    return {
        "forward pass alone": forward,
        "decoding alone": decode,
        "predictions": lambda: list(models.predict(classifier, photos)),
        "features, last layer": lambda: features(classifier, photos),
        f"features, {len(film)} layers at once": lambda: list(set_pass.once(FeaturePass(), classifier, photos, film)),
        "features, pixels": lambda: features(classifier, photos, layer="pixels"),
    }


def speed(classifier: Classifier, photos: ImageSet, rounds: int) -> list[str]:
    """The rows of the table of speed."""
    measured = works(classifier, photos)
    # Wall clock, this thread's processor time, all threads' processor time; in seconds.
    taken: dict[str, list[list[float]]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, work in measured.items():
            start = time.perf_counter(), time.thread_time(), time.process_time()
            work()
            end = time.perf_counter(), time.thread_time(), time.process_time()
            taken[name].append([after - before for before, after in zip(start, end, strict=True)])
    columns = {name: np.array(rows).T for name, rows in taken.items()}
    forward, decoding = columns["forward pass alone"], columns["decoding alone"]
    rows = []
    for name, (wall, compute, whole) in columns.items():
        share = np.median(np.maximum(forward[0], decoding[0]) / wall)
        # Where pixels are read nothing is computed, and where images are decoded alone.
        of_compute = f"{np.median(forward[1] / compute):.0%}" if compute.mean() > forward[1].mean() / 2 else "–"
        milliseconds = " | ".join(f"{1000 * np.median(one) / len(photos):.1f}" for one in (compute, whole))
        rows.append(f"| {name} | {len(photos) / np.median(wall):.0f} | {share:.0%} | {milliseconds} | {of_compute} |")
    return rows


def small_classifier() -> Classifier:
    """A network of one convolution to 512 channels, on 32 × 32 pixels."""
    network = nn.Sequential(nn.Conv2d(3, FEATURES, 4, stride=4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module = assemble(network, (0.0,) * 3, (1.0,) * 3)
    preprocessing = Preprocessing((32, 32), 32)
    layers = find_layers(module, preprocessing).layers
    labels = tuple(map(str, range(FEATURES)))
    return Classifier("small", module, labels, layers, preprocessing, torch.device("cpu"), "small", "small")


def generated(count: int) -> ImageSet:
    """Images that are drawn when asked for, each different."""

    def read(position: int) -> DecodedImage:
        noise = np.random.default_rng(position).integers(0, 256, (48, 48, 3), dtype=np.uint8)
        return DecodedImage(Image.fromarray(noise))

    names = [f"{number}.png" for number in range(count)]
    return ImageSet(name="generated", description="", fingerprint=f"generated {count}", names=names, read=read)


def peak(count: int, way: str) -> None:
    """Read the features of so many generated images, at once or by chunks; prints the process's peak in megabytes."""
    torch.set_num_threads(1)
    classifier, photos = small_classifier(), generated(count)
    if way == "chunks":
        asked = (FeaturePass(), classifier, photos, (Representation("0"),))
        found = cache.get(cache.call(set_pass.by_chunks, *asked, kept=cache.CachedItems()), disk=False)[0].values
    else:
        found = features(classifier, photos, layer="0")
    assert found.shape == (count, FEATURES)
    # Not getrusage, which remembers the size of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) * 1024 / 1e6)


def fresh(count: int, way: str) -> float:
    """What `peak` prints in a process of its own, with an empty store."""
    command = [sys.executable, "-c", f"from benchmarks import features; features.peak({count}, {way!r})"]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "LOUPE_CACHE": folder}
        return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout)


def main() -> None:
    """Measure and print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--weights", type=Path, default=SHARED / "squeezenet1_1-imagenet.safetensors")
    parser.add_argument("--photographs", type=Path, default=SHARED / "images")
    parser.add_argument("--images", type=int, nargs="*", default=[1000, 100_000], help="for memory; none: not measured")
    given = parser.parse_args()
    torch.set_num_threads(1)
    classifier = models.load("squeezenet1_1", weights=given.weights, device="cpu")
    print(
        "| | images a second | of what bounds it | compute thread, ms | all threads, ms | forward's share of compute |"
    )
    print("|---|---|---|---|---|---|")
    for row in speed(classifier, images.load(given.photographs), given.rounds):
        print(row, flush=True)
    print("\n| images | features, MB | peak of the process, MB | the same, kept by chunks |\n|---|---|---|---|")
    for count in given.images:
        told = [f"{fresh(count, way):.0f}" for way in ("whole", "chunks")]
        print(f"| {count:,} | {count * FEATURES * 4 / 1e6:.0f} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
