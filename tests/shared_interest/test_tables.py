"""Scores by class, by pair of classes, and everything about every image."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from interp.shared_interest import SCORES, by_class, confusion, table
from tests.shared_interest.sets import CLASSES, image_set, pictures, scored

ROWS = [(10, 10, 10), (10, 10, 0), (10, 20, 10), (10, 10, 10)]


@pytest.fixture
def four():
    """Two cats, the second taken for a dog; a fish; and one without a label, predicted a fish."""
    return scored(ROWS, labels=[0, 0, 2, -1], predicted=[0, 1, 2, 2], positions=[3, 0, 1, 2])


def test_by_class(four) -> None:
    found = by_class(four).set_index("class")
    assert found.index.tolist() == [0, 2]
    assert found["images"].tolist() == [2, 2] and found["labelled"].tolist() == [2, 1]
    assert found["accuracy"].tolist() == [0.5, 1.0]
    assert found["iou"].tolist() == [0.5, 0.75] and found["saliency_coverage"].tolist() == [0.5, 0.75]
    unlabelled = by_class(scored([(10, 10, 5)], labels=[-1], predicted=[1]))
    assert np.isnan(unlabelled["accuracy"][0]) and unlabelled["class"].tolist() == [1]
    assert len(by_class(scored([]))) == 0


def test_confusion(four) -> None:
    found = confusion(four, "ground_truth_coverage")
    rows = {(row.label, row.predicted): (row.count, row.score) for row in found.itertuples(index=False)}
    assert rows == {(0, 0): (1, 1.0), (0, 1): (1, 0.0), (2, 2): (1, 1.0)}
    twice = scored([(10, 10, 10), (10, 10, 0), (10, 10, 10)], labels=[0, 1, 1], predicted=[0, 1, 1])
    assert confusion(twice).iloc[0].tolist() == [1, 1, 2, 0.5]
    assert len(confusion(scored([]))) == 0


def test_the_table_holds_everything_and_survives_being_a_csv(four) -> None:
    photos = image_set(pictures(4), {}, ["cat", "fish", None, "cat"])
    found = table(four, photos, CLASSES)
    assert found["name"].tolist() == ["3.png", "0.png", "1.png", "2.png"]
    assert found["label"].tolist()[:3] == ["cat", "cat", "fish"] and found["label"].isna().tolist()[3]
    assert found["predicted"].tolist() == ["cat", "dog", "fish", "fish"]
    assert found["case"].tolist() == ["human aligned", "distractor", "unclassified", "unclassified"]
    assert found["correct"].isna().tolist() == [False, False, False, True]
    assert found["correct"][:3].tolist() == [True, False, True]
    again = pd.read_csv(io.StringIO(found.to_csv(index=False)))
    assert again.shape == (4, 16) and np.allclose(again["iou"], four.score("iou"))
    assert set(SCORES) <= set(again.columns)
