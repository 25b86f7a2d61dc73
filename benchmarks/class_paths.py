"""Whether a class leans on the path that its graph shows: one channel of each layer, all removed together.

    python -m benchmarks.class_paths [--networks scenes resnet56 squeezenet] [--shared ../shared]

The path is the strongest of the class's graph, one vertex of each layer from the lowest to the highest, by the product
of the influences between them (where there is none, half an image counts). It is found on one half of the images and
its channels are set to zero at once on the other (`interp.units.ablation_sets.halves`), beside random paths of one
channel of each layer (any; or, matched, of the ten nearest in mean activation over the class's images of the first
half), and beside the other classes' own paths. Of each class: mean logit and recall over its own images. SqueezeNet has
one photograph of a class: paths are found on it mirrored, and read on it as it is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from benchmarks import cifar, unit_curves
from benchmarks.class_similarity import LAYERS
from interp import class_summary, images, models, set_pass
from interp.class_summary import ClassSummary
from interp.images import ImageSet
from interp.images.scenes import sets
from interp.models import hooks, inputs
from interp.models.scenes import bundled
from interp.passes.grids import on_grid
from interp.types import Classifier, Images
from interp.units.ablation_sets import halves, labelled

NEAREST = 10
AT_ONCE = 64
HEADS = (
    *("network", "classes", "images read", "random paths", "mean logit", "without its path", "without random ones"),
    *("matched", "recall", "without", "random", "matched", "lower than 95% of random, classes", "of matched"),
    *("lower by recall too", "lower than without any other class's path"),
)


@dataclass(frozen=True)
class Without:
    """Of a class's images without some paths, the first of which is its own: mean logits and recalls."""

    whole: tuple[float, float]
    logits: Float[np.ndarray, " p"]
    recalls: Float[np.ndarray, " p"]


def strongest(summary: ClassSummary, number: int) -> list[int]:
    """The channel of each layer on the strongest path of a class's graph."""
    graph, counts = class_summary.graph(summary, number), summary.of_class(number)
    before = np.zeros(len(graph.of_layer(summary.layers[0])))
    steps: list[Int[np.ndarray, " v"]] = []
    for pair in counts.pairs:
        below, above = ([vertex.channel for vertex in graph.of_layer(layer)] for layer in pair)
        weights = np.maximum(counts.influences[pair][np.ix_(below, above)], 0.5) / counts.images
        sums = before[:, None] + np.log(weights)
        steps.append(sums.argmax(axis=0))
        before = sums.max(axis=0)
    at = [int(before.argmax())]
    for step in reversed(steps):
        at.append(int(step[at[-1]]))
    return [graph.of_layer(layer)[place].channel for layer, place in zip(summary.layers, reversed(at), strict=True)]


def logits(classifier: Classifier, pixels: Float[Tensor, "n c h w"], path: dict[str, int]) -> Float[np.ndarray, "n k"]:
    """The logits with one channel of each of these layers set to zero."""

    def zeroed(layer: str, channel: int):
        axis = classifier.layer(layer).channel_axis
        return lambda output: output.index_fill(axis, torch.tensor([channel]), 0)

    with ExitStack() as stack:
        for layer, channel in path.items():
            stack.enter_context(hooks.replaced(classifier, layer, zeroed(layer, channel)))
        names = ("",) * len(pixels)
        return np.concatenate(
            [classifier.logits(Images(part, names[: len(part)])).numpy() for part in pixels.split(AT_ONCE)]
        )


def activity(classifier: Classifier, pixels: Float[Tensor, "n c h w"], layers: tuple[str, ...]) -> list[np.ndarray]:
    """The mean activation of each channel of each layer, in size."""
    with torch.no_grad(), hooks.activations(classifier, layers) as taken:
        classifier.module(pixels)
    maps = (on_grid(taken[layer], classifier.layer(layer)) for layer in layers)
    return [one.abs().mean(dim=(0, 2, 3)).numpy() for one in maps]


def random_path(random: np.random.Generator, path: list[int], active: list[np.ndarray], *, matched: bool) -> list[int]:
    """Another channel of each layer."""
    found = []
    for own, means in zip(path, active, strict=True):
        order = np.argsort(np.abs(means - means[own]), kind="stable")
        others = order[order != own]
        found.append(int(random.choice(others[:NEAREST] if matched else others)))
    return found


def removed(
    classifier: Classifier, pixels: Tensor, number: int, layers: tuple[str, ...], paths: list[list[int]]
) -> Without:
    """The class without each of the paths."""
    told = []
    for path in [None, *paths]:
        asked = {} if path is None else dict(zip(layers, path, strict=True))
        found = logits(classifier, pixels, asked)
        told.append((found[:, number].mean(), (found.argmax(axis=1) == number).mean()))
    whole, *without = told
    return Without(tuple(map(float, whole)), *np.array(without).T)


def row(
    name: str, classifier: Classifier, photos: ImageSet, layers: tuple[str, ...], used: np.ndarray, draws: int
) -> tuple:
    """A network's row."""
    where, own = labelled(classifier, photos, used)
    labels = own.at(where, np.zeros((len(where), len(classifier.labels)), np.float32))
    ranking, reading = halves(where, labels)
    of = dict(zip(where.tolist(), labels.tolist(), strict=True))
    summary = class_summary.summarize(classifier, photos, layers, positions=ranking.tolist())
    classes = [int(one) for one in summary.seen]
    paths = {number: strongest(summary, number) for number in classes}
    random, found, read = np.random.default_rng(0), [], 0
    for number in classes:
        first, second = (
            inputs.read(classifier, photos, [one for one in half.tolist() if of[one] == number]).pixels
            for half in (ranking, reading)
        )
        active, path = activity(classifier, first, layers), paths[number]
        drawn = [random_path(random, path, active, matched=matched) for matched in (False, True) for _ in range(draws)]
        others = [paths[one] for one in classes if one != number]
        found.append(removed(classifier, second, number, layers, [path, *drawn, *others]))
        read += len(second)
        print(f"{name}, {classifier.labels[number]}: {path}", flush=True)
    return cells(name, found, read, draws)


def cells(name: str, found: list[Without], read: int, draws: int) -> tuple:
    """Means over classes, and in how many of them the own path is what counts."""
    whole = np.array([one.whole for one in found])
    parts = (slice(0, 1), slice(1, 1 + draws), slice(1 + draws, 1 + 2 * draws), slice(1 + 2 * draws, None))
    told = [
        [np.mean([getattr(one, what)[part].mean() for one in found]) for part in parts[:3]]
        for what in ("logits", "recalls")
    ]

    def lower(one: Without, what: str, part: slice) -> bool:
        values = getattr(one, what)
        return bool((values[part] > values[0]).mean() >= 0.95)

    counts = [sum(lower(one, "logits", part) for one in found) for part in parts[1:3]]
    by_recall = sum(lower(one, "logits", parts[2]) and lower(one, "recalls", parts[2]) for one in found)
    most = sum(bool((one.logits[parts[3]] > one.logits[0]).all()) for one in found)
    return (
        *(name, len(found), read, f"{draws} + {draws}", f"{whole[:, 0].mean():.2f}"),
        *(f"{one:.2f}" for one in told[0]),
        f"{whole[:, 1].mean():.0%}",
        *(f"{one:.0%}" for one in told[1]),
        *(f"{one} of {len(found)}" for one in (*counts, by_recall, most)),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="*", default=["scenes", "resnet56", "squeezenet"])
    parser.add_argument("--images", type=int, default=1000, help="of CIFAR-10's test images")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--shared", type=Path, default=cifar.SHARED.parent)
    given = parser.parse_args()
    cifar.SHARED, unit_curves.SHARED = given.shared / "cifar10", given.shared
    begun, rows = time.process_time(), []
    if "scenes" in given.networks:
        # To draw a scene takes longer than a forward pass.
        sets.draw = lru_cache(maxsize=1024)(sets.draw)
        honest, photos = models.load(bundled.HONEST, device="cpu"), images.load("scenes")
        every = np.arange(len(photos))
        rows.append(row("scenes-honest", honest, photos, class_summary.summary_layers(honest), every, given.draws))
    if "resnet56" in given.networks:
        with tempfile.TemporaryDirectory() as folder:
            classifier, photos = cifar.resnet(Path(folder), 56), cifar.pictures(Path(folder))
            some = set_pass.evenly(len(photos), given.images)
            rows.append(row("ResNet56", classifier, photos, LAYERS, some, given.draws))
    if "squeezenet" in given.networks:
        classifier, photos = unit_curves.squeezenet()
        pairs = set_pass.evenly(len(photos) // 2, 20)
        some = np.sort(np.concatenate([2 * pairs, 2 * pairs + 1]))
        rows.append(row("SqueezeNet", classifier, photos, class_summary.summary_layers(classifier), some, given.draws))
    print(f"\n| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for one in rows:
        print(f"| {' | '.join(map(str, one))} |")
    print(f"\n{time.process_time() - begun:.0f} s of processor time")


if __name__ == "__main__":
    main()
