"""What bfloat16 does to each method's maps, and how much time it saves: trained classifiers, real and drawn pictures.

    python -m benchmarks.precision [--classifiers squeezenet1_1 scenes-honest digits] [--images 20] [--only TITLE ...]

For each method the rank correlation of the map in bfloat16 with that in float32, and the processor time that the one
takes over that of the other: one thread, one picture at a time, interleaved, medians over the pictures
(`interp.evaluation.reduced`). What is explained is the class that float32 finds likeliest.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from benchmarks.methods import WEIGHTS
from interp import attribution, evaluation, images, models
from interp.types import Classifier, Images

PICTURES = {
    "squeezenet1_1": str(WEIGHTS.parent / "images"),
    "scenes-honest": "scenes",
    "digits": "digits",
}


def asked(name: str, weights: Path, count: int) -> tuple[Classifier, Images]:
    """A trained classifier, and pictures for it that are spread evenly over a set."""
    classifier = models.load(name, weights=weights if name == "squeezenet1_1" else None, device="cpu")
    pictures = images.load(PICTURES[name])
    samples = [pictures[i * len(pictures) // count] for i in range(count)]
    return classifier, classifier.prepare([sample.image for sample in samples], [sample.name for sample in samples])


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifiers", nargs="+", choices=PICTURES, default=list(PICTURES))
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=attribution.METHODS, default=list(attribution.METHODS))
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="SqueezeNet's published weights")
    given = parser.parse_args()
    torch.set_num_threads(1)
    methods = [attribution.METHODS[title]() for title in given.only if title != attribution.Random.title]
    print("| classifier | method | pictures | least correlation | median | time ratio | both hold |")
    print("|---|---|---|---|---|---|---|")
    for name in given.classifiers:
        classifier, batch = asked(name, given.weights, given.images)
        targets = classifier.logits(batch).argmax(dim=1).tolist()
        for found in evaluation.reduced(classifier, batch, targets, methods, clock=time.process_time):
            least, middle = float(found.correlation.min()), float(found.correlation.median())
            print(
                f"| {name} | {found.method.title} | {len(batch)} | {least:.4f} | {middle:.4f} | {found.ratio:.2f} | "
                f"{'yes' if found.offered else 'no'} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
