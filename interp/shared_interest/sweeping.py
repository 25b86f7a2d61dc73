"""How far scores and cases depend on where a map is cut: many settings of a rule, from one sorting of the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from interp.set_pass import Collected, Growing
from interp.shared_interest.binarization import Area, Deviations, Percentile, Rule, limits
from interp.shared_interest.cases import AUTHORS, Thresholds, cases
from interp.shared_interest.explained import Explained, Explanation
from interp.shared_interest.scores import Counts, saliency_coverage
from interp.shared_interest.scoring import EvidenceSign, Scored, Scoring, as_scored
from interp.types import Classifier


def ladder(rule: Rule) -> tuple[Rule, ...]:
    """Settings of the rule's kind, from where most is salient to where next to nothing is.

    0 to 3 deviations, the percentiles 50 to 99, or 60% down to 1% of the area.
    """
    if isinstance(rule, Deviations):
        return tuple(Deviations(count / 10) for count in range(31))
    if isinstance(rule, Percentile):
        return tuple(Percentile(percent) for percent in (*range(50, 98, 2), 98, 99))
    return tuple(Area(percent / 100) for percent in (*range(60, 4, -2), 4, 3, 2, 1))


def setting(rule: Rule) -> float:
    """The number of a rule: deviations, percent, or the share of the picture; nan for an area like the annotation's."""
    if isinstance(rule, Deviations):
        return float(rule.count)
    if isinstance(rule, Percentile):
        return float(rule.percent)
    return float("nan") if rule.share is None else float(rule.share)


def setting_title(rule: Rule) -> str:
    """What the number of a rule of this kind is called."""
    if isinstance(rule, Deviations):
        return "standard deviations above the mean"
    return "percentile" if isinstance(rule, Percentile) else "share of the picture"


def overlaps(
    maps: Float[np.ndarray, "n h w"], annotations: Bool[np.ndarray, "n h w"], rules: Sequence[Rule]
) -> tuple[Counts, ...]:
    """The overlap of each map with its annotation by each rule, as `binarize` and `overlap` find them one by one.

    Raises `ValueError` as `binarize` does.
    """
    ordered = np.sort(maps.reshape(len(maps), -1), axis=1)
    every = slice(0, len(maps))
    # The rank of a value is not changed by the order, while the rounding of a mean is.
    by_rank = torch.from_numpy(ordered.reshape(maps.shape))
    found = [
        limits(torch.from_numpy(maps) if isinstance(rule, Deviations) else by_rank, rule, annotations)(every).numpy()
        for rule in rules
    ]
    cuts = np.stack(found) if found else np.zeros((0, len(maps)), maps.dtype)
    salient, shared = np.zeros(cuts.shape, np.int64), np.zeros(cuts.shape, np.int64)
    for row in range(len(maps)):
        inside = np.sort(maps[row][annotations[row]])
        salient[:, row] = ordered.shape[1] - np.searchsorted(ordered[row], cuts[:, row], side="right")
        shared[:, row] = len(inside) - np.searchsorted(inside, cuts[:, row], side="right")
    annotated = np.count_nonzero(annotations, axis=(1, 2))
    return tuple(Counts(annotated, one, both) for one, both in zip(salient, shared, strict=True))


@dataclass(frozen=True)
class Change:
    """Between two neighbouring rules of a ladder an image's case changes."""

    before: Rule
    after: Rule
    case_before: int
    case_after: int


@dataclass(frozen=True, eq=False)
class Sweep:
    """The scores and the case of one image by each rule of a ladder; `continuous` depends on none of them."""

    rules: tuple[Rule, ...]
    overlap: Counts
    continuous: float
    cases: Int[np.ndarray, " s"]

    @property
    def settings(self) -> Float[np.ndarray, " s"]:
        """The number of each rule."""
        return np.array([setting(rule) for rule in self.rules])

    @property
    def changes(self) -> tuple[Change, ...]:
        """Where the case changes, along the ladder."""
        places = np.flatnonzero(self.cases[1:] != self.cases[:-1]).tolist()
        return tuple(
            Change(self.rules[i], self.rules[i + 1], int(self.cases[i]), int(self.cases[i + 1])) for i in places
        )


def sweep(
    heatmap: Float[np.ndarray, "h w"],
    annotation: Bool[np.ndarray, "h w"],
    correct: bool,
    rules: Sequence[Rule],
    *,
    thresholds: Thresholds = AUTHORS,
    evidence: EvidenceSign = "for",
) -> Sweep:
    """The scores and the case of one image by each of the rules; `evidence` is as in `Scoring`.

    Raises `ValueError` as `binarize` does, and where no rule is given.
    """
    if not rules:
        raise ValueError("No rules are given: take those of shared_interest.ladder.")
    values = Scoring(evidence=evidence).weighed(heatmap[None])
    found = overlaps(values, annotation[None], rules)
    counted = Counts(
        *(np.concatenate([getattr(one, name) for one in found]) for name in ("annotated", "salient", "shared"))
    )
    right = np.full(len(rules), correct)
    share = float(saliency_coverage(annotation[None], heatmap[None])[0])
    return Sweep(tuple(rules), counted, share, cases(counted, right, thresholds))


@dataclass(frozen=True)
class Ladder:
    """Scores a set by many rules at once; in `set_pass.by_chunks` it stands where a `Scoring` does."""

    rules: tuple[Rule, ...]
    evidence: EvidenceSign = "for"

    @property
    def scorings(self) -> tuple[Scoring, ...]:
        """The scoring by each of the rules."""
        return tuple(Scoring(rule, self.evidence) for rule in self.rules)

    def __call__(
        self, classifier: Classifier, items: Sequence[Explanation], count: int
    ) -> Collected[tuple[Scored, ...]]:
        """The scores of so many images for these explanations by each rule, none of them in yet."""
        scorings = self.scorings
        of_each = [Collected([Growing(one.none(classifier, item, count), count) for one in scorings]) for item in items]
        return Collected(of_each, partial(self.scored, classifier.name))

    def scored(self, classifier: str, part: Explained) -> tuple[Scored, ...]:
        """The scores of some maps of the classifier of that name. Raises `ValueError` as `binarize` does."""
        maps, annotations = part.maps, part.annotations
        found = overlaps(Scoring(evidence=self.evidence).weighed(maps), annotations, self.rules)
        continuous = saliency_coverage(annotations, maps)
        pairs = zip(self.scorings, found, strict=True)
        return tuple(as_scored(how, classifier, part, one, continuous) for how, one in pairs)
