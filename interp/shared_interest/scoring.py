"""The scores of an image set: numbers only, as its maps come in, so that any number of images can be scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Int

from interp.images import ImageSet, Problem
from interp.shared_interest.binarization import Deviations, Rule, binarize
from interp.shared_interest.cases import AUTHORS, UNCLASSIFIED, Thresholds, cases
from interp.shared_interest.explained import Explained, Question
from interp.shared_interest.explaining import annotated, explain
from interp.shared_interest.masks import Scores
from interp.shared_interest.scores import Overlap, overlap, saliency_coverage
from interp.types import Classifier, Fingerprinted

CHUNK, FIRST = 32, 4
"""How many images are kept together, at most and at first: a set's first scores are there after so few maps."""

ScoreName = Literal["iou", "ground_truth_coverage", "saliency_coverage", "continuous"]
SCORES: dict[ScoreName, str] = dict(
    zip(
        get_args(ScoreName),
        ("IoU", "Ground-truth coverage", "Saliency coverage", "Saliency coverage, continuous"),
        strict=True,
    )
)
"""The scores of an image and what they are called."""

Evidence = Literal["for", "any"]


@dataclass(frozen=True)
class Scoring:
    """How maps become scores: the rule that makes them binary, and what counts as large.

    `evidence` "for" takes the map as it is, so that of a signed one only what speaks for the class is salient; "any"
    takes its magnitude. The continuous score takes the magnitude in both cases. Called, it makes the `Tally` of a set,
    as `cache.chunks.gathered` asks for.
    """

    rule: Rule = Deviations()
    evidence: Evidence = "for"

    def __post_init__(self) -> None:
        if self.evidence not in get_args(Evidence):
            raise ValueError(
                f"The evidence {self.evidence!r} does not exist: choose {' or '.join(get_args(Evidence))}."
            )

    def __call__(self, classifier: Classifier, items: Sequence[Question], count: int) -> Tally:
        """The scores of so many images for these questions, none of them in yet."""
        return Tally(self, classifier, items, count)

    def of(self, explained: Explained) -> tuple[Overlap, Scores]:
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
    """The scores of n images of a set for one question, about 60 bytes an image, in the order in which they came.

    `positions` are the images' in the set. `labels` is the class of the image's own label, -1 where it has none among
    the classifier's; `probability` that of the `predicted` class. `total` is how many images were asked for: those not
    here are still to come, or among the `problems`.
    """

    question: Question
    scoring: Scoring
    classifier: str
    positions: Int[np.ndarray, " n"]
    predicted: Int[np.ndarray, " n"]
    probability: Float[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    overlap: Overlap
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
            self.question,
            self.scoring,
            self.classifier,
            self.positions[rows],
            self.predicted[rows],
            self.probability[rows],
            self.labels[rows],
            Overlap(*(one[rows] for one in counted)),
            self.continuous[rows],
            self.total,
            self.problems,
        )


class Column:
    """The scores for one question by one scoring as they come in, each number kept once.

    Scores that were handed out go on to be valid, as later ones are written behind them.
    """

    def __init__(self, question: Question, scoring: Scoring, classifier: Classifier, count: int) -> None:
        """Make room for the scores of so many images."""
        self._about = (question, scoring, classifier.name)
        self._whole = np.empty((6, count), np.int32)
        self._shares = np.empty((2, count))
        self._filled = 0
        self._problems: tuple[Problem, ...] = ()
        self._latest: Scored | None = None

    def add(self, part: Explained, found: Overlap, continuous: Scores) -> None:
        """Take in the scores of further maps."""
        rows = slice(self._filled, self._filled + len(part))
        self._whole[:, rows] = (
            *(part.positions, part.predicted, part.labels),
            *(found.annotated, found.salient, found.shared),
        )
        self._shares[:, rows] = (part.probability, continuous)
        self._filled = rows.stop
        self._problems += part.problems
        self._latest = None

    @property
    def so_far(self) -> Scored:
        """All that came in, the same object until more does; nothing is copied."""
        if self._latest is None:
            self._latest = self._scored()
        return self._latest

    def _scored(self) -> Scored:
        positions, predicted, labels, *counted = self._whole[:, : self._filled]
        probability, continuous = self._shares[:, : self._filled]
        return Scored(
            *self._about,
            positions,
            predicted,
            probability,
            labels,
            Overlap(*counted),
            continuous,
            self._whole.shape[1],
            self._problems,
        )


class Tally:
    """The scores of a set for several questions as its maps come in."""

    def __init__(self, scoring: Scoring, classifier: Classifier, items: Sequence[Question], count: int) -> None:
        """Make room for the scores of so many images for each question."""
        self._scoring = scoring
        self._columns = [Column(item, scoring, classifier, count) for item in items]

    def add(self, parts: Sequence[Explained]) -> None:
        """Score the maps of further images, one part for each question. Raises `ValueError` as `binarize` does."""
        for column, part in zip(self._columns, parts, strict=True):
            column.add(part, *self._scoring.of(part))

    @property
    def so_far(self) -> tuple[Scored, ...]:
        """All that came in, for each question; nothing is copied."""
        return tuple(column.so_far for column in self._columns)


def score(
    classifier: Classifier,
    photos: ImageSet,
    question: Question,
    *,
    scoring: Scoring = Scoring(),
    positions: Sequence[int] | np.ndarray | None = None,
) -> Scored:
    """The scores of the images at these positions of a set (None: all that are annotated), without keeping any map.

    A page asks `cache.chunks.gathered` for the same, with `explain` and `scoring`, and gets it as it comes.
    Raises `ValueError` as `explain` does, and for a rule out of range.
    """
    chosen = annotated(photos) if positions is None else np.asarray(positions)
    whole = scoring(classifier, (question,), len(chosen))
    for start in range(0, len(chosen), CHUNK):
        steps = explain(classifier, photos, (question,), chosen[start : start + CHUNK])
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                whole.add(stop.value)
                break
    return whole.so_far[0]
