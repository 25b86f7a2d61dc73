"""Where the truth is known: whether the channels that see a planted cue are in the graph of the class that goes by it.

    python -m benchmarks.class_cues [--draws 100]

For scenes A to D, on their own test sets, and for the honest classifier on the same pictures, by layer: the channels
that detect the cue by dissection (IoU over 0.04, and no concept fits better; equal ones count, as B's cue is also a
place), and the vertices of the graph of the cue's class, of which some detect it, some overlap with it at all (IoU over
0.04), and some follow it. A channel follows the cue where at least half of what sets the class apart in it is there
when the cue is in the other classes' pictures: p(moved) − p(others) ≥ ½ (p(class) − p(others)), where p is the share of
images in which it stands out, and p(class) − p(others) is 0.2 at least. In the other classes' graphs, how many overlap.
Of vertices that overlap or follow: in which share of draws of the class's own images they stay, and of images of any
class (labels shuffled). Of the channel with the largest IoU: whether it is a vertex, its places by count and by
PageRank, and the share of the layer's mass from which on it would be one.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from interp import class_summary, images, models, units
from interp.class_summary.cue_shares import CueShares
from interp.class_summary.gathered import GatheredMarks, gathered
from interp.class_summary.marks import MarkCount
from interp.class_summary.summary import gathering
from interp.images.scenes import REASONS, sets
from interp.models.scenes import bundled
from interp.set_pass import by_chunks, returned
from interp.types import Classifier
from interp.units.counting import UnitPass
from interp.units.dissection import DETECTOR

HEADS = (
    *("pictures", "classifier", "layer", "channels", "detect the cue", "vertices", "of these detect"),
    *("overlap", "follow", "overlap, in graphs of other classes"),
    "vertices that overlap or follow: bootstrap / labels shuffled",
    *("largest IoU", "is a vertex", "in class / others / moved", "place by count", "by PageRank", "enters at"),
)


@dataclass(frozen=True)
class Drawn:
    """The images whose marks are kept one by one, counted again with other weights."""

    marks: GatheredMarks

    def draw(self, weights: Int[np.ndarray, " n"]) -> class_summary.ClassCounts:
        """The counts over all images together."""
        rows = np.flatnonzero(weights)
        return self.marks.drawn(rows, weights[rows])


@dataclass(frozen=True)
class Supported:
    """Every channel of a class: its rank, where it enters the graph, and how firmly it would stand there."""

    rank: dict[tuple[str, int], float]
    enters: dict[tuple[str, int], float]
    own: dict[tuple[str, int], float]
    shuffled: dict[tuple[str, int], float]


def supported(marks: GatheredMarks, number: int, draws: int) -> Supported:
    """All channels of a class's layers, those that are no vertices too."""
    every = class_summary.extract(marks.of_class(number), class_summary.GraphSettings(share=1))
    own = marks.rows_of(number)
    steps = class_summary.support(every, Drawn(marks), own, len(marks.rows_of(None)), count=draws)
    found, enters = returned(steps), {}
    for layer in every.layers:
        ranks = np.array([vertex.pagerank for vertex in every.of_layer(layer)])
        before = (np.cumsum(ranks) - ranks) / ranks.sum()
        enters |= {vertex.key: share for vertex, share in zip(every.of_layer(layer), before.tolist(), strict=True)}
    keys = [vertex.key for vertex in every.vertices]
    return Supported(
        {vertex.key: vertex.pagerank for vertex in every.vertices},
        enters,
        dict(zip(keys, found.vertices.tolist(), strict=True)),
        dict(zip(keys, found.vertices_of_others.tolist(), strict=True)),
    )


def seen(one: units.LayerDissection) -> Float[np.ndarray, " k"]:
    """Each channel's IoU with the cue."""
    return one.iou()[:, next(place for place, (category, _) in enumerate(one.concepts) if category == "cue")]


def rows(classifier: Classifier, name: str, label: str, draws: int) -> list[tuple]:
    """A row for each layer, of one classifier on one set."""
    photos, layers = images.load(name), class_summary.summary_layers(classifier)
    number = classifier.labels.index(label)
    counted, _ = returned(gathering(classifier, photos, layers))
    marks = gathered(classifier, layers, counted, class_summary.SHARES[-1])
    counts = tuple(MarkCount(layer) for layer in layers)
    moved = returned(by_chunks(UnitPass(), classifier, images.load(f"{name}-moved"), counts, None))
    graphs = [class_summary.extract(marks.of_class(each)) for each in range(len(classifier.labels))]
    every, found = supported(marks, number, draws), []
    dissected = units.dissect(classifier, photos, list(layers)).layers
    for one, mark, other in zip(dissected, marks.marks, moved, strict=True):
        at = marks.share
        shares = CueShares.of(number, mark.counts[at], mark.images, other.value.counts[at], other.value.images)
        cells = (name, classifier.name, *_vertices(one, graphs, number, shares, every))
        found.append((*cells, *_best(one, graphs[number], shares, every)))
    return found


def _vertices(
    one: units.LayerDissection,
    graphs: list[class_summary.ClassGraph],
    number: int,
    shares: CueShares,
    every: Supported,
) -> tuple:
    layer, cue = one.layer, seen(one)
    detect = (cue > DETECTOR) & (cue >= one.iou().max(axis=1))
    vertices = [vertex.channel for vertex in graphs[number].of_layer(layer)]
    follow = [channel for channel in vertices if shares.follows[channel]]
    told = [channel for channel in vertices if channel in follow or cue[channel] > DETECTOR]
    held = [f"{every.own[layer, channel]:.2f} / {every.shuffled[layer, channel]:.2f}" for channel in told]
    overlap = [sum(cue[channel] > DETECTOR for channel in graph.channels(layer)) for graph in graphs]
    cells = (layer, len(cue), int(detect.sum()), len(vertices), int(detect[vertices].sum()), overlap[number])
    return (*cells, len(follow), f"{np.mean(np.delete(overlap, number)):.2f}", ", ".join(held) or "-")


def _best(one: units.LayerDissection, graph: class_summary.ClassGraph, shares: CueShares, every: Supported) -> tuple:
    layer, cue = one.layer, seen(one)
    best = int(cue.argmax())
    rank = every.rank.get((layer, best), 0)
    place = 1 + sum(other > rank for key, other in every.rank.items() if key[0] == layer)
    counted = f"{shares.own[best]:.0%} / {shares.others[best]:.0%} / {shares.moved[best]:.0%}"
    cells = (f"{cue[best]:.3f}", "yes" if best in graph.channels(layer) else "no", counted)
    return (*cells, 1 + int((shares.own > shares.own[best]).sum()), place, f"{every.enters.get((layer, best), 1):.1%}")


def main() -> None:
    """Print a Markdown table, and what it takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    given = parser.parse_args()
    # To draw a scene takes longer than a forward pass.
    sets.draw = lru_cache(maxsize=1024)(sets.draw)
    begun = time.process_time()
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for planted in REASONS.values():
        name = f"scenes-{planted.letter}"
        for model in (name, bundled.HONEST):
            for row in rows(models.load(model, device="cpu"), name, planted.label, given.draws):
                print(f"| {' | '.join(map(str, row))} |", flush=True)
    print(f"\n{time.process_time() - begun:.0f} s of processor time")


if __name__ == "__main__":
    main()
