"""Probing: the maps of all classes at once against one by one, and where the predicted class ranks.

    python -m benchmarks.probing [cost] [ranks] [--weights FILE] [--photographs FOLDER] [--rounds 5]

cost: processor seconds on one thread for one image and all its classes, medians of interleaved rounds, and in units of
one forward pass; 'one by one' is Grad-CAM for each class in turn, its time for 20 classes scaled to all of them.
SqueezeNet has the published weights, every other network of torchvision random ones.
ranks: for the photographs with boxes, the rank of SqueezeNet's predicted class among all classes, by each score of its
Grad-CAM with the box.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from interp import attribution, images, models
from interp.attribution.every_class import class_maps
from interp.shared_interest import Deviations
from interp.shared_interest.probing import SCORES, places, probe, saliency
from interp.types import Classifier, Images

SHARED = Path(__file__).resolve().parents[2] / "shared/imagenet"
NETWORKS = ("squeezenet1_1", "resnet50", "densenet121", "vgg16")
ALONE = 20


def cost(weights: Path, rounds: int) -> None:
    """What each step takes."""
    for name in (*NETWORKS, "scenes-honest"):
        own = {"scenes-honest": None, "squeezenet1_1": str(weights)}.get(name, "random")
        classifier = models.load(name, device="cpu") if own is None else models.load(name, weights=own, device="cpu")
        height, width = classifier.input_size
        batch = Images(torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0)), ("noise",))
        _cost_of(classifier, batch, rounds)


def _cost_of(classifier: Classifier, batch: Images, rounds: int) -> None:
    count = len(classifier.labels)
    maps = class_maps(classifier, batch)
    classes = saliency(maps, Deviations())
    region = np.zeros(classifier.input_size, dtype=bool)
    region[30:90, 30:90] = True

    def alone() -> None:
        for index in range(min(ALONE, count)):
            attribution.attribute(classifier, batch, index, attribution.GradCam())

    works: dict[str, Callable[[], object]] = {
        "forward": lambda: classifier.logits(batch),
        "maps": lambda: class_maps(classifier, batch),
        "saliency": lambda: saliency(maps, Deviations()),
        "region": lambda: probe(maps, classes, region).ranked("iou"),
        "one by one": alone,
    }
    taken: dict[str, list[float]] = {title: [] for title in works}
    for _ in range(rounds):
        for title, work in works.items():
            start = time.process_time()
            work()
            taken[title].append(time.process_time() - start)
    seconds = {title: statistics.median(some) for title, some in taken.items()}
    seconds["one by one"] *= count / min(ALONE, count)
    print(
        f"{classifier.name}: {count} classes, {'closed form' if maps.closed else f'{maps.backward} through the head'}"
    )
    for title, value in seconds.items():
        print(f"  {title:<11} {value:8.4f} s {value / seconds['forward']:9.1f} forward passes")


def ranks(weights: Path, photographs: Path) -> None:
    """Where the predicted class comes among all."""
    classifier = models.load("squeezenet1_1", weights=str(weights), device="cpu")
    photos = images.load(photographs)
    found: dict[str, list[int]] = {score: [] for score in SCORES}
    for position in sorted(photos.annotated):
        sample = photos[position]
        assert sample.mask is not None
        maps = class_maps(classifier, classifier.prepare([sample.image]))
        probed = probe(maps, saliency(maps, Deviations()), classifier.preprocessing.annotation(sample.mask).numpy())
        predicted = int(probed.probabilities.argmax())
        for score in SCORES:
            found[score].append(int(places(probed.ranked(score), len(classifier.labels))[predicted]))
    for score, some in found.items():
        print(f"{score:<22} median {statistics.median(some):5g}   {sorted(some)}")


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["cost", "ranks"], help="cost, ranks")
    parser.add_argument("--weights", type=Path, default=SHARED / "squeezenet1_1-imagenet.safetensors")
    parser.add_argument("--photographs", type=Path, default=SHARED)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if "cost" in given.parts:
        cost(given.weights, given.rounds)
    if "ranks" in given.parts:
        ranks(given.weights, given.photographs)


if __name__ == "__main__":
    main()
