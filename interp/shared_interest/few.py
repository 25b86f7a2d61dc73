"""Maps and annotations of a few images of a set, out of what was kept when the set was scored."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from interp.images import ImageSet
from interp.set_pass import ItemStore, kept_parts, merged, once, spread
from interp.shared_interest.cases import Thresholds
from interp.shared_interest.explained import Explained, Explanation
from interp.shared_interest.explaining import ExplanationPass, annotated
from interp.shared_interest.scoring import Scoring
from interp.shared_interest.sweeping import Sweep, ladder, sweep
from interp.types import Classifier

Steps = tuple[Explained, ...]


def explained_at(
    classifier: Classifier, photos: ImageSet, explanation: Explanation, wanted: Sequence[int], kept: ItemStore
) -> Generator[Steps, None, Explained]:
    """Maps and annotations of a few images, out of the kept chunks; what is not there is computed anew."""
    order = spread(annotated(photos))
    parts = kept_parts(ExplanationPass(), classifier, photos, explanation, order, kept, wanted)
    found = [part.at(wanted) for part in parts if part is not None]
    there = {int(one) for part in found for one in part.positions}
    missing = [one for one in wanted if one not in there]
    if missing or not found:
        [computed] = yield from once(ExplanationPass(), classifier, photos, (explanation,), missing)
        found = [*found, computed]
    return merged(found).at(wanted)


def sweep_at(
    classifier: Classifier,
    photos: ImageSet,
    explanation: Explanation,
    scoring: Scoring,
    thresholds: Thresholds,
    position: int,
    correct: bool,
    kept: ItemStore,
) -> Generator[Steps, None, Sweep | None]:
    """The sweep of one image of the set along the settings of the scoring's rule; None where it has no map."""
    explained = yield from explained_at(classifier, photos, explanation, (position,), kept)
    if not len(explained):
        return None
    rules = ladder(scoring.rule)
    given = explained.maps[0], explained.annotations[0], correct, rules
    return sweep(*given, thresholds=thresholds, evidence=scoring.evidence)
