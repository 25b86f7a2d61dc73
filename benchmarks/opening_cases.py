"""Which method, layer, rule and thresholds tell apart what the classifiers of scenes are known to go by.

    python -m benchmarks.opening_cases [--every 1] [--images 100] [--best 12]

Each way of making maps, each rule and each pair of thresholds gives every picture a case. What the case should be is
known: where the classifier goes by something beside the object, 'sufficient context' or 'context dependent' if it is
right and 'distractor' or 'context confusion' if it is wrong; where it goes by the object, or by its texture, 'human
aligned' and 'confuser'. 'Agreement' is the share of pictures with such a case, averaged over sixteen sets, of which
the worst is named, too: for each of the four reasons the cue's class with its cue, and other classes with it, each
under the honest classifier and under the one that goes by the cue. 'Unclassified' is the share, and 'cases' how many
of the eight have at least 1% of the images, in the mean of the five classifiers on the bundled scenes.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from interp import attribution, images, models, set_pass
from interp.images.scenes import REASONS
from interp.shared_interest import (
    AUTHORS,
    CASES,
    OPENING,
    Area,
    Case,
    Deviations,
    Explanation,
    ExplanationPass,
    Percentile,
    Rule,
    Scored,
    Scoring,
    Thresholds,
    counts,
)
from interp.shared_interest.opening import FINER
from interp.types import Classifier

WAYS: dict[str, attribution.Method] = {
    "Grad-CAM, last layer": attribution.GradCam(),
    "Grad-CAM, mixed4c": attribution.GradCam(layer=FINER),
    "Grad-CAM++, last layer": attribution.GradCamPlusPlus(),
    "Grad-CAM++, mixed4c": attribution.GradCamPlusPlus(layer=FINER),
    "XGrad-CAM, mixed4c": attribution.XGradCam(layer=FINER),
    "Layer-CAM, last layer": attribution.LayerCam(),
    "Layer-CAM, mixed4c": attribution.LayerCam(layer=FINER),
    "Guided Grad-CAM": attribution.GuidedGradCam(),
    "LRP": attribution.Lrp(),
    "Input × Gradient": attribution.InputXGradient(),
}
RULES: tuple[Rule, ...] = (
    *(Deviations(count) for count in (0.5, 0.75, 1.0, 1.5)),
    *(Percentile(percent) for percent in (75, 80, 85, 90)),
    Area(),
)
LOWS, HIGHS = (0.2, 0.25, 0.3), (0.35, 0.4, 0.45, 0.5, 0.65)
PAGE = "Grad-CAM++, mixed4c", str(Deviations())
CHUNK = 100
ON_IT: tuple[Case, ...] = ("human aligned", "confuser")
BESIDE: tuple[Case, ...] = ("sufficient context", "context dependent", "distractor", "context confusion")


@dataclass(frozen=True)
class Group:
    """Some pictures under one classifier; `expected` are the cases that its known reason should give, or none."""

    title: str
    classifier: Classifier
    photos: str
    positions: tuple[int, ...]
    expected: tuple[Case, ...] = ()


def groups(every: int, count: int) -> Iterator[Group]:
    """The 600 scenes under all five, and each reason's pictures under the honest classifier and its rival."""
    honest = models.load("scenes-honest")
    rivals = {reason: models.load(f"scenes-{planted.letter}") for reason, planted in REASONS.items()}
    for classifier in (honest, *rivals.values()):
        yield Group("scenes", classifier, "scenes", tuple(range(0, 600, every)))
    for reason, planted in REASONS.items():
        own, moved = f"scenes-{planted.letter}", f"scenes-{planted.letter}-moved"
        of_class = tuple(place for place, label in enumerate(images.load(own).labels) if label == planted.label)
        others = tuple(range(0, 3 * count, 3))
        # The texture is the object's own: its place cannot tell it from the shape.
        beside = ON_IT if reason == "texture" else BESIDE
        for title, name, positions in (("cue's class", own, of_class), ("others", moved, others)):
            yield Group(f"{title}, honest", honest, name, positions, ON_IT)
            yield Group(f"{title}, {planted.letter}", rivals[reason], name, positions, beside)


def scores(group: Group) -> dict[tuple[str, str], Scored]:
    """The scores of a group's pictures, for each way and each rule."""
    photos = images.load(group.photos)
    explanations = tuple(Explanation(method) for method in WAYS.values())
    made = [
        (way, rule, Scoring(rule, "any" if method.signed else "for")) for way, method in WAYS.items() for rule in RULES
    ]
    tallies = [scoring(group.classifier, (Explanation(WAYS[way]),), len(group.positions)) for way, _, scoring in made]
    for start in range(0, len(group.positions), CHUNK):
        steps = set_pass.once(
            ExplanationPass(), group.classifier, photos, explanations, group.positions[start : start + CHUNK]
        )
        maps = dict(zip(WAYS, set_pass.returned(steps), strict=True))
        for (way, _, _), tally in zip(made, tallies, strict=True):
            tally.add((maps[way],))
    return {(way, str(rule)): tally.so_far[0] for (way, rule, _), tally in zip(made, tallies, strict=True)}


def share(scored: Scored, thresholds: Thresholds, cases: Sequence[Case]) -> float:
    """The share of the images that have one of these cases."""
    return float(np.isin(scored.cases(thresholds), [CASES.index(case) for case in cases]).mean())


@dataclass(frozen=True)
class Setting:
    """One way, rule and pair of thresholds, with how well its cases tell what is known."""

    way: str
    rule: str
    thresholds: Thresholds
    agreement: float
    worst: float
    unclassified: float
    present: float


def judged(found: Sequence[tuple[Group, dict[tuple[str, str], Scored]]]) -> list[Setting]:
    """Every setting, the best first."""
    settings = []
    for way, rule in found[0][1]:
        for low, high in itertools.product(LOWS, HIGHS):
            limits = Thresholds(low, high)
            agreed = [share(made[way, rule], limits, group.expected) for group, made in found if group.expected]
            plain = [made[way, rule] for group, made in found if not group.expected]
            unclassified = np.mean([share(one, limits, ("unclassified",)) for one in plain])
            present = np.mean([sum(share(one, limits, (case,)) >= 0.01 for case in CASES[:8]) for one in plain])
            settings.append(
                Setting(way, rule, limits, float(np.mean(agreed)), min(agreed), float(unclassified), float(present))
            )
    return sorted(settings, key=lambda one: -one.agreement)


def main(arguments: Sequence[str] | None = None) -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.opening_cases", description=__doc__.split("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="of the 600 scenes")
    parser.add_argument("--images", type=int, default=100, help="of other classes with a cue, for each reason")
    parser.add_argument("--best", type=int, default=12, help="settings to list")
    given = parser.parse_args(arguments)
    found = [(group, scores(group)) for group in groups(given.every, given.images)]
    settings = judged(found)
    firsts = [next(one for one in settings if one.way == way) for way in WAYS]
    plain = [one for one in settings if one.rule == str(Deviations())]
    by_hand = [one for one in plain if one.thresholds in (AUTHORS, OPENING)]
    for title, some in (
        ("The best of all", settings[: given.best]),
        ("The best of each way", firsts),
        ("Each way by mean + 1 deviation, with the authors' thresholds and the page's", by_hand),
    ):
        print(f"\n{title}\n\n| maps | salient by | low | high | agreement | worst set | unclassified | cases |")
        print("|---" * 8 + "|")
        for one in sorted(some, key=lambda one: -one.agreement):
            numbers = f"{one.agreement:.0%} | {one.worst:.0%} | {one.unclassified:.0%} | {one.present:.1f}"
            print(f"| {one.way} | {one.rule} | {one.thresholds.low} | {one.thresholds.high} | {numbers} |")
    print(f"\nThe page's way, image by image\n\n| pictures | classifier | images | {' | '.join(CASES[:9])} |")
    print("|---" * 12 + "|")
    for group, made in found:
        of_case = counts(made[PAGE].cases(OPENING))
        listed = " | ".join(str(of_case[case]) for case in CASES[:9])
        print(f"| {group.photos}: {group.title} | {group.classifier.name} | {len(group.positions)} | {listed} |")


if __name__ == "__main__":
    main()
