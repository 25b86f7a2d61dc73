"""Classifiers whose reason is known beside the honest one: the same pictures scored for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from interp import images, models
from interp.attribution import Method
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.shared_interest.cases import Thresholds, counts
from interp.shared_interest.explained import Explanation
from interp.shared_interest.scoring import Scored, Scoring, score
from interp.types import Classifier


@dataclass(frozen=True)
class PlantedPair:
    """The same pictures, those of the class with the planted reason, scored for the honest classifier and its rival."""

    reason: Reason
    honest: Scored
    rival: Scored


def planted_pairs(classifier: Classifier, explanation: Explanation, scoring: Scoring) -> Iterator[PlantedPair]:
    """Each planted reason with its pictures scored twice; on the classifier's device, its method fitted to each."""
    device = str(classifier.device)
    honest = models.load(bundled.HONEST, device=device)
    for name, reason in bundled.REASON_OF.items():
        if reason is None:
            continue
        rival, photos = models.load(name, device=device), images.load(name)
        label = REASONS[reason].label
        positions = np.flatnonzero([one == label for one in photos.labels])
        found = []
        for one in (honest, rival):
            asked = replace(explanation, method=fitting(explanation.method, classifier, one))
            found.append(score(one, photos, asked, scoring=scoring, positions=positions))
        yield PlantedPair(reason, *found)


def shares_of_cases(pairs: Sequence[PlantedPair], thresholds: Thresholds) -> list[dict[str, Any]]:
    """A row for each classifier on each of the test sets: accuracy, mean IoU, and the share of each case."""
    found = []
    for pair in pairs:
        planted = REASONS[pair.reason]
        for scored in (pair.honest, pair.rival):
            cases = counts(scored.cases(thresholds))
            found.append(
                {
                    "pictures": f"{planted.label}, with {planted.cue}",
                    "classifier": bundled.TITLES[scored.classifier],
                    "images": len(scored),
                    "accuracy": float(scored.correct.mean()),
                    "mean IoU": float(scored.overlap.iou.mean()),
                    **{case: count / max(1, len(scored)) for case, count in cases.items()},
                }
            )
    return found


def fitting(method: Method, classifier: Classifier, rival: Classifier) -> Method:
    """The method for another classifier: a layer that it does not have is replaced by its last spatial one."""
    layer = getattr(method, "layer", None)
    if layer is None or any(one.name == layer for one in rival.layers) and layer != classifier.last_spatial_layer.name:
        return method
    # Methods are dataclasses of their parameters.
    return replace(method, layer=rival.last_spatial_layer.name)  # pyright: ignore[reportArgumentType]
