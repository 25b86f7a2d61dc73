"""Where the truth is known: which units see a planted cue, and what becomes of its class without them.

    python -m benchmarks.units_cues [--draws 100]

For scenes A to D, on their own test sets: the unit of each block end with the largest IoU with the cue and how many
detect it (its label, IoU over 0.04), and the same units' IoU in the honest classifier on the same pictures. Then these
detectors are zeroed, beside random sets of as many: the class of the cue (recall, mean logit) and the whole, on the own
set and on that where the cue is on other classes' pictures.
"""

from __future__ import annotations

import argparse
from functools import lru_cache

import numpy as np

from interp import images, models, units
from interp.images.scenes import sets
from interp.models.scenes import bundled
from interp.types import Classifier


def main() -> None:
    """Measure and print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    given = parser.parse_args()
    # A scene is read up to ten times, and to draw it takes longer than a forward pass.
    sets.draw = lru_cache(maxsize=1024)(sets.draw)
    found, falls = [], []
    for name in sorted(set(bundled.REASON_OF) - {bundled.HONEST}):
        photos = images.load(name)
        for model in (name, bundled.HONEST):
            classifier = models.load(model, device="cpu")
            layers = [one.name for one in classifier.layers if one.block_end]
            for one in units.dissect(classifier, photos, layers).layers:
                cue = next(place for place, (category, _) in enumerate(one.concepts) if category == "cue")
                detectors = np.flatnonzero(one.labels() == cue)
                iou, odds = one.iou()[:, cue], one.odds()[:, cue]
                best = int(iou.argmax())
                rank = 1 + int((one.iou()[best] > iou[best]).sum())
                cells = (name, one.concepts[cue][1], model, one.layer, len(detectors), f"{iou[best]:.3f}")
                found.append((*cells, f"{odds[best]:.1f}", rank))
                if model == name and len(detectors):
                    falls += [
                        _falls(classifier, which, one.layer, detectors, given.draws)
                        for which in (name, f"{name}-moved")
                    ]
    _table(("pictures", "cue", "classifier", "layer", "detectors", "largest IoU", "odds", "rank of the cue"), found)
    heads = ("set", "layer", "units", "class hit hardest", "its recall", "without", "random", "lower than random")
    _table((*heads, "its mean logit", "without", "random", "lower than random", "accuracy", "without", "random"), falls)


def _falls(classifier: Classifier, which: str, layer: str, detectors: np.ndarray, draws: int) -> tuple:
    gone = units.ablate(classifier, images.load(which), layer=layer, units=detectors, draws=draws)
    # The class whose score leans on the units: that whose mean logit falls most.
    worst = int(np.nanargmax(gone.whole.logit - gone.without.logit))
    logits = np.array([one.logit[worst] for one in gone.without_drawn])
    accuracies = [one.accuracy for one in gone.without_drawn]
    recalls = gone.random[:, worst]
    return (
        which,
        layer,
        len(detectors),
        classifier.labels[worst],
        f"{gone.before[worst]:.0%}",
        f"{gone.after[worst]:.0%}",
        f"{recalls.mean():.0%}",
        f"{(recalls > gone.after[worst]).mean():.0%}",
        f"{gone.whole.logit[worst]:.1f}",
        f"{gone.without.logit[worst]:.1f}",
        f"{logits.mean():.1f}",
        f"{(logits > gone.without.logit[worst]).mean():.0%}",
        f"{gone.whole.accuracy:.1%}",
        f"{gone.without.accuracy:.1%}",
        f"{np.mean(accuracies):.1%}",
    )


def _table(heads: tuple[str, ...], rows: list[tuple]) -> None:
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    print()


if __name__ == "__main__":
    main()
