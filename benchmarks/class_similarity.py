"""Whether classes that look alike share more channels than others, layer by layer, and where they part.

    python -m benchmarks.class_similarity [--images 15000] [--shared ../shared]

ResNet56 on CIFAR-10, test and training images together, or so many of them. Cat and dog, automobile and truck beside
all other pairs of classes: the Jaccard overlap of graphs (at the published share of a layer's mass, and at 0.3, as
layers have 16 to 64 channels), and the cosine of counts, each with the share of the other pairs that have less (of
those that have as much, half count), and where the two part.
"""

from __future__ import annotations

import argparse
import tarfile
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np
from jaxtyping import Float

from benchmarks import cifar
from interp import class_summary, images, set_pass
from interp.class_summary import ClassSummary, GraphSettings
from interp.images import ImageSet

LAYERS = (
    *("layer1.2", "layer1.5", "layer1", "layer2.2", "layer2.5", "layer2"),
    *("layer3.2", "layer3.5", "layer3"),
)
PAIRS = (("cat", "dog"), ("automobile", "truck"))


def pictures(folder: Path) -> ImageSet:
    """Test and training images in one set; both have the same names of files."""
    for part in ("test", "train"):
        with tarfile.open(cifar.SHARED / f"{part}.tar") as archive:
            for member in archive.getmembers():
                label, name = member.name.split("/")
                member.name = f"{label}/{part}-{name}"
                archive.extract(member, folder / "set", filter="data")
    return images.load(folder / "set")


def graphs(summary: ClassSummary, share: float) -> None:
    """Jaccard overlaps at a share of each layer's mass, a row for each layer; and where classes part."""
    settings = GraphSettings(share=share)
    every = {label: class_summary.graph(summary, number, settings) for number, label in enumerate(summary.labels)}
    sizes = np.array([[len(graph.of_layer(layer)) for layer in summary.layers] for graph in every.values()])
    columns, partings = [], []
    for one, other in PAIRS:
        chance = class_summary.random_pairs(every, without=(one, other))
        parting = class_summary.parting(every[one], every[other], chance)
        columns.append(parting)
        partings.append(parting.sentence(one, other))
    print(f"\nGraphs at a share of {share}\n")
    heads = [f"{one} and {other} | others with less" for one, other in PAIRS]
    print(f"| layer | vertices, mean | {' | '.join(heads)} | all other pairs, mean |\n{'|---' * (3 + 2 * len(PAIRS))}|")
    for at, layer in enumerate(summary.layers):
        told = [f"{one.overlap[at]:.2f} | {one.below[at]:.0%}" for one in columns]
        mean = np.mean([one.chance[at] for one in columns])
        print(f"| {layer} | {sizes[:, at].mean():.1f} | {' | '.join(told)} | {mean:.2f} |")
    print("\n" + "\n".join(partings))


def cosines(summary: ClassSummary) -> None:
    """Cosines of the counts A, a row for each layer."""
    found = class_summary.similarity(summary.counts).cosines
    print("\nCosines of counts\n")
    heads = [f"{one} and {other} | others with less" for one, other in PAIRS]
    print(f"| layer | {' | '.join(heads)} | all other pairs, mean | nearest pair |\n{'|---' * (3 + 2 * len(PAIRS))}|")
    every = list(combinations(range(len(summary.labels)), 2))
    for layer in summary.layers:
        values = np.array([found[layer][pair] for pair in every])
        told, others = [], np.ones(len(every), bool)
        for pair in PAIRS:
            at = every.index(tuple(sorted(summary.labels.index(one) for one in pair)))
            told.append(f"{values[at]:.2f} | {below(values[at], np.delete(values, at)):.0%}")
            others[at] = False
        best = " and ".join(summary.labels[one] for one in every[int(values.argmax())])
        print(f"| {layer} | {' | '.join(told)} | {values[others].mean():.2f} | {best} |")


def below(value: float, others: Float[np.ndarray, " p"]) -> float:
    """The share of the others that are smaller, half of those that are equal."""
    return float(((others < value) + 0.5 * (others == value)).mean())


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=15000)
    parser.add_argument("--shared", type=Path, default=cifar.SHARED.parent)
    given = parser.parse_args()
    cifar.SHARED = given.shared / "cifar10"
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        classifier, photos = cifar.resnet(Path(folder), 56), pictures(Path(folder))
        positions = set_pass.evenly(len(photos), given.images)
        summary = class_summary.summarize(classifier, photos, LAYERS, positions=positions.tolist())
    print(f"{summary.images.sum()} images, {summary.images.min()} to {summary.images.max()} of each class")
    for share in (0.075, 0.3):
        graphs(summary, share)
    cosines(summary)
    print(f"\n{time.process_time() - begun:.0f} s of processor time")


if __name__ == "__main__":
    main()
