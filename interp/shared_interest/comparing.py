"""The same images under several methods, rules or classifiers: which cases they have under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from interp.shared_interest.cases import AUTHORS, CASES, Thresholds
from interp.shared_interest.scoring import Scored


@dataclass(frozen=True, eq=False)
class Comparison:
    """The cases and the IoU of m images under each of k ways to score them, called `titles`.

    `positions` are those of the images that all of the ways have scored.
    """

    titles: tuple[str, ...]
    positions: Int[np.ndarray, " m"]
    cases: Int[np.ndarray, "k m"]
    iou: Float[np.ndarray, "k m"]

    @property
    def agree(self) -> Bool[np.ndarray, " m"]:
        """The images that have one and the same case in all of the ways."""
        return (self.cases == self.cases[0]).all(axis=0)

    @property
    def order(self) -> Int[np.ndarray, " m"]:
        """The images by number, those first whose case is disputed, and among both those whose IoU differs most."""
        spread = np.ptp(self.iou, axis=0)
        return np.lexsort((-spread, self.agree))

    def transitions(self, first: int = 0, second: int = 1) -> Int[np.ndarray, "k k"]:
        """How many images have case i in the first way and case j in the second, for all of `CASES`."""
        cells = self.cases[first] * len(CASES) + self.cases[second]
        return np.bincount(cells, minlength=len(CASES) ** 2).reshape(len(CASES), len(CASES))


def compared(scores: Sequence[Scored], thresholds: Thresholds = AUTHORS) -> Comparison:
    """Several scorings of one image set side by side, matched by position.

    Raises `ValueError` for fewer than two.
    """
    if len(scores) < 2:
        raise ValueError(f"{len(scores)} ways to score are given: it takes two or more to compare.")
    shared = set(scores[0].positions.tolist()).intersection(*(one.positions.tolist() for one in scores[1:]))
    positions = np.array([one for one in scores[0].positions.tolist() if one in shared], np.int64)
    aligned = [one.of(_rows(one, positions)) for one in scores]
    return Comparison(
        _titles(scores),
        positions,
        np.stack([one.cases(thresholds) for one in aligned]),
        np.stack([one.overlap.iou for one in aligned]),
    )


def _rows(scored: Scored, positions: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    order = np.argsort(scored.positions, kind="stable")
    return order[np.searchsorted(scored.positions, positions, sorter=order)]


def _titles(scores: Sequence[Scored]) -> tuple[str, ...]:
    """What tells the ways apart: method, class asked for, classifier, rule, as far as they differ."""
    parts = [
        (
            one.explanation.method.title,
            "its label's class" if one.explanation.target == "label" else "predicted class",
            one.classifier,
            repr(one.scoring.rule),
            repr(one.explanation.method),
        )
        for one in scores
    ]
    differing = [place for place in range(4) if len({part[place] for part in parts}) > 1]
    if len({tuple(part[place] for place in differing) for part in parts}) < len(parts):
        differing.append(4)
    titles = [", ".join(part[place] for place in differing) or part[0] for part in parts]
    # The same way twice is told apart by its number.
    return tuple(title if titles.count(title) == 1 else f"{title} ({i + 1})" for i, title in enumerate(titles))
