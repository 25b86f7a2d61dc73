"""Descriptions of units in words: how many have one, how well it foretells held-out images, and how long it takes.

    python -m benchmarks.unit_words [--networks scenes-honest scenes-a resnet56 squeezenet random]

For scenes-honest on 600 scenes and scenes-a on its own pictures, ResNet56 on 1,000 of CIFAR-10's test images and
SqueezeNet on 200 photographs (18 with boxes; WordNet from ../shared). 'random' is the scenes' network with seeded
random weights: what is said of units that have learned nothing. Percentiles are among the descriptions of the layer's
other units; 50 is what an exchanged description has on average.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.unit_curves import SHARED, chosen, resnet56
from interp import images, models, units
from interp.images import ImageSet
from interp.models.labels import match_set
from interp.set_pass import Positions
from interp.types import Classifier
from interp.units.describing import PARTS

KINDS = ("concept", "label", "group", "hue", "lightness", "stripes", "spacing", "serves")
WORDNET = str(SHARED / "words/imagenet_wordnet.json")


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = ("scenes-honest", "scenes-a", "resnet56", "squeezenet", "random")
    parser.add_argument("--networks", nargs="*", choices=known, default=list(known))
    given = parser.parse_args()
    heads = ("network", "layer", "units", "images", "described", "AUROC, median", "percentile, median", "over 95")
    heads = (*heads, *KINDS, "without ablation, s", "all, s")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in given.networks:
            classifier, photos, layers, positions = _opened(name, Path(folder))
            for layer in layers:
                print(f"| {' | '.join(map(str, _row(name, classifier, photos, layer, positions)))} |", flush=True)


def _opened(name: str, folder: Path) -> tuple[Classifier, ImageSet, tuple[str, ...], Positions]:
    mixed = ("mixed4c", "mixed5b")
    if name == "resnet56":
        classifier, photos = resnet56(folder)
        labels = np.array([-1 if one is None else one for one in match_set(classifier, photos).indices])
        return classifier, photos, ("layer2", "layer3"), chosen(photos, labels, 1000)
    if name == "squeezenet":
        weights = SHARED / "imagenet/squeezenet1_1-imagenet.safetensors"
        classifier = models.load("squeezenet1_1", weights=weights, device="cpu")
        return classifier, images.load(SHARED / "imagenet"), ("features.7", "features.12"), None
    if name == "random":
        return _untrained(models.load("scenes-honest", device="cpu")), images.load("scenes:600"), mixed, None
    return models.load(name, device="cpu"), images.load("scenes:600" if name == "scenes-honest" else name), mixed, None


def _untrained(classifier: Classifier) -> Classifier:
    """The network with normally distributed weights of the deviation that He et al. 2015 give, and without biases."""
    generator = torch.Generator().manual_seed(0)
    for module in classifier.module.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            deviation = (2 / module.weight[0].numel()) ** 0.5
            module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * deviation)
            if module.bias is not None:
                module.bias.zero_()
    return replace(classifier, name="random", fingerprint="random")


def _row(name: str, classifier: Classifier, photos: ImageSet, layer: str, positions: Positions) -> tuple:
    start, before_last = time.perf_counter(), 0.0
    steps = units.describing(classifier, photos, layer, wordnet=WORDNET, positions=positions)
    while True:
        try:
            found = next(steps)
        except StopIteration as stop:
            words = stop.value
            break
        if found is not None and found.parts[-1:] == (PARTS[-2],) and not before_last:
            before_last = time.perf_counter() - start
    scores = [one.auroc for one in words.units if one.auroc is not None]
    shares = np.array([one.percentile for one in words.units if one.percentile is not None])
    kinds = Counter(clause.kind for one in words.units for clause in one.clauses)
    number = words.ranked + words.read
    return (
        *(name, layer, len(words.units), number, f"{words.described / len(words.units):.0%}"),
        f"{np.median(scores):.2f}" if scores else "–",
        f"{100 * np.median(shares):.0f}" if len(shares) else "–",
        f"{(shares > 0.95).mean():.0%}" if len(shares) else "–",
        *(kinds[kind] for kind in KINDS),
        f"{before_last:.0f}",
        f"{time.perf_counter() - start:.0f}",
    )


if __name__ == "__main__":
    main()
