"""The scores of a set as tables: by class, by pair of classes, and everything about every image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from interp.images import ImageSet
from interp.shared_interest.cases import AUTHORS, CASES, Thresholds
from interp.shared_interest.scoring import SCORES, Scored, ScoreName
from interp.shared_interest.thresholds import stability


def by_class(scored: Scored) -> pd.DataFrame:
    """A row for each class that is an image's label, or is predicted for one without, by class index.

    `class`; `images`; `labelled` among them and `right` among these; `accuracy` = right / labelled, nan without any;
    the mean of each of `SCORES` over the images.
    """
    own = np.where(scored.known, scored.labels, scored.predicted)
    rows = pd.DataFrame({"class": own, "labelled": scored.known, "right": scored.correct} | _scores(scored))
    grouped = rows.groupby("class", sort=True)
    table = pd.DataFrame({"images": grouped.size()})
    table[["labelled", "right"]] = grouped[["labelled", "right"]].sum()
    table["accuracy"] = table["right"] / table["labelled"].where(table["labelled"] > 0)
    table[list(SCORES)] = grouped[list(SCORES)].mean()
    return table.reset_index()


def confusion(scored: Scored, name: ScoreName = "iou") -> pd.DataFrame:
    """A row for each label and prediction that occur together, most frequent first.

    `label` and `predicted` (class indices), `count`, and `score`: the mean of one of `SCORES`. Images without a label
    among the classifier's classes are left out. Raises `ValueError` for a score that there is not.
    """
    rows = pd.DataFrame({"label": scored.labels, "predicted": scored.predicted, "score": scored.score(name)})
    grouped = rows[scored.known].groupby(["label", "predicted"], sort=True)["score"]
    table = grouped.agg(["size", "mean"]).reset_index().rename(columns={"size": "count", "mean": "score"})
    return table.sort_values("count", ascending=False, kind="stable").reset_index(drop=True)


def table(scored: Scored, photos: ImageSet, labels: Sequence[str], thresholds: Thresholds = AUTHORS) -> pd.DataFrame:
    """Everything about every image, in the order of the scores; `labels` are the names of the classifier's classes.

    `position` and `name` in the set, `group`, `label` as the set gives it, the predicted class by name, its
    `probability`, `correct` (nothing where the classifier does not have the label), the numbers of pixels that are
    annotated, salient and both, each of `SCORES`, the `case`, and `distance`: how far from another.
    """
    positions = scored.positions.tolist()
    correct = [right if known else None for right, known in zip(scored.correct, scored.known, strict=True)]
    columns = {
        "position": scored.positions,
        "name": [photos.names[one] for one in positions],
        "group": [photos.groups[one] for one in positions],
        "label": [photos.labels[one] for one in positions],
        "predicted": [labels[one] for one in scored.predicted.tolist()],
        "probability": scored.probability,
        "correct": pd.array(correct, dtype="boolean"),
        "annotated": scored.overlap.annotated,
        "salient": scored.overlap.salient,
        "shared": scored.overlap.shared,
        **_scores(scored),
        "case": [CASES[one] for one in scored.cases(thresholds).tolist()],
        "distance": stability(scored, thresholds).distance,
    }
    return pd.DataFrame(columns)


def _scores(scored: Scored) -> dict[ScoreName, np.ndarray]:
    return {name: scored.score(name) for name in SCORES}
