"""The dissection beside the rule of the published NetDissect code, on 200 images.

    python -m benchmarks.netdissect_rule [--images 200] [--photographs /work/realset/photos --models /work/mm2]

The rule, written in NumPy and SciPy from its description (Bau 2017; DEFINITIONS, 'Units'): T_k is the activation at the
place round(0.005 · n) of all coarse activations of a unit, largest first; each map is enlarged by a spline of first
degree through its positions, placed at the centres of their receptive fields, and evaluated at the masks' own pixels,
which are half as many along each side; IoU is summed over the images that have something of the category. Ours differs
on purpose in three ways, taken away one by one: masks of full size, pixels' centres at i + 1/2, and the images that
count. 'Imitated' is our code with the rule's places of pixels, size of masks and images.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch
from scipy.interpolate import RectBivariateSpline

from interp import images, models, units
from interp.images import ImageSet
from interp.models import hooks
from interp.models.inputs import read
from interp.passes.receptive_fields import receptive_fields
from interp.types import Classifier
from interp.units.concepts import KnownConcepts, known_in
from interp.units.counts import Batch
from interp.units.dissection import LayerDissection
from interp.units.overlap import ConceptOverlap
from interp.units.truth import Truth

SHARE, REDUCTION = 0.005, 2


class Read:
    """All activations of a layer, and all concepts' masks, of the images that could be read."""

    def __init__(self, classifier: Classifier, photos: ImageSet, layer: str) -> None:
        self.classifier, self.layer, self.size = classifier, layer, classifier.input_size
        self.source = units.concepts(photos)
        every = [known_in(classifier, photos, place, self.source) for place in range(len(photos))]
        self.positions = [place for place, (seen, _) in enumerate(every) if seen.pixels is not None]
        self.known = [every[place][1] for place in self.positions]
        maps = []
        for place in self.positions:
            with torch.no_grad(), hooks.activations(classifier, [layer]) as taken:
                classifier.module(read(classifier, photos, (place,)).pixels)
            maps.append(taken[layer][0].float().numpy())
        self.maps = np.stack(maps)
        fields = receptive_fields(classifier, layer)
        self.centres = tuple(fields.centres_y.tolist()), tuple(fields.centres_x.tolist())

    def masks(self, row: int, reduction: int) -> dict[tuple[str, str], np.ndarray]:
        """The masks of one image, of every so many pixels."""
        one = self.known[row]
        if one.masks is None:
            return {}
        whole = one.masks.reshape(-1, *self.size)[:, ::reduction, ::reduction]
        return dict(zip(one.concepts, whole, strict=True))


def rule(found: Read, concepts: tuple, reduction: int) -> np.ndarray:
    """IoU of each unit with each concept as the published rule has it."""
    flat = -np.sort(-found.maps.transpose(1, 0, 2, 3).reshape(found.maps.shape[1], -1), axis=1)
    thresholds = flat[:, int(round(SHARE * flat.shape[1]))]
    categories = sorted({category for category, _ in concepts})
    # A picture's pixel p is at p of the axis of centres that begin at 0, and a mask's pixel at p · reduction.
    rows, columns = (np.array(one) - 0.5 for one in found.centres)
    at = [np.arange(0, side, reduction, dtype=float) for side in found.size]
    both = np.zeros((len(thresholds), len(concepts)))
    active, truth = np.zeros((len(thresholds), len(categories))), np.zeros(len(concepts))
    for number, maps in enumerate(found.maps):
        masks = found.masks(number, reduction)
        there = [
            one for one in categories if any(category == one and mask.any() for (category, _), mask in masks.items())
        ]
        for name, mask in masks.items():
            truth[concepts.index(name)] += mask.sum()
        for unit in np.flatnonzero(maps.max(axis=(1, 2)) > thresholds):
            above = RectBivariateSpline(rows, columns, maps[unit], kx=1, ky=1)(*at) > thresholds[unit]
            active[unit, [categories.index(one) for one in there]] += above.sum()
            for name, mask in masks.items():
                both[unit, concepts.index(name)] += (above & mask).sum()
    of = [categories.index(category) for category, _ in concepts]
    union = active[:, of] + truth - both
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


def imitated(found: Read, concepts: tuple, reduction: int) -> LayerDissection:
    """Our own counts, with the rule's places of pixels and its smaller masks."""
    flat = -np.sort(-found.maps.transpose(1, 0, 2, 3).reshape(found.maps.shape[1], -1), axis=1)
    thresholds = flat[:, int(round(SHARE * flat.shape[1]))][None]
    # Ours has a pixel at i + 1/2 of the mask's own axis.
    centres = tuple(tuple((one - 0.5) / reduction + 0.5 for one in axis) for axis in found.centres)
    count = ConceptOverlap(found.layer, thresholds, centres)
    size = tuple(-(-side // reduction) for side in found.size)
    small = []
    for row, one in enumerate(found.known):
        masks = found.masks(row, reduction)
        kept = {name: mask for name, mask in masks.items() if mask.any()}
        stacked = np.stack([mask.reshape(-1) for mask in kept.values()]) if kept else None
        small.append(KnownConcepts(tuple(kept), stacked, one.categories))
    smaller = replace(
        found.classifier, preprocessing=replace(found.classifier.preprocessing, crop=size, resize=min(size))
    )
    labels = np.full(len(small), -1)
    values = [
        count.of(smaller, torch.from_numpy(found.maps[some]), Batch(some, labels[some], [small[one] for one in some]))
        for some in np.array_split(np.arange(len(small)), max(1, len(small) // 16))
    ]
    return LayerDissection(found.layer, (SHARE,), thresholds, count.merged(values), False, len(small))


def compared(title: str, classifier: Classifier, photos: ImageSet, layer: str) -> tuple:
    """How far IoUs are apart: largest difference, and of labels that differ."""
    found = Read(classifier, photos, layer)
    ours = units.dissect(classifier, photos, [layer]).layers[0]
    concepts = ours.concepts
    assert Truth(found.known[:4], found.size).images == 4
    half, whole = rule(found, concepts, REDUCTION), rule(found, concepts, 1)
    small, large = imitated(found, concepts, REDUCTION), imitated(found, concepts, 1)

    def apart(one: np.ndarray, other: np.ndarray) -> str:
        return f"{np.abs(one - other).max():.1e}"

    def matched(one: LayerDissection) -> np.ndarray:
        # What is so small that every second pixel misses it is in no small mask.
        full = np.zeros((len(one.thresholds[0]), len(concepts)))
        full[:, [concepts.index(name) for name in one.concepts]] = one.iou(denominator="present")
        return full

    present, known = ours.iou(denominator="present"), ours.iou()
    differ = int((np.where(half.max(1) > 0.04, half.argmax(1), -1) != ours.labels()).sum())
    return (
        title, layer, len(found.positions), len(half), len(concepts),
        apart(matched(small), half), apart(matched(large), whole), apart(present, whole), apart(present, half),
        f"{np.abs(present - half).mean():.1e}", apart(known, half), differ,
    )  # fmt: skip


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--photographs", default="")
    parser.add_argument("--models", default="")
    parser.add_argument("--layers", nargs="+", default=["mixed3a", "mixed4c"])
    given = parser.parse_args()
    rows = []
    honest, drawn = models.load("scenes-honest", device="cpu"), images.load(f"scenes:{given.images}")
    for layer in given.layers:
        rows.append(compared("scenes-honest", honest, drawn, layer))
    if given.photographs:
        squeezenet = models.load("squeezenet", folder=given.models, device="cpu")
        photos = images.load(given.photographs)
        for layer in ("features.7", "features.12"):
            rows.append(compared("SqueezeNet", squeezenet, photos, layer))
    heads = (
        "classifier",
        "layer",
        "images",
        "units",
        "concepts",
        "imitated, masks of half size",
        "imitated, of full size",
    )
    heads += ("ours (present) to the rule at full size", "at half size", "mean", "ours (known)", "labels that differ")
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
