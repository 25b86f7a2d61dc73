"""The scores of an image set: numbers only, as its maps come in, so that any number of images can be scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Int

from interp import set_pass
from interp.images import ImageSet, Problem
from interp.set_pass import Collected, Growing, Positions
from interp.shared_interest.binarization import Deviations, Rule, binarize
from interp.shared_interest.cases import AUTHORS, UNCLASSIFIED, Thresholds, cases
from interp.shared_interest.explained import Explained, Explanation
from interp.shared_interest.explaining import ExplanationPass
from interp.shared_interest.masks import Scores
from interp.shared_interest.scores import Counts, overlap, saliency_coverage
from interp.types import Classifier, Fingerprinted

ScoreName = Literal["iou", "ground_truth_coverage", "saliency_coverage", "continuous"]
SCORES: dict[ScoreName, str] = dict(
    zip(
        get_args(ScoreName),
        ("IoU", "Ground-truth coverage", "Saliency coverage", "Saliency coverage, continuous"),
        strict=True,
    )
)
"""The scores of an image and what they are called."""

EvidenceSign = Literal["for", "any"]


@dataclass(frozen=True)
class Scoring:
    """How maps become scores: the rule that makes them binary, and what counts as large.

    `evidence` "for" takes the map as it is, so that of a signed one only what speaks for the class is salient; "any"
    takes its magnitude. The continuous score takes the magnitude in both cases. Called, it makes what the scores of a
    set come together in, as `set_pass.by_chunks` asks for.
    """

    rule: Rule = Deviations()
    evidence: EvidenceSign = "for"

    def __post_init__(self) -> None:
        if self.evidence not in get_args(EvidenceSign):
            raise ValueError(
                f"The evidence {self.evidence!r} does not exist: choose {' or '.join(get_args(EvidenceSign))}."
            )

    def __call__(self, classifier: Classifier, items: Sequence[Explanation], count: int) -> Collected[Scored]:
        """The scores of so many images for these explanations, none of them in yet."""
        return Collected(
            [Growing(self.none(classifier, one, count), count) for one in items], partial(self.scored, classifier.name)
        )

    def none(self, classifier: Classifier, explanation: Explanation, total: int) -> Scored:
        """The scores of no image, of so many that are asked for."""
        whole, share = np.zeros(0, np.int32), np.zeros(0)
        counted = Counts(whole, whole, whole)
        return Scored(explanation, self, classifier.name, whole, whole, share, whole, counted, share, total)

    def scored(self, classifier: str, part: Explained) -> Scored:
        """The scores of some maps of the classifier of that name. Raises `ValueError` as `binarize` does."""
        return as_scored(self, classifier, part, *self.of(part))

    def of(self, explained: Explained) -> tuple[Counts, Scores]:
        """The overlap and the continuous saliency coverage of some maps. Raises `ValueError` as `binarize` does."""
        maps, annotations = explained.maps, explained.annotations
        salient = self.salient(maps, annotations)
        return overlap(annotations, salient), saliency_coverage(annotations, maps)

    def salient(
        self, maps: Float[np.ndarray, "n h w"], annotations: Bool[np.ndarray, "n h w"]
    ) -> Bool[np.ndarray, "n h w"]:
        """The binary saliency of some maps. Raises `ValueError` as `binarize` does."""
        return binarize(self.weighed(maps), self.rule, annotation=annotations)

    def weighed(self, maps: Float[np.ndarray, "n h w"]) -> Float[np.ndarray, "n h w"]:
        """The values of which the large ones are salient."""
        return np.abs(maps) if self.evidence == "any" else maps


@dataclass(frozen=True, eq=False)
class Scored(Fingerprinted):
    """The scores of n images of a set for one explanation, about 60 bytes an image, in the order in which they came.

    `positions` are the images' in the set. `labels` is the class of the image's own label, -1 where it has none among
    the classifier's; `probability` that of the `predicted` class. `total` is how many images were asked for: those not
    here are still to come, or among the `problems`.
    """

    explanation: Explanation
    scoring: Scoring
    classifier: str
    positions: Int[np.ndarray, " n"]
    predicted: Int[np.ndarray, " n"]
    probability: Float[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    overlap: Counts
    continuous: Float[np.ndarray, " n"]
    total: int
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def finished(self) -> bool:
        """Whether every image that was asked for is scored, or among the problems."""
        return len(self) + len(self.problems) >= self.total

    @property
    def known(self) -> Bool[np.ndarray, " n"]:
        """Whether an image has a label among the classifier's classes."""
        return self.labels >= 0

    @property
    def correct(self) -> Bool[np.ndarray, " n"]:
        """Whether the predicted class is the label; False where there is none."""
        return self.predicted == self.labels

    @property
    def wrong(self) -> Bool[np.ndarray, " n"]:
        """Whether the predicted class is another than the label; False where there is none."""
        return self.known & ~self.correct

    def score(self, name: ScoreName) -> Scores:
        """One of `SCORES`, 0 to 1. Raises `ValueError` for a name that is none of them."""
        match name:
            case "iou":
                return self.overlap.iou
            case "ground_truth_coverage":
                return self.overlap.ground_truth_coverage
            case "saliency_coverage":
                return self.overlap.saliency_coverage
            case "continuous":
                return self.continuous
        raise ValueError(f"There is no score {name!r}: choose one of {', '.join(SCORES)}.")

    def cases(self, thresholds: Thresholds = AUTHORS) -> Int[np.ndarray, " n"]:
        """The case of each image, as an index into `CASES`: 'unclassified' too where the label is not known."""
        return np.where(self.known, cases(self.overlap, self.correct, thresholds), UNCLASSIFIED)

    def of(self, rows: Int[np.ndarray, " m"] | Bool[np.ndarray, " n"]) -> Scored:
        """The images at these rows, by number in the order wanted, or by a mask; the total and problems as they are."""
        counted = (self.overlap.annotated, self.overlap.salient, self.overlap.shared)
        return Scored(
            self.explanation,
            self.scoring,
            self.classifier,
            self.positions[rows],
            self.predicted[rows],
            self.probability[rows],
            self.labels[rows],
            Counts(*(one[rows] for one in counted)),
            self.continuous[rows],
            self.total,
            self.problems,
        )


def as_scored(scoring: Scoring, classifier: str, part: Explained, found: Counts, continuous: Scores) -> Scored:
    """The scores of some maps that are counted already."""
    counted = Counts(*(one.astype(np.int32) for one in (found.annotated, found.salient, found.shared)))
    return Scored(
        part.explanation,
        scoring,
        classifier,
        part.positions,
        part.predicted,
        part.probability.astype(np.float64),
        part.labels,
        counted,
        continuous.astype(np.float64),
        len(part) + len(part.problems),
        part.problems,
    )


def score(
    classifier: Classifier,
    photos: ImageSet,
    explanation: Explanation,
    *,
    scoring: Scoring = Scoring(),
    positions: Positions = None,
) -> Scored:
    """The scores of the images at these positions of a set (None: all that are annotated), without keeping any map.

    A page asks `set_pass.by_chunks` for the same and gets it as it comes.
    Raises `ValueError` as `set_pass.once` does, and for a rule out of range.
    """
    work = ExplanationPass(first=ExplanationPass.chunk)
    steps = set_pass.by_chunks(work, classifier, photos, (explanation,), positions, collecting=scoring)
    return set_pass.returned(steps)[0]
