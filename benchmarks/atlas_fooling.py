"""Whether patches that an atlas foretells fool the biased classifiers: Carter's own test, automated.

    python -m benchmarks.atlas_fooling [--layers mixed4c mixed5b] [--pasted 150]

For each of the classifiers whose reason is known, and the honest one: the atlas of a layer over the bundled scenes, in
which no cue goes with any class; the five cells of the finest grid that argue most for the class whose cue was planted,
beside five others at random; their inverted pictures, and their real patches, pasted into each corner of images.
Printed is the mean share of images, not taken for the class before, that then are, and how far the best of the five
gets in its best corner; for the honest classifier the same for each of the four classes.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from interp import atlas, images, models
from interp import feature_visualization as fv
from interp.atlas import CORNERS, AtlasMap, AtlasSettings, LevelTargets, SampledLayer
from interp.images import ImageSet
from interp.images.scenes import REASONS
from interp.models.scenes import bundled
from interp.set_pass import evenly, returned
from interp.types import Classifier


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", nargs="+", default=["mixed4c", "mixed5b"])
    parser.add_argument("--pasted", type=int, default=150, help="into so many images, spread over the set")
    given = parser.parse_args()
    photos = images.load("scenes")
    some = evenly(len(photos), given.pasted)
    print(
        "| classifier | class | layer | picture | foretold | random cells | noise | best of five, best corner | s |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    for name, reason in bundled.REASON_OF.items():
        targets = [reason] if reason is not None else list(REASONS)
        classifier = models.load(name)
        for layer in given.layers:
            begun = time.perf_counter()
            mapped: AtlasMap = returned(atlas.mapping(classifier, photos, AtlasSettings(SampledLayer(layer))))
            for one in targets:
                _rows(classifier, photos, mapped, layer, REASONS[one].label, begun, some)


def _rows(
    classifier: Classifier, photos: ImageSet, mapped: AtlasMap, layer: str, label: str, begun: float, pasted: np.ndarray
) -> None:
    target = classifier.labels.index(label)
    cells = mapped.levels[-1]
    chosen, random = atlas.foretold(cells, target)
    rows = np.concatenate([chosen, random])
    for kind in ("inverted", "real"):
        if kind == "inverted":
            some = _inverted(classifier, photos, mapped.targets[-1], rows, layer)
        else:
            nearest = cells.nearest[rows, 0].tolist()
            some = returned(atlas.patches(classifier, photos, mapped.samples, nearest))
        pictures = np.zeros((len(cells), *some.shape[1:]), np.uint8)
        pictures[rows] = some
        found = [
            returned(atlas.fooling(classifier, photos, cells, pictures, target, pasted, corner=one)) for one in CORNERS
        ]
        best = max(effect.to_target for one in found for effect in one.trial.effects[: len(chosen)])
        means = [
            np.mean([getattr(one, what) for one in found]) for what in ("share", "share_of_random", "share_of_noise")
        ]
        shares = " | ".join(f"{one:.1%}" for one in [*means, best])
        seconds = time.perf_counter() - begun
        print(f"| {classifier.name} | {label} | {layer} | {kind} | {shares} | {seconds:.0f} |", flush=True)


def _inverted(
    classifier: Classifier, photos: ImageSet, targets: LevelTargets, rows: np.ndarray, layer: str
) -> np.ndarray:
    """The pictures of some cells alone, from noise."""
    few = LevelTargets(
        targets.grid, targets.rows[rows], targets.columns[rows], targets.vectors[rows], targets.best[rows]
    )
    how = atlas.inversion_settings(classifier, layer, fv.colours_of(classifier, photos))
    return returned(atlas.inverting(classifier, layer, (few,), how)).levels[0].pictures


if __name__ == "__main__":
    main()
