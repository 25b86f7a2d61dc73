"""What a graphics card computes by products of matrices is what a processor finds in loops: run on a processor here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from interp.class_summary import device_inputs, readings
from interp.class_summary.joints import Kernels
from interp.class_summary.summary import summarize
from interp.types import digest
from tests.class_summary.sets import pictures
from tests.class_summary.test_influences import network

IMAGES, WIDTH, ROWS = 3, 8, 6
SHAPES: list[tuple[tuple[int, int], int, dict[str, Any]]] = [
    ((3, 3), WIDTH, {"padding": (1, 1, 1, 1)}),
    ((3, 3), 2, {"stride": (2, 1), "dilation": (1, 2)}),
    ((5, 2), 1, {"stride": (2, 3), "padding": (2, 2, 0, 1)}),
    ((1, 1), WIDTH, {"padding": (1, 1, 1, 1), "stride": (2, 2)}),
]


@pytest.fixture(params=[2**28, 1], ids=["at once", "one by one"])
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(device_inputs, "ROOM", request.param)
    return request.param


def found(term: Kernels, maps: Tensor, on_card: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, np.ndarray]:
    """Beside inputs of another term, which were taken in before."""
    monkeypatch.setattr(readings, "_on_processor", lambda values: not on_card)
    values = np.zeros((IMAGES, ROWS + 1, 5), np.float32)
    candidates = np.full(values.shape, 2**16 - 1, np.uint16)
    values[:, 2, :2], candidates[:, 2, :2] = (2.0, 1.0), (3, 4)
    read = readings.reading(maps, term)
    assert isinstance(read, device_inputs.DeviceReading) == on_card
    readings.strongest_inputs(term, read, values, candidates)
    return values, candidates


@pytest.mark.parametrize(("size", "group", "options"), SHAPES, ids=str)
def test_it_finds_what_the_loops_find(
    room: int, size: tuple[int, int], group: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    maps = torch.from_numpy(rng.normal(size=(IMAGES, WIDTH, 9, 11)).astype(np.float32))
    weights = rng.normal(size=(ROWS, group, *size)).astype(np.float32)
    first = np.arange(ROWS) * group % (WIDTH - group + 1)
    rows = np.arange(ROWS) + 1
    term = Kernels(rows, 0, (1, WIDTH, 9, 11), weights, first, 7, **options)
    best, named = found(term, maps, True, monkeypatch)
    expected, candidates = found(term, maps, False, monkeypatch)
    np.testing.assert_array_equal(named, candidates)
    np.testing.assert_allclose(best, expected, rtol=1e-5, atol=1e-6)
    assert (named[:, 1:] != 2**16 - 1).any() and (best[:, 0] == 0).all()


def test_of_equal_inputs_the_first_count(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = torch.ones(IMAGES, WIDTH, 5, 5)
    weights = np.ones((ROWS, WIDTH, 3, 3), np.float32)
    term = Kernels(np.arange(ROWS), 0, (1, WIDTH, 5, 5), weights, np.zeros(ROWS, np.int64), 0)
    best, named = found(term, maps, True, monkeypatch)
    assert (best[:, :ROWS] == 9).all() and (named[:, :ROWS] == np.arange(5)).all()
    for one, other in zip(found(term, maps, False, monkeypatch), (best, named), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_summary_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = network("squeezenet1_1")
    photos = pictures(classifier, ("1", "0", "1"))
    pair = ("features.4", "features.6")
    expected = summarize(classifier, photos, pair)
    monkeypatch.setattr(readings, "_on_processor", lambda values: False)
    assert digest(summarize(classifier, photos, pair).influences) == digest(expected.influences)
