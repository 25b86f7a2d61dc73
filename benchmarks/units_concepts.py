"""Combinations of units beside the best single one, rotated bases, and concept activation vectors of planted cues.

    python -m benchmarks.units_concepts [--images 300] [--only tcav]

The first table: TCAV of the tag for scenes-a and for the honest classifier, on the pictures in which it is on cars
alone, and on scenes in which it is on some pictures of all classes. The second: how many concepts and detectors
rotated bases have. The third: over the concepts of each category, IoU on images held out, of scenes-honest.
"""

from __future__ import annotations

import argparse

import numpy as np

from interp import images, models, units
from interp.set_pass import once, returned
from interp.units.axes import dissecting_axes
from interp.units.cav import CavPass, tcav

LAYERS = ("mixed3a", "mixed4c", "mixed5b")


def main() -> None:
    """Measure and print three Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--only", choices=["tcav", "combinations"], default="")
    given = parser.parse_args()
    if given.only != "combinations":
        _sensitivities()
    if given.only == "tcav":
        return
    honest, photos = models.load("scenes-honest", device="cpu"), images.load(f"scenes:{given.images}")
    if not given.only:
        _bases(honest, photos)
    _combinations(honest, photos)


def _combinations(classifier, photos) -> None:
    print("| layer | combined | category | concepts | combination | cut at ½ | unit | unit, fitted | of other images |")
    print("|---|---|---|---|---|---|---|---|---|")
    for layer in LAYERS:
        for features in ("thresholded", "raw"):
            found = units.combine(classifier, photos, layer, features=features)
            for category in dict.fromkeys(name for name, _ in found.concepts):
                own = [one for one, (name, _) in enumerate(found.concepts) if name == category]
                values = (found.iou, found.iou_middle, found.unit_iou, found.fitted_unit_iou, found.iou_exchanged)
                cells = [f"{np.nanmean(one[own]):.3f}" for one in values]
                print("|", " | ".join([layer, features, category, str(len(own)), *cells]), "|", flush=True)


def _bases(classifier, photos) -> None:
    print("| layer | basis | detectors | concepts detected | mean of the largest IoU |")
    print("|---|---|---|---|---|")
    for layer in LAYERS:
        steps = dissecting_axes(classifier, photos, layer, units.concepts(photos), quantiles=(0.005,))
        found = returned(steps)
        for place, one in enumerate((found.units, *found.rotated)):
            labels = one.labels()
            cells = (layer, "units" if not place else f"rotated {place}", int((labels >= 0).sum()))
            unique = len(set(labels[labels >= 0].tolist()))
            print("|", " | ".join(map(str, (*cells, unique, f"{one.iou().max(axis=1).mean():.4f}"))), "|", flush=True)


def _sensitivities() -> None:
    print(
        "| pictures | classifier | layer | images with the tag | accuracy of the vectors | class | score | random | p |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, concept in (("scenes-a", ("cue", "tag")), ("scenes:400", ("distractor", "tag"))):
        photos = images.load(name)
        for model in ("scenes-a", "scenes-honest"):
            classifier = models.load(model, device="cpu")
            work = CavPass(concepts=(concept,), source=units.concepts(photos))
            for layer, rows in zip(LAYERS, returned(once(work, classifier, photos, list(LAYERS))), strict=True):
                found = tcav(rows, work.concepts, concept)
                car = [classifier.labels[one] for one in found.classes].index("car")
                others = [one for one in range(len(found.classes)) if one != car]
                head = f"| {name} | {model} | {layer} | {found.with_concept} | {found.accuracy:.2f} |"
                differ = f"{int(found.significant[others].sum())} of {len(others)} others differ"
                for title, some in (("car", [car]), (differ, others)):
                    score, random = found.scores[:, some].mean(), found.random[:, some].mean()
                    p, strangers = found.p[some].min(), np.median(found.p_strangers[some])
                    cells = f"{title} | {score:.2f} | {random:.2f} | {p:.1e} | {strangers:.3f} |"
                    print(head, cells, flush=True)


if __name__ == "__main__":
    main()
