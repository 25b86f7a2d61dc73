"""Having a set scored: asked for once, streamed chunk by chunk, and read as far as it has come."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import Int

import cache
from interp import set_pass
from interp.images import ImageSet
from interp.set_pass import kept_parts
from interp.shared_interest import (
    Explained,
    ExplanationPass,
    Question,
    Scored,
    Scoring,
    annotated,
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
    reading = (ExplanationPass(), classifier, photos, questions, chosen)
    question = cache.call(set_pass.by_chunks, *reading, kept=cache.Kept(), collecting=scoring)
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
    parts = kept_parts(ExplanationPass(), classifier, photos, question, spread(photos), cache.Kept(), wanted)
    found = [part.at(wanted) for part in parts if part is not None]
    there = {int(one) for part in found for one in part.positions}
    missing = [one for one in wanted if one not in there]
    if missing or not found:
        [computed] = yield from set_pass.once(ExplanationPass(), classifier, photos, (question,), missing)
        found = [*found, computed]
    return set_pass.merged(found).at(wanted)
