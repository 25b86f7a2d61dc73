"""Having a set scored: asked for once, streamed chunk by chunk, and read as far as it has come."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import Int

import cache
from cache import chunks
from interp.images import ImageSet
from interp.shared_interest import (
    CHUNK,
    FIRST,
    Explained,
    Question,
    Scored,
    Scoring,
    annotated,
    explain,
    joined,
)
from interp.types import Classifier

GOLDEN = (5**0.5 - 1) / 2


def ask(
    visitor: cache.Visitor,
    slot: str,
    classifier: Classifier,
    photos: ImageSet,
    questions: tuple[Question, ...],
    scoring: Scoring,
) -> cache.Job:
    """The job that scores all annotated images of a set, for each question; what was explained before is read again."""
    chosen = positions(photos)
    question = cache.call(chunks.gathered, explain, scoring, classifier, photos, questions, chosen, CHUNK, FIRST)
    return visitor.ask(slot, question, disk=False)


def positions(photos: ImageSet) -> np.ndarray:
    """The positions of the annotated images of a set, in the order in which they are scored."""
    return cache.get(cache.call(spread, photos), disk=False, device="lists")


def spread(photos: ImageSet) -> Int[np.ndarray, " n"]:
    """The positions of the annotated images, ordered so that the first ones, however many, are spread over the set.

    So what has been scored so far speaks for the whole, and a costly method can be judged before it is through.
    """
    chosen = annotated(photos)
    places = np.arange(len(chosen)) * GOLDEN % 1
    return chosen[places.argsort(kind="stable").argsort(kind="stable")]


def latest(
    job: cache.Job, classifier: Classifier, questions: tuple[Question, ...], scoring: Scoring
) -> tuple[Scored, ...]:
    """What has been scored so far, for each question; of no image before the first ones have come."""
    if job.state == "done":
        return job.value
    if job.partial:
        return job.partial[-1]
    return scoring(classifier, questions, 0).so_far


def maps(
    classifier: Classifier, photos: ImageSet, question: Question, wanted: Sequence[int]
) -> Generator[None, None, Explained]:
    """Maps and annotations of a few images, out of the kept chunks; what is not there is computed anew."""
    found = chunks.kept(explain, classifier, photos, question, spread(photos), wanted, CHUNK, FIRST)
    there = {int(one) for part in found for one in part.positions}
    missing = [one for one in wanted if one not in there]
    if missing or not found:
        [computed] = yield from explain(classifier, photos, (question,), missing)
        found = [*found, computed]
    return joined(found).at(wanted)
