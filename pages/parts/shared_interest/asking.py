"""Having a set scored: asked for once, streamed chunk by chunk, and read as far as it has come."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import Int

import cache
from interp.images import ImageSet
from interp.set_pass import kept_parts, merged, once, spread
from interp.shared_interest import (
    Explained,
    ExplanationPass,
    Question,
    Scored,
    Scoring,
    annotated,
)
from interp.types import Classifier
from pages.parts.kit import over_set


def ask(
    scope: cache.Scope,
    slot: str,
    classifier: Classifier,
    photos: ImageSet,
    questions: tuple[Question, ...],
    scoring: Scoring,
) -> cache.Job:
    """The job that scores all annotated images of a set, for each question; what was explained before is read again."""
    return over_set.ask(scope, slot, ExplanationPass(), classifier, photos, questions, positions(photos), scoring)


def positions(photos: ImageSet) -> np.ndarray:
    """The positions of the annotated images of a set, in the order in which they are scored."""
    return cache.lookup(_spread, photos)


def _spread(photos: ImageSet) -> Int[np.ndarray, " n"]:
    return spread(annotated(photos))


def latest(
    job: cache.Job, classifier: Classifier, questions: tuple[Question, ...], scoring: Scoring
) -> tuple[Scored, ...]:
    """What has been scored so far, for each question; of no image before the first ones have come."""
    return job.latest() or scoring(classifier, questions, 0).so_far


def maps(
    classifier: Classifier, photos: ImageSet, question: Question, wanted: Sequence[int]
) -> Generator[None, None, Explained]:
    """Maps and annotations of a few images, out of the kept chunks; what is not there is computed anew."""
    parts = kept_parts(ExplanationPass(), classifier, photos, question, _spread(photos), cache.Kept(), wanted)
    found = [part.at(wanted) for part in parts if part is not None]
    there = {int(one) for part in found for one in part.positions}
    missing = [one for one in wanted if one not in there]
    if missing or not found:
        [computed] = yield from once(ExplanationPass(), classifier, photos, (question,), missing)
        found = [*found, computed]
    return merged(found).at(wanted)
