"""Having a set scored: asked for once, streamed chunk by chunk, and read as far as it has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Int

import cache
from interp.images import ImageSet
from interp.set_pass import Collected, spread
from interp.shared_interest import Explanation, ExplanationPass, Ladder, Scoring, annotated
from interp.types import Classifier
from pages.parts.kit import over_set

T = TypeVar("T")


def ask(
    scope: cache.Scope,
    slot: str,
    classifier: Classifier,
    photos: ImageSet,
    explanations: tuple[Explanation, ...],
    scoring: Scoring | Ladder,
) -> cache.Job:
    """The job that scores all annotated images of a set, for each explanation; what was kept is read again."""
    return over_set.ask(scope, slot, ExplanationPass(), classifier, photos, explanations, positions(photos), scoring)


def positions(photos: ImageSet) -> np.ndarray:
    """The positions of the annotated images of a set, in the order in which they are scored."""
    return cache.lookup(_spread, photos)


def _spread(photos: ImageSet) -> Int[np.ndarray, " n"]:
    return spread(annotated(photos))


def latest(
    job: cache.Job,
    classifier: Classifier,
    explanations: tuple[Explanation, ...],
    scoring: Callable[[Classifier, Sequence[Explanation], int], Collected[T]],
) -> tuple[T, ...]:
    """What has been scored so far, for each explanation; of no image before the first ones have come."""
    return job.latest() or scoring(classifier, explanations, 0).so_far
