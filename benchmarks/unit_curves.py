"""Single units and classes on real networks: whether a unit carries a class, or twenty, and whether twenty suffice.

    python -m benchmarks.unit_curves [--images 1000] [--classes 10] [--networks resnet56 squeezenet]

Units are ranked on one half of the images and read on the other (`interp.units.ablation_sets.halves`). The networks and
images are those of ../shared. ResNet56 is read on CIFAR-10's test images. Of ImageNet's classes there is one photograph
each: for SqueezeNet units are ranked on the photographs mirrored, and read on them as they are, which holds out less
than other photographs would. Only classes are taken of whose images it gets more than half right, both halves together.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import ImageOps

from benchmarks import cifar
from interp import images, models, set_pass
from interp.images import ImageSet
from interp.images.decoding import DecodedImage
from interp.set_pass import returned
from interp.types import Classifier
from interp.units.ablation_removal import Removal
from interp.units.ablation_sets import SetAblationPass, UnitSets, halves, labelled
from interp.units.curves import DropCurve, Rankings, drop_curves, ranking

SHARED = Path(__file__).resolve().parents[2] / "shared"


def squeezenet() -> tuple[Classifier, ImageSet]:
    """The network, and each photograph twice: mirrored at even positions, as it is at odd ones."""
    folder = SHARED / "imagenet"
    weights = folder / "squeezenet1_1-imagenet.safetensors"
    photos = images.load(folder / "images")

    def read(position: int) -> DecodedImage:
        picture = photos[position // 2].image
        return DecodedImage(picture if position % 2 else ImageOps.mirror(picture))

    twice = ImageSet(
        name="photographs, mirrored and not",
        description="",
        fingerprint=f"mirrored {photos.fingerprint}",
        names=[f"{name}{way}" for name in photos.names for way in (", mirrored", "")],
        read=read,
        label_forms={"label": [label for label in photos.labels for _ in range(2)]},
    )
    return models.load("squeezenet1_1", weights=weights, device="cpu"), twice


def chosen(photos: ImageSet, labels: np.ndarray, count: int) -> np.ndarray:
    """So many positions, spread evenly over classes, each class's images in pairs that stand side by side."""
    order = np.argsort(labels, kind="stable")
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    return np.sort(pairs[set_pass.evenly(len(pairs), count // 2)].ravel())


def predictions(classifier: Classifier, photos: ImageSet, layer: str, positions: np.ndarray) -> tuple[np.ndarray, ...]:
    """Positions that could be read, the labels and the predicted classes there."""
    nothing = UnitSets(Removal(layer), np.zeros((1, classifier.layer(layer).channels), bool))
    [rows] = returned(set_pass.once(SetAblationPass(), classifier, photos, (nothing,), positions))
    return rows.positions, rows.labels, rows.predicted[:, 0]


SINGLE = (
    *("network", "layer", "units", "ranking images", "accuracy", "drop without one unit, mean", "largest"),
    *(
        "drop of the class hit hardest (balanced accuracy), mean",
        "largest",
        "units that cost a class 10 points of recall",
    ),
    *("of them with at most 1 point of the whole", "selectivity and the hardest-hit class's drop, Spearman"),
    "selectivity and the whole's drop",
)


def head(*cells: object) -> str:
    """A table's head in Markdown."""
    return f"| {' | '.join(map(str, cells))} |\n" + "|---" * len(cells) + "|"


def single(name: str, layer: str, found: Rankings) -> None:
    """A row on units removed one by one: the whole, and the class that each hits hardest."""
    from scipy.stats import spearmanr

    effects = found.effects
    whole, without = effects.accuracy()
    drop = whole - without
    before, after = effects.balanced()
    there = effects.images > 0
    drops = (before - after)[:, there].max(axis=1)
    hit = ((effects.recall()[0] - effects.recall()[1])[:, there] >= 0.1).any(axis=1)
    selectivity = np.array([found.means.selectivity(one) for one in np.flatnonzero(there)]).max(axis=0)
    cells = [name, layer, len(drop), effects.images.sum(), f"{whole:.1%}", f"{drop.mean():.2%}", f"{drop.max():.2%}"]
    cells += [f"{drops.mean():.2%}", f"{drops.max():.2%}", hit.sum(), (hit & (drop <= 0.01)).sum()]
    cells += [f"{spearmanr(selectivity, other).statistic:+.2f}" for other in (drops, drop)]
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def averaged(curves: list[DropCurve], size: int) -> str:
    """Means over classes at a size: balanced accuracy, recall, and the whole's accuracy."""
    place = curves[0].sizes.index(size)
    told = np.mean([(one.balanced[place], one.recall[place], one.accuracy[place]) for one in curves], axis=0)
    return " / ".join(f"{one:.0%}" for one in told)


def curves(
    name: str,
    classifier: Classifier,
    photos: ImageSet,
    layer: str,
    found: Rankings,
    reading: np.ndarray,
    targets: list[int],
    sizes: tuple[int, ...],
    draws: int,
) -> None:
    """Rows of the table of curves: for each order the mean over classes, units removed and units alone kept."""
    for complement in (False, True):
        orders = {
            f"{order} {target}": units
            for target in targets
            for order, units in found.orders(target, draws=draws).items()
        }
        steps = drop_curves(
            *(classifier, photos, layer, orders),
            target_class={order: int(order.split()[-1]) for order in orders},
            sizes=sizes,
            complement=complement,
            positions=reading,
        )
        by_order: dict[str, list[DropCurve]] = {}
        for order, curve in returned(steps).items():
            by_order.setdefault(order.split()[0], []).append(curve)
        for order, some in by_order.items():
            whole = " / ".join(f"{one:.0%}" for one in np.mean([one.whole[:3] for one in some], axis=0))
            cells = " | ".join(averaged(some, size) for size in sizes)
            way = "only these kept" if complement else "removed"
            print(f"| {name}, {layer} | {order} | {way} | {whole} | {cells} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--networks", nargs="*", default=["resnet56", "squeezenet"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if "resnet56" in given.networks:
            tables(
                "resnet56",
                cifar.resnet(Path(folder), 56),
                cifar.pictures(Path(folder)),
                ("layer3.4", "layer3"),
                given.images,
                given.classes,
            )
        if "squeezenet" in given.networks:
            # A set of units costs a quarter of a pass there, and next to nothing before ResNet56's last layer.
            tables(
                "squeezenet", *squeezenet(), ("features.12",), given.images // 10, given.classes, (5, 20, 64, 256), 2
            )


def tables(
    name: str,
    classifier: Classifier,
    photos: ImageSet,
    layers: tuple[str, ...],
    count: int,
    classes: int,
    sizes: tuple[int, ...] = (1, 2, 3, 4, 5, 20, 32),
    draws: int = 5,
) -> None:
    """The tables of one network: single units of each of the layers, and curves at the last."""
    start = time.perf_counter()
    where, own = labelled(classifier, photos, None)
    used = where[chosen(photos, own.at(where, np.zeros((len(where), 1), np.float32)), count)]
    read, labels, predicted = predictions(classifier, photos, layers[-1], used)
    rank, reading = halves(read, labels)
    right = [int(one) for one in np.unique(labels) if (predicted[labels == one] == one).mean() > 0.5]
    targets = [right[int(place)] for place in set_pass.evenly(len(right), classes)]
    print(head(*SINGLE))
    found = {layer: returned(ranking(classifier, photos, layer, rank)) for layer in layers}
    for layer in layers:
        single(name, layer, found[layer])
    print(
        f"\n{name}, {layers[-1]}: {len(reading)} images read, {len(targets)} classes; means over these of balanced "
        "accuracy / recall, and accuracy over all images\n\n" + head("network", "order", "units", "whole", *sizes)
    )
    curves(name, classifier, photos, layers[-1], found[layers[-1]], reading, targets, sizes, draws)
    print(f"\n{time.perf_counter() - start:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
