"""The figure of how probable a class is in its own images."""

from __future__ import annotations

import numpy as np

from interp.figures.class_probabilities import probabilities
from interp.models.predictions import Predictions


def test_each_image_of_the_class_is_in_the_bar_of_its_probability() -> None:
    labels = np.array([1, 1, 1, 1, 0], np.int32)
    predicted = np.array([1, 1, 0, 1, 0], np.int32)[:, None]
    own = np.array([0.97, 1.0000001, 0.12, 0.52, 0.5], np.float32)
    found = probabilities(Predictions(np.arange(5), predicted, own[:, None], labels, own), 1)
    bars = {
        trace.name: {round(x, 3): int(y) for x, y in zip(trace.x, trace.y, strict=True) if y} for trace in found.data
    }
    assert bars == {"3 right": {0.525: 1, 0.975: 2}, "1 wrong": {0.125: 1}}


def test_where_nothing_is_wrong_there_is_one_kind_of_bar() -> None:
    rows = np.zeros((3, 1), np.int32)
    shares = np.full(3, 0.8, np.float32)
    found = probabilities(Predictions(np.arange(3), rows, shares[:, None], rows[:, 0], shares), 0)
    assert [trace.name for trace in found.data] == ["3 right"] and found.data[0].y.sum() == 3
