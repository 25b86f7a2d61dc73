"""What Shared Interest shows of classifiers whose reason is known: the share of each case, honest against biased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interp import images, models, set_pass
from interp.attribution import GradCam
from interp.images.scenes import REASONS
from interp.shared_interest import (
    AUTHORS,
    Case,
    Explained,
    Explanation,
    ExplanationPass,
    Scored,
    Scoring,
    Thresholds,
    counts,
)
from interp.types import Classifier

# Maps of 7 × 7 or 14 × 14 cells cannot follow an outline, so two blobs that agree have an IoU of about 0.5.
COARSE = Thresholds(0.2, 0.4)
LAYERS = (None, "mixed4c")


# What the paper's cases come to in this lesson, by the columns of the table.
COLUMNS: dict[str, tuple[Case, ...]] = {
    "human aligned": ("human aligned",),
    "context dependent or sufficient context": ("context dependent", "sufficient context"),
    "confuser": ("confuser",),
    "context confusion or distractor": ("context confusion", "distractor"),
    "others": ("sufficient subset", "insufficient subset", "unclassified", "no annotation", "no saliency"),
}


def lesson() -> None:
    """The tables: all scenes, scenes of the cue's class, and scenes of the other classes with the cue."""
    for layer in LAYERS:
        explanation = Explanation(GradCam(layer=layer))
        for thresholds in (AUTHORS, COARSE):
            where = "the last spatial layer" if layer is None else layer
            print(f"\nGrad-CAM at {where}, mean + 1 deviation, low {thresholds.low}, high {thresholds.high}\n")
            print(f"| scenes | classifier | images | right | mean IoU | {' | '.join(COLUMNS)} |")
            print("|---" * (5 + len(COLUMNS)) + "|")
            for title, name, scored in _scored(explanation):
                of_case = counts(scored.cases(thresholds))
                shares = (sum(of_case[case] for case in cases) / len(scored) for cases in COLUMNS.values())
                numbers = f"{len(scored)} | {scored.correct.mean():.0%} | {scored.overlap.iou.mean():.2f}"
                print(f"| {title} | {name} | {numbers} | {' | '.join(f'{share:.0%}' for share in shares)} |")


def _scored(explanation: Explanation) -> Iterator[tuple[str, str, Scored]]:
    honest = models.load("scenes-honest")
    biased = {planted.letter: models.load(f"scenes-{planted.letter}") for planted in REASONS.values()}
    scenes = images.load("scenes")
    for classifier in (honest, *biased.values()):
        yield "all 600", classifier.name, _score(explanation, classifier, "scenes", range(len(scenes)))
    for reason, planted in REASONS.items():
        own, moved = f"scenes-{planted.letter}", f"scenes-{planted.letter}-moved"
        labels = images.load(own).labels
        of_class = [position for position, label in enumerate(labels) if label == planted.label]
        for title, name, positions in (
            (f"{planted.label}, with its {reason}", own, of_class),
            (f"other classes, with that {reason}", moved, range(0, 300, 3)),
        ):
            for classifier in (honest, biased[planted.letter]):
                yield title, classifier.name, _score(explanation, classifier, name, positions)


_kept: dict[tuple[Explanation, str, str], Explained] = {}


def _score(explanation: Explanation, classifier: Classifier, name: str, positions: Sequence[int]) -> Scored:
    """The scores; maps that were computed before are not computed again."""
    known = (explanation, classifier.name, name)
    if known not in _kept:
        photos, parts = images.load(name), []
        for start in range(0, len(positions), 100):
            steps = set_pass.once(ExplanationPass(), classifier, photos, (explanation,), positions[start : start + 100])
            parts += set_pass.returned(steps)
        _kept[known] = set_pass.merged(parts)
    tally = Scoring()(classifier, (explanation,), len(positions))
    tally.add((_kept[known],))
    return tally.so_far[0]
