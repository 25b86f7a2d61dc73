"""What an attribution graph and its support cost, and whether classes can be followed over the maps of layers.

    python -m benchmarks.class_graph [--rounds 5] [--draws 100]

Counts are made up, with as many channels as the layers of real networks have: influences of each channel are drawn from
a few popular inputs, 5 for each image. A draw of images is made up by binomial numbers, whose time is not counted.
Everything runs on one thread and is measured in processor time.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"

import networkx  # noqa: E402
import numpy as np  # noqa: E402
from jaxtyping import Float, Int  # noqa: E402

from interp import class_summary  # noqa: E402
from interp.class_summary import ClassCounts  # noqa: E402
from interp.embedding import PCA, TSNE, UMAP  # noqa: E402

SIZES = {
    "five small layers, 40 images": ((32, 48, 64, 96, 128), 40),
    "SqueezeNet's, 50 images": ((64, 128, 128, 256, 256, 384, 384, 512, 512), 50),
    "InceptionV1's, 1,300 images": ((256, 480, 512, 512, 512, 528, 832, 832, 1024), 1300),
}


class MadeUp:
    """Counts of one class, and draws of its images."""

    def __init__(self, sizes: Sequence[int], images: int) -> None:
        self._random = np.random.default_rng(0)
        layers = tuple(f"layer {at}" for at in range(len(sizes)))
        counts = {
            layer: self._random.binomial(images, self._random.beta(0.3, 3, size))
            for layer, size in zip(layers, sizes, strict=True)
        }
        influences = {
            (one, other): self._influences(len(counts[one]), len(counts[other]), images)
            for one, other in zip(layers, layers[1:], strict=False)
        }
        self.counts = ClassCounts(images, layers, counts, influences)
        self.seconds = 0.0

    def draw(self, weights: Int[np.ndarray, " n"]) -> ClassCounts:
        """As many images, in which each thing is about as frequent."""
        begun, images = time.process_time(), self.counts.images
        drawn = replace(
            self.counts,
            counts={layer: self._random.binomial(images, own / images) for layer, own in self.counts.counts.items()},
            influences={
                pair: self._random.binomial(images, own / images) for pair, own in self.counts.influences.items()
            },
        )
        self.seconds += time.process_time() - begun
        return drawn

    def _influences(self, lower: int, upper: int, images: int) -> Int[np.ndarray, "i j"]:
        shares = self._random.gamma(0.2, 1, (lower, 1)) * self._random.gamma(0.3, 1, (lower, upper)) + 1e-9
        drawn = [self._random.multinomial(5 * images, column / column.sum()) for column in shares.T]
        return np.minimum(np.stack(drawn, axis=1), images)


def seconds(work, rounds: int) -> float:
    """The processor time of one call, the mean of some after a first one."""
    work()
    begun = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - begun) / rounds


def moved(maps: Mapping[str, Float[np.ndarray, "c 2"]]) -> float:
    """How far classes move from map to map in the mean, in spreads of the map; nothing is turned for it."""
    centred = [points - points.mean(axis=0) for points in maps.values()]
    same = [points / np.sqrt((points**2).sum(axis=1).mean()) for points in centred]
    return float(np.mean([np.linalg.norm(two - one, axis=1) for one, two in zip(same, same[1:], strict=False)]))


def gradual(classes: int, seed: int) -> dict[str, Int[np.ndarray, "c k"]]:
    """Three layers of classes that differ by two traits, to which each layer's channels answer in their own way."""
    random = np.random.default_rng(seed)
    traits, found = random.normal(size=(classes, 2)), {}
    for at in range(3):
        odds = 1.5 * (traits + 0.3 * random.normal(size=traits.shape)) @ random.normal(size=(2, 60)) - 2
        found[f"layer {at}"] = random.binomial(50, 1 / (1 + np.exp(-odds)))
    return found


def finished(steps):
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def graphs(rounds: int, draws: int) -> None:
    """Extraction, networkx's PageRank of the same graph, and draws of both kinds, by size of the network."""
    for name, (sizes, images) in SIZES.items():
        made = MadeUp(sizes, images)
        edges = sum(int(np.count_nonzero(own)) for own in made.counts.influences.values())
        graph = class_summary.extract(made.counts)
        ours = seconds(lambda made=made: class_summary.extract(made.counts), rounds)
        peer = networkx.Graph()
        for (lower, upper), own in made.counts.influences.items():
            peer.add_weighted_edges_from(
                ((lower, int(i)), (upper, int(j)), int(own[i, j])) for i, j in zip(*np.nonzero(own), strict=True)
            )
        theirs = seconds(lambda peer=peer: networkx.pagerank(peer, max_iter=200, tol=1e-9), 1)
        begun, made.seconds = time.process_time(), 0.0
        finished(class_summary.support(graph, made, np.arange(images), 10 * images, count=draws))
        drawn = time.process_time() - begun - made.seconds
        print(
            f"{name}: {edges:,} edges; graph {1000 * ours:.1f} ms ({len(graph.vertices)} vertices, {len(graph.edges)} "
            f"edges); networkx's PageRank {1000 * theirs:.0f} ms; {draws} draws of both kinds {drawn:.1f} s"
        )


def maps() -> None:
    """How far classes move between layers, followed and with maps of their own, in the mean of three seeds."""
    for classes in (10, 24, 100):
        for method in (UMAP(metric="cosine"), TSNE(), PCA()):
            found = []
            for seed in range(3):
                counts, images = gradual(classes, seed), np.full(classes, 50)
                own = {
                    layer: finished(class_summary.embed_classes({layer: one}, images, method)).points[layer]
                    for layer, one in counts.items()
                }
                found.append((moved(finished(class_summary.embed_classes(counts, images, method)).points), moved(own)))
            followed, alone = np.mean(found, axis=0)
            print(f"{classes} classes, {method.title}: followed {followed:.2f}, each layer alone {alone:.2f}")


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--draws", type=int, default=100)
    given = parser.parse_args()
    graphs(given.rounds, given.draws)
    maps()


if __name__ == "__main__":
    main()
