"""Influence by convolution, the edges of class graphs, beside two edges that ask the network itself.

    python -m benchmarks.class_edges [--images 10] [--networks scenes squeezenet] [--shared ../shared]

For each class and each pair of layers: the vertices of the class's graph and 20 random channels of either layer, every
one below with every one above. Influence is I, in how many of the class's images the lower one is among the five
strongest inputs; attribution and the measured effect are `class_summary.edge_effects` over the same images. Channels
that are silent in all of them are left out. Spearman's correlations over all pairs of channels, the mean over classes;
for how many upper channels the strongest input by one measure is that by another, beside chance; and of the graph's own
edges, how many have a measured effect above 0, beside all pairs of channels, and which share of the other lower
channels has a smaller one (half of them, if edges were drawn at random).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int

from interp import class_summary, images, models, set_pass
from interp.class_summary import edge_agreement
from interp.images import ImageSet
from interp.images.scenes import sets
from interp.models.ground_truth import OwnLabels
from interp.models.scenes import bundled
from interp.types import Classifier

RANDOM = 20
HEADS = (
    *("pair", "classes", "channels below and above", "influence and measured", "attribution and measured"),
    *(
        "influence and attribution",
        "same strongest input: influence and measured",
        "attribution and measured",
        "chance",
    ),
    *("edges", "with a measured effect above 0", "of all pairs", "others below it"),
)


@dataclass(frozen=True)
class Compared:
    """One class and pair of layers: sizes, three correlations, agreement on the strongest, and the graph's edges."""

    below: int
    above: int
    correlations: tuple[float, float, float]
    strongest: tuple[float, float, float]
    positive: list[bool]
    surpassed: list[float]
    base: float


def chosen(classifier: Classifier, photos: ImageSet, most: int, classes: int) -> dict[int, list[int]]:
    """The first images of each class, of so many classes that have some."""
    where = np.arange(len(photos))
    labels = OwnLabels.of(classifier, photos).at(where, np.zeros((len(where), len(classifier.labels)), np.float32))
    there = np.unique(labels[labels >= 0])
    some = there[set_pass.evenly(len(there), classes)]
    return {int(one): where[labels == one][:most].tolist() for one in some}


def compared(
    influence: Int[np.ndarray, "i j"],
    effects: class_summary.EdgeEffects,
    edges: set[tuple[int, int]],
) -> Compared | None:
    """The three measures; None where fewer than three channels of either layer are alive."""
    below, above = edge_agreement.alive(effects)
    if min(len(below), len(above)) < 3:
        return None
    own, estimated, measured = (
        one[np.ix_(below, above)].astype(float) for one in (influence, effects.attribution, effects.measured)
    )
    # Inputs that nothing was counted of have no strongest.
    there = own.any(axis=0)
    best = [one.argmax(axis=0) for one in (own, estimated, measured)]
    agree = (
        float((best[0] == best[2])[there].mean()) if there.any() else np.nan,
        float((best[1] == best[2]).mean()),
        1 / len(below),
    )
    positive, surpassed = [], []
    for row, source in enumerate(below):
        for column, target in enumerate(above):
            if (effects.sources[source], effects.targets[target]) in edges:
                others = np.delete(measured[:, column], row)
                positive.append(bool(measured[row, column] > 0))
                surpassed.append(float((others < measured[row, column]).mean()))
    found = edge_agreement.agreement(influence, effects)
    correlations = (found.influence_measured, found.attribution_measured, found.influence_attribution)
    return Compared(len(below), len(above), correlations, agree, positive, surpassed, float((measured > 0).mean()))


def table(name: str, classifier: Classifier, photos: ImageSet, most: int, classes: int) -> None:
    """A row for each pair of layers."""
    positions = chosen(classifier, photos, most, classes)
    every = sorted(place for own in positions.values() for place in own)
    summary = class_summary.summarize(classifier, photos, positions=every)
    graphs = {number: class_summary.graph(summary, number) for number in positions}
    random = np.random.default_rng(0)
    drawn = {layer: random.permutation(classifier.layer(layer).channels)[:RANDOM].tolist() for layer in summary.layers}
    print(f"\n{name}: {len(positions)} classes, {len(every)} images\n")
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for pair, influences in summary.influences.items():
        found = []
        for number, own in positions.items():
            graph = graphs[number]
            below, above = (sorted(graph.channels(layer) | set(drawn[layer])) for layer in pair)
            effects = class_summary.edge_effects(classifier, photos, pair, below, above, own)
            edges = {(one.lower[1], one.upper[1]) for one in graph.edges if (one.lower[0], one.upper[0]) == pair}
            if (one := compared(influences[number][np.ix_(below, above)], effects, edges)) is not None:
                found.append(one)
        print(f"| {' | '.join(map(str, cells(pair, found)))} |", flush=True)


def cells(pair: tuple[str, str], found: list[Compared]) -> tuple:
    """A row of the table."""
    size = " × ".join(f"{np.mean([getattr(one, name) for one in found]):.0f}" for name in ("below", "above"))
    correlations = np.nanmean([one.correlations for one in found], axis=0)
    strongest = np.nanmean([one.strongest for one in found], axis=0)
    positive = [each for one in found for each in one.positive]
    surpassed = [each for one in found for each in one.surpassed]
    return (
        *(" → ".join(pair), len(found), size),
        *(f"{one:+.2f}" for one in correlations),
        *(f"{one:.0%}" for one in strongest),
        *(
            len(positive),
            f"{np.mean(positive):.0%}",
            f"{np.mean([one.base for one in found]):.0%}",
            f"{np.mean(surpassed):.0%}",
        ),
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--networks", nargs="*", default=["scenes", "squeezenet"])
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    given = parser.parse_args()
    begun = time.process_time()
    if "scenes" in given.networks:
        # To draw a scene takes longer than a forward pass.
        sets.draw = lru_cache(maxsize=1024)(sets.draw)
        honest = models.load(bundled.HONEST, device="cpu")
        table("scenes-honest", honest, images.load("scenes"), given.images, given.classes)
    if "squeezenet" in given.networks:
        folder = given.shared / "imagenet"
        network = models.load("squeezenet1_1", weights=folder / "squeezenet1_1-imagenet.safetensors", device="cpu")
        table("SqueezeNet", network, images.load(folder / "images"), given.images, given.classes)
    print(f"\n{time.process_time() - begun:.0f} s of processor time")


if __name__ == "__main__":
    main()
